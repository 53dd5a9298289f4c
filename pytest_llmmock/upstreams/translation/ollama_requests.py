"""Requests of Ollama, a conversation or a prompt: `ollama._types.ChatRequest` and `GenerateRequest`."""

from __future__ import annotations

from typing import Any

from ...dialects import ollama
from ...dialects.fields import argument_text, listing, mapping, objects, text
from ...errors import TranslationError
from . import options, parts
from .chat_requests import TOOLS, write_talk, write_tools
from .conversation import Conversation
from .notes import Notes

Value = dict[str, Any]

_OF_OPTIONS = ("num_predict", "temperature", "top_p")
_KNOWN = {"model", "stream", "options", "think", "format", "images", "keep_alive"}


def translate_chat(body: Value, notes: Notes) -> Value:
    """Raises `TranslationError`."""
    messages = objects(body.get("messages"))
    if not messages:
        raise TranslationError("A request to /api/chat has a list 'messages' that is not empty. This one has none.")
    talk = Conversation(notes, "ollama_call_{}")
    last = max((n for n, message in enumerate(messages) if message.get("role") == "user"), default=-1)
    for number, message in enumerate(messages):
        _speak(talk, message, [*_images(message), *(_images(body) if number == last else [])], notes)
    options.leave_out(body, {*_KNOWN, *TOOLS, *options.KEPT, "messages"}, notes)
    return {**write_talk(body, talk), **write_tools(body), **_settings(body, notes)}


def translate_prompt(body: Value, notes: Notes) -> Value:
    """Raises `TranslationError`."""
    talk = Conversation(notes)
    words, images = text(body.get("prompt")), _images(body)
    if not words and not images:
        raise TranslationError("A request to /api/generate has a text 'prompt'. This one has none.")
    talk.instruct(text(body.get("system")))
    talk.say("user", [*parts.read_input(words, notes), *images])
    options.leave_out(body, {*_KNOWN, "prompt", "system"}, notes)
    return {**write_talk(body, talk), **_settings(body, notes)}


def _speak(talk: Conversation, message: Value, images: list[Value], notes: Notes) -> None:
    role, words = text(message.get("role")), message.get("content")
    if message.get("thinking"):
        notes.leave_out("thinking in a message of the assistant")
    if role in ("system", "developer"):
        talk.instruct(text(words))
    elif role == "tool":
        result = parts.read_result(words, notes)
        talk.answer(result, text(message.get("tool_call_id")), text(message.get("tool_name") or message.get("name")))
    elif role == "assistant":
        talk.say("assistant", parts.read_output(words, notes))
        for call in objects(message.get("tool_calls")):
            inner = mapping(call.get("function"))
            talk.call(text(inner.get("name")), argument_text(inner.get("arguments")), text(call.get("id")))
    else:
        talk.say("user", [*parts.read_input(words, notes), *images])


def _images(said: Value) -> list[Value]:
    """Pictures in Base64; addresses and data URLs are taken too."""
    images = listing(said.get("images"))
    named = [url for url in images if isinstance(url, str) and url.startswith(("data:", "http"))]
    packed = {"images": [image for image in images if image not in named]}
    found = [part.url.replace("data:image/*;", "data:image/png;") for part in ollama.read_images(packed)]
    return [parts.write_image(url) for url in [*named, *found]]


def _settings(body: Value, notes: Notes) -> Value:
    given = mapping(body.get("options"))
    options.leave_out(given, _OF_OPTIONS, notes)
    return {
        **options.write_kept({**body, **given}),
        **options.write_longest(given.get("num_predict")),
        **_thinking(body.get("think")),
        **_format(body.get("format")),
    }


def _thinking(think: object) -> Value:
    """Thoughts are shown as a summary, to who wants to see them."""
    if isinstance(think, str) and think:
        return {"reasoning": {"effort": think, "summary": "auto"}}
    return {"reasoning": {"summary": "auto"}} if think is True else {}


def _format(asked: object) -> Value:
    if asked == "json":
        return {"text": {"format": {"type": "json_object"}}}
    if isinstance(asked, dict) and asked:
        return {"text": {"format": {"type": "json_schema", "name": "answer", "schema": asked, "strict": False}}}
    return {}
