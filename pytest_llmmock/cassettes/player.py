"""The source that replays: a dictionary from key to recordings, played in the order of their recording."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator

from ..core.model import Exchange, Reply, Request
from .cassette import Cassette, Interaction
from .matchers import Keys

Place = tuple[Cassette, int, Interaction]
"""A recording, its cassette and its number there, from 1."""


class Player:
    """Answers from cassettes. Each recording is played once, unless the last one is to repeat."""

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
        self._read = read
        self._turns: dict[str, _Turns] = {}
        self._lock = threading.Lock()
        self._index: dict[str, list[Place]] = {}
        for place in self.places():
            self._index.setdefault(self._key_of(place[2]), []).append(place)

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
        turn = self._take(key)
        if turn is None:
            return None
        exchange.turn = turn
        cassette, exchange.interaction, interaction = self._index[key][turn.number]
        cassette.note_played(interaction)
        reply = interaction.reply
        return Reply(reply.status, reply.headers, reply.frames, reply.reason)  # a copy, to be marked

    def _take(self, key: str) -> _Turn | None:
        recordings = self._index.get(key)
        if recordings is None:
            return None
        with self._lock:
            turns = self._turns.get(key) or self._turns.setdefault(key, _Turns())
            number = turns.next(len(recordings), repeat=self.repeat)
        return None if number is None else _Turn(turns, number, self._lock)

    def recorded(self, exchange: Exchange) -> int:
        """How many recordings there are of this very request."""
        return len(self._index.get(self.keys.key(exchange), ()))

    def reset(self) -> None:
        """Play every recording again, from the first."""
        with self._lock:
            self._turns.clear()


class _Turns:
    """Which of the recordings of one request is to be played next. Used under a lock."""

    def __init__(self) -> None:
        self.begun = 0
        """How many were played at least once."""
        self.back: set[int] = set()
        """Those that were given back."""

    def next(self, count: int, *, repeat: bool) -> int | None:
        """A number from 0, or None when all were played."""
        if self.back:
            number = min(self.back)
            self.back.remove(number)
            return number
        if self.begun < count:
            self.begun += 1
            return self.begun - 1
        return count - 1 if repeat else None


class _Turn:
    """A recording that was played."""

    def __init__(self, turns: _Turns, number: int, lock: threading.Lock) -> None:
        self._turns = turns
        self.number = number
        self._lock = lock

    def give_back(self) -> None:
        """Let the recording be played again."""
        with self._lock:
            self._turns.back.add(self.number)

    def take_again(self) -> None:
        """It was used after all, unless another request has it by now."""
        with self._lock:
            self._turns.back.discard(self.number)
