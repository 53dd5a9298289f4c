"""How many requests fit, and what was asked instead."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from ..errors import UsageError
from .listing import asked_line, listed, nothing_asked, whole_line
from .scope import Numbered, Scope

_WORD = re.compile(r"\w+")


def split(conditions: Sequence[Any], times: int | None) -> tuple[Sequence[Any], int | None]:
    """The conditions, and how often: `assert_called(2, model="gpt-5")` is understood too. Raises `UsageError`."""
    if times is None and conditions and isinstance(conditions[0], int):
        times, conditions = conditions[0], conditions[1:]
    if times is not None and (not isinstance(times, int) or isinstance(times, bool) or times < 0):
        raise UsageError(
            f"assert_called(times={times!r}): a number of requests was expected, or None for any but none."
        )
    return conditions, times


def failure(scope: Scope, times: int | None) -> str:
    """Why the number of requests is wrong; '' when it is right. None is any number but none."""
    fitting = scope.fitting
    if len(fitting) == times or (times is None and fitting):
        return ""
    head = f"{_found(len(fitting), scope)}, and {_expected(times)}"
    paragraphs = [
        f"{head}:\n{_those(fitting, scope)}" if fitting else f"{head}.",
        nothing_asked(scope),
        _instead(fitting, scope) if len(fitting) < (times or 1) else "",
    ]
    return "\n\n".join(paragraph for paragraph in paragraphs if paragraph)


def _found(count: int, scope: Scope) -> str:
    if not scope.wanted:
        return {0: "No request was made", 1: "One request was made"}.get(count, f"{count} requests were made")
    found = {0: "No request fits", 1: "One request fits"}.get(count, f"{count} requests fit")
    return f"{found} {scope.described}"


def _expected(times: int | None) -> str:
    if times is None:
        return "at least one was expected"
    return {0: "none was expected", 1: "one was expected"}.get(times, f"{times} were expected")


def _those(fitting: Sequence[Numbered], scope: Scope) -> str:
    return listed([[whole_line(number, entry, scope.clean)] for number, entry in fitting])


def _instead(fitting: Sequence[Numbered], scope: Scope) -> str:
    """The requests that do not fit, and why, the nearest first."""
    numbers = {number for number, _ in fitting}
    others = [_Other(each, scope) for each in scope.entries if each[0] not in numbers]
    if not others:
        return ""
    others.sort(key=lambda other: other.distance)
    items = [[other.line, *(line for why in other.reasons for line in why.splitlines())] for other in others]
    return f"Asked {'as well' if fitting else 'instead'}, the nearest first:\n{listed(items)}"


class _Other:
    """A request that does not fit."""

    def __init__(self, numbered: Numbered, scope: Scope) -> None:
        self._number, entry = numbered
        found = [(wanted.name, wanted.why(entry, scope.clean)) for wanted in scope.wanted]
        self._missed = [(name, why) for name, why in found if why]
        self.reasons = [why for _, why in self._missed]
        self.line = asked_line(self._number, entry, scope.clean)

    @property
    def distance(self) -> tuple[int, float, int]:
        """How many conditions do not fit, how few of their words were found all the same, and when it was asked."""
        return len(self._missed), -sum(_shared(name, why) for name, why in self._missed), self._number


def _shared(wanted: str, found: str) -> float:
    """The part of some words that stands in other ones."""
    words = set(_WORD.findall(wanted))
    return len(words.intersection(_WORD.findall(found))) / max(1, len(words))
