"""What changes on every run and means nothing: identifiers, times, temporary paths, made the same before comparing.

Only what is compared is changed, never what is recorded or sent.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from ..errors import UsageError

Normaliser = str | re.Pattern[str] | Callable[[Any], Any]
"""A name from `KINDS`, a regular expression (also as `re:…`), or a function from a body to the body to compare."""


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of value that changes on every run."""

    words: str
    """What such a value is called."""
    pattern: re.Pattern[str]


_UUID = r"(?<![0-9a-zA-Z])[0-9a-fA-F]{8}(-?)(?:[0-9a-fA-F]{4}\1){3}[0-9a-fA-F]{12}(?![0-9a-zA-Z])"

_ZONE = r"(?: ?(?:Z|UTC|GMT|[+-]\d\d:?\d\d))?"
_ISO = rf"(?<![\d.])\d{{4}}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:[.,]\d+)?)?{_ZONE})?(?!\d)"
_EPOCH = r"(?<![\d.])1[5-9]\d{8}(?:\d{3}){0,3}(?:\.\d+)?(?!\d)"
"""Seconds to nanoseconds since 1970, from 2017 on."""

_NAME = r"[^\s\"'<>|*?:;,()\[\]{}/\\]+"
_WINDOWS = r"[A-Za-z]:[^\s\"'<>|*?]{0,200}?[\\/]Temp"
_ROOT = rf"(?:/private)?(?:/var/folders/{_NAME}/{_NAME}/[TC]|/var/tmp|/tmp|/dev/shm)|{_WINDOWS}"
_OF_PYTEST = rf"[\\/]+pytest-of-{_NAME}[\\/]+pytest-{_NAME}(?:[\\/]+popen-gw\d+)?(?:[\\/]+{_NAME})?"
_TMP_PATH = rf"(?:[A-Za-z]:)?(?:[\\/]+{_NAME})*{_OF_PYTEST}|(?:{_ROOT})(?![^/\\\s\"'])(?:[\\/]+{_NAME})?"
"""pytest's folders wherever they are, and the first folder below those that systems have for temporary files."""

_TRACE = r"(?<![0-9a-zA-Z-])(?:[0-9a-f]{32}|[0-9a-f]{16})(?![0-9a-zA-Z-])"
_TRACEPARENT = r"\b00-[0-9a-f]{32}-[0-9a-f]{16}-0[0-9a-f]\b"
"""W3C Trace Context, https://www.w3.org/TR/trace-context/."""

KINDS = {
    "uuid": Kind("a UUID", re.compile(_UUID)),
    "timestamp": Kind("a time", re.compile(f"{_ISO}|{_EPOCH}")),
    "tmp_path": Kind("a temporary path", re.compile(_TMP_PATH)),
    "trace_id": Kind("a trace id", re.compile(f"{_TRACEPARENT}|{_TRACE}")),
}
"""Name -> what such a value looks like, in the order of trying."""


class Normalisers:
    """Applies normalisers in their order: first the functions to the body, then the rest to every text."""

    def __init__(self, chosen: Sequence[Normaliser]) -> None:
        self._functions = [each for each in chosen if not isinstance(each, str | re.Pattern)]
        self._patterns = [_pattern(each) for each in chosen if isinstance(each, str | re.Pattern)]
        self._times = "timestamp" in chosen

    def body(self, value: Any) -> Any:
        """A body as it is compared. A function is given a copy of its own, and may change it."""
        if self._functions:
            value = _copied(value)
        for function in self._functions:
            value = _applied(function, value)
        return self.value(value)

    def value(self, value: Any) -> Any:
        """Any other value as it is compared."""
        if not self._patterns:
            return value
        if isinstance(value, str):
            return self._text(value)
        if isinstance(value, dict):
            return {self._text(name): self.value(item) for name, item in value.items()}
        if isinstance(value, list | tuple):
            return [self.value(item) for item in value]
        return self._number(value) if self._times and type(value) in (int, float) else value

    def _text(self, text: str) -> str:
        for pattern, instead in self._patterns:
            text = pattern.sub(instead, text)
        return text

    def _number(self, number: float) -> float | str:
        return "<timestamp>" if KINDS["timestamp"].pattern.fullmatch(repr(number)) else number


def _applied(function: Callable[[Any], Any], body: Any) -> Any:
    """Raises `UsageError` where a function does not do what it is there for: any two requests would be the same."""
    name = getattr(function, "__name__", repr(function))
    try:
        value = function(body)
    except Exception as error:
        raise UsageError(f"The normaliser {name} raised {type(error).__name__}: {error}") from error
    if value is None and body is not None:
        raise UsageError(f"The normaliser {name} returned None. It has to return the body that is to be compared.")
    return value


def _copied(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _copied(item) for name, item in value.items()}
    return [_copied(item) for item in value] if isinstance(value, list) else value


def _pattern(chosen: str | re.Pattern[str]) -> tuple[re.Pattern[str], str]:
    """A pattern and what stands for all that it finds. Raises `UsageError`."""
    if isinstance(chosen, re.Pattern):
        return chosen, "<…>"
    if chosen.startswith("re:"):
        return _compiled(chosen.removeprefix("re:")), "<…>"
    if chosen not in KINDS:
        raise UsageError(
            f"normalisers has {chosen!r}, which is not a normaliser. Known are: {', '.join(KINDS)}; "
            "besides, a compiled regular expression, the same as text behind 're:', or a function."
        )
    return KINDS[chosen].pattern, f"<{chosen}>"


def _compiled(pattern: str) -> re.Pattern[str]:
    try:
        return re.compile(pattern)
    except re.error as error:
        raise UsageError(f"normalisers has 're:{pattern}', which is not a regular expression: {error}.") from None


def signature(chosen: Sequence[Normaliser]) -> object | None:
    """Names a choice of normalisers; None where it has no name, because it holds a function, which may have changed."""
    names = [_named(each) for each in chosen]
    return None if None in names else names


def _named(chosen: Normaliser) -> object | None:
    if isinstance(chosen, re.Pattern):
        return chosen.pattern, chosen.flags
    return chosen if isinstance(chosen, str) else None
