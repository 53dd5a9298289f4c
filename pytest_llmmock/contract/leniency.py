"""Where OpenAI takes more than the types of its SDK say, as recorded traffic shows."""

from __future__ import annotations

from .finding import Finding

NEEDED = frozenset({"arguments", "call_id", "content", "name", "output", "role", "summary", "text", "type"})
"""What parts of a response need when they are sent back. All else that the types ask for may be left out."""

HANDED_BACK = frozenset({"annotations", "name"})
"""What messages of Chat Completions may hold, because answers do, or did."""


def lenient(finding: Finding) -> Finding | None:
    """The finding, or none."""
    steps, code = finding.steps, finding.code
    if steps[0] in ("input", "tools", "text") and code == "missing_required_parameter" and len(steps) > 1:
        return finding if steps[-1] in NEEDED else None
    if steps[0] == "messages" and code == "unknown_parameter" and len(steps) == 3 and steps[-1] in HANDED_BACK:
        return None
    return finding
