"""The words that all parts share: what is asked, what is answered, and the seams between the parts.

`Request` and `Reply` are HTTP. `Prompt` and `Answer` are what the HTTP means; only a dialect knows both.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal, Protocol

Headers = tuple[tuple[str, str], ...]
"""Pairs of name and value in the order of the wire; names are in lower case."""

SourceName = Literal["script", "cassette", "upstream", "unmatched"]


def header(headers: Headers, name: str) -> str | None:
    """The first value of a header, or None. `name` is in lower case."""
    return next((value for key, value in headers if key == name), None)


@dataclass(frozen=True, slots=True)
class Request:
    """One HTTP request, read whole."""

    method: str
    origin: str
    """Scheme, host and port, without a slash at the end: `https://api.openai.com`."""
    path: str
    """As on the wire, still percent-encoded, beginning with a slash."""
    query: str = ""
    headers: Headers = ()
    body: bytes = b""

    @property
    def url(self) -> str:
        return f"{self.origin}{self.path}?{self.query}" if self.query else self.origin + self.path

    @property
    def host(self) -> str:
        """The host in lower case, without port or user."""
        authority = self.origin.partition("://")[2].rpartition("@")[2]
        if authority.startswith("["):
            return authority[1:].partition("]")[0].lower()
        return authority.partition(":")[0].lower()

    def header(self, name: str) -> str | None:
        return header(self.headers, name)

    def json(self) -> Any:
        """The body as a JSON value, or None when it is not JSON."""
        return parse_json(self.body)


@dataclass(frozen=True, slots=True)
class Frame:
    """Some bytes of a reply's body that arrived together."""

    data: bytes
    at: float = 0.0
    """Seconds from the request to this frame."""


class LiveFrames(Protocol):
    """Frames that are still coming from an upstream. Iterated once, by one reader at a time."""

    @property
    def seen(self) -> Sequence[Frame]:
        """What has arrived so far."""

    @property
    def ended(self) -> float | None:
        """When the last frame was taken, in `time.monotonic()` seconds; None while it runs."""

    @property
    def whole(self) -> bool:
        """Whether the frames came to their end."""

    @property
    def failure(self) -> str:
        """Why the frames broke off; '' while they did not."""

    def __iter__(self) -> Iterator[Frame]: ...

    def close(self) -> None:
        """Let the upstream go. Safe to call at any time and more than once."""


@dataclass(slots=True)
class Reply:
    """One HTTP reply: a status, headers and a run of timed frames.

    Framing headers (length, transfer and content encoding, connection) are not among the headers: the way
    in by which the request came adds its own.
    """

    status: int
    headers: Headers
    frames: Sequence[Frame] | LiveFrames
    reason: str = ""
    source: SourceName = "cassette"
    live: bool = False
    """True while the frames come from an upstream: taking one may block."""

    @property
    def content_type(self) -> str:
        return header(self.headers, "content-type") or ""

    @property
    def body(self) -> bytes:
        """The body, or of a live reply what has arrived of it."""
        frames = self.frames if isinstance(self.frames, Sequence) else self.frames.seen
        return b"".join(frame.data for frame in frames)

    def json(self) -> Any:
        """The body as a JSON value, or None when it is not JSON."""
        return parse_json(self.body)


def parse_json(body: bytes) -> Any:
    """A JSON value, or None when the bytes are not JSON (in UTF-8, as RFC 8259 wants it)."""
    try:
        return json.loads(body.decode()) if body else None
    except (ValueError, RecursionError):
        return None


def compact(value: object) -> str:
    """JSON without spaces that UTF-8 can hold: lone surrogates, which JSON allows, are escaped."""
    written = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return json.dumps(value, separators=(",", ":")) if _SURROGATE.search(written) else written


_SURROGATE = re.compile("[\ud800-\udfff]")


def is_json(body: bytes) -> bool:
    return json_error(body) is None


def json_error(body: bytes) -> str | None:
    """What keeps the bytes from being JSON, or None when they are."""
    try:
        json.loads(body.decode())
    except (ValueError, RecursionError) as error:
        return str(error)
    return None


# --- what is asked of a model, and what it answers ------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Part:
    """A piece of a message that is not plain text: an image, a sound, a file, or anything newer."""

    kind: str
    url: str = ""
    """Where it is: an address or a data URL."""
    data: Any = None
    """The part as the protocol wrote it."""


