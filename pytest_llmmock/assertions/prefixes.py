"""Whether prompts can be cached: each request begins with the whole of the one that it goes on from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from ..cassettes.difference import show
from .listing import asked_line, cut, without_secrets
from .prompts import SAID, SYSTEM, TOOLS, Change, first_change
from .scope import Scope
from .turns import Turn, followed, goes_on_by_id, turns

_LISTED = 5
"""Further requests that are named."""


@dataclass(frozen=True, slots=True)
class _Break:
    """A request that does not begin with the one that it goes on from."""

    before: Turn
    now: Turn
    change: Change


def failure(scope: Scope) -> str:
    """Where a prompt first is another than before; '' when none is."""
    found = _breaks(turns(scope.fitting))
    if not found:
        return ""
    first, clean = found[0], scope.clean
    change = replace(first.change, difference=without_secrets(first.change.difference, clean))
    paragraphs = [
        f"Request #{first.now.number} goes on from #{first.before.number} and does not begin as that did: "
        "a prompt cache ends at the first change.",
        "\n".join(cut(asked_line(turn.number, turn.entry, clean)) for turn in (first.before, first.now)),
        "\n".join([f"{_where(change)} (- before, + now):", *map(cut, show(change.difference))]),
        _further(found[1:]),
        f"To fix it:\n  * {_advice(change)}",
    ]
    return "\n\n".join(paragraph for paragraph in paragraphs if paragraph)


def _breaks(found: Sequence[Turn]) -> list[_Break]:
    pairs = [(before, now) for at, now in enumerate(found) if (before := followed(now, found[:at])) is not None]
    changes = [(before, now, _change(before, now)) for before, now in pairs]
    return [_Break(before, now, change) for before, now, change in changes if change is not None]


def _change(before: Turn, now: Turn) -> Change | None:
    """What the provider adds by itself is as it was."""
    units = before.cached
    if goes_on_by_id(now):
        units = [unit for unit in units if unit.section != SAID]
    return first_change(units, now.units)


def _where(change: Change) -> str:
    if change.reordered:
        return (
            "The tools are in another order"
            if change.difference.path == "tools"
            else "A tool's keys are in another order"
        )
    return f"The first change is in {_SECTIONS[change.section]}"


_SECTIONS = {TOOLS: "the tools", SYSTEM: "what the system says", SAID: "the messages"}


def _further(others: Sequence[_Break]) -> str:
    if not others:
        return ""
    named = ", ".join(f"#{each.now.number} (after #{each.before.number})" for each in others[:_LISTED])
    more = f" and {len(others) - _LISTED} more" if len(others) > _LISTED else ""
    return f"Further requests that do not begin as the one before: {named}{more}."


def _advice(change: Change) -> str:
    volatile = change.difference.volatile
    if change.section == TOOLS:
        return "Offer the same tools in every request, in one order and one form; tool_choice limits which are called."
    if volatile:
        return f"This looks like {volatile}, which changes on every run: put it into the last message, behind all else."
    if change.section == SYSTEM:
        return "Put what changes behind all that stays: into the last message."
    return "Send what was said before as it was sent before, and put what is new behind it."
