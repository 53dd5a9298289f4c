"""Responses that are kept: what a conversation goes on from, and what can be asked for again."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import parse_qs

from .json_text import compact
from .model import Exchange, Problem, Reply
from .paging import page
from .prompt import Answer, Delta

_GOES_ON = ("responses", "responses.compact", "responses.input_tokens")
"""Operations that a conversation goes on with."""

_MOST = 1000
"""Responses that are kept at the same time: a server may run for days."""


@dataclass(frozen=True, slots=True)
class _Kept:
    asked: list[Any]
    """The items of the whole conversation before the response."""
    response: dict[str, Any]


class Conversations:
    """The responses of a test that were not told to be forgotten."""

    def __init__(self, is_recorded: Callable[[str], bool] = lambda id: False) -> None:
        self._is_recorded = is_recorded
        """Whether a recording knows this id: what follows on it is no concern of ours."""
        self._lock = threading.Lock()
        self._kept: dict[str, _Kept] = {}
        self._deleted: set[str] = set()

    def resolve(self, exchange: Exchange) -> Reply | None:
        """Read the conversation so far into the prompt; the refusal when nobody knows it."""
        previous = previous_of(exchange)
        if exchange.operation not in _GOES_ON or not previous:
            return None
        before = self.before(previous)
        if before is None:
            return None if self._is_recorded(previous) else exchange.dialect.write_error(unknown(previous))
        body = compact({**exchange.json, "input": [*before, *items_of(exchange)]}).encode()
        exchange.prompt = exchange.dialect.read_request(replace(exchange.request, body=body))
        return None

    def before(self, previous: str) -> list[Any] | None:
        """The items of the whole conversation up to and with a response; None when it is not known."""
        kept = self._kept.get(previous)
        return None if kept is None else [*kept.asked, *kept.response.get("output", [])]

    def item(self, id: str) -> dict[str, Any] | None:
        """One item of what was answered, by its own id."""
        with self._lock:
            outputs = [kept.response.get("output", []) for kept in reversed(self._kept.values())]
        return next((item for output in outputs for item in output if item.get("id") == id), None)

    def keep(self, exchange: Exchange, reply: Reply) -> None:
        """Keep a response, streamed or not, unless the request says otherwise."""
        if exchange.operation != "responses" or _field(exchange, "store") is False:
            return
        whole = exchange.dialect.convert(replace(exchange.prompt, stream=False), reply)
        response = whole.json() if whole and whole.status == 200 else None
        if not isinstance(response, dict) or not isinstance(response.get("id"), str):
            return
        if response["id"] in self._deleted:
            return  # a recording still tells of it
        before = self.before(previous_of(exchange)) or []
        with self._lock:
            self._kept[response["id"]] = _Kept([*before, *items_of(exchange)], response)
            while len(self._kept) > _MOST:
                del self._kept[next(iter(self._kept))]

    def answer(self, exchange: Exchange) -> Reply | None:
        """What is asked of a response that is kept."""
        kept = self._kept.get(exchange.prompt.id) if exchange.operation.startswith("responses.") else None
        if kept is None:
            return None
        deltas = tuple(Delta("item", data=value) for value in self._told(exchange, kept))
        return exchange.dialect.write_reply(exchange.prompt, Answer(deltas))

    def _told(self, exchange: Exchange, kept: _Kept) -> list[dict[str, Any]]:
        """What is told of a response, and what becomes of it."""
        id, operation = exchange.prompt.id, exchange.operation
        if operation == "responses.input_items":
            found, more = page(_named(kept), parse_qs(exchange.request.query), _LIMIT)
            return [{"data": found, "has_more": more}]
        if operation == "responses.delete":
            self._kept.pop(id, None)
            self._deleted.add(id)
            return []
        if operation == "responses.cancel":
            kept = self._kept[id] = _Kept(kept.asked, {**kept.response, "status": "cancelled"})
        return [kept.response]


_LIMIT = 20


def _field(exchange: Exchange, name: str) -> Any:
    return exchange.json.get(name) if isinstance(exchange.json, dict) else None


def previous_of(exchange: Exchange) -> str:
    """The response that this one goes on from; '' when it does not."""
    previous = _field(exchange, "previous_response_id")
    return previous if isinstance(previous, str) else ""


def items_of(exchange: Exchange) -> list[Any]:
    """What this request adds to a conversation."""
    given = _field(exchange, "input")
    if isinstance(given, str):
        return [{"type": "message", "role": "user", "content": [{"type": "input_text", "text": given}]}]
    return given if isinstance(given, list) else []


def _named(kept: _Kept) -> list[dict[str, Any]]:
    """The items that were asked, each with a type and an id."""
    named = str(kept.response["id"]).removeprefix("resp_")
    items = [item for item in kept.asked if isinstance(item, dict)]
    return [{"type": "message", "id": f"msg_{named}_{number}", **_in_full(item)} for number, item in enumerate(items)]


def _in_full(item: dict[str, Any]) -> dict[str, Any]:
    """A message whose content is a text has one part in fact."""
    content, role = item.get("content"), item.get("role")
    if not isinstance(content, str) or not isinstance(role, str):
        return item
    kind = "output_text" if role == "assistant" else "input_text"
    part: dict[str, Any] = {"type": kind, "text": content}
    return {**item, "content": [{**part, "annotations": []} if role == "assistant" else part]}


def unknown(id: str) -> Problem:
    """Nobody knows this response."""
    why = f"Previous response with id '{id}' not found."
    return Problem(404, why, "previous_response_not_found", param="previous_response_id")
