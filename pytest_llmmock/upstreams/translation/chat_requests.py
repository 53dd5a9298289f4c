"""Requests of Chat Completions: `openai.types.chat.CompletionCreateParams`."""

from __future__ import annotations

from typing import Any

from ...dialects.fields import argument_text, mapping, objects, text
from ...errors import TranslationError
from . import options, parts, tools
from .conversation import Conversation
from .notes import Notes

Value = dict[str, Any]

TOOLS = ("tools", "functions", "tool_choice", "function_call", "responses_tools", "responses_tool_choice")

_KNOWN = {
    *options.KEPT,
    *TOOLS,
    "model",
    "messages",
    "prompt",
    "input",
    "stream",
    "stream_options",
    "n",
    "max_tokens",
    "max_completion_tokens",
    "response_format",
    "verbosity",
    "reasoning",
    "reasoning_effort",
    "web_search_options",
    "fast_mode",
    "logprobs",
    "top_logprobs",
}

_THOUGHTS = ("reasoning_content", "reasoning", "reasoning_details", "thinking")


def translate(body: Value, notes: Notes) -> Value:
    """Raises `TranslationError`."""
    options.refuse_many(body, "n")
    talk = Conversation(notes)
    for number, message in enumerate(_messages(body)):
        _speak(talk, number, message, notes)
    if body.get("modalities") == ["text"]:
        body = {name: value for name, value in body.items() if name != "modalities"}
    options.leave_out(body, _KNOWN, notes)
    return {
        **write_talk(body, talk),
        **write_tools(body),
        **options.write_kept(body),
        **options.write_longest(body.get("max_completion_tokens"), body.get("max_tokens")),
        **options.write_reasoning(body),
        **options.write_logprobs(body),
        **_text(body),
    }


def write_talk(body: Value, talk: Conversation) -> Value:
    instructions = {"instructions": talk.instructions} if talk.instructions else {}
    return {"model": text(body.get("model")), **instructions, "input": talk.items}


def write_tools(body: Value) -> Value:
    found, choice = tools.write_tools(body), tools.write_choice(body)
    return {**({"tools": found} if found else {}), **({} if choice is None else {"tool_choice": choice})}


def _text(body: Value) -> Value:
    """How the words are to be: as JSON, how many."""
    form, verbosity = tools.write_format(body.get("response_format")), body.get("verbosity")
    said = {**({"format": form} if form else {}), **({"verbosity": verbosity} if verbosity else {})}
    return {"text": said} if said else {}


# --- messages -------------------------------------------------------------------------------------------


def _messages(body: Value) -> list[Value]:
    """The conversation; some clients send a text instead. Raises `TranslationError`."""
    messages = body.get("messages")
    if isinstance(messages, list):
        return objects(messages)
    said = next((words for name in ("prompt", "input") if (words := text(body.get(name)))), "")
    if messages is not None or not said:
        raise TranslationError("A request of Chat Completions has a list 'messages'. This one has none.")
    return [{"role": "user", "content": said}]


def _speak(talk: Conversation, number: int, message: Value, notes: Notes) -> None:
    role, content = text(message.get("role")), message.get("content")
    if message.get("name") and role not in ("tool", "function"):
        notes.leave_out("name of a message")
    if role in ("system", "developer"):
        talk.instruct(parts.read_words(content))
    elif role in ("tool", "function"):
        result = parts.read_result(content, notes)
        talk.answer(result, text(message.get("tool_call_id")), text(message.get("name")))
    elif role == "assistant":
        _answered(talk, message, notes)
    elif role == "user":
        talk.say("user", parts.read_input(content, notes))
    else:
        raise TranslationError(
            f"The role of messages[{number}] is {role!r}. It has to be system, developer, user, assistant or tool."
        )


def _answered(talk: Conversation, message: Value, notes: Notes) -> None:
    """What the model said: its words first, then its calls."""
    for name in (*_THOUGHTS, "audio"):
        if message.get(name):
            notes.leave_out(f"{name} in a message of the assistant")
    refusal = text(message.get("refusal"))
    refused: list[Value] = [{"type": "refusal", "refusal": refusal}] if refusal else []
    talk.say("assistant", [*parts.read_output(message.get("content"), notes), *refused])
    for call in [*objects(message.get("tool_calls")), *_older_call(message)]:
        custom = mapping(call.get("custom"))
        inner = custom or mapping(call.get("function"))
        arguments = argument_text(inner.get("input") if custom else inner.get("arguments"))
        talk.call(text(inner.get("name")), arguments, text(call.get("id")), custom=bool(custom))


def _older_call(message: Value) -> list[Value]:
    """The one call of the time before tools."""
    call = mapping(message.get("function_call"))
    return [{"function": call}] if call else []
