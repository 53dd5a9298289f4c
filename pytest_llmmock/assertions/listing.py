"""Requests and answers as short numbered lists: what an assertion tells when it has failed."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, TypeVar

from ..cassettes.difference import Difference
from ..core.journal import Entry
from ..core.prompt import Answer, Delta, DeltaKind
from ..core.summary import asked, told
from .scope import Scope
from .wanted import cleaned

LISTED = 5
"""Requests or calls that are listed."""

COLUMNS = 120


T = TypeVar("T")


def listed(items: Sequence[T], told: Callable[[T], Sequence[str]]) -> str:
    """The first of some items, each as a line and the lines below it; only those are told."""
    texts = [told(item) for item in items[:LISTED]]
    lines = [line if number == 0 else f"      {line}" for text in texts for number, line in enumerate(text)]
    lines += [f"  and {len(items) - LISTED} more"] if len(items) > LISTED else []
    return "\n".join(map(cut, lines))


def cut(line: str) -> str:
    return line if len(line) <= COLUMNS else line[: COLUMNS - 2].rstrip() + " …"


def asked_line(number: int, entry: Entry, clean: Callable[[str], str]) -> str:
    """`#1  chat gpt-5  "Plan a day in Rome"`"""
    return f"  #{number}  {asked(cleaned(entry.exchange, clean))}"


def whole_line(number: int, entry: Entry, clean: Callable[[str], str]) -> str:
    """`#1  chat gpt-5  "Plan a day in Rome"  ->  "Start early."  812 tokens`"""
    return f"{asked_line(number, entry, clean)}  ->  {told(_cleaned(entry.answer, clean), entry.status)}"


def _cleaned(answer: Answer, clean: Callable[[str], str]) -> Answer:
    """The words of an answer without secrets, in one piece: half a secret is not known for one."""
    words = [Delta(kind, clean(said)) for kind in _WORDS if (said := answer.joined(kind))]
    return replace(answer, deltas=(*words, *(delta for delta in answer.deltas if delta.kind not in _WORDS)))


_WORDS: tuple[DeltaKind, ...] = ("text", "refusal", "error")


def without_secrets(difference: Difference, clean: Callable[[str], str]) -> Difference:
    """Texts are cut when they are shown, and half a secret is not known for one."""
    sides = (_texts(side, clean) for side in (difference.recorded, difference.asked))
    return Difference(clean(difference.path), *sides)


def _texts(value: Any, clean: Callable[[str], str]) -> Any:
    """A JSON value with its texts cleaned."""
    if isinstance(value, str):
        return clean(value)
    if isinstance(value, list | tuple):
        return [_texts(item, clean) for item in value]
    return {key: _texts(item, clean) for key, item in value.items()} if isinstance(value, Mapping) else value


def nothing_asked(scope: Scope) -> str:
    """What is told when there was no request at all; '' when there was one."""
    if scope.entries:
        return ""
    return (
        "Nothing was asked at all. If the code under test did ask, its client was not taken: docs/egress.md tells "
        "which are,\nand llm_server is for those that take a base URL."
    )


def among(scope: Scope) -> str:
    """Where was looked, when that is not everywhere: `, among the requests that fit model='gpt-5'`."""
    return f", among the requests that fit {scope.described}" if scope.wanted else ""
