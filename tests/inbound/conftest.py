"""A provider on loopback that speaks what three SDKs speak, and the command line as a user starts it."""

from __future__ import annotations

import base64
import json
import os
import struct
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import Any

import pytest
from serving import Serving

from pytest_llmmock.core.live import Live
from pytest_llmmock.core.model import Reply, Request, json_reply
from pytest_llmmock.core.sse import write_event

PRIVATE = (("set-cookie", "session=provider-cookie"), ("openai-organization", "org-provider"))


class Provider(Serving):
    """Says back what it was asked, in the shapes of OpenAI, Anthropic and Ollama; the same each time."""

    def __exit__(self, *exc_info: object) -> None:
        super().__exit__(*exc_info)
        assert self._server.errors == []

    def handle(self, request: Request) -> Reply:
        self.requests.append(request)
        routes: dict[str, Callable[[dict[str, Any]], Reply]] = {
            "GET /v1/models": models,
            "POST /v1/chat/completions": chat,
            "POST /v1/responses": responses,
            "POST /v1/embeddings": embeddings,
            "POST /v1/messages": messages,
            "POST /api/chat": ollama_chat,
            "POST /api/embed": ollama_embed,
            "GET /api/tags": ollama_tags,
        }
        answer = routes.get(f"{request.method} {request.path}")
        if answer is None:
            return refuse(404, f"there is no {request.method} {request.path}")
        if request.path.startswith("/v1/") and key_of(request) != "test":
            return refuse(401, "no key")
        if request.path == "/v1/messages" and not request.header("anthropic-version"):
            return refuse(400, "no version")
        return answer(request.json() or {})


def key_of(request: Request) -> str | None:
    authorization = request.header("authorization")
    return authorization.removeprefix("Bearer ") if authorization else request.header("x-api-key")


def refuse(status: int, message: str) -> Reply:
    return json_reply({"error": {"message": message, "type": "provider", "param": None, "code": None}}, status)


def said(words: str) -> str:
    return f"You said: {words} — naïve “quotes” 🙂"


def stream(chunks: Sequence[bytes], content_type: str) -> Reply:
    live = Live(iter(chunks), lambda: None, since=0.0)
    return Reply(200, (("content-type", content_type), *PRIVATE), live, live=True)


def events(*pairs: tuple[str, object]) -> Reply:
    """Server-sent events: name and data."""
    return stream([write_event(data, name) for name, data in pairs], "text/event-stream; charset=utf-8")


