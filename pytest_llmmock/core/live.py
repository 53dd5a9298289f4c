"""Frames that are still coming from an upstream, noted while they pass."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from typing import Protocol

from ..errors import CutConnection, LLMMockError
from .model import Frame, Reply
from .sse import Ending

_SECONDS_TO_LOOK = 0.5
"""On Windows Ctrl-C cannot end a wait that has no end of its own."""


class End(Protocol):
    """Knows when a stream has come to its end. `sse.Ending` reads it in the stream."""

    failure: str
    """Why it is not whole, although it has ended as such streams do."""

    def reached(self, chunk: bytes) -> bool:
        """Whether the stream, with this chunk, says nothing more."""


class Live:
    """Chunks of bytes as frames with their time of arrival.

    Whoever wants to know that the stream is whole says so with `then`, and who wants to know that it broke off with
    `or_else`. Neither is called when the reader goes away early. Every reader gets all frames from the first one on.
    """

    def __init__(
        self,
        chunks: Iterable[bytes],
        close: Callable[[], None],
        *,
        since: float,
        content_type: str = "",
        wake: Callable[[], None] | None = None,
        ending: End | None = None,
    ) -> None:
        """`close` lets the upstream go. `wake` ends the wait of another thread, which then closes by itself: a socket
        that is closed under a thread that waits for it may be another one's by the time that it looks."""
        self._chunks = filter(None, chunks)
        self._close = close
        self._wake = wake or self._let_go
        self._since = since
        self._ending = ending or Ending(content_type)
        self._callbacks: list[Callable[[], None]] = []
        self._on_failure: list[Callable[[], None]] = []
        self._told = -1
        """The number of frames that the callbacks know of."""
        self._failed = -1
        """The same of those who want to know of a failure."""
        self._taking = threading.Lock()
        """Held while a frame is waited for: one thread waits for the upstream, the others for that thread."""
        self._closing = threading.RLock()  # a reader that is garbage may close in the middle of closing
        self._over = threading.Event()
        self._left = False
        self._stays = False
        self._finisher: threading.Thread | None = None
        self._broken: BaseException | None = None
        self.seen: list[Frame] = []
        self.whole = False
        """Whether the stream came to its end."""
        self.failure = ""
        """Why it broke off, or has ended too early."""
        self.cut = ""
        """The same in short, where the connection broke: what has come is followed by nothing."""
        self.ended: float | None = None

    def then(self, callback: Callable[[], None]) -> None:
        """Call this when the stream is whole, before its reader can know.

        It is called again when more came behind an event that looked like the last.
        """
        self._callbacks.append(callback)

    def or_else(self, callback: Callable[[], None]) -> None:
        """Call this when there is a `failure`, before its reader can know; at once where there is one already."""
        self._on_failure.append(callback)
        if self.failure:
            callback()

    def at_end(self, callback: Callable[[], None]) -> None:
        """Call this once the upstream is let go: at the end, where it breaks off, when the reader has gone."""
        with self._closing:
            close = self._close
            if close is not _nothing:
                self._close = lambda: _both(close, callback)
                return
        callback()

    def stay(self) -> None:
        """When the reader leaves early, let a thread take the rest: `then` is called all the same."""
        self._stays = True

    # --- what comes ---

    def __iter__(self) -> Iterator[Frame]:
        taken = 0
        try:
            while self._has(taken):
                yield self.seen[taken]
                taken += 1
        finally:
            self.close()

    def take(self) -> None:
        """Take all of it now. Who reads then gets what has come, and what broke it off, if anything did."""
        try:
            while self._has(len(self.seen)):
                pass
        except LLMMockError:
            return  # it is told to who reads

    def _has(self, taken: int) -> bool:
        """Whether there is a frame behind those taken; it is waited for. Raises what broke the stream off."""
        if taken < len(self.seen):
            return True
        try:
            with self._taking:
                return taken < len(self.seen) or self._goes_on()
        finally:
            if self._left:  # somebody hung up while this thread waited
                self._let_go()

    def _goes_on(self) -> bool:
        if self._broken is not None:
            raise self._broken
        return not self._over.is_set() and self._arrives()

    def _arrives(self) -> bool:
        """Whether a frame came, and not the end."""
        try:
            chunk = next(self._chunks, None)
            if chunk is not None:
                self._note(chunk)
                return True
            if self._told != len(self.seen) and not self._left:  # a connection that we shut down ends as well
                self._come_to_end()
        except BaseException as error:
            self._broken = error
            if isinstance(error, LLMMockError) and not self._left:
                self.cut = error.cause if isinstance(error, CutConnection) else str(error)
                self._fail(str(error))
            self._end()
            raise
        self._end()
        return False

    def _note(self, chunk: bytes) -> None:
        self.seen.append(Frame(chunk, time.monotonic() - self._since))
        if self._ending.reached(chunk):
            self._tell()
        if self._ending.failure and not self._left:  # what is cut off by its reader fails for that
            self._fail(self._ending.failure)  # its reader may leave behind the event that tells of it

    def _come_to_end(self) -> None:
        if self._ending.failure:
            self._fail(self._ending.failure)
        else:
            self._tell()

    def _fail(self, failure: str) -> None:
        told, self.failure = self._failed, failure
        self._failed = len(self.seen)
        for callback in self._on_failure if told != self._failed else ():
            callback()

    def _tell(self) -> None:
        self.whole = True
        for callback in self._callbacks:
            callback()
        self._told = len(self.seen)

    def _end(self) -> None:
        self.ended = time.monotonic()
        self._left = True
        self._let_go()
        self._over.set()

    # --- who goes ---

    def close(self) -> None:
        """The reader goes. Safe to call at any time, from any thread, and more than once."""
        if not self._stays or self._left or self.whole or self._over.is_set():
            self.hang_up()
            return
        with self._closing:
            if self._finisher is None:
                self._finisher = threading.Thread(target=self.take, name="llmmock-finisher", daemon=True)
                self._finisher.start()

    def hang_up(self) -> None:
        """Let the upstream go. Safe to call at any time, from any thread, and more than once."""
        self._left = True
        if self.ended is None:
            self.ended = time.monotonic()
        if not self._taking.acquire(blocking=False):
            self._wake()
            return
        try:
            self._let_go()
        finally:
            self._taking.release()

    def _let_go(self) -> None:
        with self._closing:
            close, self._close = self._close, _nothing
        close()

    def rest(self, seconds: float) -> None:
        """Wait until no thread waits for a frame, at most so long."""
        if self._taking.acquire(timeout=seconds):
            self._taking.release()

    def wait(self) -> None:
        """Return when its end has been told, or it broke off.

        Somebody has to read, or to have left a stream that stays.
        """
        while self._told < 0 and not self._over.wait(_SECONDS_TO_LOOK):
            pass


def taken(reply: Reply) -> Reply:
    """The reply with all that came of it: what has no length may still be coming, also when it is an error."""
    if not isinstance(reply.frames, Live):
        return reply
    reply.frames.take()
    return replace(reply, frames=reply.frames.seen, live=False)


def _both(first: Callable[[], None], second: Callable[[], None]) -> None:
    try:
        first()
    finally:
        second()


def _nothing() -> None:
    """What closing does once it is done."""
