"""Why no recording answers a request, how the nearest ones differ, and what to do.

The comparison is of the very values that make the key, so the explanation cannot disagree with the decision.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import islice

from ..core.model import Exchange, Request
from ..core.summary import asked, plural, shape
from ..errors import CassetteError
from . import format
from .cassette import Cassette, Interaction
from .difference import Difference, differences, show
from .player import Player

_LISTED = 5
"""Recordings that are listed."""

_NEAREST = 3
"""Recordings that are compared in full."""

_PLACES = 4
"""Differences that are shown of one recording."""

Read = Callable[[Request], Exchange]


@dataclass(frozen=True, slots=True)
class Advice:
    """How the user of this way in mends a miss."""

    record: str
    """The command or argument that records what is missing."""
    ignore: str
    """The argument that leaves paths out, with `{paths}` where they stand."""


@dataclass(frozen=True, slots=True)
class _Near:
    """A recording that is like the request."""

    cassette: Cassette
    number: int
    played: bool
    differences: tuple[Difference, ...]


def explain(exchange: Exchange, player: Player, read: Read, mode: str, advice: Advice) -> str:
    """The reason, what was asked, the nearest recording and how it differs, what the cassettes hold, what to do."""
    nearest = [] if player.recorded(exchange) else _nearest(exchange, player, read)
    request = exchange.request
    paragraphs = [
        _reason(exchange, player, read, mode),
        f"  {request.method} {request.path}   {shape(exchange)}".rstrip() + f"\n  {asked(exchange)}",
        _cassettes(nearest, player, read),
        *(_closest(near, player) for near in nearest[:1]),
        _to_fix_it(nearest, advice),
    ]
    return "\n\n".join(paragraph for paragraph in paragraphs if paragraph)


# --- the reason -----------------------------------------------------------------------------------------


def _reason(exchange: Exchange, player: Player, read: Read, mode: str) -> str:
    times = player.recorded(exchange)
    if times:
        count = _times(times)
        return f"This request was recorded {count} and has been played {count}: no recording of it is left."
    if not any(len(cassette) for cassette in player.cassettes):
        return f"There are no recordings to answer this request from, and record mode {mode!r} does not make new ones."
    return f"No recording matches this request, and record mode {mode!r} does not record new ones."


def _times(count: int) -> str:
    return {1: "once", 2: "twice"}.get(count, f"{count} times")


# --- what there is --------------------------------------------------------------------------------------


def _cassettes(nearest: Sequence[_Near], player: Player, read: Read) -> str:
    """The cassettes; of many only the one with the nearest recording."""
    if len(player.cassettes) <= _NEAREST:
        return "\n\n".join(_cassette(cassette, player, read) for cassette in player.cassettes)
    shown = [near.cassette for near in nearest[:1]]
    others = f"{plural(len(player.cassettes) - len(shown), 'other cassette' if shown else 'cassette')} without it"
    return "\n\n".join([*(_cassette(cassette, player, read) for cassette in shown), f"Looked through {others}."])


def _cassette(cassette: Cassette, player: Player, read: Read) -> str:
    if not cassette.exists and not cassette.interactions:
        return f"Cassette: {cassette.path}   (does not exist)"
    played = len(cassette.played)
    head = f"Cassette: {cassette.path}\n  {plural(len(cassette), 'interaction')}, {played} played"
    lines = [_line(number, each, cassette, read) for number, each in enumerate(cassette.interactions[:_LISTED], 1)]
    more = len(cassette) - len(lines)
    lines += [f"  and {more} more"] if more > 0 else []
    return "\n".join([f"{head}      matched on: {', '.join(player.keys.match_on)}", *lines])


def _line(number: int, interaction: Interaction, cassette: Cassette, read: Read) -> str:
    played = "   (played)" if interaction in cassette.played else ""
    try:
        words = asked(read(interaction.request))
    except CassetteError as error:
        words = f"cannot be read: {error}"
    return f"  #{number}  {words}{played}"


# --- the nearest ----------------------------------------------------------------------------------------


def _nearest(exchange: Exchange, player: Player, read: Read) -> list[_Near]:
    """The recordings most like the request, the nearest first. Only these are parsed."""
    wanted = Counter(format.request_lines(exchange.request))
    places = [
        (_likeness(wanted, interaction), cassette, number, interaction)
        for cassette in player.cassettes
        for number, interaction in enumerate(cassette.interactions, 1)
    ]
    places.sort(key=lambda place: -place[0])
    compared = (_compared(exchange, player, read, *place[1:]) for place in places[:_NEAREST])
    return sorted((near for near in compared if near is not None), key=lambda near: len(near.differences))


def _likeness(wanted: Counter[bytes], interaction: Interaction) -> int:
    """How many lines the recording's text shares with the request's: cheap, for nothing has to be parsed."""
    try:
        lines = format.lines_of_request(interaction)
    except CassetteError:
        return -1
    return sum(min(count, wanted[line]) for line, count in Counter(lines).items() if line in wanted)


def _compared(
    exchange: Exchange, player: Player, read: Read, cassette: Cassette, number: int, interaction: Interaction
) -> _Near | None:
    try:
        recorded = read(interaction.request)
    except CassetteError:
        return None
    if recorded.target != exchange.target:
        return None
    found = _places(player.keys.values(recorded), player.keys.values(exchange))
    return _Near(cassette, number, interaction in cassette.played, tuple(found))


def _places(recorded: dict[str, object], wanted: dict[str, object]) -> Iterable[Difference]:
    """The differences of all matchers; what differs in the body is named by its path there."""
    for name, value in recorded.items():
        yield from differences(value, wanted[name], "" if name == "body" else name)


def _closest(near: _Near, player: Player) -> str:
    fields = dict.fromkeys(each.path.partition(".")[0].partition("[")[0] or "body" for each in near.differences)
    played = ", which was played already," if near.played else ""
    where = f" of {near.cassette.path}" if len(player.cassettes) > 1 else ""
    head = f"Closest recording (#{near.number}{where}){played} differs in {', '.join(fields)}:"
    lines = [line for each in near.differences[:_PLACES] for line in show(each)]
    more = len(near.differences) - _PLACES
    return "\n".join([head, *lines, *([f"  and in {plural(more, 'other place')}"] if more > 0 else [])])


# --- what to do -----------------------------------------------------------------------------------------


def _to_fix_it(nearest: Sequence[_Near], advice: Advice) -> str:
    lines = [f"If the request is new or changed on purpose, record it:  {advice.record}"]
    if nearest and nearest[0].differences:
        lines += _to_ignore(nearest[0].differences, advice)
    return "To fix it:\n" + "\n".join(f"  * {line}" for line in lines)


def _to_ignore(found: Sequence[Difference], advice: Advice) -> list[str]:
    """Leaving out is advised for what looks as if it changed on every run, and for a single small place."""
    volatile = [each for each in found if each.volatile]
    if len(volatile) == len(found):
        kinds = ", ".join(dict.fromkeys(each.volatile for each in volatile))
        return [f"This looks like {kinds}, which changes on every run; leave it out:  {_ignoring(volatile, advice)}"]
    if len(found) == 1 and "." in found[0].path + found[0].path.replace("[", "."):
        return [f"If this part changes on every run, leave it out:  {_ignoring(found, advice)}"]
    return []


def _ignoring(found: Sequence[Difference], advice: Advice) -> str:
    paths = ", ".join(f'"{each.path}"' for each in islice(found, _PLACES))
    return advice.ignore.format(paths=paths)
