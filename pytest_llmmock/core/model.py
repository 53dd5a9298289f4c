"""The words that all parts share: what is asked, what is answered, and the seams between the parts.

`Request` and `Reply` are HTTP. What the HTTP means is in `prompt.py`; only a dialect knows both.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal, Protocol, runtime_checkable

from .json_text import compact, parse_json
from .leaving import Client
from .prompt import Answer, Prompt, Usage
from .sse import is_stream
from .violation import Violation

Headers = tuple[tuple[str, str], ...]
"""Pairs of name and value in the order of the wire; names are in lower case."""

SourceName = Literal["script", "cassette", "upstream", "unmatched"]


OURS = "llmmock"
"""Marks the requests of our own upstreams among their extensions: the way in lets them pass."""


def without_user(origin: str) -> str:
    """An origin without the name and password that may stand in it."""
    scheme, separator, authority = origin.partition("://")
    return scheme + separator + authority.rpartition("@")[2]


def header(headers: Headers, name: str) -> str | None:
    """The first value of a header, or None. `name` is in lower case."""
    for key, value in headers:  # a generator would take twice as long, and each request is asked four times
        if key == name:
            return value
    return None


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
    base: str = field(default="", compare=False, repr=False)
    """Where its client reaches us, prefix and all, when that is not the origin: `http://127.0.0.1:8000/t1-ab12`."""
    client: Client | None = field(default=None, compare=False, repr=False)
    """Who asks, where it can be noticed that it goes."""
    patience: float | None = field(default=None, compare=False, repr=False)
    """Seconds for which an answer is waited for; None where it may take as long as a model thinks."""

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
    """Frames that are still to come: from an upstream, or when they are due. Iterated once, by one reader at a time."""

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
    cut: str = ""
    """Why the connection breaks behind the frames; '' when it does not."""

    @property
    def content_type(self) -> str:
        return header(self.headers, "content-type") or ""

    @property
    def is_stream(self) -> bool:
        """Whether it calls itself a run of events or of lines."""
        return is_stream(self.content_type)

    @property
    def arrived(self) -> Sequence[Frame]:
        """The frames, or of a live reply those that have arrived."""
        return self.frames if isinstance(self.frames, Sequence) else self.frames.seen

    @property
    def body(self) -> bytes:
        """The body, or of a live reply what has arrived of it."""
        return b"".join(frame.data for frame in self.arrived)

    def json(self) -> Any:
        """The body as a JSON value, or None when it is not JSON."""
        return parse_json(self.body)


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
    """A wire protocol: a module with these seven functions and no state."""

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

    def write_failure(self, problem: Problem) -> bytes:
        """The event by which a stream says that it went wrong."""

    def convert(self, prompt: Prompt, reply: Reply) -> Reply | None:
        """The same answer as this prompt wants it, streamed or whole; None when it cannot be."""


class Exchange:
    """One request on its way to a reply: what is asked, and once it is known, what was answered.

    What most requests never change stands in the class: to set it for each would take longer than to read it.
    """

    credentials: Headers = ()
    """Further credentials that an upstream has, as headers would hold them: none of it is to be written."""
    upstream: str = ""
    """The name of the upstream that was asked; '' when none was."""
    meta: Callable[[], Mapping[str, Any]] = dict
    """What was noted with the recording that has answered; it is read when somebody wants to know."""
    noted = 0
    """How many of the notes were there before an upstream was asked; the others belong to what is recorded."""
    spent: Usage | None = None
    """Tokens that an upstream has counted and a client was not told of; they count in a budget all the same."""
    interaction: int | None = None
    """The number, from 1, of the recording that answered."""
    give_back: Callable[[], None] | None = None
    """Lets the recording that has answered answer again; None when none has."""
    faults: Sequence[Fault] = ()
    """What is to go wrong with the answer."""
    trouble: str = ""
    """Why it could not be answered."""
    is_kept_broken = False
    """Whether its answer broke off, and was recorded so, as it was to be."""
    violations: Sequence[Violation] = ()
    """What its API would not take, where that is checked."""

    def __init__(
        self, request: Request, operation: str, target: str, dialect: Dialect, *, sent: Request | None = None
    ) -> None:
        self.request = request
        self.sent = sent or request
        """As its client sent it: its body may be compressed, and is signed as it is."""
        self.operation = operation
        """The name of what is done: `chat`, `responses`, `models.retrieve`, `opaque` …"""
        self.target = target
        """Method and path without what stands before the route: `POST /chat/completions`."""
        self.dialect = dialect
        self.started = time.time()
        self.clock = time.monotonic()
        """`started` on the clock that never jumps."""

    @cached_property
    def notes(self) -> list[str]:
        """What a reader of the journal or the cassette should know about how this was answered."""
        return []

    @cached_property
    def warnings(self) -> list[str]:
        """What whoever runs the tests should know; each is told once a run."""
        return []

    @cached_property
    def json(self) -> Any:
        """The request's body as a JSON value, or None."""
        return self.request.json()

    @cached_property
    def prompt(self) -> Prompt:
        return self.dialect.read_request(self.request)

    @property
    def elapsed(self) -> float:
        """Seconds since it was asked."""
        return time.monotonic() - self.clock


class Fault(Protocol):
    """Something that goes wrong on purpose with an answer."""

    @property
    def name(self) -> str:
        """As it is told: `cut(after_events=5)`."""

    def change(self, exchange: Exchange, reply: Reply) -> Reply:
        """The reply, whose frames are known and have the times at which they are due, with the fault in it."""


@dataclass(frozen=True, slots=True)
class Later:
    """A reply that takes time to make: who must not wait has it made in another thread."""

    reply: Callable[[], Reply]


class Source(Protocol):
    """Something that may know the answer: scripted rules, a cassette, an upstream."""

    def answer(self, exchange: Exchange) -> Reply | Later | None:
        """The reply, or None when this source has none."""


class Send(Protocol):
    """The network, as an upstream is handed it."""

    def __call__(self, request: Request) -> Reply:
        """Ask over the network. A stream is live. Raises `UpstreamError` when there is no answer."""


class Upstream(Protocol):
    """A place that record mode asks."""

    @property
    def NAME(self) -> str: ...
    @property
    def BASE_URL(self) -> str: ...

    def forward(self, exchange: Exchange, send: Send) -> Reply:
        """Ask, in whatever protocol and with whatever credentials this place wants."""


@runtime_checkable
class Forgetful(Protocol):
    """An upstream that keeps none of its answers, and has to go on from them."""

    def remember(self, earlier: Callable[[], Iterable[tuple[Exchange, Reply]]]) -> None:
        """Be told where to look for what was recorded before."""


def frames_of(body: bytes) -> list[Frame]:
    """A body that is known whole, as frames."""
    return [Frame(body)] if body else []


def json_reply(value: object, status: int = 200, headers: Iterable[tuple[str, str]] = ()) -> Reply:
    """A plain reply that holds a JSON value."""
    return Reply(status, (("content-type", "application/json"), *headers), frames_of(compact(value).encode()))
