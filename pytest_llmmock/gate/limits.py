"""What limits a played provider sets: `--limits rpm=3,tpm=1000`, or a profile by its name."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, fields, replace
from difflib import get_close_matches
from typing import Any

from ..errors import UsageError


@dataclass(frozen=True, slots=True)
class Limits:
    """How much may be asked. None: as much as one likes."""

    rps: float | None = None
    """Requests a second."""
    burst: int | None = None
    """Requests that may come at once, where `rps` is set; as many as a second has, unless told."""
    rpm: float | None = None
    """Requests a minute."""
    rpd: float | None = None
    """Requests a day."""
    tpm: int | None = None
    """Tokens a minute, asked and answered."""
    tpd: int | None = None
    """Tokens a day."""
    concurrency: int | None = None
    """Requests that are answered at the same time."""
    messages: int | None = None
    """Messages of one request."""
    characters: int | None = None
    """Characters of one message."""
    bytes: int | None = None
    """Bytes of all messages of one request, in UTF-8."""
    max_tokens: int | None = None
    """The most tokens that a request may ask for."""


NAMES = tuple(field.name for field in fields(Limits))

PROFILES = {
    # vmanoilov/ChatMock. Its queue, in which a hundred requests wait for one another, refuses nobody here.
    "chatmock": Limits(messages=64, characters=16_384, bytes=262_144, max_tokens=2048, rps=8, burst=16),
}
"""Name -> the limits of a provider that people know."""

_NUMBER = re.compile(r"\d{1,15}(?:\.\d{1,6})?")
_MAY_BE_A_PART = ("rps", "rpm", "rpd")


def read_limits(text: str) -> Limits:
    """The limits of `--limits`: names of profiles and figures, of which the last one counts. Raises `UsageError`."""
    limits = Limits()
    for item in filter(None, map(str.strip, text.split(","))):
        name, equals, value = item.partition("=")
        limits = _with_figure(limits, name.strip(), value.strip()) if equals else _with_profile(limits, item)
    if limits.burst is not None and limits.rps is None:
        raise UsageError("burst= is how many of rps= may come at once: say rps= as well.")
    return limits


def _with_profile(limits: Limits, name: str) -> Limits:
    if name not in PROFILES:
        hint = f"A figure is set with {name}=NUMBER." if name in NAMES else _known(name, PROFILES)
        raise UsageError(f"There is no profile of limits {name!r}. {hint}")
    return _with(limits, {each: value for each, value in asdict(PROFILES[name]).items() if value is not None})


def _with_figure(limits: Limits, name: str, value: str) -> Limits:
    if name not in NAMES:
        raise UsageError(f"There is no limit {name!r}. {_known(name, ())}")
    number = float(value) if _NUMBER.fullmatch(value) else 0.0
    if number <= 0 or (name not in _MAY_BE_A_PART and not number.is_integer()):
        kind = "a number" if name in _MAY_BE_A_PART else "a whole number"
        raise UsageError(f"{name}={value} is not possible: it is {kind} above 0.")
    return _with(limits, {name: int(number) if number.is_integer() else number})


def _with(limits: Limits, figures: Mapping[str, Any]) -> Limits:
    return replace(limits, **figures)


def _known(name: str, profiles: Iterable[str]) -> str:
    """The nearest name that there is, or all."""
    near = get_close_matches(name, [*profiles, *NAMES], n=1)
    if near:
        return f"Did you mean {near[0]!r}?"
    return f"Profiles are: {', '.join(PROFILES)}. Figures are: {'=, '.join(NAMES)}=."
