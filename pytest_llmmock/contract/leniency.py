"""Where an API takes more than the types of its SDK say, as recorded traffic shows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from .finding import Finding
from .ranges import RANGES

NEEDED = frozenset({"arguments", "call_id", "content", "name", "output", "role", "summary", "text", "type"})
"""What parts of a response need when they are sent back. All else that the types ask for may be left out."""

OPTIONAL = frozenset({"parameters", "strict"})
"""What the types ask of a tool, and the API does not."""

HANDED_BACK = frozenset({"annotations", "name"})
"""What messages of Chat Completions may hold, because answers do, or did."""


def of(package: str) -> Callable[[Finding], bool]:
    """Whether the API of a package takes what its types do not."""
    return _openai if package == "openai" else _nobody


def _nobody(finding: Finding) -> bool:
    return False


def _openai(finding: Finding) -> bool:
    steps, code = finding.steps, finding.code
    if code == "missing_required_parameter" and len(steps) > 1 and steps[0] in ("input", "tools"):
        return steps[-1] in OPTIONAL if steps[0] == "tools" else steps[-1] not in NEEDED
    if steps[0] == "messages" and code == "unknown_parameter" and len(steps) == 3:
        return steps[-1] in HANDED_BACK
    return False


def softened(finding: Finding, operation: str) -> Finding:
    """The finding as a hint, where it depends on the model whether it is refused."""
    steps = finding.steps
    if finding.code != "unknown_parameter":
        return finding
    if len(steps) == 1 and steps[0] in RANGES.get(operation, {}):
        words = "is no parameter of the SDK that is installed, and models differ in whether they take it."
        return replace(finding, words=words, refused=False)
    if operation == "chat" and len(steps) == 3 and steps[0] == "messages":
        words = f"{finding.words} Some models pass it over, and many providers refuse it."
        return replace(finding, words=words, refused=False)
    return finding
