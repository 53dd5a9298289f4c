"""What was asked and what was answered, in the order of asking."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import overload

from .asked import Asked
from .model import Exchange, Reply, SourceName
from .prompt import Answer, ToolCall, Usage
from .violation import Violation

LARGEST = 1 << 28
"""Bytes of requests that a journal with a limit keeps."""


class Entry(Asked):
    """One request and its reply. What it means is read when it is asked for, so noting costs nothing."""

    def __init__(self, exchange: Exchange, reply: Reply) -> None:
        super().__init__(exchange)
        self._reply = reply
        self._noted = time.monotonic()

    @property
    def answer(self) -> Answer:
        """What was answered; while a live reply still runs, as far as it has come."""
        if not isinstance(self._reply.frames, Sequence) and not self._ended:
            return self.exchange.dialect.read_reply(self._reply)
        return self._whole_answer

    @cached_property
    def _whole_answer(self) -> Answer:
        return self.exchange.dialect.read_reply(self._reply)

    @property
    def text(self) -> str:
        """The words of the answer's first choice."""
        return self.answer.text

    @property
    def tool_calls(self) -> tuple[ToolCall, ...]:
        return self.answer.tool_calls

    @property
    def usage(self) -> Usage | None:
        """Tokens as the provider counted them, or None when it did not say."""
        return self.answer.usage

    @property
    def status(self) -> int:
        return self._reply.status

    @property
    def content_type(self) -> str:
        """What the reply says that it is."""
        return self._reply.content_type

    @property
    def source(self) -> SourceName:
        """Where the answer came from: `script`, `cassette`, `upstream` or `unmatched`."""
        return self._reply.source

    @property
    def upstream(self) -> str:
        """The name of the upstream that answered, now or when it was recorded; '' when none did."""
        return self.exchange.upstream or str(self.exchange.meta().get("upstream") or "")

    @property
    def interaction(self) -> int | None:
        """The number of the recording in its cassette, from 1, or None."""
        return self.exchange.interaction

    @property
    def notes(self) -> tuple[str, ...]:
        """What a reader should know about how this was answered."""
        return tuple(self.exchange.notes)

    @property
    def violations(self) -> tuple[Violation, ...]:
        """What the API would not take of this request; nothing where `validate` is off."""
        return tuple(self.exchange.violations)

    @property
    def warnings(self) -> tuple[str, ...]:
        """What whoever runs the tests should know."""
        return tuple(self.exchange.warnings)

    @property
    def trouble(self) -> str:
        """Why it could not be answered, in full; '' when it was."""
        return self.exchange.trouble or ("" if self.exchange.is_kept_broken else self._failure)

    @property
    def _failure(self) -> str:
        frames = self._reply.frames
        return "" if isinstance(frames, Sequence) else frames.failure

    @property
    def whole(self) -> bool:
        """Whether the client took the reply to its end; False also while a live one still runs."""
        frames = self._reply.frames
        return isinstance(frames, Sequence) or frames.whole

    @property
    def left(self) -> bool:
        """Whether the client went before an upstream's stream had come to its end."""
        return self._reply.live and not self.whole and not self.trouble and not self._failure

    @property
    def started(self) -> float:
        """When it was asked, in seconds since 1970."""
        return self.exchange.started

    @property
    def duration(self) -> float | None:
        """Seconds from the request to the end of the reply; None while it still comes."""
        end = self._noted if isinstance(self._reply.frames, Sequence) else self._ended
        return None if end is None else end - self.exchange.clock

    @property
    def _ended(self) -> float | None:
        return None if isinstance(self._reply.frames, Sequence) else self._reply.frames.ended

    def __repr__(self) -> str:
        model = f" {self.model}" if self.model else ""
        return f"<{self.operation}{model} -> {self.status} from {self.source}>"


def last_of(entries: Sequence[Entry]) -> Entry:
    """The latest of these. Raises IndexError, in words, when there is none."""
    if not entries:
        raise IndexError("There is no last request: none was made that counts here.")
    return entries[-1]


class Journal(Sequence[Entry]):
    """All entries, the first one asked first. Safe to read while requests are still coming in."""

    def __init__(self, limit: int | None = None) -> None:
        self._entries: deque[Entry] = deque()
        self._limit = limit
        """Only so many of the latest entries are kept, or all: a server that runs for days must not grow."""
        self._size = 0
        """The bytes that were asked, where there is a limit."""
        self._lock = threading.Lock()

    def note(self, exchange: Exchange, reply: Reply) -> Reply:
        entry = Entry(exchange, reply)
        if self._limit is None:
            self._entries.append(entry)  # needs no lock
            return reply
        with self._lock:
            self._entries.append(entry)
            self._size += len(entry.body)
            self._forget(self._limit)
        return reply

    def _forget(self, limit: int) -> None:
        while len(self._entries) > limit or (self._size > LARGEST and len(self._entries) > 1):
            self._size -= len(self._entries.popleft().body)

    def clear(self) -> None:
        with self._lock:
            self._entries.clear()
            self._size = 0

    @property
    def last(self) -> Entry:
        """The latest entry. Raises IndexError when nothing was asked."""
        return last_of(self._entries)

    def where(self, **conditions: object) -> list[Entry]:
        """The entries whose attributes have these values: `where(model="gpt-5", status=200)`."""
        return [e for e in self if all(getattr(e, name) == value for name, value in conditions.items())]

    def __len__(self) -> int:
        return len(self._entries)

    def __iter__(self) -> Iterator[Entry]:
        return iter(tuple(self._entries))

    @overload
    def __getitem__(self, index: int) -> Entry: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Entry]: ...
    def __getitem__(self, index: int | slice) -> Entry | Sequence[Entry]:
        return self._entries[index] if isinstance(index, int) else tuple(self._entries)[index]

    def __repr__(self) -> str:
        return f"<Journal {list(self._entries)!r}>"
