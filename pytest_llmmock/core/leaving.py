"""Who asks may go while something is waited for in its place."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Protocol


class Closable(Protocol):
    def close(self) -> None: ...


class Client(Protocol):
    """Whoever asked, as far as it can be noticed that it goes."""

    def over(self, wait: Closable) -> AbstractContextManager[None]:
        """For the time of the block: close this when the client goes."""


class Caller:
    """A client in this process, which says itself that it goes: its task is cancelled."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waits: list[Closable] = []
        self._gone = False

    @contextmanager
    def over(self, wait: Closable) -> Iterator[None]:
        with self._lock:
            self._waits.append(wait)
            gone = self._gone
        if gone:
            wait.close()
        try:
            yield
        finally:
            with self._lock:
                self._waits.remove(wait)

    def leave(self) -> None:
        """End every wait, also those that begin later. Safe to call from any thread."""
        with self._lock:
            self._gone = True
            waits = list(self._waits)
        for wait in waits:
            wait.close()
