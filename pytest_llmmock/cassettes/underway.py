"""What an upstream is still answering, and what of it was left by its client."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ..core.live import Live

_SECONDS_TO_LOOK = 0.5
"""On Windows Ctrl-C cannot end a wait that has no end of its own."""

_LEFT: set[tuple[str, str]] = set()
"""The file and the key of what this process has asked and not recorded, because its client left."""


def was_left(cassette: Path, key: str) -> bool:
    """Whether this process has asked for this, and the stream was left before its end."""
    return (os.path.realpath(cassette), key) in _LEFT


def _was_left(stream: Live) -> bool:
    return stream.ended is not None and not stream.whole and not stream.failure


class Underway:
    """The requests of one deck that an upstream has not answered to the end.

    `finishes` says that streams which their client leaves are read to their end all the same.
    """

    def __init__(self, *, finishes: bool = False) -> None:
        self._finishes = finishes
        self._changed = threading.Condition()
        self._asking = 0
        self._streams: list[tuple[str, Live]] = []
        self._left: set[str] = set()

    @contextmanager
    def asking(self) -> Iterator[None]:
        """While an upstream is asked and has not begun to answer."""
        with self._changed:
            self._asking += 1
        try:
            yield
        finally:
            with self._changed:
                self._asking -= 1
                self._changed.notify_all()

    def follow(self, key: str, stream: Live) -> None:
        """Know of an answer that begins to come."""
        if self._finishes:
            stream.stay()
        with self._changed:
            self._forget_ended()
            self._streams.append((key, stream))

    def _forget_ended(self) -> None:
        """A server that records for days must not grow."""
        self._left |= {key for key, stream in self._streams if _was_left(stream)}
        self._streams = [pair for pair in self._streams if pair[1].ended is None]

    @property
    def unanswered(self) -> int:
        """How many were asked and have no answer yet, not the beginning of one."""
        return self._asking

    @property
    def unfinished(self) -> int:
        """How many `finish` would wait for."""
        with self._changed:
            coming = [stream for _, stream in self._streams if stream.ended is None and not stream.whole]
            return self._asking + len(coming) if self._finishes else 0

    def finish(self) -> None:
        """Return when everything has been answered to the end, if that was asked for. Ctrl-C ends the waiting."""
        if not self._finishes:
            return
        with self._changed:
            while not self._changed.wait_for(lambda: not self._asking, _SECONDS_TO_LOOK):
                pass
            streams = [stream for _, stream in self._streams]
        for stream in streams:
            stream.close()
            stream.wait()

    def let_go(self, cassette: Path) -> None:
        """Hang up on everything, and remember what is not recorded to this cassette for that."""
        with self._changed:
            streams = [stream for _, stream in self._streams]
        for stream in streams:
            stream.hang_up()
        with self._changed:
            self._forget_ended()
        _LEFT.update((os.path.realpath(cassette), key) for key in self._left)
