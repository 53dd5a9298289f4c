"""Work that is wanted again and again and may wait: done now and then, in a thread of its own."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

_SOONEST = 0.5
"""Seconds."""

_SHARE = 20
"""Work takes at most one part of so many of the time."""


class Later:
    """Does something soon after it is wanted, the more seldom the longer it takes."""

    def __init__(self, work: Callable[[], object], soonest: float = _SOONEST) -> None:
        self._work = work
        self._soonest = soonest
        self._took = 0.0
        self._lock = threading.Lock()
        self._wanted = False
        self._stopped = threading.Event()
        self._thread: threading.Thread | None = None

    def want(self) -> None:
        """What is wanted while it waits is done with the rest."""
        with self._lock:
            self._wanted = True
            if self._thread is None and not self._stopped.is_set():
                self._thread = threading.Thread(target=self._run, name="llmmock-later", daemon=True)
                self._thread.start()

    def stop(self) -> None:
        """Do nothing any more, and return when nothing is being done. What was wanted is left to the caller."""
        self._stopped.set()
        with self._lock:
            thread, self._thread = self._thread, None
        if thread is not None:
            thread.join()

    def _run(self) -> None:
        try:
            self._work_on()
        finally:
            self._end()

    def _work_on(self) -> None:
        while self._is_wanted() and not self._stopped.wait(max(self._soonest, _SHARE * self._took)):
            with self._lock:
                self._wanted = False
            began = time.monotonic()
            self._work()
            self._took = time.monotonic() - began

    def _is_wanted(self) -> bool:
        """Whether the thread goes on: another one begins when something is wanted again."""
        with self._lock:
            if not self._wanted:
                self._thread = None
            return self._wanted

    def _end(self) -> None:
        """Also where the work has failed: it may be wanted again."""
        with self._lock:
            if self._thread is threading.current_thread():
                self._thread = None
