"""Waits of threads: each ends with what it waits for, when its client goes, or when everything is closed."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext

from ..core.model import Request
from ..errors import BusyError

_SECONDS_TO_LOOK = 0.5
"""On Windows Ctrl-C cannot end a wait that has no end of its own."""

AGAIN_IN = 2
"""Seconds after which a client may come again."""


class Wait:
    """One thread waits, another ends it or closes it."""

    def __init__(self) -> None:
        self._over = threading.Event()
        self.closed = False
        """Whether it is not waited for any more."""

    def end(self) -> None:
        """What was waited for is there."""
        self._over.set()

    def close(self) -> None:
        """Nobody is there any more who wants it."""
        self.closed = True
        self._over.set()

    def wait(self, seconds: float) -> bool:
        """Return when it is ended or closed: true; or when the time is over: false."""
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            if self._over.wait(min(_SECONDS_TO_LOOK, left)):
                return True
        return self._over.is_set()


class Waits:
    """All waits of one network."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waits: set[Wait] = set()
        self._closed = False

    @contextmanager
    def begin(self, request: Request) -> Iterator[Wait]:
        """A wait in place of this request's client."""
        wait = Wait()
        with self._lock:
            self._waits.add(wait)
            closed = self._closed
        if closed:
            wait.close()
        try:
            with request.client.over(wait) if request.client is not None else nullcontext():
                yield wait
        finally:
            with self._lock:
                self._waits.discard(wait)

    def pause(self, seconds: float, request: Request) -> None:
        """Wait so long. Raises `BusyError` when it is not waited for to the end."""
        with self.begin(request) as wait:
            wait.wait(seconds)
            if wait.closed:
                raise given_up(request)

    def close(self) -> None:
        """End all, also those that begin later."""
        with self._lock:
            self._closed = True
            waits = list(self._waits)
        for wait in waits:
            wait.close()


def given_up(request: Request) -> BusyError:
    return BusyError(
        f"{request.method} {request.path} was waiting for its turn at the upstream, and nobody waits for it any more: "
        "its client has gone, or the recording has ended.",
        AGAIN_IN,
    )
