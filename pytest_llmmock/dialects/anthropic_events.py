"""Anthropic's messages as events, written while the answer is still being said.

The shapes are `anthropic.types.RawMessageStreamEvent`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from ..core.prompt import Answer, Delta, Prompt
from . import anthropic_errors as errors
from . import anthropic_stream as stream
from .anthropic_answers import write_message
from .fields import text, write_event

_WORDS = {"text": ("text", "text"), "reasoning": ("thinking", "thinking")}
"""Deltas of words: the type of their block, and its field."""


class Events:
    """A block for each run of words and for each call, which has to be whole; then why the message ended."""

    def __init__(self, prompt: Prompt, head: Answer, named: str) -> None:
        self._prompt = prompt
        self._head = head
        self._named = named
        self._kept: list[Delta] = []
        """What the end is made of."""
        self._open = ""
        """The type of the block that has begun and not ended."""
        self._blocks = 0
        self._failed = False

    def begin(self) -> Iterator[bytes]:
        yield stream.write_start(self._message())

    def take(self, delta: Delta) -> Iterator[bytes]:
        if self._failed or delta.index != 0:
            return
        if delta.kind == "error":
            self._failed = True
            yield write_event(errors.failure_of(delta), "error")
        elif delta.kind in ("finish", "usage", "refusal"):
            self._kept.append(delta)
        elif delta.kind in _WORDS:
            yield from self._say(delta)
        elif delta.kind == "tool_call":
            yield from self._call(delta)

    def end(self) -> Iterator[bytes]:
        if not self._failed:
            yield from self._close()
            yield from stream.write_end(self._message())

    def _message(self) -> stream.Fields:
        return write_message(self._prompt, replace(self._head, deltas=tuple(self._kept)), [], f"msg_{self._named}")

    def _say(self, delta: Delta) -> Iterator[bytes]:
        kind, field = _WORDS[delta.kind]
        if self._open != kind:
            signature = {"signature": ""} if kind == "thinking" else {}
            yield from self._begin({"type": kind, field: "", **signature})
        yield stream.write_delta(self._blocks - 1, {"type": f"{kind}_delta", field: delta.text})

    def _call(self, delta: Delta) -> Iterator[bytes]:
        self._kept.append(replace(delta, text=""))
        id = delta.id or f"toolu_{self._named}{delta.call}"
        yield from self._begin({"type": "tool_use", "id": id, "name": delta.name, "input": {}})
        yield stream.write_delta(self._blocks - 1, {"type": "input_json_delta", "partial_json": delta.text})

    def _begin(self, block: stream.Fields) -> Iterator[bytes]:
        yield from self._close()
        self._open = text(block["type"])
        yield from stream.write_block(self._blocks, block)
        self._blocks += 1

    def _close(self) -> Iterator[bytes]:
        if self._open:
            self._open = ""
            yield stream.write_stop(self._blocks - 1)
