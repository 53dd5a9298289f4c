"""Requests as clients send them, and what the contract says about them."""

from __future__ import annotations

import json
from typing import Any

from pytest_llmmock import dialects
from pytest_llmmock.contract.checks import check
from pytest_llmmock.core.model import Exchange, Request
from pytest_llmmock.core.violation import Violation

PLACES = {
    "chat": "https://api.openai.com/v1/chat/completions",
    "completions": "https://api.openai.com/v1/completions",
    "responses": "https://api.openai.com/v1/responses",
    "embeddings": "https://api.openai.com/v1/embeddings",
    "images": "https://api.openai.com/v1/images/generations",
    "audio.speech": "https://api.openai.com/v1/audio/speech",
    "messages": "https://api.anthropic.com/v1/messages",
    "messages.count_tokens": "https://api.anthropic.com/v1/messages/count_tokens",
    "ollama.chat": "http://localhost:11434/api/chat",
    "ollama.generate": "http://localhost:11434/api/generate",
}

LEAST: dict[str, dict[str, Any]] = {
    "chat": {"model": "gpt-4o", "messages": [{"role": "user", "content": "hello"}]},
    "completions": {"model": "gpt-3.5-turbo-instruct", "prompt": "hello"},
    "responses": {"model": "gpt-4o", "input": "hello"},
    "embeddings": {"model": "text-embedding-3-small", "input": "hello"},
    "images": {"prompt": "a cat"},
    "audio.speech": {"model": "tts-1", "input": "hello", "voice": "alloy"},
    "messages": {"model": "claude-sonnet-5", "max_tokens": 5, "messages": [{"role": "user", "content": "hello"}]},
    "messages.count_tokens": {"model": "claude-sonnet-5", "messages": [{"role": "user", "content": "hello"}]},
    "ollama.chat": {"model": "llama3", "messages": [{"role": "user", "content": "hello"}]},
    "ollama.generate": {"model": "llama3", "prompt": "hello"},
}
"""What each API takes, and no more than it needs."""

CALL = {"id": "c1", "type": "function", "function": {"name": "look", "arguments": "{}"}}
"""A tool call of Chat Completions."""


def sent(operation: str, body: object, *, headers: tuple[tuple[str, str], ...] = (), **more: Any) -> Exchange:
    """A request to the API of an operation."""
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    scheme, _, rest = more.pop("url", PLACES.get(operation, "")).partition("://")
    host, _, path = rest.partition("/")
    given = dict(headers)
    given.setdefault("content-type", "application/json")
    return dialects.read(Request("POST", f"{scheme}://{host}", f"/{path}", "", tuple(given.items()), content, **more))


def violations(operation: str, **body: Any) -> list[Violation]:
    """What is said of the least request with these parameters; None takes one away."""
    whole = {name: value for name, value in {**LEAST[operation], **body}.items() if value is not GONE}
    return check(sent(operation, whole), "", print)


def told(operation: str, **body: Any) -> list[str]:
    """In words; hints begin so."""
    return [("" if each.refused else "hint: ") + each.message for each in violations(operation, **body)]


GONE = object()
"""Takes a parameter away."""
