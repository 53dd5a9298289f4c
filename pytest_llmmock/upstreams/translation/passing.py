"""A Responses answer for a client that asked for one: as it comes, or put together from its items."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ...core.model import Exchange, Frame, Problem, Reply
from ...core.prompt import Prompt
from ...dialects import responses
from ...dialects.conversion import headers_as
from ...dialects.fields import EVENTS, JSON, listing, mapping, write_event
from ...dialects.responses_events import ENDS
from ...dialects.responses_stream import place_of
from ...errors import LLMMockError, UpstreamError
from . import failures
from .reading import Piece, pieces_of
from .streaming import streamed

Value = dict[str, Any]


def passed(exchange: Exchange, reply: Reply) -> Reply:
    """Raises `UpstreamError` where a plain answer breaks off."""
    passing = Passing(reply)
    if exchange.prompt.stream:
        return streamed(exchange, reply, passing.chunks(), passing, EVENTS)
    body = b"".join(passing.chunks())
    if passing.error is not None:
        raise UpstreamError(str(passing.error)) from passing.error
    if passing.problem is not None:
        return failures.written(exchange, passing.problem)
    return _whole(exchange.prompt, reply, body, exchange)


def _whole(prompt: Prompt, reply: Reply, body: bytes, exchange: Exchange) -> Reply:
    """The response that the last event carries; one without items is made of what was said."""
    told = Reply(200, EVENTS, [Frame(body, exchange.elapsed)])
    found = responses.convert(prompt, told) or responses.write_reply(prompt, responses.read_reply(told))
    frames = [Frame(found.body, exchange.elapsed)]
    return Reply(found.status, headers_as(reply, JSON), frames, reply.reason, "upstream")


class Passing:
    """Hands events on. It is whole when the response was completed, or is incomplete by its own account."""

    def __init__(self, reply: Reply) -> None:
        self.failure = ""
        self.problem: Problem | None = None
        self.error: LLMMockError | None = None
        """What broke the answer off, if anything did."""
        self._pieces = pieces_of(reply)
        self._items: dict[object, Any] = {}
        """What is done, by its place; None of what is not."""
        self._ended = False

    def reached(self, chunk: bytes) -> bool:
        return self._ended

    def chunks(self) -> Iterator[bytes]:
        try:
            for piece in self._pieces:
                yield self._heard(piece)
            if not (self._ended or self.problem):
                raise UpstreamError(failures.ENDED_EARLY)
        except LLMMockError as error:
            if not (self._ended or self.problem):
                self.error = error
                yield self._fail(failures.broken_off(str(error)))

    def _heard(self, piece: Piece) -> bytes:
        """The event as it came. One that ends an answer and leaves its items out has them put in."""
        event = piece.value
        if problem := failures.read_failure(event):
            self._fail(problem)
        elif piece.kind == "response.output_item.added":
            self._items.setdefault(place_of(event))
        elif piece.kind == "response.output_item.done":
            self._items[place_of(event)] = event.get("item")
        elif piece.kind in ENDS:
            self._ended = True
            return self._completed(piece)
        return piece.data

    def _completed(self, piece: Piece) -> bytes:
        response = mapping(piece.value.get("response"))
        if listing(response.get("output")) or not self._items or not all(self._items.values()):
            return piece.data
        output = list(self._items.values())
        return write_event({**piece.value, "response": {**response, "output": output}}, piece.kind)

    def _fail(self, problem: Problem) -> bytes:
        self.problem, self.failure = problem, failures.explained(problem)
        return responses.write_failure(problem)
