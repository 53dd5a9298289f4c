"""Anthropic's messages as events, and back, on the JSON itself: nothing that they say is lost.

The shapes are `anthropic.types.Message` and `RawMessageStreamEvent`, and their beta forms.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from ..core.json_text import parse_json
from .conversion import json_pieces, pieces
from .fields import listing, mapping, objects, text, whole, write_event

INPUTS = ("tool_use", "server_tool_use", "mcp_tool_use")
"""Blocks whose input comes as pieces of JSON."""

WORDS = {"text": "text", "thinking": "thinking"}
"""Blocks whose words come piece by piece, and the field that holds them."""

_SAID = {
    "text": ("text", "citations"),
    "thinking": ("thinking", "signature"),
    "compaction": ("content", "encrypted_content"),
}
"""What the deltas of a block tell; all else stands in its beginning."""

_STOPS = ("stop_reason", "stop_sequence", "stop_details")
_TOLD_LAST = ("server_tool_use", "output_tokens_details", "iterations", "fallback_credit")
_COUNTED = ("input_tokens", "cache_creation_input_tokens", "cache_read_input_tokens", "output_tokens", *_TOLD_LAST)
"""Fields of the usage that the last event tells again: its counts are of the whole answer."""

Fields = dict[str, Any]

# --- in -------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class Block:
    """A block of content as far as its events have told it."""

    value: Fields
    json: str = ""
    """The pieces of its input, joined."""
    understood: bool = True

    @property
    def kind(self) -> str:
        return text(self.value.get("type"))

    def take(self, delta: Fields) -> None:
        kind, said = text(delta.get("type")), {name: item for name, item in delta.items() if name != "type"}
        if kind in ("text_delta", "thinking_delta"):
            name = WORDS[kind.removesuffix("_delta")]
            self.value[name] = text(self.value.get(name)) + text(delta.get(name))
        elif kind == "input_json_delta":
            self.json += text(delta.get("partial_json"))
        elif kind == "citations_delta":
            self.value["citations"] = [*listing(self.value.get("citations")), delta.get("citation")]
        elif kind in ("signature_delta", "compaction_delta"):
            self.value.update(said)
        else:
            self.understood = False

    def whole(self) -> Fields | None:
        """The block, or None when its pieces do not make one."""
        given = parse_json(self.json.encode(errors="replace")) if self.json else self.value.get("input")
        if not self.understood or (self.json and given is None):
            return None
        return {**self.value, "input": given} if self.json else self.value


@dataclass(slots=True)
class Told:
    """A message as far as a stream has told it."""

    head: Fields = field(default_factory=dict)
    """All of the message but its content."""
    blocks: dict[object, Block] = field(default_factory=dict)
    heard: set[str] = field(default_factory=set)
    """The types of the events."""

    def take(self, event: Fields) -> None:
        kind = text(event.get("type"))
        self.heard.add(kind)
        if kind == "message_start":
            self.head = {name: item for name, item in mapping(event.get("message")).items() if name != "content"}
        elif kind == "content_block_start":
            self._begin(event)
        elif kind == "content_block_delta":
            self._add(event)
        elif kind == "message_delta":
            self._end(event)

    def _begin(self, event: Fields) -> None:
        block = self.blocks[whole(event.get("index"))] = Block(dict(mapping(event.get("content_block"))))
        if block.kind == "fallback":  # names the model that goes on from here
            self.head = _later(self.head, {"model": mapping(block.value.get("to")).get("model")})

    def _add(self, event: Fields) -> None:
        block = self.blocks.setdefault(whole(event.get("index")), Block({}, understood=False))
        block.take(mapping(event.get("delta")))

    def _end(self, event: Fields) -> None:
        usage = _later(mapping(self.head.get("usage")), mapping(event.get("usage")))
        beside = {name: item for name, item in event.items() if name not in ("type", "delta", "usage")}
        told = {**mapping(event.get("delta")), **beside, **({"usage": usage} if usage else {})}
        self.head = _later(self.head, told)

    def message(self) -> Fields | None:
        """The message, or None when the stream breaks off or says what cannot be understood."""
        blocks = [block.whole() for block in self.blocks.values()]
        is_whole = {"message_start", "message_stop"} <= self.heard and text(self.head.get("stop_reason"))
        if not is_whole or None in blocks:
            return None
        return {**self.head, "content": blocks}


def _later(before: Fields, after: Fields) -> Fields:
    """What was said first with what was said last; saying nothing takes nothing back."""
    return {**before, **{name: item for name, item in after.items() if item is not None or name not in before}}


# --- out ------------------------------------------------------------------------------------------------


def write_message(message: Fields) -> Iterator[bytes]:
    """The events that tell a whole message."""
    blocks = objects(message.get("content"))
    yield from write_blocks(message, [(block, _pieces(block)) for block in blocks])
    yield from write_end(message)


def write_blocks(message: Fields, blocks: Sequence[tuple[Fields, Sequence[str]]]) -> Iterator[bytes]:
    """The beginning of a message, and its blocks, each told in these pieces."""
    yield write_start(message)
    for index, (block, told) in enumerate(blocks):
        yield from write_block(index, _empty(block, told))
        for delta in _deltas(block, told):
            yield write_delta(index, delta)
        yield write_stop(index)


def write_start(message: Fields) -> bytes:
    return _event("message_start", message=_begun(message))


def write_block(index: int, block: Fields) -> Iterator[bytes]:
    """The beginning of a block. The API shows that it is alive behind the first."""
    yield _event("content_block_start", index=index, content_block=block)
    if index == 0:
        yield _event("ping")


def write_delta(index: int, delta: Fields) -> bytes:
    return _event("content_block_delta", index=index, delta=delta)


def write_stop(index: int) -> bytes:
    return _event("content_block_stop", index=index)


def write_end(message: Fields) -> Iterator[bytes]:
    """Why a message ended, and what it cost in all."""
    delta = {name: message[name] for name in _STOPS if name in message}
    delta |= {"container": message["container"]} if message.get("container") is not None else {}
    managed = message.get("context_management")
    beside = {} if managed is None else {"context_management": managed}
    usage = mapping(message.get("usage"))
    counted = {name: usage[name] for name in _COUNTED if usage.get(name) is not None}
    yield _event("message_delta", delta=delta, **({"usage": counted} if usage else {}), **beside)
    yield _event("message_stop")


def _event(kind: str, **fields: object) -> bytes:
    return write_event({"type": kind, **fields}, kind)


def _begun(message: Fields) -> Fields:
    """The message as it is before anything was said."""
    late = [name for name in ("container", "context_management") if message.get(name) is not None]
    begun = {name: None if name in _STOPS else item for name, item in message.items() if name not in late}
    usage = mapping(message.get("usage"))
    so_far = {name: item for name, item in usage.items() if name not in _TOLD_LAST or item is None}
    if whole(usage.get("output_tokens")):
        so_far["output_tokens"] = 1
    return {**begun, "content": [], **({"usage": so_far} if usage else {})}


def _empty(block: Fields, told: Sequence[str]) -> Fields:
    """The block as it is before anything was said: without what its deltas tell."""
    kind = text(block.get("type"))
    if kind in INPUTS:
        return {**block, "input": {}} if told else block
    return {name: _nothing(name, item) if name in _SAID.get(kind, ()) else item for name, item in block.items()}


def _nothing(name: str, item: object) -> object:
    """What stands for this before it is told; what no delta can tell stays."""
    if name == "citations":
        return [] if isinstance(item, list) else item
    return "" if isinstance(item, str) else item


def _pieces(block: Fields) -> list[str]:
    """The words of a block, or its input as JSON, cut like tokens. The API begins an input with an empty piece."""
    kind = text(block.get("type"))
    if kind in INPUTS:
        given = block.get("input")
        return ["", *(json_pieces(given) if given else [])] if isinstance(given, dict) else []
    return pieces(text(block.get(WORDS.get(kind, ""))))


def _deltas(block: Fields, told: Sequence[str]) -> Iterator[Fields]:
    kind = text(block.get("type"))
    if kind in INPUTS:
        yield from ({"type": "input_json_delta", "partial_json": piece} for piece in told)
    elif kind in WORDS:
        yield from ({"type": f"{kind}_delta", WORDS[kind]: piece} for piece in told)
    if kind == "text":
        yield from ({"type": "citations_delta", "citation": each} for each in listing(block.get("citations")))
    if kind == "thinking" and text(block.get("signature")):
        yield {"type": "signature_delta", "signature": block["signature"]}
    if kind == "compaction":
        yield {"type": "compaction_delta", **{name: block[name] for name in _SAID[kind] if name in block}}
