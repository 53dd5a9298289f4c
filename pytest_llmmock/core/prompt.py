"""What is asked of a model and what it answers, whatever protocol it is written in."""

from __future__ import annotations

from base64 import b64decode
from binascii import Error
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal


@dataclass(frozen=True, slots=True)
class Part:
    """A piece of a message that is not plain text: an image, a sound, a file, or anything newer."""

    kind: str
    url: str = ""
    """Where it is: an address or a data URL."""
    data: Any = None
    """The part as the protocol wrote it."""

    @property
    def content(self) -> bytes:
        """What a data URL in Base64 holds; nothing of anything else."""
        head, _, packed = self.url.partition(",")
        if not (head.startswith("data:") and head.endswith(";base64")):
            return b""
        try:
            return b64decode(packed)
        except (Error, ValueError):
            return b""


@dataclass(frozen=True, slots=True)
class ToolCall:
    """A call of a tool that a model asked for."""

    name: str
    arguments: str
    """JSON text, exactly as the model wrote it: it may be broken. What a custom tool is given is any text."""
    id: str = ""
    kind: str = "function"
    """`function`, or `custom` for a tool that takes text."""


@dataclass(frozen=True, slots=True)
class Message:
    """One turn of a conversation."""

    role: str
    text: str = ""
    parts: tuple[Part, ...] = ()
    tool_calls: tuple[ToolCall, ...] = ()
    tool_call_id: str = ""
    """The call that this message, of role `tool`, answers."""
    name: str = ""


@dataclass(frozen=True, slots=True)
class Tool:
    """A tool that was offered to the model."""

    name: str
    description: str = ""
    parameters: Any = None
    """JSON schema of the arguments."""
    kind: str = "function"
    strict: bool | None = None
    """Whether the arguments are to satisfy the schema exactly; None when the request does not say."""


@dataclass(frozen=True, slots=True)
class Prompt:
    """What a request asks of a model, whatever protocol it was written in."""

    model: str = ""
    messages: tuple[Message, ...] = ()
    tools: tuple[Tool, ...] = ()
    inputs: tuple[Any, ...] = ()
    """For embeddings: what is to be embedded, each a text or a list of token numbers."""
    stream: bool = False
    options: Mapping[str, Any] = field(default_factory=dict)
    """Everything else that the request says: temperature, response format …"""
    action: str = ""
    """Where the address tells it: `create`, `list`, `retrieve`, `delete` …"""
    id: str = ""
    """What that is to be done with, of the things that a provider keeps: files, batches, responses."""


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens, as the provider counted them. None where it did not say."""

    input: int | None = None
    output: int | None = None
    total: int | None = None
    cached: int | None = None
    """Of the input: read from the provider's prompt cache."""
    reasoning: int | None = None
    """Of the output: spent on reasoning."""


DeltaKind = Literal[
    "text",
    "reasoning",
    "refusal",
    "tool_call",
    "vector",
    "image",
    "audio",
    "file",
    "model",
    "usage",
    "finish",
    "error",
    "item",
]


@dataclass(frozen=True, slots=True)
class Delta:
    """One step of an answer. Which fields are set follows from the kind."""

    kind: DeltaKind
    text: str = ""
    """text, reasoning, refusal, error: the words. tool_call: a piece of the arguments. model: its name. image: where
    it is."""
    index: int = 0
    """Which choice, or which vector, it belongs to."""
    call: int = 0
    """tool_call: which of the choice's calls it belongs to."""
    id: str = ""
    """tool_call: the call's id, on its first piece."""
    name: str = ""
    """tool_call: the tool's name, on its first piece."""
    custom: bool = False
    """tool_call: whether the tool takes text, on its first piece."""
    vector: tuple[float, ...] = ()
    usage: Usage | None = None
    finish: str = ""
    """finish: `stop`, `length`, `tool_calls`, `content_filter` … in the words of Chat Completions."""
    data: Any = None
    """item: something that only this protocol knows, as it wrote it; `annotations` of the words before it, as Chat
    Completions writes them, all can say. text: how probable each of its tokens was, a list of
    `ChatCompletionTokenLogprob`. image, audio, file: its bytes; of an image None when it lies elsewhere, or when one is
    to be made up."""
    part: tuple[Any, ...] = field(default=(), compare=False, repr=False)
    """text, reasoning, refusal: which part of which item it belongs to, where the protocol tells."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a model answered: a run of deltas."""

    deltas: tuple[Delta, ...] = ()
    model: str = ""
    id: str = ""
    created: int | None = None
    """Seconds since 1970."""
    before: int = field(default=0, compare=False, repr=False)
    """How often the same was answered to the same before: made-up ids are others each time."""

    def joined(self, kind: DeltaKind, index: int = 0) -> str:
        """The words of one kind in one choice, joined."""
        return "".join(delta.text for delta in self.deltas if delta.kind == kind and delta.index == index)

    @property
    def text(self) -> str:
        """The words of the first choice."""
        return self.joined("text")

    @property
    def reasoning(self) -> str:
        return self.joined("reasoning")

    @property
    def tool_calls(self) -> tuple[ToolCall, ...]:
        """The tool calls of the first choice, their pieces put together."""
        return self.calls_of(0)

    def calls_of(self, index: int) -> tuple[ToolCall, ...]:
        """The tool calls of one choice, their pieces put together."""
        found: dict[int, ToolCall] = {}
        for delta in self.deltas:
            if delta.kind == "tool_call" and delta.index == index:
                so_far = found.get(delta.call, ToolCall("", ""))
                found[delta.call] = ToolCall(
                    name=so_far.name or delta.name,
                    arguments=so_far.arguments + delta.text,
                    id=so_far.id or delta.id,
                    kind="custom" if delta.custom else so_far.kind,
                )
        return tuple(found.values())

    @property
    def choices(self) -> tuple[int, ...]:
        """The numbers of the choices that say anything, in order."""
        return tuple(sorted({d.index for d in self.deltas if d.kind in _OF_A_CHOICE})) or (0,)

    @property
    def usage(self) -> Usage | None:
        return next((delta.usage for delta in reversed(self.deltas) if delta.kind == "usage"), None)

    def finish_of(self, index: int) -> str:
        """Why a choice ended, or '' when the answer does not say."""
        ends = (d.finish for d in reversed(self.deltas) if d.kind == "finish" and d.index == index)
        return next(ends, "")

    @property
    def finish_reason(self) -> str:
        return self.finish_of(0)


_OF_A_CHOICE = ("text", "reasoning", "refusal", "tool_call", "finish")
