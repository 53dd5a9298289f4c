"""The typed events of a streamed Responses answer, read while they come. `responses_events.py` writes them.

The shapes are `openai.types.responses.ResponseStreamEvent`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from ..core.prompt import Answer, Delta, DeltaKind
from . import openai_shapes as shapes
from . import responses_items as items
from .fields import first_text, mapping, objects, text, whole

Value = dict[str, Any]

_DELTAS: dict[str, DeltaKind] = {
    "response.output_text": "text",
    "response.refusal": "refusal",
    "response.reasoning_summary_text": "reasoning",
    "response.reasoning_text": "reasoning",
    "response.function_call_arguments": "tool_call",
    "response.custom_tool_call_input": "tool_call",
}
"""What says words: each ends in `.delta` with a piece of them, or in `.done` with all."""

SUMMARY, THOUGHT = "response.reasoning_summary_text", "response.reasoning_text"
"""Tell a summary of a thought from the thought itself: both are reasoning."""

TEXT, _REFUSAL, _CALL = "response.output_text", "response.refusal", "response.function_call_arguments"

Part = tuple[object, str, int, int]
"""Where words stand: the place of their item, what tells them, the number of the part in the summary or the content."""


def read_events(events: list[Value]) -> Answer:
    """What a stream says, also when it breaks off or leaves the output of its last event empty."""
    heard, parts = Heard(), Parts()
    deltas = [parts.apart(delta) for event in events for delta in heard.take(event)]
    return items.answer_of(heard.response, (*deltas, *heard.ending()))


class Parts:
    """Puts a blank line between the parts of a thought."""

    def __init__(self) -> None:
        self._last: dict[object, object] = {}

    def apart(self, delta: Delta) -> Delta:
        if delta.kind != "reasoning":
            return delta
        place = delta.part[:1]
        before, self._last[place] = self._last.get(place, delta.part), delta.part
        return delta if before == delta.part else replace(delta, text="\n\n" + delta.text)


class Heard:
    """What a stream has said so far. A place is the number of an item in the output."""

    def __init__(self) -> None:
        self.response: Value = {}
        """As the last event that told of it did."""
        self._kinds: dict[DeltaKind, Delta] = {}
        """The first delta of each kind."""
        self._calls: dict[object, int] = {}
        self._named: set[object] = set()
        self._said: dict[Part, list[str]] = {}
        """The pieces of each part of each item."""
        self._done: set[object] = set()

    def take(self, event: Value) -> list[Delta]:
        """What one more event says. What was said in pieces and is then told whole is said once."""
        found = list(self._read(event))
        for delta in found:
            self._kinds.setdefault(delta.kind, delta)
        return found

    def ending(self) -> list[Delta]:
        """Why the answer ended, and what it cost, once its last event has come."""
        return list(items.read_ending(self.response, list(self._kinds.values())))

    def _read(self, event: Value) -> Iterator[Delta]:
        kind = text(event.get("type"))
        name, _, step = kind.rpartition(".")
        if name in _DELTAS and step in ("delta", "done"):
            yield from self._words(name, step, event)
        elif kind == "response.output_item.added":
            yield from self._begun(place_of(event), mapping(event.get("item")))
        elif kind == "response.output_item.done":
            yield from self._ended(place_of(event), mapping(event.get("item")))
        elif isinstance(event.get("response"), dict):
            yield from self._told(event["response"])
        elif error := shapes.read_error(event if "error" in event else {"error": event if kind == "error" else None}):
            yield error

    def _told(self, response: Value) -> Iterator[Delta]:
        """The response itself; some streams say nothing before its last event."""
        self.response = response
        if response.get("status") not in ("in_progress", "queued") and not self._kinds:
            for number, item in enumerate(objects(response.get("output"))):
                yield from self._ended(number, item)

    def _words(self, name: str, step: str, event: Value) -> Iterator[Delta]:
        place = place_of(event)
        part: Part = (place, name, whole(event.get("summary_index")) or 0, whole(event.get("content_index")) or 0)
        if step == "delta":
            yield from self._say(part, text(event.get("delta")), event)
            return
        told = first_text(event.get("text"), event.get("refusal"), event.get("arguments"), event.get("input"))
        left = _rest("".join(self._said.get(part, ())), told)
        yield from self._say(part, left, event if left == told else {})

    def _say(self, part: Part, words: str, told: Value) -> Iterator[Delta]:
        """Words that were not said before, and how likely they were where this is told."""
        if words:
            self._said.setdefault(part, []).append(words)
            kind = _DELTAS[part[1]]
            call = self._call(part[0]) if kind == "tool_call" else 0
            yield Delta(kind, words, call=call, part=part, data=objects(told.get("logprobs")) or None)

    def _begun(self, place: object, item: Value) -> Iterator[Delta]:
        if item.get("type") in items.CALLS and place not in self._named:
            self._named.add(place)
            name, _, id, kind = items.called(item)
            yield Delta("tool_call", call=self._call(place), id=id, name=name, custom=kind == "custom")

    def _ended(self, place: object, item: Value) -> Iterator[Delta]:
        """A finished item says what its pieces did not."""
        if place in self._done:
            return
        self._done.add(place)
        if item.get("type") in items.CALLS:
            yield from self._called(place, item)
        elif _says_words(item):
            yield from self._spoke(place, item)
        else:
            yield from items.read_item(item, 0)

    def _called(self, place: object, item: Value) -> Iterator[Delta]:
        """What is left of a call: all of it, where nobody told of it before."""
        name, arguments, id, kind = items.called(item)
        left = _rest(self._heard_of(place, "tool_call"), arguments)
        if place in self._named:
            yield from self._say((place, _CALL, 0, 0), left, {})
        else:
            self._named.add(place)
            yield Delta("tool_call", left, call=self._call(place), id=id, name=name, custom=kind == "custom")

    def _spoke(self, place: object, item: Value) -> Iterator[Delta]:
        """The parts of a message or of a thought, as far as they were not said."""
        told = list(_parts_of(place, item))
        before = {kind: self._skipped(place, kind, told) for kind in ("reasoning", "text", "refusal")}
        for part, words, value in told:
            kind = _DELTAS[part[1]]
            yield from self._say(part, words[before[kind] :], {} if before[kind] else value)
            before[kind] = max(0, before[kind] - len(words))

    def _skipped(self, place: object, kind: DeltaKind, told: list[tuple[Part, str, Value]]) -> int:
        """How much of an item's words of one kind was said: all of it, where it was said otherwise."""
        words = "".join(words for part, words, _ in told if _DELTAS[part[1]] == kind)
        return len(words) - len(_rest(self._heard_of(place, kind), words))

    def _heard_of(self, place: object, kind: DeltaKind) -> str:
        pieces = (said for part, said in self._said.items() if part[0] == place and _DELTAS[part[1]] == kind)
        return "".join(piece for said in pieces for piece in said)

    def _call(self, place: object) -> int:
        return self._calls.setdefault(place, len(self._calls))


