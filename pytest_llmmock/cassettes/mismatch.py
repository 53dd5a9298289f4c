"""Why no recording answers a request, how the nearest one differs, and what to do: at most a screenful.

The comparison is of the very values that make the key, so the explanation cannot disagree with the decision.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import islice

from ..core import sse
from ..core.model import Exchange
from ..core.summary import asked, plural, shape
from ..errors import CassetteError
from .advice import Advice
from .cassette import Cassette, Interaction
from .difference import MISSING, Difference, joined, show
from .key_formats import PLACEHOLDER
from .nearest import Found, Near, Read, find
from .normalisers import KINDS
from .player import Player
from .underway import was_left

_LISTED = 5
"""Recordings that are listed, of all cassettes together."""

_CASSETTES = 3
"""Cassettes that are listed."""

_PLACES = 4
"""Differences that are shown of one recording."""

_COLUMNS = 120

_PROMPT = ("messages", "input", "instructions", "system", "contents", "prompt", "tools", "query", "body")
"""Fields that say what is asked: nobody is advised to leave them out because of one change."""


def explain(exchange: Exchange, player: Player, read: Read, mode: str, advice: Advice, *, beside: str = "") -> str:
    """The reason, what was asked, what the cassettes hold, how the nearest recording differs, what to do.

    `beside` is a paragraph about what else might have answered.
    """
    times = player.recorded(exchange)
    found = Found() if times else find(exchange, player, read)
    request = exchange.request
    paragraphs = [
        _played_already(times) if times else _reason(exchange, player, found, mode),
        _left_early(exchange, player),
        f"  {request.method} {request.path}   {shape(exchange)}".rstrip() + f"\n  {asked(exchange)}",
        beside,
        _cassettes([*found.near, *found.elsewhere], player, read),
        *(_closest(near, player) for near in found.near[:1] if not near.only_streamed),
        _to_fix_it(found.near, times, advice),
    ]
    return "\n\n".join(paragraph for paragraph in paragraphs if paragraph)


# --- the reason -----------------------------------------------------------------------------------------


def _played_already(times: int) -> str:
    count = {1: "once", 2: "twice"}.get(times, f"{times} times")
    return f"This request was recorded {count} and has been played {count}: no recording of it is left."


def _left_early(exchange: Exchange, player: Player) -> str:
    """Why there is no recording, where this process knows: somebody has tried to make one."""
    key = player.keys.key(exchange)
    if not any(was_left(cassette.path, key) for cassette in player.cassettes):
        return ""
    return (
        "It was asked of the upstream before, and its client left the stream before the end, so that it was not "
        "recorded.\nTo record such a stream all the same:  record_abandoned=True"
    )


def _reason(exchange: Exchange, player: Player, found: Found, mode: str) -> str:
    stays = _stays(mode)
    if not any(len(cassette) for cassette in player.cassettes):
        return f"There are no recordings to answer this request from: {_emptiness(player)}.\nRecord mode {stays}."
    if found.near and found.near[0].only_streamed:
        return f"{_only_the_other_way(found.near[0])}.\n{_why_not_converted(found.near[0])}\nRecord mode {stays}."
    if found.near:
        return f"No recording matches this request, and record mode {stays}."
    if found.elsewhere:
        return f"{_another_operation(found.elsewhere[0], exchange)}.\nRecord mode {stays}."
    return f"Nothing like this request was recorded, and record mode {stays}."


def _stays(mode: str) -> str:
    """Why the record mode does not help."""
    return f"{mode!r} does not {'add to a cassette that exists' if mode == 'once' else 'record new ones'}"


def _emptiness(player: Player) -> str:
    if len(player.cassettes) != 1:
        return f"of {plural(len(player.cassettes), 'cassette')} none holds any"
    return "the cassette is empty" if player.cassettes[0].exists else "the cassette does not exist"


def _only_the_other_way(near: Near) -> str:
    ways = ["without a stream", "as a stream"]
    recorded, wanted = ways if near.differences[0].asked else reversed(ways)
    return f"This request was recorded {recorded} (#{near.number}), and is asked {wanted}"


def _why_not_converted(near: Near) -> str:
    reply = near.cassette.interactions[near.number - 1].reply
    if reply.is_stream and not sse.is_whole(reply.body, reply.content_type):
        return "The recorded stream breaks off before its end, so it cannot be converted."
    return "It cannot be converted: what was recorded is no whole answer of a protocol that is known."


def _another_operation(other: Near, exchange: Exchange) -> str:
    targets = f"{other.recorded.target} (#{other.number}), and is asked as {exchange.target}"
    return cut(f"The same was recorded as another operation: {targets}", _COLUMNS - 1)


# --- what there is --------------------------------------------------------------------------------------


def _cassettes(nearest: Sequence[Near], player: Player, read: Read) -> str:
    """The cassettes and what they hold; of many only the one with the nearest recording."""
    if len(player.cassettes) <= _CASSETTES:
        listed = _LISTED // len(player.cassettes) if player.cassettes else 0
        return "\n\n".join(_cassette(each, nearest, player, read, listed) for each in player.cassettes)
    shown = [near.cassette for near in nearest[:1]]
    others = f"{plural(len(player.cassettes) - len(shown), 'other cassette' if shown else 'cassette')} without it"
    texts = [_cassette(each, nearest, player, read, _LISTED) for each in shown]
    return "\n\n".join([*texts, f"Looked through {others}."])


def _cassette(cassette: Cassette, nearest: Sequence[Near], player: Player, read: Read, listed: int) -> str:
    if not cassette.exists and not cassette.interactions:
        return f"Cassette: {cassette.path}   (does not exist)"
    head = f"Cassette: {cassette.path}\n  {plural(len(cassette), 'interaction')}, {len(cassette.played)} played"
    numbers = _numbers(cassette, nearest, listed)
    lines = [_line(number, cassette.interactions[number - 1], cassette, read) for number in numbers]
    more = len(cassette) - len(lines)
    lines += [f"  and {more} more"] if more > 0 else []
    return "\n".join([f"{head}      matched on: {', '.join(player.keys.match_on)}", *lines])


def _numbers(cassette: Cassette, nearest: Sequence[Near], listed: int) -> list[int]:
    """Which recordings are listed: the nearest, and the first ones beside them."""
    near = [each.number for each in nearest if each.cassette is cassette]
    return sorted(islice(dict.fromkeys([*near, *range(1, len(cassette) + 1)]), listed))


def _line(number: int, interaction: Interaction, cassette: Cassette, read: Read) -> str:
    played = "   (played)" if cassette.is_played(interaction) else ""
    try:
        words = asked(read(interaction.request))
    except CassetteError as error:
        words = f"cannot be read: {error}"
    return cut(f"  #{number}  {words}", _COLUMNS - len(played)) + played


# --- the nearest ----------------------------------------------------------------------------------------


def _closest(near: Near, player: Player) -> str:
    fields = dict.fromkeys(map(_first, near.differences))
    played = ", which was played already," if near.played else ""
    where = f" of {near.cassette.path}" if len(player.cassettes) > 1 else ""
    head = f"Closest recording (#{near.number}{where}){played} differs in "
    lines = [line for each in near.differences[:_PLACES] for line in show(each)]
    more = len(near.differences) - _PLACES
    lines += [f"  and in {plural(more, 'other place')}"] if more > 0 else []
    return "\n".join([head + cut(", ".join(fields), max(40, _COLUMNS - len(head) - 1)) + ":", *lines])


def cut(line: str, columns: int = _COLUMNS) -> str:
    return line if len(line) <= columns else f"{line[: columns - 2].rstrip()} …"


# --- what to do -----------------------------------------------------------------------------------------


def _to_fix_it(nearest: Sequence[Near], times: int, advice: Advice) -> str:
    lines = [f"If the request is new or changed on purpose, record it:  {advice.record}"]
    if times:
        lines = [f"If it is asked more often on purpose, record it again:  {advice.record}"]
        lines += [f"Or let the last recording answer it again:  {advice.repeat}"] if advice.repeat else []
    for near in nearest[:1]:
        lines += [*_placeholders(near.differences), *_to_ignore(near.differences, advice)]
    return "To fix it:\n" + "\n".join(f"  * {line}" for line in lines)


_REDACTED = re.compile(rf"{PLACEHOLDER}[a-z-]+[a-z]")


def _placeholders(found: Sequence[Difference]) -> Iterator[str]:
    """What was taken out of the recording just where the request says something else."""
    sides = ([_texts(side) for side in (each.recorded, each.asked)] for each in found)
    names = [name for old, new in sides for name in _REDACTED.findall(old) if old.count(name) > new.count(name)]
    if names:
        yield (
            f"The recording has {joined(names)} here: what stood there was a secret of the machine that recorded it "
            "(a key in use, or a variable such as *_TOKEN)."
        )


def _texts(value: object) -> str:
    return "" if value is MISSING else str(value)


def _to_ignore(found: Sequence[Difference], advice: Advice) -> Iterator[str]:
    """Leaving out is advised for what looks as if it changed on every run, and for a single place beside the prompt."""
    if found and all(each.kinds for each in found):
        yield from _to_make_the_same([each for each in found if not each.is_whole], advice)
        yield from _to_leave_out([each for each in found if each.is_whole], advice)
    elif len(found) == 1 and _first(found[0]) not in _PROMPT and _first(found[0]) != found[0].path:
        yield f"If this part changes on every run, leave it out:  {_ignoring(found, advice)}"


def _to_make_the_same(found: Sequence[Difference], advice: Advice) -> Iterator[str]:
    """Inside a text: to leave out all of it would let every word of it change unseen."""
    if found:
        kinds = list(dict.fromkeys(name for each in found for name in each.kinds))
        names = ", ".join(f'"{name}"' for name in kinds)
        looks = joined([KINDS[name].words for name in kinds])
        how = advice.normalise.format(names=names)
        yield f"This looks like {looks}, which changes on every run; make it the same:  {how}"
        yield f"Or leave all of the text out:  {_ignoring(found, advice)}"


def _to_leave_out(found: Sequence[Difference], advice: Advice) -> Iterator[str]:
    if found:
        looks = joined([each.volatile for each in found])
        yield f"This looks like {looks}, which changes on every run; leave it out:  {_ignoring(found, advice)}"


def _first(difference: Difference) -> str:
    """The field of the body in which two requests differ."""
    return difference.path.partition(".")[0].partition("[")[0] or "body"


def _ignoring(found: Sequence[Difference], advice: Advice) -> str:
    paths = ", ".join(f'"{each.path}"' for each in found)
    return advice.ignore.format(paths=paths)
