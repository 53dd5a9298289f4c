"""Recordings made by hand, to be held against other answers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from provider import completion

from pytest_llmmock.cassettes import library
from pytest_llmmock.cassettes.cassette import Interaction, Recorded
from pytest_llmmock.core.json_text import compact
from pytest_llmmock.core.model import Reply, Request, frames_of, json_reply
from pytest_llmmock.core.sse import write_event

CHAT = "/v1/chat/completions"
RESPONSES = "/v1/responses"
MESSAGES = "/v1/messages"


def request(path: str, body: Any = None, method: str = "", **headers: str) -> Request:
    content = b"" if body is None else compact(body).encode()
    told = (("content-type", "application/json"), *headers.items()) if content else tuple(headers.items())
    return Request(method or ("POST" if content else "GET"), "https://api.openai.com", path, "", told, content)


def chat(words: str = "hello", **more: Any) -> Request:
    return request(CHAT, {"model": "m", "messages": [{"role": "user", "content": words}], **more})


def stream(*events: Any) -> Reply:
    """Events that name their type are told by it as well."""
    written = [write_event(e, e["type"] if isinstance(e, dict) and "type" in e else "") for e in events]
    return Reply(200, (("content-type", "text/event-stream"),), frames_of(b"".join(written)))


def said(words: str | None = "hello", **more: Any) -> dict[str, Any]:
    """A completion with all that one has."""
    value = {**completion(words), "usage": {"prompt_tokens": 3, "completion_tokens": 4, "total_tokens": 7}}
    value["choices"][0]["message"]["refusal"] = None
    value["choices"][0]["logprobs"] = None
    return {**value, "system_fingerprint": "fp_1", "service_tier": "default", **more}


def calling(*calls: tuple[str, str], finish: str = "tool_calls") -> dict[str, Any]:
    """A completion that calls tools."""
    value = said(None)
    told = [
        {"id": f"call_{name}{number}", "type": "function", "function": {"name": name, "arguments": arguments}}
        for number, (name, arguments) in enumerate(calls)
    ]
    value["choices"][0]["message"]["tool_calls"] = told
    value["choices"][0]["finish_reason"] = finish
    return value


def tape(path: Path, *pairs: tuple[Request, Reply | dict[str, Any]], upstream: str = "openai") -> Path:
    """A cassette with these interactions."""
    meta = {"upstream": upstream, "recorded": "2026-11-20T10:00:00.000Z"}
    interactions = [
        Interaction.of(Recorded(asked, json_reply(answered) if isinstance(answered, dict) else answered, meta))
        for asked, answered in pairs
    ]
    library.save(path, interactions)
    return path
