"""What `llmmock verify` found, for people and for programs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

import click

from ..cassettes.difference import MISSING, Difference, show
from ..core.summary import asked, plural
from ..verification.asking import Outcome
from ..verification.classes import CLASSES, IN_SHAPE, Class, Found, words
from .printing import table

_WIDTH = 100
"""Characters of a difference in the table."""


# --- for people -----------------------------------------------------------------------------------------


def print_outcomes(
    outcomes: Sequence[Outcome], failing: Sequence[Class], *, full: bool, interrupted: bool, left: int
) -> None:
    if outcomes:
        table(("RECORDING", "ASKED", "CLASS", "FIRST DIFFERENCE"), [_row(outcome) for outcome in outcomes])
    for outcome in outcomes if full else ():
        for line in _lines(outcome):
            click.echo(line)
    click.echo()
    click.echo(_summary(outcomes))
    found = _found(outcomes, failing)
    if found:
        click.echo(f"fails for: {', '.join(map(words, found))}")
    if left:
        click.echo(f"{plural(left, 'recording')} not asked{': stopped by Ctrl-C' if interrupted else ' (--max)'}")


def _row(outcome: Outcome) -> list[str]:
    recording = outcome.recording
    place = f"{recording.cassette} #{recording.number}"
    return [place, asked(recording.exchange).partition("  ")[0], _class(outcome), _cut(_first(outcome))]


def _class(outcome: Outcome) -> str:
    return "skipped" if outcome.skipped else words(outcome.name)


def _first(outcome: Outcome) -> str:
    """The first difference of the gravest class, or why it was not asked."""
    if outcome.skipped:
        return outcome.skipped
    first = next((each for each in outcome.found if each.name == outcome.name), None)
    told = [_told(first)] if first else []
    return "; ".join(piece for piece in (*told, *outcome.notes) if piece)


def _told(found: Found) -> str:
    """`choices[].message.refusal: null -> (nothing)`"""
    if found.name == "failed":
        return str(found.difference.asked)
    minus, plus = _sides(found)
    return f"{found.difference.path}: {minus} -> {plus}"


def _sides(found: Found) -> tuple[str, str]:
    """What was recorded, and what is answered today. Types stand there as words, and not in quotes as a value does."""
    difference = found.difference
    if found.name in IN_SHAPE:
        return _type(difference.recorded), _type(difference.asked)
    _, minus, plus = (line.strip() for line in show(difference))
    return minus[2:], plus[2:]


def _type(side: Any) -> str:
    return "(nothing)" if side is MISSING else str(side)


def _cut(text: str) -> str:
    flat = " ".join(text.split())
    return flat if len(flat) <= _WIDTH else f"{flat[: _WIDTH - 2].rstrip()} …"


def _lines(outcome: Outcome) -> Iterator[str]:
    """Every difference of one recording."""
    if outcome.found or outcome.skipped or outcome.notes:
        recording = outcome.recording
        yield "\n" + click.style(f"{recording.cassette} #{recording.number}  {asked(recording.exchange)}", bold=True)
    if outcome.skipped:
        yield f"  skipped: {outcome.skipped}"
    for found in sorted(outcome.found, key=lambda each: CLASSES.index(each.name)):
        if found.name == "failed":
            yield f"  failed: {found.difference.asked}"
            continue
        minus, plus = _sides(found)
        yield from (f"  {words(found.name)}: {found.difference.path}", f"    - {minus}", f"    + {plus}")
    yield from (f"  note: {note}" for note in outcome.notes if note)


def _summary(outcomes: Sequence[Outcome]) -> str:
    asked_for = [outcome for outcome in outcomes if not outcome.skipped]
    counts = Counter(outcome.name for outcome in asked_for)
    told = ", ".join(f"{counts[name]} {words(name)}" for name in reversed(CLASSES) if counts[name])
    skipped = len(outcomes) - len(asked_for)
    line = f"{plural(len(asked_for), 'recording')} asked again" + (f": {told}" if told else "")
    return line + (f"; {skipped} skipped" if skipped else "")


def _found(outcomes: Sequence[Outcome], failing: Sequence[Class]) -> list[Class]:
    """The classes that make it fail, the graver first."""
    found = {name for outcome in outcomes for name in outcome.classes}
    return [name for name in CLASSES if name in found and name in failing]


# --- for programs ---------------------------------------------------------------------------------------


def value(outcomes: Sequence[Outcome], failing: Sequence[Class], upstream: str, *, interrupted: bool) -> dict[str, Any]:
    counts = Counter(outcome.name for outcome in outcomes if not outcome.skipped)
    return {
        "upstream": upstream,
        "classes": {name: counts[name] for name in CLASSES},
        "skipped": sum(bool(outcome.skipped) for outcome in outcomes),
        "fail_on": list(failing),
        "failed_for": _found(outcomes, failing),
        "interrupted": interrupted,
        "recordings": [_value(outcome) for outcome in outcomes],
    }


def _value(outcome: Outcome) -> dict[str, Any]:
    recording = outcome.recording
    exchange = recording.exchange
    answer = exchange.dialect.read_reply(outcome.today) if outcome.today is not None else None
    return {
        "cassette": recording.cassette,
        "number": recording.number,
        "operation": exchange.operation,
        "model": exchange.prompt.model,
        "stream": exchange.prompt.stream,
        "recorded": recording.interaction.meta.get("recorded"),
        "recorded_from": recording.interaction.meta.get("upstream"),
        "class": None if outcome.skipped else outcome.name,
        "skipped": outcome.skipped or None,
        "differences": [_difference(found) for found in outcome.found],
        "notes": [note for note in outcome.notes if note],
        "status": outcome.today.status if outcome.today is not None else None,
        "text": answer.text if answer is not None else None,
    }


def _difference(found: Found) -> dict[str, Any]:
    difference: Difference = found.difference
    sides = {"recorded": difference.recorded, "now": difference.asked}
    told = {name: side for name, side in sides.items() if side is not MISSING}
    return {"class": found.name, "path": difference.path, **told}
