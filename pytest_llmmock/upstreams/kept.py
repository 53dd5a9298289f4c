"""Asking an upstream that speaks Responses only and keeps nothing: conversations go on from its answers."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from functools import partial
from typing import Any, Protocol, TypeVar

from ..core.conversations import Conversations, previous_of, unknown
from ..core.live import Live
from ..core.model import Exchange, Problem, Reply, Send, json_reply
from ..core.sse import is_sse
from ..dialects.fields import EVENTS
from . import codex_items
from .codex_request import SEALED, Impossible, Item, Rules, Sent, Wishes, listed, request_of
from .codex_stream import Told
from .sealed import Sealed
from .translation import as_asked, as_responses

HERE = ("responses.retrieve", "responses.delete", "responses.cancel", "responses.input_items")
"""What is answered on this side."""

_PASSED = ("openai-model",)
"""Headers of an answer that tell nothing of whose plan answered."""

_SAID = ("instructions", "metadata", "prompt_cache_key", "safety_identifier", "user")
"""What a response repeats of the request, and the upstream was told otherwise or not at all."""

T = TypeVar("T")

Earlier = Callable[[], Iterable[tuple[Exchange, Reply]]]


class Plan(Protocol):
    """How an upstream is asked that somebody's plan pays for, and what is said of it."""

    @property
    def whose(self) -> str:
        """Through what and with whose plan something was recorded."""

    def ask(self, exchange: Exchange, sent: Sent, send: Send) -> Reply:
        """A stream of Responses, or an error. Raises `UpstreamError`."""

    def problem(self, reply: Reply) -> Problem:
        """The error that a client is to get."""


class Kept:
    """The answers of one upstream, and the thoughts in them that it gave out encrypted."""

    def __init__(self, rules: Rules, wishes: Wishes, host: str, reasoning: str) -> None:
        """`reasoning` is how thoughts are told to clients whose protocol has no place for them."""
        self._rules = rules
        self._wishes = wishes
        self._host = host
        self._reasoning = reasoning
        self._sealed = Sealed()
        self._conversations = Conversations()
        self.earlier: Earlier = tuple
        """Where to look for responses of an earlier run."""

    def forward(self, exchange: Exchange, send: Send, plan: Plan) -> Reply:
        """Ask what is not answered on this side, translated both ways. Raises `UpstreamError`."""
        if exchange.operation in HERE:
            return self._answer(exchange)
        try:
            sent = self._request(exchange)
        except Impossible as error:
            return exchange.dialect.write_error(error.problem)
        exchange.notes += sent.notes
        reply = plan.ask(exchange, sent, send)
        if reply.status != 200:
            return exchange.dialect.write_error(plan.problem(reply))
        exchange.warnings += [*sent.notes, plan.whose]
        return self._keep(exchange, as_asked(exchange, self._told(exchange, reply, plan), reasoning=self._reasoning))

    def _request(self, exchange: Exchange) -> Sent:
        """Raises `Impossible`, `UpstreamError`."""
        translated = as_responses(exchange)
        before = self._before(exchange)
        body = {**translated.body, "input": [*before, *listed(translated.body.get("input"))]}
        sent = request_of(body, self._wishes, self._fitted, self._rules)
        return replace(sent, notes=[*translated.notes, *sent.notes])

    def _before(self, exchange: Exchange) -> list[Any]:
        """The conversation that a request goes on with. Raises `Impossible` when nobody knows it."""
        previous = previous_of(exchange) if exchange.operation == "responses" else ""
        if not previous:
            return []
        found = self._recalled(lambda: self._conversations.before(previous))
        if found is None:
            problem = unknown(previous)
            raise Impossible(problem.message, "previous_response_id", problem.status, problem.code)
        return found

    def _fitted(self, items: list[Any]) -> tuple[list[Item], list[str]]:
        """Items without references to what the upstream has not kept. Raises `Impossible`."""
        return codex_items.fitted(items, self._sealed, self._item, self._rules.upstream)

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

    def _told(self, exchange: Exchange, reply: Reply, plan: Plan) -> Reply:
        """The stream as its client gets it."""
        asked = exchange.json if isinstance(exchange.json, dict) else {}
        said = {name: asked.get(name) for name in (*_SAID, "previous_response_id")}
        said |= {"metadata": asked.get("metadata") or {}, "store": asked.get("store") is not False}
        include = asked.get("include")
        shown = isinstance(include, list) and SEALED in include
        told = Told(said, partial(self._sealed.seal, shown=shown), partial(_explained, plan), self._host)
        headers = (*EVENTS, *(pair for pair in reply.headers if pair[0] in _PASSED))
        frames = reply.frames
        close = frames.close if isinstance(frames, Live) else _nothing
        wake = frames.hang_up if isinstance(frames, Live) else _nothing
        live = Live(told.chunks(frames), close, since=exchange.clock, content_type=EVENTS[0][1], wake=wake)
        return Reply(200, headers, live, reply.reason, "upstream", live=True)

    def _keep(self, exchange: Exchange, reply: Reply) -> Reply:
        """The reply, which is known when a later request goes on from it."""
        if isinstance(reply.frames, Live):
            reply.frames.then(lambda: self._conversations.keep(exchange, reply))
        else:
            self._conversations.keep(exchange, reply)
        return reply

    def _answer(self, exchange: Exchange) -> Reply:
        """What is asked of an earlier response: the upstream has kept none."""
        reply = self._recalled(lambda: self._conversations.answer(exchange))
        if reply is not None:
            return reply
        name = self._rules.upstream
        why = f"Response with id '{exchange.prompt.id}' not found. The upstream '{name}' keeps no responses."
        return exchange.dialect.write_error(Problem(404, why))


def _explained(plan: Plan, error: dict[str, Any]) -> str:
    """What is said of an error inside a stream: the same as where it stands in place of one."""
    return plan.problem(json_reply({"error": error}, 429)).message


def is_stream(reply: Reply) -> bool:
    """One that does not say what it is may be a stream: it is known by its last event."""
    return is_sse(reply.content_type) or not reply.content_type


def _nothing() -> None:
    """A reply that is whole has nobody to let go."""
