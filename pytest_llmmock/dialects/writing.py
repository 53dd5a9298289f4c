"""How a stream is written while its answer is still being said: a delta in, events out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Protocol

from ..core.prompt import Delta


class Writer(Protocol):
    """Writes one stream. An error is the end of it."""

    def begin(self) -> Iterator[bytes]:
        """What comes before anything was said."""

    def take(self, delta: Delta) -> Iterator[bytes]:
        """What is written of one delta; nothing where the protocol has no place for it, or says it at the end."""

    def end(self) -> Iterator[bytes]:
        """Why it ended, and what it cost; nothing behind an error."""


def written(writer: Writer, deltas: Iterable[Delta]) -> list[bytes]:
    """The events of an answer that is known."""
    begun = list(writer.begin())
    said = [event for delta in deltas for event in writer.take(delta)]
    return [*begun, *said, *writer.end()]
