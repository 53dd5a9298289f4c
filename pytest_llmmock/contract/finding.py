"""What a check finds, before it is told in the words of a protocol."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

from ..core.violation import Violation

Steps = tuple[str | int, ...]
"""The way to a value in a body: names and numbers."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong. Its words go on from the place: `has to be a string, and is an array`."""

    steps: Steps
    words: str
    code: str | None = None
    param: str = ""
    """Where the provider's error names another place."""
    refused: bool = True


def missing(steps: Steps, known: Sequence[Any] = ()) -> Finding:
    """What cannot be done without, and the values that it can have, where they are listed."""
    values = f" It can be {listed(known)}." if known else ""
    return Finding(steps, f"is required, and is missing.{values}", "missing_required_parameter")


def wrong_value(steps: Steps, value: Any, allowed: Sequence[Any]) -> Finding:
    """What is not among the values that are listed."""
    known = list(dict.fromkeys(allowed))
    words = f"cannot be {shown(value)}. It can be {listed(known)}.{meant(str(value), map(str, known))}"
    return Finding(steps, words, "invalid_value")


def meant(word: str, known: Iterable[str]) -> str:
    """The name that comes nearest, as a question; '' when none does."""
    near = get_close_matches(word, list(known), n=1)
    return f" Did you mean {near[0]!r}?" if near else ""


def shown(value: Any) -> str:
    """A value as it is told: a long one by its beginning."""
    told = repr(value) if isinstance(value, str) else str(value)
    return told if len(told) <= _LONGEST else f"{told[: _LONGEST - 1]}…"


_LONGEST = 60
"""Characters of a value that are told."""

_LISTED = 12
"""Values that are listed."""


def bracketed(steps: Steps) -> str:
    """`messages[2].content`, as OpenAI names a place."""
    names = (f"[{step}]" if isinstance(step, int) else f".{step}" for step in steps)
    return "".join(names).removeprefix(".")


def dotted(steps: Steps) -> str:
    """`messages.2.content`, as Anthropic names a place."""
    return ".".join(map(str, steps))


def violation(finding: Finding, operation: str) -> Violation:
    """The finding, as the protocol of this operation tells it."""
    path = bracketed(finding.steps)
    if operation.startswith("messages"):
        return Violation(path, f"{dotted(finding.steps)}: {finding.words}", None, None, finding.refused)
    if operation.startswith("ollama"):
        return Violation(path, f"{path} {finding.words}", None, None, finding.refused)
    return Violation(path, f"'{path}' {finding.words}", finding.param or path, finding.code, finding.refused)


def once(findings: Iterable[Finding]) -> list[Finding]:
    """Each place once, with what is said of it first: a rule may know what a type has told. Hints come last."""
    first: dict[Steps, Finding] = {}
    for finding in sorted(findings, key=lambda each: not each.refused):
        first.setdefault(finding.steps, finding)
    return list(first.values())


def listed(values: Iterable[object], last: str = "or") -> str:
    """`'a', 'b' or 'c'`; of many the first ones."""
    told = [repr(value) if isinstance(value, str) else str(value) for value in values]
    if len(told) > _LISTED:
        told[_LISTED:] = [f"one of {len(told) - _LISTED} others" if last == "or" else f"{len(told) - _LISTED} others"]
    *others, end = told
    return f"{', '.join(others)} {last} {end}" if others else end
