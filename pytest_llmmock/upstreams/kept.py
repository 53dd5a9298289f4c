"""What was answered by an upstream that keeps nothing itself: conversations go on from it all the same."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from typing import Any, TypeVar

from ..core.conversations import Conversations, previous_of, unknown
from ..core.live import Live
from ..core.model import Exchange, Problem, Reply
from ..core.sse import is_sse
from ..dialects.fields import EVENTS
from . import codex_items
from .codex_request import SEALED, Impossible, Item
from .codex_stream import Told
from .sealed import Sealed

HERE = ("responses.retrieve", "responses.delete", "responses.cancel", "responses.input_items")
"""What is answered on this side."""

_PASSED = ("openai-model",)
"""Headers of an answer that tell nothing of whose plan answered."""

_SAID = ("instructions", "metadata", "prompt_cache_key", "safety_identifier", "user")
"""What a response repeats of the request, and the upstream was told otherwise or not at all."""

T = TypeVar("T")

Earlier = Callable[[], Iterable[tuple[Exchange, Reply]]]


class Kept:
    """The answers of one upstream, and the thoughts in them that it gave out encrypted."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._sealed = Sealed()
        self._conversations = Conversations()
        self.earlier: Earlier = tuple
        """Where to look for responses of an earlier run."""

    def before(self, exchange: Exchange) -> list[Any]:
        """The conversation that a request goes on with. Raises `Impossible` when nobody knows it."""
        previous = previous_of(exchange) if exchange.operation == "responses" else ""
        if not previous:
            return []
        found = self._recalled(lambda: self._conversations.before(previous))
        if found is None:
            problem = unknown(previous)
            raise Impossible(problem.message, "previous_response_id", problem.status, problem.code)
        return found

    def fitted(self, items: list[Any]) -> tuple[list[Item], list[str]]:
        """Items without references to what the upstream has not kept. Raises `Impossible`."""
        return codex_items.fitted(items, self._sealed, self._item, self._name)

    def _item(self, id: str) -> dict[str, Any] | None:
        return self._recalled(lambda: self._conversations.item(id))

    def _recalled(self, look: Callable[[], T | None]) -> T | None:
        """What was answered, by this run or by an earlier one."""
        found = look()
        if found is None:
            for exchange, reply in self.earlier():
                self._conversations.keep(exchange, reply)
            found = look()
        return found

    def told(self, exchange: Exchange, reply: Reply, host: str) -> Reply:
        """The stream as its client gets it."""
        asked = exchange.json if isinstance(exchange.json, dict) else {}
        said = {name: asked.get(name) for name in (*_SAID, "previous_response_id")}
        said |= {"metadata": asked.get("metadata") or {}, "store": asked.get("store") is not False}
        include = asked.get("include")
        shown = isinstance(include, list) and SEALED in include
        told = Told(said, partial(self._sealed.seal, shown=shown), host)
        headers = (*EVENTS, *(pair for pair in reply.headers if pair[0] in _PASSED))
        frames = reply.frames
        close = frames.close if isinstance(frames, Live) else _nothing
        wake = frames.hang_up if isinstance(frames, Live) else _nothing
        live = Live(told.chunks(frames), close, since=exchange.clock, content_type=EVENTS[0][1], wake=wake)
        return Reply(200, headers, live, reply.reason, "upstream", live=True)

    def keep(self, exchange: Exchange, reply: Reply) -> Reply:
        """The reply, which is known when a later request goes on from it."""
        if isinstance(reply.frames, Live):
            reply.frames.then(lambda: self._conversations.keep(exchange, reply))
        else:
            self._conversations.keep(exchange, reply)
        return reply

    def answer(self, exchange: Exchange) -> Reply:
        """What is asked of an earlier response: the upstream has kept none."""
        reply = self._recalled(lambda: self._conversations.answer(exchange))
        if reply is not None:
            return reply
        why = f"Response with id '{exchange.prompt.id}' not found. The upstream '{self._name}' keeps no responses."
        return exchange.dialect.write_error(Problem(404, why))


def is_stream(reply: Reply) -> bool:
    """One that does not say what it is may be a stream: it is known by its last event."""
    return is_sse(reply.content_type) or not reply.content_type


def _nothing() -> None:
    """A reply that is whole has nobody to let go."""
