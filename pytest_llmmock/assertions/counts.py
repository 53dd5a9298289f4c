"""How many requests fit, and what was asked instead."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any

from ..errors import UsageError
from .listing import asked_line, listed, nothing_asked, whole_line
from .scope import Numbered, Scope
from .wanted import Seen, Wanted

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
    return listed(fitting, lambda each: [whole_line(*each, scope.clean)])


def _instead(fitting: Sequence[Numbered], scope: Scope) -> str:
    """The requests that do not fit, and why, the nearest first."""
    numbers = {number for number, _ in fitting}
    others = [_Other(each, scope.wanted) for each in scope.entries if each[0] not in numbers]
    if not others:
        return ""
    others.sort(key=lambda other: other.distance)
    head = f"Asked {'as well' if fitting else 'instead'}, the nearest first:"
    return f"{head}\n{listed(others, lambda other: other.lines(scope.clean))}"


class _Other:
    """A request that does not fit."""

    def __init__(self, numbered: Numbered, wanted: Sequence[Wanted]) -> None:
        self._number, self._entry = numbered
        self._missed = [each for each in wanted if not each.fits(self._entry)]
        shared = sum(_shared(each.name, each.misfit(Seen(self._entry))) for each in self._missed)
        self.distance = (len(self._missed), -shared, self._number)
        """How many conditions do not fit, how few of their words were found all the same, and when it was asked."""

    def lines(self, clean: Callable[[str], str]) -> list[str]:
        reasons = [each.why(self._entry, clean) for each in self._missed]
        return [asked_line(self._number, self._entry, clean), *(line for why in reasons for line in why.splitlines())]


def _shared(wanted: str, found: str) -> float:
    """The part of some words that stands in other ones."""
    words = set(_WORD.findall(wanted))
    return len(words.intersection(_WORD.findall(found))) / max(1, len(words))
