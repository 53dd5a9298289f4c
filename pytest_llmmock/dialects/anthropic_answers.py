"""What Anthropic's messages answer, plain and as events.

The shapes are `anthropic.types.Message` and `RawMessageStreamEvent`. A message has one choice, of index 0.
What only this protocol knows is an item: a block that is neither words nor a call, and `citations` or a `signature`,
which belong to the block before.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from ..core.model import Reply
from ..core.prompt import Answer, Delta, DeltaKind, Prompt, Usage
from . import anthropic_errors as errors
from . import anthropic_stream as stream
from . import openai_shapes as shapes
from .fields import (
    argument_object,
    argument_text,
    mapping,
    objects,
    read_values,
    text,
    whole,
    write_event,
    write_events,
    write_json,
)

_FINISHES = {
    "end_turn": "stop",
    "stop_sequence": "stop",
    "max_tokens": "length",
    "model_context_window_exceeded": "length",
    "tool_use": "tool_calls",
    "refusal": "content_filter",
}
_REASONS = {
    "stop": "end_turn",
    "length": "max_tokens",
    "tool_calls": "tool_use",
    "function_call": "tool_use",
    "content_filter": "refusal",
}

# --- replies, in ----------------------------------------------------------------------------------------


def read_reply(reply: Reply) -> Answer:
    """`Message`, or a run of `RawMessageStreamEvent`."""
    values = objects(read_values(reply))
    refused = shapes.read_refusal(reply, values)
    if refused:
        return Answer((errors.coded(refused),))
    if len(values) == 1 and "type" not in values[0] and "input_tokens" in values[0]:
        return Answer((Delta("item", data=values[0]),))
    if len(values) == 1 and "content" in values[0]:
        return _read_message(values[0])
    return _read_events(values)


def _read_message(message: dict[str, Any]) -> Answer:
    reader = _Reader()
    deltas: list[Delta] = []
    for block in objects(message.get("content")):
        deltas += [*reader.begun(block), *reader.ended(stream.Block(block))]
    return _answer(message, [*deltas, *_read_ending(message)])


def _read_events(events: list[dict[str, Any]]) -> Answer:
    """What a stream says, also when it breaks off."""
    told, reader = stream.Told(), _Reader()
    deltas: list[Delta] = []
    for event in events:
        told.take(event)
        deltas += _heard(event, told, reader)
    return _answer(told.head, [*deltas, *_read_ending(told.head)])


def _answer(head: dict[str, Any], deltas: list[Delta]) -> Answer:
    return Answer(tuple(deltas), text(head.get("model")), text(head.get("id")))


def _heard(event: dict[str, Any], told: stream.Told, reader: _Reader) -> list[Delta]:
    kind = event.get("type")
    block = told.blocks.get(whole(event.get("index")))
    if kind == "content_block_start":
        return reader.begun(mapping(event.get("content_block")))
    if kind == "content_block_delta":
        return reader.told(mapping(event.get("delta")), block)
    if kind == "content_block_stop" and block:
        return reader.ended(block)
    error = shapes.read_error(event)
    return [errors.coded(error)] if error else []


_PIECES: dict[str, tuple[DeltaKind, str]] = {
    "text_delta": ("text", "text"),
    "thinking_delta": ("reasoning", "thinking"),
    "input_json_delta": ("tool_call", "partial_json"),
}
_WORDS: dict[str, DeltaKind] = {"text": "text", "thinking": "reasoning"}


class _Reader:
    """Reads blocks, whole ones and those that come in pieces, and counts the calls among them."""

    def __init__(self) -> None:
        self._calls = -1

    def begun(self, block: dict[str, Any]) -> list[Delta]:
        kind = text(block.get("type"))
        if kind == "tool_use":
            self._calls += 1
            return [Delta("tool_call", call=self._calls, id=text(block.get("id")), name=text(block.get("name")))]
        words = text(block.get(stream.WORDS.get(kind, "")))
        return [Delta(_WORDS[kind], words)] if words else []

    def told(self, delta: dict[str, Any], block: stream.Block | None) -> list[Delta]:
        kind, name = _PIECES.get(text(delta.get("type")), ("item", ""))
        words = text(delta.get(name))
        if not words or (kind == "tool_call" and not (block and block.kind == "tool_use")):
            return []
        return [Delta(kind, words, call=self._calls if kind == "tool_call" else 0)]

    def ended(self, block: stream.Block) -> list[Delta]:
        """What the pieces of a block did not say: an input that came whole, and what is no words."""
        if block.kind == "tool_use":
            given = "" if block.json else argument_text(block.value.get("input"))
            return [Delta("tool_call", given, call=self._calls)] if given else []
        if block.kind in _WORDS:
            return [Delta("item", data={name: block.value[name]}) for name in _BESIDE if block.value.get(name)]
        return [Delta("item", data=block.whole() or block.value)] if block.kind else []


_BESIDE = ("citations", "signature")
"""What a block of words holds beside them."""


def _read_ending(message: dict[str, Any]) -> Iterator[Delta]:
    """Why the message ended, and what it cost."""
    if refusal := text(mapping(message.get("stop_details")).get("explanation")):
        yield Delta("refusal", refusal)
    if reason := text(message.get("stop_reason")):
        yield Delta("finish", finish=_FINISHES.get(reason, reason))
    if usage := read_usage(message.get("usage")):
        yield Delta("usage", usage=usage)


def read_usage(value: object) -> Usage | None:
    """The input is all that the model read: `input_tokens` leaves out what was written to or read from the cache."""
    usage = mapping(value)
    cached = whole(usage.get("cache_read_input_tokens"))
    asked = [whole(usage.get("input_tokens")), whole(usage.get("cache_creation_input_tokens")), cached]
    counted = [count for count in asked if count is not None]
    output = whole(usage.get("output_tokens"))
    reasoning = whole(mapping(usage.get("output_tokens_details")).get("thinking_tokens"))
    found = Usage(sum(counted) if counted else None, output, cached=cached, reasoning=reasoning)
    return None if found == Usage() else found


# --- replies, out ---------------------------------------------------------------------------------------


def write_reply(prompt: Prompt, answer: Answer) -> Reply:
    """`Message`, or when the prompt asks for a stream the events that tell it. An error is the end."""
    count = _count(answer)
    if count:
        return write_json(count)
    groups, error = _groups(answer), shapes.error_of(answer)
    named = shapes.digest(prompt, answer)
    blocks = [group.block(f"toolu_{named}{number}") for number, group in enumerate(groups)]
    message = write_message(prompt, answer, blocks, f"msg_{named}")
    if prompt.stream:
        begun = stream.write_blocks(message, [(b, g.pieces) for b, g in zip(blocks, groups, strict=True)])
        end = [write_event(errors.failure_of(error), "error")] if error else stream.write_end(message)
        return write_events([*begun, *end])
    if error:
        failure = errors.failure_of(error)
        return errors.write_whole(failure, errors.status_of(failure))
    return write_json(message)


def _count(answer: Answer) -> dict[str, Any] | None:
    """`anthropic.types.MessageTokensCount`, which is an answer of its own."""
    only = mapping(answer.deltas[0].data) if len(answer.deltas) == 1 else {}
    return only if "input_tokens" in only and "type" not in only else None


@dataclass(slots=True)
class _Group:
    """The deltas that make one block."""

    kind: str
    deltas: list[Delta]
    beside: dict[str, Any] = field(default_factory=dict)

    @property
    def pieces(self) -> list[str]:
        return [delta.text for delta in self.deltas if delta.text]

    def block(self, id: str) -> dict[str, Any]:
        words = "".join(self.pieces)
        if self.kind == "item":
            return mapping(self.deltas[0].data)
        if self.kind == "tool_call":
            id = next((delta.id for delta in self.deltas if delta.id), id)
            name = next((delta.name for delta in self.deltas if delta.name), "")
            return {"type": "tool_use", "id": id, "name": name, "input": argument_object(words)}
        if self.kind == "reasoning":
            return {"type": "thinking", "thinking": words, "signature": "", **self.beside}
        return {"type": "text", "text": words, **self.beside}


def _groups(answer: Answer) -> list[_Group]:
    """The blocks of an answer, in the order in which they begin."""
    groups: list[_Group] = []
    calls: dict[int, _Group] = {}
    for delta in _until_error(answer):
        beside = {name: item for name, item in mapping(delta.data).items() if name in _BESIDE}
        last = groups[-1] if groups else None
        if delta.kind == "tool_call" and delta.call in calls:
            calls[delta.call].deltas.append(delta)
        elif delta.kind == "item" and "type" not in mapping(delta.data):
            if last and last.kind in ("text", "reasoning"):
                last.beside |= beside | _citations(delta, "".join(last.pieces))
        elif last and last.kind == delta.kind and delta.kind in ("text", "reasoning") and not last.beside:
            last.deltas.append(delta)
        else:
            groups.append(_Group(delta.kind, [delta]))
            calls.update({delta.call: groups[-1]} if delta.kind == "tool_call" else {})
    return groups


def _citations(delta: Delta, words: str) -> dict[str, Any]:
    """Annotations as this protocol has them: `anthropic.types.CitationsWebSearchResultLocation`."""
    found = [_citation(each, words) for each in shapes.annotations_of(delta)]
    return {"citations": found} if found else {}


def _citation(annotation: dict[str, Any], words: str) -> dict[str, Any]:
    cited = mapping(annotation.get("url_citation"))
    if not cited:
        return annotation
    said = words[whole(cited.get("start_index")) or 0 : whole(cited.get("end_index"))]
    place = {"url": text(cited.get("url")), "title": text(cited.get("title")) or None}
    return {"type": "web_search_result_location", **place, "cited_text": said, "encrypted_index": ""}


def _until_error(answer: Answer) -> Iterator[Delta]:
    for delta in answer.deltas:
        if delta.kind == "error":
            return
        if delta.index == 0 and delta.kind in ("text", "reasoning", "tool_call", "item"):
            yield delta


def write_message(prompt: Prompt, answer: Answer, blocks: list[dict[str, Any]], id: str) -> dict[str, Any]:
    """`Message`, whole. Words of refusal are the explanation of the stop."""
    refusal = answer.joined("refusal")
    usual = "tool_calls" if answer.tool_calls else "stop"
    finish = "content_filter" if refusal else answer.finish_reason or usual
    details = {"type": "refusal", "category": None, "explanation": refusal} if refusal else None
    return {
        "id": answer.id or id,
        "type": "message",
        "role": "assistant",
        "model": answer.model or prompt.model,
        "content": blocks,
        "stop_reason": _REASONS.get(finish, finish),
        "stop_sequence": None,
        "stop_details": details,
        "usage": _usage(answer.usage or Usage()),
    }


def _usage(usage: Usage) -> dict[str, Any]:
    """`anthropic.types.Usage`"""
    written: dict[str, Any] = {"input_tokens": max(0, (usage.input or 0) - (usage.cached or 0))}
    if usage.cached is not None:
        written |= {"cache_creation_input_tokens": 0, "cache_read_input_tokens": usage.cached}
    written["output_tokens"] = usage.output or 0
    if usage.reasoning is not None:
        written["output_tokens_details"] = {"thinking_tokens": usage.reasoning}
    return written
