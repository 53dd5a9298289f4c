"""What was recorded, in the order of asking, and whether it has found its place."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import chain
from typing import Protocol

from .cassette import Interaction


class Recordings:
    """What was recorded, in the order of asking, however many were under way at once."""

    def __init__(self, store: Store | None = None, behind: Callable[[], Interaction | None] = lambda: None) -> None:
        self.on_keep: Callable[[], object] = _nothing
        """Called after each interaction that was kept."""
        self._store = store
        self._behind = behind
        """Which recording was played last."""
        self._lock = threading.Lock()
        self._asked: list[float] = []
        """When each was asked, by its place."""
        self._kept: dict[int, Interaction] = {}
        self._after: dict[int, Interaction | None] = {}
        self._fresh: dict[int, Interaction] = {}
        """What of it is not in its cassette."""

    def reserve(self, asked: float) -> int:
        """A place for what was asked at a moment. Raises `CassetteError` where nothing could be kept."""
        if self._store is not None:
            self._store.open()
        with self._lock:
            self._asked.append(asked)
            self._after[len(self._asked)] = self._behind()
            return len(self._asked)

    def keep(self, place: int, interaction: Interaction) -> None:
        """Raises `CassetteError` when it is kept in memory only."""
        with self._lock:
            self._kept[place] = self._fresh[place] = interaction
        if self._store is not None:
            self._store.keep(place, interaction)
        self.on_keep()

    def restore(self, interactions: Iterable[Interaction]) -> None:
        """Take what a run before this one has recorded."""
        for interaction in interactions:
            self.keep(self.reserve(-math.inf), interaction)

    @property
    def interactions(self) -> list[Interaction]:
        with self._lock:
            return [self._kept[place] for place in self._in_order(self._kept)]

    @property
    def fresh(self) -> dict[int, Interaction]:
        """What is not in its cassette yet, by its place, in the order of asking."""
        with self._lock:
            return {place: self._fresh[place] for place in self._in_order(self._fresh)}

    def note_written(self, written: Mapping[int, Interaction], forget: Callable[[int], object]) -> None:
        """It is in the cassette. `forget` is told each place of which nothing else has come meanwhile."""
        with self._lock:
            for place, interaction in written.items():
                if self._fresh.get(place) is interaction:
                    del self._fresh[place]
                    forget(place)

    def __len__(self) -> int:
        return len(self._kept)

    def _in_order(self, places: Iterable[int]) -> list[int]:
        """Places in the order of asking. Threads reserve them as they come."""
        return sorted(places, key=lambda place: (self._asked[place - 1], place))

    def woven_into(self, played: Sequence[Interaction]) -> list[Interaction]:
        """The recordings among those that were played, each behind the one that was played before it was asked."""
        with self._lock:
            new = [(place, self._kept[place]) for place in self._in_order(self._kept)]
        behind: dict[int, list[Interaction]] = {}
        for place, interaction in new:
            behind.setdefault(id(self._after[place]), []).append(interaction)
        woven = behind.pop(id(None), [])
        for interaction in played:
            woven += [interaction, *behind.pop(id(interaction), ())]
        return [*woven, *chain.from_iterable(behind.values())]


class Store(Protocol):
    """Keeps recordings safe until they are saved."""

    def open(self) -> object:
        """Make sure that there is a place. Raises `CassetteError`."""

    def keep(self, place: int, interaction: Interaction) -> None:
        """Raises `CassetteError`."""


def _nothing() -> None:
    """What is done about a new recording unless somebody wants to know of it."""
