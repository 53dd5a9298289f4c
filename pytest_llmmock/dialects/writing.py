"""How a stream is written while its answer is still being said: a delta in, events out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Protocol

from ..core import sse
from ..core.prompt import Delta, Prompt, Usage
from . import openai_shapes as shapes
from .fields import write_event


class Writer(Protocol):
    """Writes one stream. An error is the end of it."""

    def begin(self) -> Iterator[bytes]:
        """What comes before anything was said."""

    def take(self, delta: Delta) -> Iterator[bytes]:
        """What is written of one delta; nothing where the protocol has no place for it, or says it at the end."""

    def end(self) -> Iterator[bytes]:
        """Why it ended, and what it cost; nothing behind an error."""


def written(writer: Writer, deltas: Iterable[Delta]) -> list[bytes]:
    """The events of an answer that is known."""
    begun = list(writer.begin())
    said = [event for delta in deltas for event in writer.take(delta)]
    return [*begun, *said, *writer.end()]


# --- in chunks ------------------------------------------------------------------------------------------

Choice = dict[str, Any]


class Choices(Protocol):
    """What the chunks of a protocol say of a choice."""

    def begin(self, index: int) -> Choice | None:
        """Before anything was said."""

    def take(self, delta: Delta) -> Choice | None:
        """One delta; None when a chunk has no place for it."""

    def end(self, index: int, finish: str) -> Choice:
        """Why it ended, or '' when nobody said it."""


class Chunks:
    """A chunk per piece of a choice, one per end of a choice, then usage."""

    def __init__(self, prompt: Prompt, head: Choice, said: Choices, choices: Sequence[int] = (0,)) -> None:
        """`head` is what every chunk says of itself."""
        self._head = head
        self._said = said
        self._choices = choices
        self._asked = shapes.wants_usage(prompt)
        """Whether usage is wanted; then every chunk has a place for it."""
        self._finishes: dict[int, str] = {}
        self._usage: Usage | None = None
        self._failed = False

    def begin(self) -> Iterator[bytes]:
        for index in self._choices:
            yield from self._chunk(self._said.begin(index))

    def take(self, delta: Delta) -> Iterator[bytes]:
        if self._failed:
            return
        if delta.kind == "error":
            self._failed = True
            yield write_event({"error": shapes.error_object(delta)})
        elif delta.kind == "finish":
            self._finishes[delta.index] = delta.finish
        elif delta.kind == "usage":
            self._usage = delta.usage
        else:
            yield from self._chunk(self._said.take(delta))

    def end(self) -> Iterator[bytes]:
        if self._failed:
            return
        for index in self._choices:
            yield from self._chunk(self._said.end(index, self._finishes.get(index, "")))
        if self._asked and self._usage:
            yield write_event({**self._head, "choices": [], "usage": shapes.write_usage(self._usage)})
        yield sse.write_event("[DONE]")

    def _chunk(self, choice: Choice | None) -> Iterator[bytes]:
        if choice is not None:
            yield write_event({**self._head, "choices": [choice], **({"usage": None} if self._asked else {})})
