"""The typed events of a streamed Responses answer.

The shapes are `openai.types.responses.ResponseStreamEvent`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from ..core.prompt import Answer, Delta, DeltaKind, Prompt
from . import openai_shapes as shapes
from . import responses_items as items
from .fields import mapping, text, whole, write_event

# --- in -------------------------------------------------------------------------------------------------

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
        place, words = _place(event), text(event.get("delta"))
        if not words:
            return
        part = (event.get("type"), whole(event.get("summary_index")), whole(event.get("content_index")))
        if kind == "reasoning" and self._parts.get(place, part) != part:
            words = "\n\n" + words
        self._parts[place] = part
        call = self._call(place) if kind == "tool_call" else 0
        self.deltas.append(Delta(kind, words, call=call))

    def _begin(self, event: dict[str, Any]) -> None:
        place, item = _place(event), mapping(event.get("item"))
        if item.get("type") in items.CALLS and place not in self._named:
            name, _, id = items.called(item)
            self.deltas.append(Delta("tool_call", call=self._call(place), id=id, name=name))
            self._named.add(place)

    def _end(self, event: dict[str, Any]) -> None:
        """A finished item says what its pieces did not."""
        if _place(event) in self._parts:
            self._begin(event)
            return
        place, item = _place(event), mapping(event.get("item"))
        call = self._call(place) if item.get("type") in items.CALLS else 0
        self.deltas += items.read_item(item, call)
        self._parts[place] = None

    def _call(self, place: object) -> int:
        return self._calls.setdefault(place, len(self._calls))


def _place(event: dict[str, Any]) -> object:
    number = whole(event.get("output_index"))
    return text(event.get("item_id") or mapping(event.get("item")).get("id")) if number is None else number


# --- out ------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Names:
    """What the events of one kind of words are called."""

    words: str
    whole: str
    part: str = ""
    index: str = ""


_NAMES = {
    "text": _Names("response.output_text", "text", "response.content_part", "content_index"),
    "refusal": _Names("response.refusal", "refusal", "response.content_part", "content_index"),
    "reasoning": _Names("response.reasoning_summary_text", "text", "response.reasoning_summary_part", "summary_index"),
    "tool_call": _Names("response.function_call_arguments", "arguments"),
}

_Event = tuple[str, dict[str, Any]]


def write_events(prompt: Prompt, answer: Answer, groups: list[items.Group]) -> Iterator[bytes]:
    for number, (kind, fields) in enumerate(_events(prompt, answer, groups)):
        yield write_event({"type": kind, "sequence_number": number, **fields}, kind)


def _events(prompt: Prompt, answer: Answer, groups: list[items.Group]) -> Iterator[_Event]:
    begun = items.write_response(prompt, answer, [], "in_progress")
    yield "response.created", {"response": begun}
    yield "response.in_progress", {"response": begun}
    for index, group in enumerate(groups):
        yield "response.output_item.added", {"output_index": index, "item": group.begun()}
        if group.kind in _NAMES:
            yield from _said(group, _NAMES[group.kind], {"item_id": group.id, "output_index": index})
        yield "response.output_item.done", {"output_index": index, "item": group.item()}
    ended = items.write_response(prompt, answer, [group.item() for group in groups])
    yield f"response.{ended['status']}", {"response": ended}


def _said(group: items.Group, names: _Names, at: dict[str, Any]) -> Iterator[_Event]:
    """The words of an item, piece by piece, within the part that holds them."""
    at = {**at, names.index: 0} if names.index else at
    more: dict[str, Any] = {"logprobs": []} if group.kind == "text" else {}
    if names.part:
        yield f"{names.part}.added", {**at, "part": group.part("")}
    for delta in group.deltas:
        if delta.text:
            yield f"{names.words}.delta", {**at, "delta": delta.text, **more}
    called = {"name": text(group.item().get("name"))} if group.kind == "tool_call" else {}  # openai 2's types want it
    yield f"{names.words}.done", {**at, names.whole: group.words, **more, **called}
    if names.part:
        yield f"{names.part}.done", {**at, "part": group.part(group.words)}
