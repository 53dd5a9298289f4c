"""Chat Completions, as OpenAI and nearly everybody else speaks it.

The shapes of requests are those of `openai.types.chat.CompletionCreateParams`.
"""

from __future__ import annotations

from typing import Any

from ..core.json_text import compact
from ..core.model import Reply, Request
from ..core.prompt import Message, Part, Prompt, Tool, ToolCall
from . import chat_answers, chat_chunks
from . import openai_shapes as shapes
from .fields import mapping, objects, text

read_reply = chat_answers.read_reply
write_reply = chat_answers.write_reply
write_error = shapes.write_error
write_failure = shapes.write_failure

_READ = ("model", "messages", "tools", "stream")


def read_request(request: Request) -> Prompt:
    """`openai.types.chat.CompletionCreateParams`"""
    return read_body(request.json())


def convert(prompt: Prompt, reply: Reply) -> Reply | None:
    """See `Dialect`. Loaded when it is needed: nearly all answers are wanted as they were recorded."""
    from .chat_conversion import convert

    return convert(prompt, reply)


def read_body(value: object) -> Prompt:
    body = mapping(value)
    return Prompt(
        model=text(body.get("model")),
        messages=tuple(read_message(message) for message in objects(body.get("messages"))),
        tools=shapes.read_tools(body.get("tools")),
        stream=body.get("stream") is True,
        options={key: value for key, value in body.items() if key not in _READ},
    )


def read_message(message: dict[str, Any]) -> Message:
    words, parts = shapes.read_content(message.get("content"))
    calls = objects(message.get("tool_calls")) or chat_answers.legacy_call(message)
    return Message(
        role=text(message.get("role")),
        text=words,
        parts=parts,
        tool_calls=tuple(ToolCall(*chat_answers.called(call)) for call in calls),
        tool_call_id=text(message.get("tool_call_id")),
        name=text(message.get("name")),
    )


def write_request(prompt: Prompt) -> bytes:
    body: dict[str, Any] = {"model": prompt.model} if prompt.model else {}
    body["messages"] = [_message(message) for message in prompt.messages]
    if prompt.tools:
        body["tools"] = [_tool(tool) for tool in prompt.tools]
    if prompt.stream:
        body["stream"] = True
    return compact({**body, **prompt.options}).encode()


def _message(message: Message) -> dict[str, Any]:
    written: dict[str, Any] = {"role": message.role, "content": _content(message)}
    if message.tool_calls:
        calls = message.tool_calls
        written["tool_calls"] = [
            chat_chunks.write_call(call.id, call.name, call.arguments, call.kind) for call in calls
        ]
    if message.tool_call_id:
        written["tool_call_id"] = message.tool_call_id
    if message.name:
        written["name"] = message.name
    return written


def _content(message: Message) -> Any:
    if message.parts:
        words = [{"type": "text", "text": message.text}] if message.text else []
        return [*words, *(_part(part) for part in message.parts)]
    return None if message.tool_calls and not message.text else message.text


def _part(part: Part) -> Any:
    """The part as it was, unless another protocol wrote it."""
    data = mapping(part.data)
    if part.kind == "image" and data.get("type") != "image_url":
        return {"type": "image_url", "image_url": {"url": part.url}}
    if part.kind == "audio" and data.get("type") != "input_audio":
        return {"type": "input_audio", "input_audio": shapes.sound_of(part.url)}
    if part.kind == "file" and data.get("type") != "file":
        named = {key: data[key] for key in ("file_id", "filename") if key in data}
        return {"type": "file", "file": {**named, **({"file_data": part.url} if part.url else {})}}
    return data or {"type": part.kind}


def _tool(tool: Tool) -> dict[str, Any]:
    if tool.kind in ("function", "custom"):
        return {"type": tool.kind, tool.kind: shapes.write_tool(tool)}
    return {"type": tool.kind, **shapes.write_tool(tool)}
