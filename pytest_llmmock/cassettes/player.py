"""The source that replays: a dictionary from key to recordings, played in the order of their recording."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator

from ..core.model import Exchange, Headers, Reply, Request
from .cassette import Cassette, Interaction
from .matchers import Keys

WAITS = ("retry-after", "retry-after-ms")

Place = tuple[Cassette, int, Interaction]
"""A recording, its cassette and its number there, from 1."""


def without_waiting(headers: Headers) -> Headers:
    """A provider asks to wait before the next try. In replay nothing is won by that: SDKs then wait a millisecond.

    With 0 they would fall back to a wait of their own.
    """
    if not any(name in WAITS for name, _ in headers):
        return headers
    return (*(pair for pair in headers if pair[0] not in WAITS), ("retry-after-ms", "1"))


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
        self._played: dict[str, int] = {}
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
        taken = self._take(self.keys.key(exchange))
        if taken is None:
            return None
        cassette, exchange.interaction, interaction = taken
        cassette.note_played(interaction)
        reply = interaction.reply
        return Reply(reply.status, without_waiting(reply.headers), reply.frames, reply.reason)  # a copy, to be marked

    def _take(self, key: str) -> Place | None:
        recordings = self._index.get(key, ())
        with self._lock:
            played = self._played.get(key, 0)
            if played >= len(recordings) and not (self.repeat and recordings):
                return None
            self._played[key] = played + 1
        return recordings[min(played, len(recordings) - 1)]

    def recorded(self, exchange: Exchange) -> int:
        """How many recordings there are of this very request."""
        return len(self._index.get(self.keys.key(exchange), ()))

    def reset(self) -> None:
        """Play every recording again, from the first."""
        with self._lock:
            self._played.clear()
