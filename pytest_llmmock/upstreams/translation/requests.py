"""What a client asks, as a request of Responses: `openai.types.responses.ResponseCreateParams`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from ...core.model import Exchange
from ...dialects.fields import mapping
from ...errors import TranslationError
from .chat_requests import translate as translate_chat
from .completion_requests import translate as translate_completion
from .message_requests import translate as translate_message
from .notes import Notes
from .ollama_requests import translate_chat as translate_ollama_chat
from .ollama_requests import translate_prompt as translate_ollama_prompt

Value = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Translated:
    """A request of Responses, and what a reader of the journal should know about it."""

    body: Value
    notes: list[str] = field(default_factory=list)


def as_responses(exchange: Exchange) -> Translated:
    """The same request in Responses, streamed. Raises `TranslationError` where it cannot be said there."""
    translate = _BY_OPERATION.get(exchange.operation)
    if translate is None:
        known = ", ".join(_BY_OPERATION)
        raise TranslationError(
            f"This upstream speaks Responses only, and {exchange.request.method} {exchange.request.path} cannot be "
            f"translated. What can be: {known}. Record this with another upstream."
        )
    notes = Notes()
    body = translate(mapping(exchange.json), notes)
    return Translated({**body, "stream": True, "store": False}, notes.lines("Responses"))


def _responses(body: Value, notes: Notes) -> Value:
    """A request of Responses stays as it is, but for a text, which some backends do not take for an input."""
    words = body.get("input")
    if not isinstance(words, str):
        return body
    return {**body, "input": [{"type": "message", "role": "user", "content": [{"type": "input_text", "text": words}]}]}


_BY_OPERATION: dict[str, Callable[[Value, Notes], Value]] = {
    "responses": _responses,
    "chat": translate_chat,
    "completions": translate_completion,
    "messages": translate_message,
    "ollama.chat": translate_ollama_chat,
    "ollama.generate": translate_ollama_prompt,
}
