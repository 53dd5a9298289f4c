"""A cassette and its interactions, each parsed when it is first looked at."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol, TypeVar

from ..core.model import Reply, Request
from ..errors import CassetteFormatError

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Recorded:
    """One interaction, parsed."""

    request: Request
    reply: Reply
    meta: dict[str, Any] = field(default_factory=dict)
    """Where it came from: `upstream`, `recorded`, `dialect`; what a person added is kept."""


class Origin(Protocol):
    """The text that interactions were read from, and are read from when they are looked at; each has a number there."""

    def request(self, number: int) -> Request: ...

    def reply(self, number: int) -> Reply: ...

    def recorded(self, number: int) -> Recorded: ...

    def key(self, number: int) -> str:
        """The key that is stored, if it holds for the settings in force; else ''."""
        ...

    def source(self, number: int) -> bytes:
        """The text, when it may be written back as it stands; else b''."""
        ...

    def lines(self, number: int) -> bytes:
        """The lines of its request, if it is in our layout; else b''."""
        ...

    def place(self, number: int) -> str:
        """Where it is, for people."""
        ...


class Interaction:
    """One recorded request with its reply."""

    __slots__ = (
        "_key",
        "_number",
        "_origin",
        "_place",
        "_recorded",
        "_reply",
        "_request",
        "_source",
        "checked",
        "stored_key",
    )

    def __init__(self, origin: Origin | None = None, number: int = 0, stored_key: str = "") -> None:
        self._origin = origin
        self._number = number
        self._recorded: Recorded | None = None
        self._request: Request | None = None
        self._reply: Reply | None = None
        self._place: str | None = None
        self._key: str | None = None
        self._source: bytes | None = None
        self.stored_key = stored_key
        """The key that stands in the file, whether it holds or not."""
        self.checked = -1
        """The generation of the secrets of which it was found to hold none."""

    @classmethod
    def of(cls, recorded: Recorded, key: str = "") -> Interaction:
        interaction = cls()
        interaction._recorded = recorded
        interaction.key = key
        return interaction

    @property
    def place(self) -> str:
        """Where it was read from, for people."""
        if self._place is None:
            self._place = self._origin.place(self._number) if self._origin else ""
        return self._place

    @place.setter
    def place(self, place: str) -> None:
        self._place = place

    @property
    def key(self) -> str:
        """What requests are matched by; '' until it is known to hold for the settings in force."""
        if self._key is None:
            self._key = self._origin.key(self._number) if self._origin else ""
        return self._key

    @key.setter
    def key(self, key: str) -> None:
        self._source = self.source  # which is there, or not, by the key of before
        self._key = self.stored_key = key

    @property
    def source(self) -> bytes:
        """The text that it was read from, when it may be written back as it stands."""
        if self._source is None:
            return self._origin.source(self._number) if self._origin and self.key else b""
        return self._source

    @source.setter
    def source(self, source: bytes) -> None:
        self._source = source

    @property
    def lines(self) -> bytes:
        """The lines of its request as they stand in a file of ours; b'' where it was not read from one."""
        return self._origin.lines(self._number) if self._origin and self._source is None else b""

    @property
    def recorded(self) -> Recorded:
        if self._recorded is None:
            self._recorded = self._read(lambda origin, number: origin.recorded(number))
        return self._recorded

    def rewrite(self, recorded: Recorded) -> None:
        """Let it hold something else; its key stays."""
        self._recorded = recorded
        self._source = b""

    @property
    def request(self) -> Request:
        """Who only looks for it needs no more than this."""
        if self._recorded is not None:
            return self._recorded.request
        if self._request is None:
            self._request = self._read(lambda origin, number: origin.request(number))
        return self._request

    @property
    def reply(self) -> Reply:
        """Who only plays it needs no more than this."""
        if self._recorded is not None:
            return self._recorded.reply
        if self._reply is None:
            self._reply = self._read(lambda origin, number: origin.reply(number))
        return self._reply

    def _read(self, read: Callable[[Origin, int], T]) -> T:
        if self._origin is None:
            raise CassetteFormatError("This interaction holds nothing.")
        try:
            return read(self._origin, self._number)
        except CassetteFormatError as error:
            raise CassetteFormatError(f"{self.place}: {error}" if self.place else str(error)) from None

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
        self.called = str(path)
        """What people call it."""
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
