"""Where record mode gets its answers."""

from __future__ import annotations

from collections.abc import Mapping
from difflib import get_close_matches
from importlib import import_module

from ..core.model import Upstream
from ..errors import UsageError
from .own import Own
from .providers import PROVIDERS

UPSTREAMS = {
    "original": "original",
    **dict.fromkeys(PROVIDERS, "providers"),
    "codex": "codex",
    "chatgpt": "chatgpt",
}
"""Name -> module in this package; a new provider that is an address and a key is a line in `providers.py`."""

HEEDING = ("codex", "chatgpt")
"""Those that do what the settings wish of every request; the others are asked as the client asked."""

CHOICES = "a base URL such as http://127.0.0.1:8000/v1, or one of: " + ", ".join(UPSTREAMS)

Owns = Mapping[str, Own]
"""Upstreams of a project's own, by name."""


def find(name: str, environ: Mapping[str, str], owns: Owns | None = None) -> Upstream:
    """The upstream of this name, or at this base URL. Raises `UsageError`."""
    if name.startswith(("http://", "https://")):
        from .base_url import at

        return at(name, environ)
    if owns and name in owns:
        from .own import own

        return own(name, owns[name], environ)
    if name in PROVIDERS:
        from .providers import provider

        return provider(name, environ)
    check(name, owns or {})
    module = import_module("." + UPSTREAMS[name], __name__)
    upstream: Upstream = module.upstream(environ)
    return upstream


def check(name: str, owns: Owns) -> None:
    """Raises `UsageError` for a name that is no upstream's."""
    names = [*UPSTREAMS, *owns]
    if name in names:
        return
    near = get_close_matches(name, names, n=1)
    hint = f" Did you mean {near[0]!r}?" if near else ""
    mine = f", {', '.join(owns)}" if owns else ""
    raise UsageError(f"There is no upstream {name!r}.{hint} An upstream is {CHOICES}{mine}.")
