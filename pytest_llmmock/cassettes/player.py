"""The source that replays: a dictionary from key to recordings, played in the order of their recording."""

from __future__ import annotations

import threading
from bisect import bisect_right, insort
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from itertools import accumulate

from ..core.model import Exchange, Reply, Request
from .cassette import Cassette, Interaction
from .matchers import Keys, stream

Place = tuple[Cassette, int, Interaction]
"""A recording, its cassette and its number there, from 1."""


class _Back:
    """Gives a recording back. The journal keeps one for each request: this is a quarter of what a `partial` takes."""

    __slots__ = ("_at", "_player")

    def __init__(self, player: Player, at: int) -> None:
        self._player = player
        self._at = at

    def __call__(self) -> None:
        self._player.give_back(self._at)


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
        self._lock = threading.RLock()
        self._places = [interaction for cassette in self.cassettes for interaction in cassette.interactions]
        self._ends = list(accumulate(map(len, self.cassettes)))
        """How many recordings there are up to the end of each cassette."""
        self._keys_of = [interaction.stored_key for interaction in self._places]
        """The key by which each is indexed: behind the first `_sure` ones that which is stored, or none."""
        self._sure = 0
        """How many recordings, from the first, have the key that holds."""
        self._index: dict[str, list[int]] = {}
        for at, key in enumerate(self._keys_of):
            self._index.setdefault(key, []).append(at)
        self._index.pop("", None)
        self._gone: set[int] = set()
        """Recordings that were played."""
        self._left: dict[str, deque[int]] = {}
        """Those that were not, of keys that were asked for."""

    def places(self) -> Iterator[Place]:
        """All recordings, in the order of the cassettes."""
        for cassette in self.cassettes:
            for number, interaction in enumerate(cassette.interactions, 1):
                yield cassette, number, interaction

    def _place(self, at: int) -> Place:
        which = bisect_right(self._ends, at)
        before = self._ends[which - 1] if which else 0
        return self.cassettes[which], at - before + 1, self._places[at]

    def settle(self) -> None:
        """Have the key of every recording; else one is computed when a request needs it. Raises `CassetteError`."""
        with self._lock:
            self._settle(len(self._places))

    def _settle(self, end: int) -> None:
        """Have the keys of all recordings in front of this one: an edited request has another than what is stored."""
        for at in range(self._sure, end):
            interaction = self._places[at]
            if not interaction.key:
                interaction.key = self.keys.key(self._read(interaction.request))
            if interaction.key != self._keys_of[at]:
                self._move(at, interaction.key)
            self._sure = at + 1

    def _move(self, at: int, key: str) -> None:
        before = self._keys_of[at]
        if before:
            self._index[before].remove(at)
            if not self._index[before]:
                del self._index[before]  # nothing has that key: it is as if it had never been recorded
        insort(self._index.setdefault(key, []), at)
        self._keys_of[at] = key
        self._left.clear()

    def answer(self, exchange: Exchange) -> Reply | None:
        key = self.keys.key(exchange)
        found = self._exact(exchange, key)
        if found is None and key not in self._index:
            found = self._converted(exchange)
        if found is None:
            return None
        at, reply = found
        cassette, exchange.interaction, interaction = self._place(at)
        exchange.give_back = _Back(self, at)
        exchange.meta = interaction.noted
        cassette.note_played(interaction)
        return Reply(reply.status, reply.headers, reply.frames, reply.reason, cut=reply.cut)  # a copy, to be marked

    def _settle_up_to(self, key: str) -> None:
        """Have the keys in front of the first recording of this key that is left, and its own; all, where none is."""
        while self._sure < len(self._places):
            left = self._left_of(key)
            if left and left[0] < self._sure:
                return
            self._settle(left[0] + 1 if left else self._sure + 1)

    def _left_of(self, key: str) -> deque[int]:
        """The recordings of a key that were not played, as far as is known."""
        if key not in self._index:
            return deque()
        if key not in self._left:
            self._left[key] = deque(at for at in self._index[key] if at not in self._gone)
        return self._left[key]

    def _exact(self, exchange: Exchange, key: str) -> tuple[int, Reply] | None:
        """The next recording of this very request. Where streams are not told apart it may have to be converted."""
        at = self._take(key)
        if at is None:
            return None
        recorded = self._places[at].reply
        if self._tells_streams_apart:
            return at, recorded
        reply = _converted(exchange, recorded)
        if reply is not None and reply is not recorded:
            exchange.notes.append(_note(exchange))
        return at, reply or recorded

    def _take(self, key: str) -> int | None:
        """The next recording of a key. Where there is none, the keys of all are known by then."""
        with self._lock:
            self._settle_up_to(key)
            left = self._left_of(key)
            if left:
                self._gone.add(left[0])
                return left.popleft()
            return self._index[key][-1] if self.repeat and key in self._index else None

    def _converted(self, exchange: Exchange) -> tuple[int, Reply] | None:
        """The next recording of the same request with `stream` the other way, as this one wants it."""
        key = self._key_other_way(exchange)
        again = reversed(self._index.get(key, ())) if self.repeat else ()
        for at in (*self._all_left_of(key), *again):
            reply = _converted(exchange, self._places[at].reply)
            if reply is not None and self._claim(key, at):
                exchange.notes.append(_note(exchange))
                return at, reply
        return None

    def _key_other_way(self, exchange: Exchange) -> str:
        """The key that this request has with `stream` the other way; '' where that makes no other."""
        return self.keys.key(exchange, stream=not stream(exchange)) if self._tells_streams_apart else ""

    def _all_left_of(self, key: str) -> tuple[int, ...]:
        with self._lock:
            self._settle(len(self._places))
            return tuple(self._left_of(key))

    def _claim(self, key: str, at: int) -> bool:
        """Take this recording, unless somebody else took it meanwhile and it is not to repeat."""
        with self._lock:
            is_left = at in self._left_of(key)
            if is_left:
                self._left_of(key).remove(at)
                self._gone.add(at)
            return is_left or self.repeat

    def give_back(self, at: int) -> None:
        """Let a recording that was played be played again, in its place among the others."""
        with self._lock:
            self._gone.discard(at)
            self._left.pop(self._places[at].key, None)

    def recorded(self, exchange: Exchange) -> int:
        """How many recordings there are of this very request; where there are none, how many were played converted."""
        self.settle()
        exact = self._index.get(self.keys.key(exchange))
        if exact:
            return len(exact)
        other = self._key_other_way(exchange)
        return len(self._index.get(other, ())) - len(self._all_left_of(other))

    def reset(self) -> None:
        """Play every recording again, from the first."""
        with self._lock:
            self._gone.clear()
            self._left.clear()


def _converted(exchange: Exchange, recorded: Reply) -> Reply | None:
    """What breaks off is not converted: nobody knows what is missing."""
    return None if recorded.cut else exchange.dialect.convert(exchange.prompt, recorded)


def _note(exchange: Exchange) -> str:
    return f"converted from a {'recording without a stream' if exchange.prompt.stream else 'recorded stream'}"
