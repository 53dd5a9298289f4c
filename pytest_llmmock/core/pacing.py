"""When the frames of a reply are due, and holding them back until then."""

from __future__ import annotations

import math
import re
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

from ..errors import CutConnection, UsageError
from .chunking import by_event
from .model import Frame, Reply
from .sse import Ending

CHOICES = "'instant', 'recorded', 'x10' (faster), 'x0.5', 'tps=40', 'ttft=0.3' or 'ttft=0.3,tps=40'"

_BLOCK = 1 << 16
"""Bytes of frames that are handed out together."""

T = TypeVar("T")

_NUMBER = re.compile(r"\d+(?:\.\d*)?|\.\d+")


@dataclass(frozen=True, slots=True)
class Speed:
    """How fast recorded replies come."""

    factor: float = math.inf
    """How many times faster than recorded; `inf` is at once."""
    ttft: float | None = None
    """Seconds to the first piece (time to first token), in place of the recorded time."""
    tps: float | None = None
    """Tokens a second, in place of the recorded times."""

    @property
    def is_instant(self) -> bool:
        return self.factor == math.inf and self.ttft is None and self.tps is None

    @property
    def is_recorded(self) -> bool:
        return self.factor == 1.0

    def schedule(self, reply: Reply, tokens: Callable[[], int | None]) -> Reply:
        """The reply, each frame with the time at which it is due. `tokens` tells how many the answer has."""
        if self.ttft is None and self.tps is None:
            return replace(reply, frames=[Frame(frame.data, frame.at / self.factor) for frame in reply.arrived])
        events = by_event(reply.arrived, reply.content_type)
        seconds = (tokens() or len(events)) / self.tps if self.tps else 0.0
        return replace(reply, frames=list(_spread(events, self.ttft or 0.0, seconds)))


INSTANT = Speed()
RECORDED = Speed(factor=1.0)


def _spread(events: Sequence[Frame], first: float, seconds: float) -> Iterator[Frame]:
    """The events evenly over a time, from the first one on. What comes whole comes at the end of it."""
    steps = max(1, len(events) - 1)
    for number, event in enumerate(events):
        yield Frame(event.data, first + seconds * (number / steps if len(events) > 1 else 1.0))


def read_speed(text: str) -> Speed:
    """What `--llm-speed` says. Raises `UsageError`."""
    said = text.strip()
    if said in ("instant", "recorded"):
        return INSTANT if said == "instant" else RECORDED
    factor = _number(said.removeprefix("x")) if said.startswith("x") else None
    if factor:
        return Speed(factor=factor)
    parts = [part.strip().partition("=")[::2] for part in said.split(",")]
    numbers = {name: _number(value) for name, value in parts}
    if (
        len(numbers) < len(parts)
        or not numbers.keys() <= {"ttft", "tps"}
        or None in numbers.values()
        or numbers.get("tps") == 0
    ):
        raise UsageError(f"There is no speed {text!r}. Say {CHOICES}.")
    return Speed(ttft=numbers.get("ttft"), tps=numbers.get("tps"))


def _number(text: str) -> float | None:
    return float(text) if _NUMBER.fullmatch(text) else None


class Paced:
    """Frames that are held back until they are due. A `LiveFrames`; a second reader goes on where the first one was.

    Whoever can wait in a better way than a blocked thread waits for `delay` before it asks for the next frame.
    """

    def __init__(
        self, reply: Reply, since: float, *, holds_head: bool, on_left: Callable[[], object] | None = None
    ) -> None:
        """`on_left` is called when it is closed before its end."""
        self._frames = reply.arrived
        self._cut = reply.cut
        self._since = since
        self._on_left = on_left
        self._ending = Ending(reply.content_type)
        self._left = threading.Event()
        self.holds_head = holds_head
        """Whether status and headers come with the first frame: a plain answer does not begin before it is there."""
        self.seen: list[Frame] = []
        self.ended: float | None = None
        self.whole = False
        self.failure = ""

    @property
    def length(self) -> int | None:
        """Bytes of all frames; None when the connection breaks before the end."""
        return None if self._cut else self.size

    @property
    def size(self) -> int:
        """Bytes of all frames that come."""
        return sum(len(frame.data) for frame in self._frames)

    @property
    def over(self) -> bool:
        """Whether all that there is was handed out."""
        return len(self.seen) >= len(self._frames) or self._left.is_set()

    @property
    def delay(self) -> float:
        """Seconds until the next frame is due; 0 when it is, or when there is none."""
        if self.over:
            return 0.0
        return max(0.0, self._frames[len(self.seen)].at - (time.monotonic() - self._since))

    def wait(self, patience: float | None = None) -> bool:
        """Wait in this thread until the next frame is due; False when the reader's patience (seconds) ends before."""
        while (delay := self.delay) > 0:
            if patience is not None and delay > patience:
                return self._left.wait(patience)
            self._left.wait(delay)
        return True

    def __iter__(self) -> Iterator[Frame]:
        return self._taken(lambda: self._hand_out(1)[0])

    def together(self) -> Iterator[Sequence[Frame]]:
        """The frames, and with each those that are due by then: who is late has not to send them one by one."""
        return self._taken(lambda: self._hand_out(self._due()))

    def _taken(self, take: Callable[[], T]) -> Iterator[T]:
        try:
            while not self.over:
                self.wait()
                if not self._left.is_set():
                    yield take()
            if not self.whole:
                if self._cut and len(self.seen) == len(self._frames):
                    self._on_left = None  # nobody has left: it ends here
                raise CutConnection(self._cut or "The reply was closed before its end.")
        finally:
            self.close()

    def _due(self) -> int:
        """How many frames are due, a block's worth at most. The next one is, for it was waited for."""
        now, start = time.monotonic() - self._since, len(self.seen)
        size = len(self._frames[start].data)
        for at in range(start + 1, len(self._frames)):
            frame = self._frames[at]
            size += len(frame.data)
            if frame.at > now or size > _BLOCK:
                return at - start
        return len(self._frames) - start

    def _hand_out(self, count: int) -> Sequence[Frame]:
        """The next frames. The last one is noted before its reader has it, who may ask again right then."""
        frames = self._frames[len(self.seen) : len(self.seen) + count]
        self.seen += frames
        data = frames[0].data if count == 1 else b"".join([frame.data for frame in frames])
        told = self._ending.reached(data) or len(self.seen) == len(self._frames)
        self.whole = self.whole or (told and not self._cut)
        if self.whole:
            self.ended = time.monotonic()
        return frames

    def close(self) -> None:
        """Wake whoever waits. Safe to call at any time, from any thread, and more than once."""
        if self._left.is_set():
            return
        self.ended = self.ended or time.monotonic()
        self._left.set()
        if not self.whole and self._on_left is not None:
            self._on_left()
