"""Frames that are still coming from an upstream, noted while they pass."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Iterator

from ..errors import LLMMockError
from .model import Frame
from .sse import Ending


class Live:
    """Chunks of bytes as frames with their time of arrival.

    Whoever wants to know that the stream is whole says so with `then`: it is not called when the reader
    goes away early, or when the stream breaks off.
    """

    def __init__(
        self, chunks: Iterable[bytes], close: Callable[[], None], *, since: float, content_type: str = ""
    ) -> None:
        self._chunks = iter(chunks)
        self._close = close
        self._since = since
        self._ending = Ending(content_type)
        self._callbacks: list[Callable[[], None]] = []
        self._closing = threading.Lock()
        self._left = False
        self._taken = False
        self._broken: LLMMockError | None = None
        self.seen: list[Frame] = []
        self.whole = False
        """Whether the stream came to its end."""
        self.failure = ""
        """Why it broke off."""
        self.ended: float | None = None

    def then(self, callback: Callable[[], None]) -> None:
        """Call this when the stream is whole, before its reader can know.

        It is called again when more came behind an event that looked like the last.
        """
        self._callbacks.append(callback)

    def take(self) -> None:
        """Take all of it now. Who reads then gets what has come, and what broke it off, if anything did."""
        try:
            for _ in self:
                pass
        except LLMMockError as error:
            self._broken = error
        self._taken = True

    def __iter__(self) -> Iterator[Frame]:
        return self._again() if self._taken else self._arriving()

    def _again(self) -> Iterator[Frame]:
        yield from self.seen
        if self._broken is not None:
            raise self._broken

    def _arriving(self) -> Iterator[Frame]:
        told = -1
        try:
            for chunk in filter(None, self._chunks):
                frame = Frame(chunk, time.monotonic() - self._since)
                self.seen.append(frame)
                if self._ending.reached(chunk):
                    told = self._tell()
                yield frame
            if told != len(self.seen):
                self._tell()
        except LLMMockError as error:
            self.failure = "" if self._left else str(error)
            raise
        finally:
            self.ended = time.monotonic()
            self.close()

    def _tell(self) -> int:
        """The number of frames that the callbacks know of."""
        self.whole = True
        for callback in self._callbacks:
            callback()
        return len(self.seen)

    def close(self) -> None:
        """Let the upstream go. Safe to call at any time, from any thread, and more than once."""
        self._left = True
        with self._closing:
            close, self._close = self._close, _nothing
        close()


def _nothing() -> None:
    """What closing does once it is done."""
