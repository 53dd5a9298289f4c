"""Why no recording answers a request, in words that tell what to do."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from ..core.model import Exchange, Request
from ..core.summary import asked, plural, shape
from ..errors import CassetteError
from .cassette import Cassette, Interaction
from .player import Player

_SHOWN = 8


def explain(
    exchange: Exchange,
    player: Player,
    read: Callable[[Request], Exchange],
    mode: str,
    advice: Sequence[str],
) -> str:
    """The reason, what was asked, what the cassettes hold, and what to do."""
    request = exchange.request
    paragraphs = [
        _reason(exchange, player, mode),
        f"  {request.method} {request.path}   {shape(exchange)}".rstrip() + f"\n  {asked(exchange)}",
        "\n\n".join(_cassette(cassette, player, read) for cassette in player.cassettes),
        "To fix it:\n" + "\n".join(f"  * {line}" for line in advice),
    ]
    return "\n\n".join(paragraph for paragraph in paragraphs if paragraph)


def _reason(exchange: Exchange, player: Player, mode: str) -> str:
    times = player.recorded(exchange)
    if times:
        count = _times(times)
        return f"This request was recorded {count} and has been played {count}: no recording of it is left."
    if not any(len(cassette) for cassette in player.cassettes):
        return f"There are no recordings to answer this request from, and record mode {mode!r} does not make new ones."
    return f"No recording matches this request, and record mode {mode!r} does not record new ones."


def _times(count: int) -> str:
    return {1: "once", 2: "twice"}.get(count, f"{count} times")


def _cassette(cassette: Cassette, player: Player, read: Callable[[Request], Exchange]) -> str:
    if not cassette.exists and not cassette.interactions:
        return f"Cassette: {cassette.path}   (does not exist)"
    played = len(cassette.played)
    head = f"Cassette: {cassette.path}\n  {plural(len(cassette), 'interaction')}, {played} played"
    lines = [_line(number, each, cassette, read) for number, each in enumerate(cassette.interactions[:_SHOWN], 1)]
    more = len(cassette) - len(lines)
    lines += [f"  and {more} more"] if more > 0 else []
    return "\n".join([f"{head}      matched on: {', '.join(player.keys.match_on)}", *lines])


def _line(number: int, interaction: Interaction, cassette: Cassette, read: Callable[[Request], Exchange]) -> str:
    played = "   (played)" if interaction in cassette.played else ""
    try:
        words = asked(read(interaction.request))
    except CassetteError as error:
        words = f"cannot be read: {error}"
    return f"  #{number}  {words}{played}"
