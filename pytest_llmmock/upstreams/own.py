"""Upstreams of a project's own, as its settings tell them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

from ..core.model import without_user
from ..errors import UsageError
from .base_url import name_of
from .credentials import DUMMY_KEY
from .named import Named
from .protocols import SPOKEN

_VARIABLE = re.compile(r"\$\{(\w+)\}")
_NAME = re.compile(r"[A-Za-z][\w.-]*")


@dataclass(frozen=True, slots=True, kw_only=True)
class Own:
    """`{"url": "https://gateway.example/v1", "key_env": "GATEWAY_KEY", "headers": {"x-team": "${TEAM}"}}`"""

    __pydantic_config__: ClassVar[dict[str, Any]] = {"extra": "forbid"}

    url: str
    key_env: str = ""
    """The variable that holds its key; without one it is asked without a key."""
    headers: dict[str, str] = field(default_factory=dict)
    """Sent besides. `${NAME}` stands for a variable."""


def own(name: str, told: Own, environ: Mapping[str, str]) -> Named:
    """The upstream that a project calls by this name. Raises `UsageError`."""
    key = environ.get(told.key_env, "").strip() if told.key_env else ""
    if told.key_env and key in ("", DUMMY_KEY):
        raise UsageError(f"The upstream {name!r} ({name_of(told.url)}) needs a key, and {told.key_env} is not set.")
    headers = tuple((each.lower(), _filled(name, value, environ)) for each, value in told.headers.items())
    # What it speaks is its owner's to know.
    return Named(NAME=name, BASE_URL=told.url.rstrip("/"), key=key, speaks=tuple(SPOKEN), headers=headers)


def _filled(name: str, text: str, environ: Mapping[str, str]) -> str:
    missing = [each for each in _VARIABLE.findall(text) if not environ.get(each)]
    if missing:
        raise UsageError(f"The upstream {name!r} has a header with ${{{missing[0]}}}, and {missing[0]} is not set.")
    return _VARIABLE.sub(lambda found: environ[found[1]], text)


def check(name: str, told: Own, taken: Iterable[str]) -> None:
    """Raises `UsageError` for a name that is taken or none, and for an address that is none."""
    if name in taken:
        raise UsageError(f"There is an upstream {name!r} already; another name is needed for one of your own.")
    if not _NAME.fullmatch(name):
        raise UsageError(f"{name!r} is no name for an upstream: letters, digits, '.', '_' and '-', a letter first.")
    if not told.url.startswith(("http://", "https://")):
        example = "http://127.0.0.1:8000/v1"
        shown = without_user(told.url)
        raise UsageError(f"The upstream {name!r} is at {shown!r}, which is no address. One looks like {example}.")
    name_of(told.url)


def read(text: str) -> tuple[str, dict[str, str]]:
    """`mine = https://gateway.example/v1 GATEWAY_KEY`. Raises `UsageError`."""
    name, equals, rest = text.partition("=")
    words = rest.split()
    if not equals or not name.strip() or len(words) not in (1, 2):
        raise UsageError(f"{text.strip()!r} is not of the form NAME=URL or NAME=URL KEY_VARIABLE.")
    return name.strip(), dict(zip(("url", "key_env"), words, strict=False))