@dataclass(frozen=True, slots=True)
class ToolCall:
    """A call of a tool that a model asked for."""

    name: str
    arguments: str
    """JSON text, exactly as the model wrote it: it may be broken."""
    id: str = ""


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


DeltaKind = Literal["text", "reasoning", "refusal", "tool_call", "vector", "model", "usage", "finish", "error", "item"]


@dataclass(frozen=True, slots=True)
class Delta:
    """One step of an answer. Which fields are set follows from the kind."""

    kind: DeltaKind
    text: str = ""
    """text, reasoning, refusal, error: the words. tool_call: a piece of the arguments. model: its name."""
    index: int = 0
    """Which choice, or which vector, it belongs to."""
    call: int = 0
    """tool_call: which of the choice's calls it belongs to."""
    id: str = ""
    """tool_call: the call's id, on its first piece."""
    name: str = ""
    """tool_call: the tool's name, on its first piece."""
    vector: tuple[float, ...] = ()
    usage: Usage | None = None
    finish: str = ""
    """finish: `stop`, `length`, `tool_calls`, `content_filter` … in the words of Chat Completions."""
    data: Any = None
    """item: something that only this protocol knows, as it wrote it."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a model answered: a run of deltas."""

    deltas: tuple[Delta, ...] = ()
    model: str = ""
    id: str = ""
    created: int | None = None
    """Seconds since 1970."""

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


@dataclass(frozen=True, slots=True)
class Problem:
    """Something that a reply has to say went wrong; a dialect writes it in its protocol's own shape."""

    status: int
    message: str
    code: str | None = None
    type: str = "invalid_request_error"
    param: str | None = None
    headers: Headers = ()


# --- the seams ------------------------------------------------------------------------------------------


class Dialect(Protocol):
    """A wire protocol: a module with these five functions and no state."""

    def read_request(self, request: Request) -> Prompt:
        """What the request asks. Never raises: what cannot be read is left out."""

    def write_request(self, prompt: Prompt) -> bytes:
        """The body of a request that asks this."""

    def read_reply(self, reply: Reply) -> Answer:
        """What the reply answers, plain or streamed. Never raises: what cannot be read is left out."""

    def write_reply(self, prompt: Prompt, answer: Answer) -> Reply:
        """The reply that answers this, streamed when the prompt asks for it, an event a frame."""

    def write_error(self, problem: Problem) -> Reply:
        """The reply that says what went wrong, in the protocol's own shape."""


class Exchange:
    """One request on its way to a reply: what is asked, and once it is known, what was answered."""

    def __init__(self, request: Request, operation: str, target: str, dialect: Dialect) -> None:
        self.request = request
        self.operation = operation
        """The name of what is done: `chat`, `responses`, `models.retrieve`, `opaque` …"""
        self.target = target
        """Method and path without what stands before the route: `POST /chat/completions`."""
        self.dialect = dialect
        self.started = time.time()
        self.clock = time.monotonic()
        """`started` on the clock that never jumps."""
        self.notes: list[str] = []
        """What a reader of the journal or the cassette should know about how this was answered."""
        self.interaction: int | None = None
        """The number, from 1, of the recording that answered or was made."""
        self.trouble = ""
        """Why it could not be answered."""

    @cached_property
    def json(self) -> Any:
        """The request's body as a JSON value, or None."""
        return self.request.json()

    @cached_property
    def prompt(self) -> Prompt:
        return self.dialect.read_request(self.request)


class Source(Protocol):
    """Something that may know the answer: scripted rules, a cassette, an upstream."""

    def answer(self, exchange: Exchange) -> Reply | None:
        """The reply, or None when this source has none."""


class Send(Protocol):
    """The network, as an upstream is handed it."""

    def __call__(self, request: Request) -> Reply:
        """Ask over the network. The reply is live. Raises `UpstreamError` when there is no answer."""


class Upstream(Protocol):
    """A place that record mode asks."""

    @property
    def NAME(self) -> str: ...
    @property
    def BASE_URL(self) -> str: ...

    def forward(self, exchange: Exchange, send: Send) -> Reply:
        """Ask, in whatever protocol and with whatever credentials this place wants."""


def frames_of(body: bytes) -> list[Frame]:
    """A body that is known whole, as frames."""
    return [Frame(body)] if body else []


def json_reply(value: object, status: int = 200, headers: Iterable[tuple[str, str]] = ()) -> Reply:
    """A plain reply that holds a JSON value."""
    return Reply(status, (("content-type", "application/json"), *headers), frames_of(compact(value).encode()))
