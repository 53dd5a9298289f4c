"""How many requests an upstream is asked at once: the others wait, each in its turn."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable

from ..core.model import Request
from ..errors import BusyError
from .waits import AGAIN_IN, Wait, Waits, given_up

End = Callable[[], None]
"""Ends a turn; more than once does no harm."""


class Turns:
    """At most so many at once, and at most so many who wait. The first who came is the first to go on.

    A turn lasts to the end of the answer, for a stream costs its upstream as much as its beginning.
    """

    def __init__(self, most: int | None, waiting: int, waits: Waits, *, patience: float = 600.0) -> None:
        """`patience` is how many seconds one waits: a stream that nobody reads would hold up the others for ever."""
        self._most = most
        self._waiting = waiting
        self._patience = patience
        self._waits = waits
        self._lock = threading.Lock()
        self._running = 0
        self._queue: deque[Wait] = deque()

    def take(self, request: Request) -> End:
        """Wait for a turn. Raises `BusyError` when too many wait, or this one is not waited for any more."""
        if self._most is None:
            return _nothing
        with self._waits.begin(request) as wait:
            if not self._begins(wait):
                self._await(wait, request)
        return _Turn(self._pass_on).end

    def _begins(self, wait: Wait) -> bool:
        """Whether it is its turn at once; else it stands in the queue."""
        with self._lock:
            if self._running < (self._most or 0):
                self._running += 1
                return True
            if len(self._queue) >= self._waiting:
                raise BusyError(self._full(), AGAIN_IN)
            self._queue.append(wait)
            return False

    def _full(self) -> str:
        waiting = f"{self._waiting} more wait, as many as may" if self._waiting else "none may wait"
        return (
            f"The upstream is being asked {self._most} at once (max_concurrency), and {waiting} (queue_limit). "
            f"This request was not sent; it may be tried again in {AGAIN_IN} seconds."
        )

    def _await(self, wait: Wait, request: Request) -> None:
        try:
            ended = wait.wait(self._patience)
        except BaseException:  # Ctrl-C
            self._leave(wait)
            raise
        if not ended or wait.closed:
            self._leave(wait)
            raise given_up(request) if wait.closed else BusyError(self._endless(), AGAIN_IN)

    def _endless(self) -> str:
        return (
            f"The upstream is being asked {self._most} at once (max_concurrency), and in {self._patience:g} seconds no "
            "answer has ended. This request was not sent. Is a stream open that nobody reads?"
        )

    def _leave(self, wait: Wait) -> None:
        """Go out of the queue; whose turn came in this very moment passes it on."""
        with self._lock:
            if wait in self._queue:
                self._queue.remove(wait)
                return
        self._pass_on()

    def _pass_on(self) -> None:
        with self._lock:
            if self._queue:
                self._queue.popleft().end()
            else:
                self._running -= 1


class _Turn:
    """Ends once."""

    def __init__(self, pass_on: Callable[[], None]) -> None:
        self._pass_on = pass_on
        self._lock = threading.Lock()

    def end(self) -> None:
        with self._lock:
            pass_on, self._pass_on = self._pass_on, _nothing
        pass_on()


def _nothing() -> None:
    """What ends where nothing was begun."""
