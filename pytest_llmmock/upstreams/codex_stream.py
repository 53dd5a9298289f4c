"""The Codex backend's stream as its client gets it: whole, and without what would tell whose plan answered."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from ..core.model import Frame
from ..core.sse import Cutter, read_event, write_event
from ..errors import CutConnection

Value = dict[str, Any]

ENDS = ("response.completed", "response.incomplete", "response.failed", "error")
"""The events behind which nothing is said."""

_MAY_CHANGE = re.compile(rb'"(?:response|item)"|"type": ?"(?:error|codex\.)|event: ?(?:error|codex\.)')
"""What an event holds that is looked at closer. All others pass as they come."""

_WORDS = b"response.output_text.delta"

CUT = "The answer of {host} ended before its last event: it was cut off."


class Told:
    """One stream on its way to its client."""

    def __init__(
        self, said: Mapping[str, Any], seal: Callable[[Value], Value], explain: Callable[[Value], str], host: str
    ) -> None:
        """`said` is what the client itself said, which the backend was told otherwise.

        `explain` finds clear words for an error.
        """
        self._said = said
        self._seal = seal
        self._explain = explain
        self._host = host
        self._items: dict[int, Value] = {}
        self._words: list[bytes] = []
        """Events with words, as long as no item was done that holds them."""
        self._ended = False

    def chunks(self, frames: Iterable[Frame]) -> Iterator[bytes]:
        """What the client gets, as it comes. Raises `CutConnection` when the stream ends too early."""
        cutter = Cutter()
        for frame in frames:
            yield self._events(cutter.take(frame.data))
        yield self._events([cutter.rest()])
        if not self._ended:
            raise CutConnection(CUT.format(host=self._host))

    def _events(self, pieces: list[bytes]) -> bytes:
        return b"".join(map(self._event, pieces))

    def _event(self, piece: bytes) -> bytes:
        event = read_event(piece) if _MAY_CHANGE.search(piece) else None
        value = event.json() if event else None
        if event is None or not isinstance(value, dict):
            self._note_words(piece)
            return piece
        kind = str(value.get("type") or event.event)
        if kind.startswith("codex."):
            return b""  # limits and credits of the plan
        self._ended = self._ended or kind in ENDS
        changed = self._changed(kind, value)
        return piece if changed == value else write_event(changed, event.event)

    def _note_words(self, piece: bytes) -> None:
        if not self._items and _WORDS in piece:
            self._words.append(piece)

    def _changed(self, kind: str, value: Value) -> Value:
        if isinstance(value.get("item"), dict):
            item = self._seal(value["item"])
            if kind == "response.output_item.done" and isinstance(value.get("output_index"), int):
                self._items[value["output_index"]] = item
                self._words.clear()
            return {**value, "item": item}
        if isinstance(value.get("response"), dict):
            return {**value, "response": self._response(kind, value["response"])}
        if kind == "error":
            error = value.get("error")
            return {**value, "error": self._explained(error)} if isinstance(error, dict) else self._explained(value)
        return value

    def _explained(self, error: Value) -> Value:
        return {**error, "message": self._explain(error)} if error.get("message") else error

    def _response(self, kind: str, response: Value) -> Value:
        """What is said of the whole: as the client asked, and at the end with all that was answered.

        The backend leaves the output of its last event empty. Where it has told no item either, its words are left.
        """
        said = {name: value for name, value in self._said.items() if name in response}
        output = response.get("output")
        told = [self._seal(item) for item in output if isinstance(item, dict)] if isinstance(output, list) else []
        if kind in ENDS and len(told) < len(self._items):
            told = [item for _, item in sorted(self._items.items())]
        elif kind in ENDS and not told:
            told = _said_in(self._words, "completed" if kind == ENDS[0] else "incomplete")
        error = response.get("error")
        failed = {"error": self._explained(error)} if isinstance(error, dict) else {}
        return {**response, **said, **failed, "output": told}


def _said_in(pieces: list[bytes], status: str) -> list[Value]:
    """The messages whose words came without them."""
    texts: dict[str, str] = {}
    for piece in pieces:
        event = read_event(piece)
        value = event.json() if event else None
        if isinstance(value, dict) and isinstance(value.get("delta"), str):
            id = str(value.get("item_id") or "")
            texts[id] = texts.get(id, "") + value["delta"]
    return [_message(id, text, status) for id, text in texts.items()]


def _message(id: str, text: str, status: str) -> Value:
    part = {"type": "output_text", "text": text, "annotations": []}
    return {"id": id, "type": "message", "status": status, "role": "assistant", "content": [part]}
