"""The source that replays: a dictionary from key to recordings, played in the order of their recording."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator

from ..core.model import Exchange, Reply, Request
from .cassette import Cassette, Interaction
from .matchers import Keys, stream

Place = tuple[Cassette, int, Interaction]
"""A recording, its cassette and its number there, from 1."""


class _Back:
    """Gives a recording back. The journal keeps one for each request: this is a quarter of what a `partial` takes."""

    __slots__ = ("_place", "_player")

    def __init__(self, player: Player, place: Place) -> None:
        self._player = player
        self._place = place

    def __call__(self) -> None:
        self._player.give_back(self._place)


class Player:
    """Answers from cassettes. Each recording is played once, unless the last one is to repeat.

    A request that was recorded with `stream` the other way only is answered by that recording, converted.
    """

    def __init__(
        self,
        cassettes: Iterable[Cassette],
        keys: Keys,
        read: Callable[[Request], Exchange],
        *,
        repeat: bool = False,
    ) -> None:
        self.cassettes = tuple(cassettes)
        self.keys = keys
        self.repeat = repeat
        self._tells_streams_apart = "stream" in keys.match_on
        self._read = read
        self._lock = threading.Lock()
        self._index: dict[str, list[Place]] = {}
        for place in self.places():
            self._index.setdefault(self._key_of(place[2]), []).append(place)
        self._left: dict[str, deque[Place]] = {}
        """Recordings that were not played, by key."""
        self.reset()

    def places(self) -> Iterator[Place]:
        """All recordings, in the order of the cassettes."""
        for cassette in self.cassettes:
            for number, interaction in enumerate(cassette.interactions, 1):
                yield cassette, number, interaction

    def _key_of(self, interaction: Interaction) -> str:
        if not interaction.key:
            interaction.key = self.keys.key(self._read(interaction.request))
        return interaction.key

    def answer(self, exchange: Exchange) -> Reply | None:
        key = self.keys.key(exchange)
        found = self._exact(exchange, key) if key in self._index else self._converted(exchange)
        if found is None:
            return None
        place, reply = found
        cassette, exchange.interaction, interaction = place
        exchange.give_back = _Back(self, place)
        exchange.meta = interaction.noted
        cassette.note_played(interaction)
        return Reply(reply.status, reply.headers, reply.frames, reply.reason)  # a copy, to be marked

    def _exact(self, exchange: Exchange, key: str) -> tuple[Place, Reply] | None:
        """The next recording of this very request. Where streams are not told apart it may have to be converted."""
        place = self._take(key)
        if place is None:
            return None
        recorded = place[2].reply
        if self._tells_streams_apart:
            return place, recorded
        reply = exchange.dialect.convert(exchange.prompt, recorded)
        if reply is not None and reply is not recorded:
            exchange.notes.append(_note(exchange))
        return place, reply or recorded

    def _take(self, key: str) -> Place | None:
        with self._lock:
            left = self._left[key]
            if left:
                return left.popleft()
        return self._index[key][-1] if self.repeat else None

    def _converted(self, exchange: Exchange) -> tuple[Place, Reply] | None:
        """The next recording of the same request with `stream` the other way, as this one wants it."""
        key = self._key_other_way(exchange)
        again = reversed(self._index.get(key, ())) if self.repeat else ()
        for place in (*self._left_of(key), *again):
            reply = exchange.dialect.convert(exchange.prompt, place[2].reply)
            if reply is not None and self._claim(key, place):
                exchange.notes.append(_note(exchange))
                return place, reply
        return None

    def _key_other_way(self, exchange: Exchange) -> str:
        """The key that this request has with `stream` the other way; '' where that makes no other."""
        return self.keys.key(exchange, stream=not stream(exchange)) if self._tells_streams_apart else ""

    def _left_of(self, key: str) -> tuple[Place, ...]:
        with self._lock:
            return tuple(self._left.get(key, ()))

    def _claim(self, key: str, place: Place) -> bool:
        """Take this recording, unless somebody else took it meanwhile and it is not to repeat."""
        with self._lock:
            is_left = place in self._left[key]
            if is_left:
                self._left[key].remove(place)
            return is_left or self.repeat

    def give_back(self, place: Place) -> None:
        """Let a recording that was played be played again, in its place among the others."""
        key = self._key_of(place[2])
        with self._lock:
            left = {*self._left[key], place}
            self._left[key] = deque(each for each in self._index[key] if each in left)

    def recorded(self, exchange: Exchange) -> int:
        """How many recordings there are of this very request; where there are none, how many were played converted."""
        exact = self._index.get(self.keys.key(exchange))
        if exact:
            return len(exact)
        other = self._key_other_way(exchange)
        return len(self._index.get(other, ())) - len(self._left_of(other))

    def reset(self) -> None:
        """Play every recording again, from the first."""
        with self._lock:
            self._left = {key: deque(places) for key, places in self._index.items()}


def _note(exchange: Exchange) -> str:
    return f"converted from a {'recording without a stream' if exchange.prompt.stream else 'recorded stream'}"