def halves(text: str) -> tuple[str, str]:
    return text[: len(text) // 2], text[len(text) // 2 :]


# --- OpenAI ---------------------------------------------------------------------------------------------


def models(body: dict[str, Any]) -> Reply:
    names = ("small", "large")
    return json_reply(
        {"object": "list", "data": [{"id": n, "object": "model", "created": 1, "owned_by": "us"} for n in names]},
        headers=PRIVATE,
    )


def chat(body: dict[str, Any]) -> Reply:
    text = said(body["messages"][-1]["content"])
    shared = {"id": "chatcmpl-1", "created": 1, "model": body["model"], "system_fingerprint": "fp"}
    usage = {"prompt_tokens": 3, "completion_tokens": 4, "total_tokens": 7}
    if not body.get("stream"):
        message = {"role": "assistant", "content": text, "refusal": None}
        choice = {"index": 0, "message": message, "finish_reason": "stop", "logprobs": None}
        whole = {**shared, "object": "chat.completion", "choices": [choice], "usage": usage}
        return json_reply(whole, headers=PRIVATE)

    def chunk(delta: dict[str, Any], finish: str | None = None) -> tuple[str, object]:
        choice = {"index": 0, "delta": delta, "finish_reason": finish}
        return "", {**shared, "object": "chat.completion.chunk", "choices": [choice]}

    first, second = halves(text)
    counted = {**shared, "object": "chat.completion.chunk", "choices": [], "usage": usage}
    return events(
        chunk({"role": "assistant", "content": first}),
        chunk({"content": second}),
        chunk({}, "stop"),
        *([("", counted)] if (body.get("stream_options") or {}).get("include_usage") else []),
        ("", "[DONE]"),
    )


def responses(body: dict[str, Any]) -> Reply:
    text = said(body["input"])
    part = {"type": "output_text", "text": text, "annotations": [], "logprobs": []}
    item = {"id": "msg_1", "type": "message", "role": "assistant", "status": "completed", "content": [part]}
    whole = {
        "id": "resp_1",
        "object": "response",
        "created_at": 1,
        "status": "completed",
        "model": body["model"],
        "output": [item],
        "parallel_tool_calls": True,
        "tool_choice": "auto",
        "tools": [],
        "usage": {
            "input_tokens": 3,
            "input_tokens_details": {"cached_tokens": 0, "cache_write_tokens": 0},
            "output_tokens": 4,
            "output_tokens_details": {"reasoning_tokens": 0},
            "total_tokens": 7,
        },
    }
    if not body.get("stream"):
        return json_reply(whole, headers=PRIVATE)
    begun = {**whole, "status": "in_progress", "output": [], "usage": None}
    where = {"item_id": "msg_1", "output_index": 0, "content_index": 0}
    first, second = halves(text)
    told: list[tuple[str, dict[str, Any]]] = [
        ("response.created", {"response": begun}),
        ("response.in_progress", {"response": begun}),
        ("response.output_item.added", {"output_index": 0, "item": {**item, "status": "in_progress", "content": []}}),
        ("response.content_part.added", {**where, "part": {**part, "text": ""}}),
        ("response.output_text.delta", {**where, "delta": first, "logprobs": []}),
        ("response.output_text.delta", {**where, "delta": second, "logprobs": []}),
        ("response.output_text.done", {**where, "text": text, "logprobs": []}),
        ("response.content_part.done", {**where, "part": part}),
        ("response.output_item.done", {"output_index": 0, "item": item}),
        ("response.completed", {"response": whole}),
    ]
    return events(*((kind, {"type": kind, "sequence_number": n, **data}) for n, (kind, data) in enumerate(told)))


def embeddings(body: dict[str, Any]) -> Reply:
    inputs = body["input"] if isinstance(body["input"], list) else [body["input"]]
    vectors: list[Any] = [[len(text) / 64, -0.25] for text in inputs]
    if body.get("encoding_format") == "base64":
        vectors = [base64.b64encode(struct.pack("<2f", *vector)).decode() for vector in vectors]
    data = [{"object": "embedding", "index": n, "embedding": vector} for n, vector in enumerate(vectors)]
    usage = {"prompt_tokens": 3, "total_tokens": 3}
    return json_reply({"object": "list", "model": body["model"], "data": data, "usage": usage}, headers=PRIVATE)


# --- Anthropic ------------------------------------------------------------------------------------------


def messages(body: dict[str, Any]) -> Reply:
    text = said(body["messages"][-1]["content"])
    whole = {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "model": body["model"],
        "content": [{"type": "text", "text": text}],
        "stop_reason": "end_turn",
        "stop_sequence": None,
        "usage": {"input_tokens": 3, "output_tokens": 4},
    }
    if not body.get("stream"):
        return json_reply(whole, headers=PRIVATE)
    begun = {**whole, "content": [], "stop_reason": None, "usage": {"input_tokens": 3, "output_tokens": 1}}
    first, second = halves(text)
    told: list[dict[str, Any]] = [
        {"type": "message_start", "message": begun},
        {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
        {"type": "ping"},
        {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": first}},
        {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": second}},
        {"type": "content_block_stop", "index": 0},
        {
            "type": "message_delta",
            "delta": {"stop_reason": "end_turn", "stop_sequence": None},
            "usage": {"output_tokens": 4},
        },
        {"type": "message_stop"},
    ]
    return events(*((event["type"], event) for event in told))


# --- Ollama ---------------------------------------------------------------------------------------------


def ollama_chat(body: dict[str, Any]) -> Reply:
    text = said(body["messages"][-1]["content"])
    shared = {"model": body["model"], "created_at": "2026-01-02T03:04:05.678Z"}
    end = {"done": True, "done_reason": "stop", "eval_count": 4, "prompt_eval_count": 3, "total_duration": 5}
    if body.get("stream") is False:
        return json_reply({**shared, "message": {"role": "assistant", "content": text}, **end}, headers=PRIVATE)
    lines = [
        *({**shared, "message": {"role": "assistant", "content": half}, "done": False} for half in halves(text)),
        {**shared, "message": {"role": "assistant", "content": ""}, **end},
    ]
    return stream([json.dumps(line, ensure_ascii=False).encode() + b"\n" for line in lines], "application/x-ndjson")


def ollama_embed(body: dict[str, Any]) -> Reply:
    return json_reply({"model": body["model"], "embeddings": [[len(body["input"]) / 64, -0.25]]}, headers=PRIVATE)


def ollama_tags(body: dict[str, Any]) -> Reply:
    return json_reply({"models": [{"model": "llama3", "size": 7, "digest": "d"}]}, headers=PRIVATE)


# --- fixtures -------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def provider() -> Callable[[], AbstractContextManager[Provider]]:
    """Makes a provider that runs for the time of a block."""
    return Provider


@pytest.fixture(scope="module")
def command() -> Callable[..., AbstractContextManager[str]]:
    """Runs `llmmock ARGUMENTS --port 0` for the time of a block; gives the address that it serves."""
    return _serving


@contextmanager
def _serving(*arguments: object) -> Iterator[str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("LLMMOCK_", "OPENAI_"))}
    process = subprocess.Popen(
        [sys.executable, "-m", "pytest_llmmock", *map(str, arguments), "--port", "0"],
        env={**kept, "PYTHONUTF8": "1", "PYTHONUNBUFFERED": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    first_line = process.stdout.readline()
    try:
        assert " on http://" in first_line, first_line
        yield first_line.strip().rpartition(" on ")[2]
    finally:
        process.terminate()
        _, err = process.communicate(timeout=30)
    assert process.returncode == 0, err
