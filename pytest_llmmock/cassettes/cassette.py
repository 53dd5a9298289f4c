"""A cassette and its interactions, each parsed when it is first looked at."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..core.model import Reply, Request
from ..errors import CassetteFormatError


@dataclass(frozen=True, slots=True)
class Recorded:
    """One interaction, parsed."""

    request: Request
    reply: Reply
    meta: dict[str, Any] = field(default_factory=dict)
    """Where it came from: `upstream`, `recorded`, `dialect`; what a person added is kept."""


class Interaction:
    """One recorded request with its reply."""

    def __init__(
        self,
        load: Callable[[], Recorded],
        *,
        load_reply: Callable[[], Reply | None] = lambda: None,
        key: str = "",
        source: bytes = b"",
    ) -> None:
        self._load = load
        self._load_reply = load_reply
        self._recorded: Recorded | None = None
        self._reply: Reply | None = None
        self.place = ""
        """Where it was read from, for people."""
        self.key = key
        """What requests are matched by; '' until it is known to hold for the settings in force."""
        self.source = source
        """The text that it was read from, when it may be written back as it stands."""
        self.checked = -1
        """The generation of the secrets of which it was found to hold none."""

    @classmethod
    def of(cls, recorded: Recorded, key: str = "") -> Interaction:
        return cls(lambda: recorded, key=key)

    @property
    def recorded(self) -> Recorded:
        if self._recorded is None:
            try:
                self._recorded = self._load()
            except CassetteFormatError as error:
                raise CassetteFormatError(f"{self.place}: {error}" if self.place else str(error)) from None
        return self._recorded

    def rewrite(self, recorded: Recorded) -> None:
        """Let it hold something else; its key stays."""
        self._recorded = recorded
        self.source = b""

    @property
    def request(self) -> Request:
        return self.recorded.request

    @property
    def reply(self) -> Reply:
        """Who only plays it needs no more than this."""
        if self._recorded is None and self._reply is None:
            self._reply = self._load_reply()
        return self._reply if self._recorded is None and self._reply is not None else self.recorded.reply

    @property
    def meta(self) -> dict[str, Any]:
        return self.recorded.meta

    def noted(self) -> dict[str, Any]:
        """`meta`, for who may want it later."""
        return self.meta

    def __repr__(self) -> str:
        return f"<Interaction {self.request.method} {self.request.url} -> {self.reply.status}>"


class Cassette:
    """The interactions of one file, in the order in which they were asked."""

    def __init__(self, path: Path, interactions: Iterable[Interaction] = (), *, exists: bool = False) -> None:
        self.path = path
        self.interactions: list[Interaction] = list(interactions)
        self.exists = exists
        """Whether the file was there when the cassette was opened."""
        self._played: set[int] = set()
        self._lock = threading.Lock()
        self.last_played: Interaction | None = None

    def note_played(self, interaction: Interaction) -> None:
        with self._lock:
            self._played.add(id(interaction))
            self.last_played = interaction

    def is_played(self, interaction: Interaction) -> bool:
        """Whether an interaction answered a request."""
        return id(interaction) in self._played

    @property
    def played(self) -> Sequence[Interaction]:
        """The interactions that answered a request."""
        return [interaction for interaction in self.interactions if id(interaction) in self._played]

    @property
    def played_numbers(self) -> list[int]:
        """The numbers of those, from 1."""
        return [number for number, each in enumerate(self.interactions, 1) if id(each) in self._played]

    @property
    def unplayed(self) -> Sequence[Interaction]:
        """The interactions that answered none."""
        return [interaction for interaction in self.interactions if id(interaction) not in self._played]

    def __len__(self) -> int:
        return len(self.interactions)

    def __repr__(self) -> str:
        return f"<Cassette {self.path} with {len(self)} interactions>"
