"""Where record mode gets its answers."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module

from ..core.model import Upstream
from ..errors import UsageError

UPSTREAMS = {
    "original": "original",
    "openai": "openai",
    "codex": "codex",
    "chatgpt": "chatgpt",
}
"""Name -> module in this package."""

CHOICES = "a base URL such as http://127.0.0.1:8000/v1, or one of: " + ", ".join(UPSTREAMS)


def find(name: str, environ: Mapping[str, str]) -> Upstream:
    """The upstream of this name, or at this base URL. Raises `UsageError`."""
    if name.startswith(("http://", "https://")):
        from .base_url import at

        return at(name, environ)
    if name not in UPSTREAMS:
        raise UsageError(f"There is no upstream {name!r}. An upstream is {CHOICES}.")
    module = import_module("." + UPSTREAMS[name], __name__)
    upstream: Upstream = module.upstream(environ)
    return upstream
