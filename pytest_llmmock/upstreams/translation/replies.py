"""What Responses answers, as the client asked for it: in its protocol, streamed or whole."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from itertools import chain

from ...core.model import Exchange, Frame, Headers, Reply
from ...core.prompt import Answer, Delta, Prompt
from ...dialects import chat_chunks, completions, ollama_lines
from ...dialects import openai_shapes as shapes
from ...dialects import responses_items as items
from ...dialects.anthropic_events import Events
from ...dialects.conversion import headers_as
from ...dialects.fields import EVENTS, JSON, LINES
from ...dialects.writing import Writer
from ...errors import UpstreamError
from .citations import Joined
from .failures import explained, refused, written
from .notes import Notes
from .passing import passed
from .reading import Reading
from .spelling import find, is_told
from .streaming import streamed


@dataclass(frozen=True, slots=True)
class Protocol:
    """How answers are written for a client."""

    name: str
    """In words, for notes."""
    writer: Callable[[Prompt, Answer, str], Writer]
    prefix: str = ""
    """What the ids of its answers begin with."""
    content_type: Headers = EVENTS
    whole_calls: bool = False
    own_models: bool = False
    """Whether an answer names the model as it was asked for."""


def _ollama(words: str) -> Protocol:
    return Protocol("Ollama", partial(ollama_lines.Lines, words), content_type=LINES, whole_calls=True, own_models=True)


PROTOCOLS = {
    "chat": Protocol("Chat Completions", chat_chunks.stream_writer, "chatcmpl-"),
    "messages": Protocol("Anthropic's Messages", Events, "msg_", whole_calls=True),
    "completions": Protocol("Completions", completions.stream_writer, "cmpl-"),
    "ollama.chat": _ollama(ollama_lines.CHAT),
    "ollama.generate": _ollama(ollama_lines.GENERATE),
}


def as_asked(exchange: Exchange, reply: Reply, *, reasoning: str = "off") -> Reply:
    """The client's answer of a Responses answer, which is a stream that may still come.

    `reasoning` says how thoughts are told to clients whose protocol has no place for them: `off`, `think-tags`, `o3` or
    `legacy`. Raises `UpstreamError` when the answer breaks off before anything of it could be told.
    """
    if reply.status >= 400:
        return refused(exchange, reply)
    if exchange.operation == "responses":
        return passed(exchange, reply)
    telling = Telling(exchange, reply, reasoning)
    return telling.streamed() if exchange.prompt.stream else telling.whole()


class Telling:
    """Tells one answer. It knows when the stream that it makes has come to its end."""

    def __init__(self, exchange: Exchange, reply: Reply, reasoning: str) -> None:
        self.failure = ""
        self._exchange = exchange
        self._reply = reply
        self._protocol = PROTOCOLS[exchange.operation]
        self._thoughts = find(exchange, reasoning)
        self._joined = Joined()
        self._notes = Notes()
        self._reading = Reading(reply, self._notes, whole_calls=self._protocol.whole_calls)
        self._ended = False

    def reached(self, chunk: bytes) -> bool:
        return self._ended

    # --- streamed ---

    def streamed(self) -> Reply:
        """A stream; or an error status, when it failed before it began."""
        steps = self._reading.steps()
        first = next(steps, None)
        if first is None:
            return self._failed()
        chunks = self._chunks(chain([first], steps))
        return streamed(self._exchange, self._reply, chunks, self, self._protocol.content_type)

    def _chunks(self, steps: Iterable[list[Delta] | bytes]) -> Iterator[bytes]:
        writer: Writer | None = None
        for step in steps:
            if isinstance(step, bytes):
                yield from self._comment(step)
                continue
            if writer is None:
                writer = self._writer()
                yield from writer.begin()
            for delta in self._told(step):
                yield from writer.take(delta)
        if problem := self._reading.failure:
            self.failure = explained(problem)
            yield self._exchange.dialect.write_failure(problem)
        elif writer is not None:
            yield from self._end(writer)

    def _end(self, writer: Writer) -> Iterator[bytes]:
        """What is told last. What comes with the very last event knows that the answer is whole."""
        left = [event for delta in self._thoughts.end() for event in writer.take(delta)]
        *events, last = [*left, *writer.end()]
        yield from events
        self._note()
        self._ended = True
        yield last
        self._reading.drain()

    def _comment(self, comment: bytes) -> Iterator[bytes]:
        """A sign of life; lines of JSON have no place for it."""
        if self._protocol.content_type == EVENTS:
            yield comment

    def _writer(self) -> Writer:
        head = self._answer(())
        return self._protocol.writer(self._exchange.prompt, head, shapes.digest(self._exchange.prompt, head))

    # --- whole ---

    def whole(self) -> Reply:
        """All of it, once it has come; or an error status."""
        deltas = [delta for step in self._reading.steps() if isinstance(step, list) for delta in self._told(step)]
        if self._reading.failure:
            return self._failed()
        self._reading.drain()
        self._note()
        answer = self._answer((*deltas, *self._thoughts.end()))
        body = self._exchange.dialect.write_reply(self._exchange.prompt, answer).body
        frames = [Frame(body, self._exchange.elapsed)]
        return Reply(200, headers_as(self._reply, JSON), frames, self._reply.reason, "upstream")

    # --- both ---

    def _told(self, step: list[Delta]) -> Iterator[Delta]:
        """What an event says, as far as the client's protocol has a place for it."""
        for delta in step:
            if is_told(self._exchange, delta, self._notes):
                yield from map(self._joined.take, self._thoughts.take(delta))

    def _answer(self, deltas: tuple[Delta, ...]) -> Answer:
        """An answer of the client's protocol, as far as it is known whose."""
        found = items.answer_of(self._reading.heard.response, deltas)
        id = self._protocol.prefix + found.id.removeprefix("resp_") if found.id and self._protocol.prefix else ""
        model = "" if self._protocol.own_models else found.model
        created = found.created or int(self._exchange.started)
        return Answer(deltas, model or self._exchange.prompt.model, id, created)

    def _note(self) -> None:
        self._exchange.notes += self._notes.lines(self._protocol.name)
        self._exchange.spent = shapes.read_usage(self._reading.heard.response.get("usage"))

    def _failed(self) -> Reply:
        """Raises `UpstreamError` where nobody said what went wrong."""
        reading = self._reading
        if reading.error is not None:
            raise UpstreamError(str(reading.error)) from reading.error
        assert reading.failure is not None
        return written(self._exchange, reading.failure)
