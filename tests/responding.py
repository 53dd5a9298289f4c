"""An upstream that speaks Responses, event by event, for the tests of translations."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Iterator
from typing import Any

from pytest_llmmock import dialects
from pytest_llmmock.core import sse
from pytest_llmmock.core.live import Live
from pytest_llmmock.core.model import Exchange, Frame, Reply, Request

EVENTS = (("content-type", "text/event-stream"), ("x-request-id", "req_1"))
PATHS = {
    "chat": "/v1/chat/completions",
    "completions": "/v1/completions",
    "responses": "/v1/responses",
    "ollama.chat": "/api/chat",
    "ollama.generate": "/api/generate",
    "messages": "/v1/messages",
}
ASKED: dict[str, dict[str, Any]] = {
    "chat": {"messages": [{"role": "user", "content": "Hi"}]},
    "completions": {"prompt": "Hi"},
    "responses": {"input": "Hi"},
    "ollama.chat": {"messages": [{"role": "user", "content": "Hi"}]},
    "ollama.generate": {"prompt": "Hi"},
    "messages": {"messages": [{"role": "user", "content": "Hi"}], "max_tokens": 100},
}
USAGE = {
    "input_tokens": 3,
    "input_tokens_details": {"cached_tokens": 1},
    "output_tokens": 4,
    "output_tokens_details": {"reasoning_tokens": 2},
    "total_tokens": 7,
}
RESPONSE = {"id": "resp_1", "object": "response", "created_at": 17, "model": "gpt-5-2025", "output": []}


def asked(operation: str = "chat", **fields: Any) -> Exchange:
    """A request of this operation; None takes a field out."""
    body = {"model": "gpt-5", **ASKED[operation], **fields}
    body = {name: value for name, value in body.items() if value is not None}
    headers = (("content-type", "application/json"),)
    return dialects.read(Request("POST", "http://x", PATHS[operation], "", headers, json.dumps(body).encode()))


def event(kind: str, **fields: Any) -> bytes:
    kind = kind if kind == "error" or kind.startswith("codex.") else f"response.{kind}"
    return sse.write_event({"type": kind, **fields}, kind)


def created() -> bytes:
    return event("created", response={**RESPONSE, "status": "in_progress"})


def ended(kind: str = "completed", **fields: Any) -> bytes:
    """The last event; its output is empty, as those of ChatGPT's backends are."""
    return event(kind, response={**RESPONSE, "status": kind, "usage": USAGE, **fields})


def added(place: int, **item: Any) -> bytes:
    return event("output_item.added", output_index=place, item=item)


def done(place: int, **item: Any) -> bytes:
    return event("output_item.done", output_index=place, item=item)


def text(place: int, words: str) -> bytes:
    return event("output_text.delta", output_index=place, content_index=0, delta=words)


def thought(place: int, words: str, part: int = 0) -> bytes:
    return event("reasoning_summary_text.delta", output_index=place, summary_index=part, delta=words)


def deep_thought(place: int, words: str) -> bytes:
    return event("reasoning_text.delta", output_index=place, content_index=0, delta=words)


def message(place: int, *pieces: str, **fields: Any) -> list[bytes]:
    """A message in pieces."""
    whole = {"type": "output_text", "text": "".join(pieces), "annotations": []}
    item = {"type": "message", "role": "assistant", "id": f"msg_{place}", **fields}
    at = {"output_index": place, "item_id": item["id"], "content_index": 0}
    return [
        added(place, **item, content=[]),
        event("content_part.added", **at, part={**whole, "text": ""}),
        *(text(place, piece) for piece in pieces),
        event("output_text.done", **at, text=whole["text"]),
        event("content_part.done", **at, part=whole),
        done(place, **item, content=[whole]),
    ]


def call(place: int, name: str, *pieces: str, id: str = "") -> list[bytes]:
    """A call of a function, its arguments in pieces."""
    item = {"type": "function_call", "id": f"fc_{place}", "call_id": id or f"call_{place}", "name": name}
    at = {"output_index": place, "item_id": item["id"]}
    return [
        added(place, **item, arguments=""),
        *(event("function_call_arguments.delta", **at, delta=piece) for piece in pieces),
        event("function_call_arguments.done", **at, arguments="".join(pieces)),
        done(place, **item, arguments="".join(pieces)),
    ]


def answered(*events: bytes | list[bytes], status: int = 200) -> Reply:
    """A reply that has come whole."""
    flat = [one for each in events for one in ([each] if isinstance(each, bytes) else each)]
    return Reply(status, EVENTS, [Frame(data) for data in flat])


def values_of(body: bytes) -> list[Any]:
    """What the events or lines of a stream hold."""
    if body.startswith(b"{"):
        return sse.read_lines(body)
    return [each.json() or each.data for each in sse.read_events(body)]


class Upstream:
    """Sends what a test releases. Who asks for an event that is not there yet fails the test: nothing is held back."""

    def __init__(self, *begun: bytes) -> None:
        self._ready = deque(begun)
        self._error: Exception | None = None
        self._over = False
        self.hung_up = 0
        self.live = Live(self._chunks(), self._let_go, since=0, content_type="text/event-stream")
        self.reply = Reply(200, EVENTS, self.live, source="upstream", live=True)

    def _let_go(self) -> None:
        self.hung_up += 1

    def _chunks(self) -> Iterator[bytes]:
        while self._ready or not self._over:
            assert self._ready, "more was asked for than has come"
            yield self._ready.popleft()
        if self._error is not None:
            raise self._error

    def release(self, *events: bytes) -> None:
        self._ready += events

    def end(self, error: Exception | None = None) -> None:
        """Close the connection, or break it off."""
        self._over, self._error = True, error
