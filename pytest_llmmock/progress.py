"""What a recording run is doing, for people who wait: one line that is drawn again, or now and then a line of a log."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from typing import Protocol

from .core.answered import answer_of
from .core.model import Exchange, Reply
from .core.summary import asked, plural, rounded, tokens

Write = Callable[[str], object]

_SECONDS_UNTIL_SEEN = 0.3
_SECONDS_BETWEEN_DRAWINGS = 0.25
_SECONDS_UNTIL_TOLD = 10.0
_SECONDS_BETWEEN_LINES = 30.0


class Display(Protocol):
    """Where progress is shown."""

    def show(self, text: str, now: float, lasts: float) -> None:
        """What is being done, and for how many seconds it has been."""

    def clear(self) -> None:
        """Take away what is shown: somebody else is about to write."""


class Drawn:
    """A line of a terminal that is drawn again and again, and leaves nothing behind."""

    def __init__(self, write: Write, width: Callable[[], int], *, below: bool = False) -> None:
        """`below` says that somebody is in the middle of a line: ours is the one under it."""
        self._write = write
        self._width = width
        self._down, self._back = ("\x1bD\x1b[A\x1b7\x1b[B", "\x1b8") if below else ("", "\r")
        self._shown = False

    def show(self, text: str, now: float, lasts: float) -> None:
        if lasts < _SECONDS_UNTIL_SEEN:
            return
        width = max(self._width() - 1, 20)
        fit = text if len(text) <= width else text[: width - 1] + "…"
        self._write(f"{self._down}\r\x1b[K{fit}{self._back}")
        self._shown = True

    def clear(self) -> None:
        if self._shown:
            self._write(f"{self._down}\r\x1b[K{self._back}")
            self._shown = False


class Logged:
    """Lines of a log, as CI keeps them: the first when something takes long, and then only now and then."""

    def __init__(self, write: Write, *, within: bool = False) -> None:
        """`within` says that somebody is in the middle of a line."""
        self._write = write
        self._start = "\n" if within else ""
        self._last = float("-inf")

    def show(self, text: str, now: float, lasts: float) -> None:
        if lasts >= _SECONDS_UNTIL_TOLD and now - self._last >= _SECONDS_BETWEEN_LINES:
            self._last = now
            self._write(f"{self._start}{text}\n")

    def clear(self) -> None:
        """A log is not taken back."""


class Progress:
    """Sees what upstreams are asked and answer, and shows it while it lasts."""

    def __init__(self, display: Display, clock: Callable[[], float] = time.monotonic) -> None:
        self._display = display
        self._clock = clock
        self._lock = threading.Lock()
        self._open: dict[Exchange, Reply | None] = {}
        """What is being asked, and the beginning of its answer."""
        self._began = clock()
        self._elsewhere = False
        """Whether other processes record, of which is only known what they have recorded."""
        self._recorded = 0
        self._tokens = 0
        self._thread: threading.Thread | None = None
        self._stopped = threading.Event()

    # --- what is seen ---

    def asks(self, exchange: Exchange) -> None:
        with self._lock:
            self._open[exchange] = None
            self._start()

    def _start(self) -> None:
        if self._thread is None and not self._stopped.is_set():
            self._thread = threading.Thread(target=self._run, name="llmmock-progress", daemon=True)
            self._thread.start()

    def begins(self, exchange: Exchange, reply: Reply) -> None:
        with self._lock:
            if isinstance(reply.frames, Sequence):
                self._open.pop(exchange, None)
            else:
                self._open[exchange] = reply

    def fails(self, exchange: Exchange) -> None:
        with self._lock:
            self._open.pop(exchange, None)

    def keeps(self, exchange: Exchange, reply: Reply) -> None:
        self.add(1, tokens(exchange.spent or answer_of(exchange, reply).usage))

    def add(self, recorded: int, count: int, *, elsewhere: bool = False) -> None:
        """So much was recorded, perhaps in another process."""
        with self._lock:
            self._recorded += recorded
            self._tokens += count
            if elsewhere:
                self._elsewhere = True
                self._start()

    # --- what is shown ---

    def show(self) -> None:
        """Show how it stands."""
        with self._lock:
            self._open = {exchange: reply for exchange, reply in self._open.items() if not _is_over(reply)}
            now = self._clock()
            if self._open:
                lasts = now - next(iter(self._open)).clock
                self._display.show(self._text(lasts), now, lasts)
            elif self._elsewhere:
                lasts = now - self._began
                self._display.show(f"llmmock: {self.so_far} · {_duration(lasts)}", now, lasts)
            else:
                self._display.clear()

    def _text(self, lasts: float) -> str:
        first, others = next(iter(self._open)), len(self._open) - 1
        coming = "asking" if self._open[first] is None else "answered by"
        pieces = [f"llmmock: {coming} {first.upstream}: {asked(first)}", _duration(lasts)]
        pieces += [f"{plural(others, 'other')} beside it"] if others else []
        pieces += [self.so_far] if self._recorded else []
        return " · ".join(pieces)

    @property
    def so_far(self) -> str:
        """`12 recorded, 41k tokens`"""
        spent = f", {rounded(self._tokens)} tokens" if self._tokens else ""
        return f"{self._recorded} recorded{spent}"

    def clear(self) -> None:
        """Somebody else is about to write."""
        with self._lock:
            self._display.clear()

    # --- its thread ---

    def _run(self) -> None:
        while not self._stopped.wait(_SECONDS_BETWEEN_DRAWINGS):
            self.show()
            with self._lock:
                if not (self._open or self._elsewhere):
                    self._thread = None
                    return

    def stop(self) -> None:
        """Show nothing any more."""
        self._stopped.set()
        thread = self._thread
        if thread is not None:
            thread.join()
        self.clear()


def _is_over(reply: Reply | None) -> bool:
    return reply is not None and not isinstance(reply.frames, Sequence) and reply.frames.ended is not None


def _duration(seconds: float) -> str:
    """`12 s`, `2 min 5 s`"""
    minutes, rest = divmod(int(seconds), 60)
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"
