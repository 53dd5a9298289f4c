"""What a check finds, before it is told in the words of a protocol."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

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
    """`'a', 'b' or 'c'`"""
    *others, end = (repr(value) if isinstance(value, str) else str(value) for value in values)
    return f"{', '.join(others)} {last} {end}" if others else end
