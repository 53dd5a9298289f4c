"""Requests of Anthropic's Messages: `anthropic.types.MessageCreateParams`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ...dialects.fields import argument_text, listing, mapping, objects, text
from . import options, parts, tools
from .chat_requests import write_talk
from .conversation import Conversation
from .notes import Notes

Value = dict[str, Any]

_KEPT = ("temperature", "top_p")
_KNOWN = {
    *_KEPT,
    "model",
    "messages",
    "system",
    "max_tokens",
    "tools",
    "tool_choice",
    "thinking",
    "output_config",
    "output_format",
    "stream",
    "cache_control",
}
_CHOICES = {"auto": "auto", "any": "required", "none": "none"}


def translate(body: Value, notes: Notes) -> Value:
    """Raises `TranslationError`."""
    talk = Conversation(notes)
    talk.instruct(parts.read_words(body.get("system")))
    for message in objects(body.get("messages")):
        _speak(talk, message, notes)
    options.leave_out(body, _KNOWN, notes)
    return {
        **write_talk(body, talk),
        **_tools(body, notes),
        **{name: body[name] for name in _KEPT if body.get(name) is not None},
        **options.write_longest(body.get("max_tokens")),
        **_thinking(body),
        **_format(body),
    }


# --- messages -------------------------------------------------------------------------------------------


def _speak(talk: Conversation, message: Value, notes: Notes) -> None:
    """A turn: the results of tools stand before what else the user says, calls behind the words."""
    blocks = list(_blocks(message.get("content")))
    rest = [block for block in blocks if block.get("type") not in ("tool_result", "tool_use")]
    for block in blocks:
        if block.get("type") == "tool_result":
            talk.answer(_result(block, notes), text(block.get("tool_use_id")))
    if message.get("role") == "assistant":
        talk.say("assistant", parts.read_output(rest, notes))
    else:
        talk.say("user", _content(rest, notes))
    for block in blocks:
        if block.get("type") == "tool_use":
            talk.call(text(block.get("name")), argument_text(block.get("input")), text(block.get("id")))


def _blocks(content: object) -> Iterator[Value]:
    if isinstance(content, str):
        yield {"type": "text", "text": content}
    yield from objects(content)


def _result(block: Value, notes: Notes) -> str | list[Value]:
    """What a tool has found. There is no place to say that it failed but the words."""
    if block.get("is_error") is True:
        notes.leave_out("is_error")
    return parts.read_result([_part(each) for each in _blocks(block.get("content"))], notes)


def _content(blocks: list[Value], notes: Notes) -> list[Value]:
    return parts.read_input([_part(block) for block in blocks], notes)


def _part(block: Value) -> Value:
    """A block, as Responses has it."""
    source = mapping(block.get("source"))
    packed, url = source.get("type") == "base64", text(source.get("url"))
    if packed:
        url = f"data:{text(source.get('media_type'))};base64,{text(source.get('data'))}"
    if block.get("type") == "image" and url:
        return parts.write_image(url)
    if block.get("type") == "document" and url:
        named = {"filename": text(block.get("title")) or "document.pdf"} if packed else {}
        return {"type": "input_file", **named, "file_data" if packed else "file_url": url}
    if block.get("type") == "document" and source.get("type") == "text":
        return {"type": "text", "text": text(source.get("data"))}
    return block


# --- settings -------------------------------------------------------------------------------------------


def _tools(body: Value, notes: Notes) -> Value:
    found = [tool for each in objects(body.get("tools")) if (tool := _tool(each, notes))]
    choice = mapping(body.get("tool_choice"))
    chosen: Any = _CHOICES.get(text(choice.get("type")))
    if choice.get("type") == "tool":
        chosen = {"type": "function", "name": text(choice.get("name"))}
    alone = {"parallel_tool_calls": False} if choice.get("disable_parallel_tool_use") is True else {}
    return {**({"tools": found} if found else {}), **({"tool_choice": chosen} if chosen else {}), **alone}


def _tool(tool: Value, notes: Notes) -> Value | None:
    """A tool of the client's, or a search; what else Anthropic runs has no place."""
    kind = text(tool.get("type"))
    if kind in ("", "custom"):
        return tools.write_function(
            tool.get("name"), tool.get("description"), tool.get("input_schema"), tool.get("strict")
        )
    if kind.startswith("web_search"):
        return _search(tool, notes)
    notes.leave_out(kind)
    return None


def _search(tool: Value, notes: Notes) -> Value:
    """A search, near a place and at some hosts where this is said."""
    for name in ("max_uses", "blocked_domains"):
        if tool.get(name):
            notes.leave_out(f"{name} of {text(tool.get('type'))}")
    near = mapping(tool.get("user_location"))
    hosts = listing(tool.get("allowed_domains"))
    found = {"user_location": near} if near else {}
    return {"type": "web_search", **found, **({"filters": {"allowed_domains": hosts}} if hosts else {})}


def _thinking(body: Value) -> Value:
    effort = text(mapping(body.get("output_config")).get("effort"))
    shown = mapping(body.get("thinking")).get("type") in ("enabled", "adaptive")
    said = {**({"effort": effort} if effort else {}), **({"summary": "auto"} if shown else {})}
    return {"reasoning": said} if said else {}


def _format(body: Value) -> Value:
    asked = mapping(body.get("output_format")) or mapping(mapping(body.get("output_config")).get("format"))
    if not isinstance(asked.get("schema"), dict):
        return {}
    return {"text": {"format": {"type": "json_schema", "name": "answer", "schema": asked["schema"], "strict": True}}}
