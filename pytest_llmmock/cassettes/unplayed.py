"""What a cassette holds that nobody asked for, told."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from ..core.model import Exchange, Request
from ..core.summary import asked, plural
from .cassette import Cassette

_LISTED = 10
"""Recordings that are listed."""


def report(cassette: Cassette, read: Callable[[Request], Exchange], record: str) -> str:
    """The recordings that were not played, and the command that drops them; '' when all were."""
    if not cassette.unplayed:
        return ""
    left = f"{len(cassette.unplayed)} of {plural(len(cassette), 'recording')}"
    lines = [f"{left} in {cassette.path} were not used by this test.", "", *_lines(cassette, read)]
    drop = f"If they are not asked for any more on purpose, drop them:  {record}"
    return "\n".join([*lines, "", "To fix it:", f"  * {drop}", "  * If they may stay:  --llm-unplayed=warn"])


def _lines(cassette: Cassette, read: Callable[[Request], Exchange]) -> Iterator[str]:
    played = set(cassette.played_numbers)
    unplayed = [pair for pair in enumerate(cassette.interactions, 1) if pair[0] not in played]
    for number, interaction in unplayed[:_LISTED]:
        yield f"  #{number}  {asked(read(interaction.request))}"
    if len(unplayed) > _LISTED:
        yield f"  and {len(unplayed) - _LISTED} more"
