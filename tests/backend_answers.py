"""What the Codex backend answers: the event sequences of its streams, and how it fails."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from pytest_llmmock.core.live import Live
from pytest_llmmock.core.model import Frame, Reply, json_reply
from pytest_llmmock.core.sse import write_event
from pytest_llmmock.errors import CutConnection

if TYPE_CHECKING:
    from chatgpt_backend import Backend

Body = dict[str, Any]
Event = tuple[str, Body]

CLOUDFLARE = b"<!DOCTYPE html><html><head><title>Just a moment...</title></head><body>Ray ID: 8f2a4c6e</body></html>"


def answer(backend: Backend, body: Body) -> Reply:
    """What it says to a request that is in order: by the last words of the user."""
    from chatgpt_backend import PLANTED

    words = _words(body["input"])
    if words in REFUSALS:
        status, value, headers = REFUSALS[words]
        if isinstance(value, bytes):
            return Reply(status, (("content-type", "text/html; charset=UTF-8"), *headers, *PLANTED), [Frame(value)])
        return json_reply(value(time.time()) if callable(value) else value, status, (*headers, *PLANTED))
    live = Live(_stream(backend, body, words), lambda: None, since=0.0)
    said = () if words == "untyped" else (("content-type", "text/event-stream; charset=utf-8"),)
    return Reply(200, (*said, *PLANTED), live, live=True)


def _error(**error: object) -> Body:
    return {"error": error}


REFUSALS: dict[str, tuple[int, Any, tuple[tuple[str, str], ...]]] = {
    "limit": (
        429,
        lambda now: _error(
            type="usage_limit_reached",
            message="The usage limit has been reached",
            plan_type="plus",
            resets_at=int(now) + 7290,  # half a minute more than is told: machines may be slow
        ),
        (("x-codex-rate-limit-reached-type", "workspace_owner_usage_limit_reached"),),
    ),
    "old limit": (
        429,
        _error(type="usage_limit_reached", message="The usage limit has been reached", resets_in_seconds=90),
        (),
    ),
    "limit in headers": (
        429,
        _error(type="usage_limit_reached", message="The usage limit has been reached"),
        (
            ("x-codex-primary-used-percent", "100"),
            ("x-codex-primary-window-minutes", "10080"),
            ("x-codex-primary-reset-after-seconds", "90"),
            ("x-codex-secondary-used-percent", "42.5"),
            ("x-codex-secondary-reset-after-seconds", "7200"),
        ),
    ),
    "no codex": (429, _error(type="usage_not_included", message="Not in your plan"), ()),
    "too fast": (
        429,
        _error(
            type="tokens",
            code="rate_limit_exceeded",
            message="Rate limit reached. Please try again in 1.5s.",
        ),
        (),
    ),
    "cloudflare": (403, CLOUDFLARE, (("server", "cloudflare"),)),
    "page": (200, b"<html><title>ChatGPT</title></html>", ()),
    "overloaded": (503, _error(code="server_is_overloaded", message="Try later"), ()),
    "broken": (500, b"<html>502 Bad Gateway</html>", ()),
    "elsewhere": (307, {}, (("location", "https://elsewhere.example/responses"),)),
}
"""The words of the user, and what is said to them instead of an answer."""


def _words(items: list[Body]) -> str:
    parts = [part for item in items if item.get("role") == "user" for part in item["content"]]
    last = items[-1]
    if last.get("type", "").endswith("_output"):
        return str(last["output"])
    return str(parts[-1].get("text", "a picture")) if parts else ""


# --- streams --------------------------------------------------------------------------------------------


def _stream(backend: Backend, body: Body, words: str) -> Iterator[bytes]:
    number = len(backend.requests)
    for count, (kind, fields) in enumerate(_events(backend, body, words, number)):
        yield b": keep-alive\n\n" if count == 3 else b""
        yield write_event({"type": kind, "sequence_number": count, **fields}, kind)
        if kind == "response.output_text.delta":
            backend.release.wait(30)
            if words == "cut":
                raise CutConnection("the stand-in breaks off")
            if words == "ends early":
                return


def _response(body: Body, number: int, status: str, **more: object) -> Body:
    from chatgpt_backend import USER

    echo = {name: body[name] for name in ("instructions", "model", "prompt_cache_key", "store") if name in body}
    return {
        "id": f"resp_{number:04}aa",
        "object": "response",
        "created_at": 1795000000 + number,
        "status": status,
        "error": None,
        "incomplete_details": None,
        "output": [],
        "previous_response_id": None,
        "parallel_tool_calls": body.get("parallel_tool_calls", True),
        "tool_choice": body.get("tool_choice", "auto"),
        "tools": body.get("tools", []),
        "reasoning": body.get("reasoning", {"effort": "medium", "summary": None}),
        "metadata": {},
        "temperature": 1.0,
        "top_p": 1.0,
        "safety_identifier": USER,
        "user": None,
        "usage": None,
        **echo,
        **more,
    }


def _events(backend: Backend, body: Body, words: str, number: int) -> Iterator[Event]:
    yield "response.created", {"response": _response(body, number, "in_progress")}
    yield "response.in_progress", {"response": _response(body, number, "in_progress")}
    if words == "error event":
        yield "error", {"code": "server_error", "message": "Something broke", "param": None}
        return
    if words in ("limit inside", "used up inside"):
        limits = {"limit inside": "usage_limit_reached", "used up inside": "subscription_sharing_usage_limit_exceeded"}
        told = {
            "message": "The usage limit has been reached",
            "plan_type": "plus",
            "resets_at": int(time.time()) + 7290,
        }
        yield "error", {"status": 429, "error": {"type": limits[words], "code": limits[words], **told}}
        return
    if words == "fail at once":
        yield _failed(body, number, "rate_limit_exceeded", "Rate limit reached. Please try again in 2s.")
        return
    items = _items(backend, body, words, number)
    for index, item in enumerate(items):
        yield from _told(index, item)
    if words == "fail":
        yield _failed(body, number, "server_is_overloaded", "Our servers are overloaded.")
    elif words == "incomplete":
        told = {"status": "incomplete", "incomplete_details": {"reason": "max_output_tokens"}, "usage": _USAGE}
        yield "response.incomplete", {"response": {**_response(body, number, "incomplete"), **told}}
    else:
        yield "response.completed", {"response": _response(body, number, "completed", usage=_USAGE)}


_USAGE = {
    "input_tokens": 20,
    "input_tokens_details": {"cached_tokens": 8},
    "output_tokens": 10,
    "output_tokens_details": {"reasoning_tokens": 4},
    "total_tokens": 30,
}


def _failed(body: Body, number: int, code: str, message: str) -> Event:
    error = {"code": code, "message": message}
    return "response.failed", {"response": _response(body, number, "failed", error=error)}


def _items(backend: Backend, body: Body, words: str, number: int) -> list[Body]:
    items: list[Body] = []
    if "reasoning" in body:
        sealed = f"gAAAAAB{number}Zk4Vw8Qm2Rt6Yp1Xc3Bn5Jh7Lf9Dg0Sa2Qw4Er6Ty8Ui0Op=="
        backend.sealed.add(sealed)
        thought = {"type": "summary_text", "text": "**Thinking** of it"}
        items.append({"id": f"rs_{number:04}", "type": "reasoning", "summary": [thought], "encrypted_content": sealed})
    named = [tool["name"] for tool in body.get("tools", []) if tool["type"] == "function"]
    if named and words.startswith("weather"):
        return [*items, *(_call(named[0], city, number, place) for place, city in enumerate(("Paris", "Rome")))]
    said = f"{words} #{number} of {body['model']}"
    part = {"type": "output_text", "text": said, "annotations": [], "logprobs": []}
    message = {"id": f"msg_{number:04}", "type": "message", "status": "completed", "role": "assistant"}
    return [*items, {**message, "content": [part], "phase": "final_answer"}]


def _call(name: str, city: str, number: int, place: int) -> Body:
    ids = {"id": f"fc_{number:04}{place}", "call_id": f"call_{number:04}{place}"}
    arguments = json.dumps({"city": city})
    return {**ids, "type": "function_call", "status": "completed", "name": name, "arguments": arguments}


def _told(index: int, item: Body) -> Iterator[Event]:
    at = {"item_id": item["id"], "output_index": index}
    empty = {name: type(item[name])() for name in ("summary", "content", "arguments") if name in item}
    yield "response.output_item.added", {"output_index": index, "item": {**item, **empty, "status": "in_progress"}}
    if item["type"] == "function_call":
        yield from _pieces("response.function_call_arguments", at, "arguments", item["arguments"])
    for part in item.get("summary", []):
        place = {**at, "summary_index": 0}
        yield "response.reasoning_summary_part.added", {**place, "part": {**part, "text": ""}}
        yield from _pieces("response.reasoning_summary_text", place, "text", part["text"])
        yield "response.reasoning_summary_part.done", {**place, "part": part}
    for part in item.get("content", []):
        place = {**at, "content_index": 0}
        yield "response.content_part.added", {**place, "part": {**part, "text": ""}}
        yield from _pieces("response.output_text", place, "text", part["text"])
        yield "response.content_part.done", {**place, "part": part}
    yield "response.output_item.done", {"output_index": index, "item": item}


def _pieces(name: str, at: Body, field: str, text: str) -> Iterator[Event]:
    for start in range(0, len(text), 5):
        yield f"{name}.delta", {**at, "delta": text[start : start + 5], "obfuscation": "x7Kq"}
    yield f"{name}.done", {**at, field: text}
