"""The typed events of a streamed Responses answer, read. `responses_events.py` writes them.

The shapes are `openai.types.responses.ResponseStreamEvent`.
"""

from __future__ import annotations

from typing import Any

from ..core.prompt import Answer, Delta, DeltaKind
from . import openai_shapes as shapes
from . import responses_items as items
from .fields import mapping, text, whole

_PIECES: dict[str, DeltaKind] = {
    "response.output_text.delta": "text",
    "response.refusal.delta": "refusal",
    "response.reasoning_summary_text.delta": "reasoning",
    "response.reasoning_text.delta": "reasoning",
    "response.function_call_arguments.delta": "tool_call",
    "response.custom_tool_call_input.delta": "tool_call",
}


def read_events(events: list[dict[str, Any]]) -> Answer:
    """What a stream says, also when it breaks off or leaves the output of its last event empty."""
    heard = _Heard()
    for event in events:
        heard.take(event)
    if not heard.deltas:
        return items.read_response(heard.response)
    ending = items.read_ending(heard.response, heard.deltas)
    return items.answer_of(heard.response, (*heard.deltas, *ending))


class _Heard:
    """What a stream has said so far. A place is the number of an item in the output."""

    def __init__(self) -> None:
        self.deltas: list[Delta] = []
        self.response: dict[str, Any] = {}
        self._calls: dict[object, int] = {}
        self._named: set[object] = set()
        self._parts: dict[object, object] = {}

    def take(self, event: dict[str, Any]) -> None:
        kind = text(event.get("type"))
        if kind in _PIECES:
            self._piece(_PIECES[kind], event)
        elif kind == "response.output_item.added":
            self._begin(event)
        elif kind == "response.output_item.done":
            self._end(event)
        elif isinstance(event.get("response"), dict):
            self.response = event["response"]
        elif error := shapes.read_error(event if "error" in event else {"error": event if kind == "error" else None}):
            self.deltas.append(error)

    def _piece(self, kind: DeltaKind, event: dict[str, Any]) -> None:
        place, words = place_of(event), text(event.get("delta"))
        if not words:
            return
        part = (event.get("type"), whole(event.get("summary_index")), whole(event.get("content_index")))
        if kind == "reasoning" and self._parts.get(place, part) != part:
            words = "\n\n" + words
        self._parts[place] = part
        call = self._call(place) if kind == "tool_call" else 0
        self.deltas.append(Delta(kind, words, call=call))

    def _begin(self, event: dict[str, Any]) -> None:
        place, item = place_of(event), mapping(event.get("item"))
        if item.get("type") in items.CALLS and place not in self._named:
            name, _, id, kind = items.called(item)
            call = self._call(place)
            self.deltas.append(Delta("tool_call", call=call, id=id, name=name, custom=kind == "custom"))
            self._named.add(place)

    def _end(self, event: dict[str, Any]) -> None:
        """A finished item says what its pieces did not."""
        if place_of(event) in self._parts:
            self._begin(event)
            return
        place, item = place_of(event), mapping(event.get("item"))
        call = self._call(place) if item.get("type") in items.CALLS else 0
        self.deltas += items.read_item(item, call)
        self._parts[place] = None

    def _call(self, place: object) -> int:
        return self._calls.setdefault(place, len(self._calls))


def place_of(event: dict[str, Any]) -> object:
    """Which item an event is about: its number in the output, or its id."""
    number = whole(event.get("output_index"))
    return text(event.get("item_id") or mapping(event.get("item")).get("id")) if number is None else number