def _rest(said: str, told: str) -> str:
    """What is told behind that which was said; nothing, when it was said otherwise."""
    return told[len(said) :] if told.startswith(said) else ""


def _says_words(item: Value) -> bool:
    """Whether this is a message of the model's, or a thought that has words."""
    if item.get("type") == "reasoning":
        return any(words for _, words, _ in _parts_of(None, item))
    return item.get("type") == "message" and item.get("role", "assistant") == "assistant"


def _parts_of(place: object, item: Value) -> Iterator[tuple[Part, str, Value]]:
    """The parts of a message or of a thought, with their words."""
    for number, part in enumerate(objects(item.get("summary"))):
        yield (place, SUMMARY, number, 0), text(part.get("text")), part
    for number, part in enumerate(objects(item.get("content"))):
        if item.get("type") == "reasoning":
            yield (place, THOUGHT, 0, number), text(part.get("text")), part
        elif part.get("type") == "refusal":
            yield (place, _REFUSAL, 0, number), text(part.get("refusal")), part
        else:
            yield (place, TEXT, 0, number), text(part.get("text")), part


def place_of(event: Value) -> object:
    """Which item an event is about: its number in the output, or its id."""
    number = whole(event.get("output_index"))
    return text(event.get("item_id") or mapping(event.get("item")).get("id")) if number is None else number
