"""The recordings that are most like a request that none answers."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from heapq import nlargest
from itertools import accumulate

from ..core.model import Exchange, Request
from ..core.summary import last_words
from ..errors import CassetteError
from . import format
from .cassette import Cassette, Interaction
from .difference import Difference, differences
from .player import Place, Player

_CANDIDATES = 8
"""Recordings that are parsed, those that share most words with the request."""

_READ = 256 * 1024
"""Bytes of recordings whose words are counted, those that share most lines with the request."""

_ALIKE = 0.3
"""The part of all words that two requests have to share for their difference to be worth showing."""

_WORDS = re.compile(rb"\w+")

Read = Callable[[Request], Exchange]


@dataclass(frozen=True, slots=True)
class Near:
    """A recording that is like the request."""

    cassette: Cassette
    number: int
    played: bool
    recorded: Exchange
    differences: tuple[Difference, ...]

    @property
    def only_streamed(self) -> bool:
        """Whether nothing differs but how the answer is to come."""
        return [each.path for each in self.differences] == ["stream"]


@dataclass(frozen=True, slots=True)
class Found:
    """What is like a request, the nearest first."""

    near: Sequence[Near] = ()
    """Recordings of the same operation."""
    elsewhere: Sequence[Near] = ()
    """Recordings of the same words, asked as another operation."""


def find(exchange: Exchange, player: Player, read: Read) -> Found:
    """What is like a request. Only the likeliest recordings are parsed."""
    likely = _likely(player, format.request_lines(exchange.request))
    compared = [near for near in (_compared(exchange, player, read, *place) for place in likely) if near is not None]
    same = [near for near in compared if near.recorded.target == exchange.target]
    return Found(
        sorted((near for near in same if _is_alike(near, exchange)), key=lambda near: len(near.differences)),
        [near for near in compared if near not in same and _asks_the_same(near.recorded, exchange)],
    )


def _likely(player: Player, wanted: Sequence[bytes]) -> list[Place]:
    """The recordings that share most words with the request, of those that share most lines. None is parsed."""
    lines, words = set(wanted), set(_WORDS.findall(b"\n".join(wanted)[:_READ]))
    texts = [(place, found) for place in player.places() if (found := _lines(place[2]))]
    texts.sort(key=lambda each: len(lines.intersection(each[1])), reverse=True)
    sizes = accumulate(sum(map(len, found)) for _, found in texts)
    read = [(_share(words, found), place) for (place, found), size in zip(texts, sizes, strict=True) if size <= _READ]
    likely = nlargest(_CANDIDATES, read or [(0, each[0]) for each in texts], key=lambda each: each[0])
    return [place for _, place in likely]


def _lines(interaction: Interaction) -> Sequence[bytes]:
    """The lines of a recorded request; none where they cannot be read."""
    try:
        return format.lines_of_request(interaction)
    except CassetteError:
        return ()


def _share(words: set[bytes], lines: Sequence[bytes]) -> float:
    """The part of all words that two texts have in common."""
    found = set(_WORDS.findall(b"\n".join(lines)))
    return len(words & found) / max(1, len(words | found))


def _compared(
    exchange: Exchange, player: Player, read: Read, cassette: Cassette, number: int, interaction: Interaction
) -> Near | None:
    try:
        recorded = read(interaction.request)
    except CassetteError:
        return None
    found: Iterable[Difference] = ()
    if recorded.target == exchange.target:
        found = _differences(player.keys.values(recorded), player.keys.values(exchange))
    return Near(cassette, number, cassette.is_played(interaction), recorded, tuple(found))


def _differences(recorded: dict[str, object], wanted: dict[str, object]) -> Iterator[Difference]:
    """The differences of all matchers; what differs in the body is named by its path there."""
    for name, value in recorded.items():
        yield from differences(value, wanted[name], "" if name == "body" else name)


def _is_alike(near: Near, exchange: Exchange) -> bool:
    """Whether the two requests have enough in common: one change, or many of the same words."""
    recorded, asked = (set(_WORDS.findall(each.request.body)) for each in (near.recorded, exchange))
    return len(near.differences) <= 1 or len(recorded & asked) >= _ALIKE * len(recorded | asked)


def _asks_the_same(recorded: Exchange, asked: Exchange) -> bool:
    """Whether two requests of different operations say the same, or go to the same place."""
    if recorded.request.path == asked.request.path:
        return recorded.request.body == asked.request.body
    words = last_words(asked.prompt)
    return bool(words) and last_words(recorded.prompt) == words
