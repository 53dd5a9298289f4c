"""Ollama's conversations.

The shape of requests is `ollama._types.ChatRequest`; what is asked for is streamed unless it says otherwise.
"""

from __future__ import annotations

from typing import Any

from ..core.json_text import compact
from ..core.model import Reply, Request
from ..core.prompt import Answer, Message, Part, Prompt, Tool, ToolCall
from . import chat_answers
from . import ollama_answers as answers
from . import openai_shapes as shapes
from .fields import argument_object, listing, mapping, objects, text
from .ollama_lines import CHAT

read_reply = answers.read_reply
write_error = answers.write_error
write_failure = answers.write_failure
convert = answers.convert

_READ = ("model", "messages", "tools", "stream")
_SIGNS = {"iVBOR": "png", "/9j/": "jpeg", "R0lGOD": "gif", "UklGR": "webp"}
"""How the Base64 of pictures begins."""

# --- requests, in ---------------------------------------------------------------------------------------


def read_request(request: Request) -> Prompt:
    """`ChatRequest`"""
    body = mapping(request.json())
    return Prompt(
        model=text(body.get("model")),
        messages=tuple(_read_message(message) for message in objects(body.get("messages"))),
        tools=shapes.read_tools(body.get("tools")),
        stream=asks_for_stream(body),
        options={key: value for key, value in body.items() if key not in _READ},
    )


def asks_for_stream(body: dict[str, Any]) -> bool:
    return body.get("stream") is not False


def _read_message(message: dict[str, Any]) -> Message:
    thinking = text(message.get("thinking"))
    thoughts = [Part("thinking", data={"type": "thinking", "thinking": thinking})] if thinking else []
    return Message(
        role=text(message.get("role")),
        text=text(message.get("content")),
        parts=(*thoughts, *read_images(message)),
        tool_calls=tuple(ToolCall(*chat_answers.called(call)) for call in objects(message.get("tool_calls"))),
        tool_call_id=text(message.get("tool_call_id")),
        name=text(message.get("tool_name")),
    )


def read_images(said: dict[str, Any]) -> list[Part]:
    """Pictures are Base64 and nothing else; what they are is in how they begin."""
    images = [image for image in listing(said.get("images")) if isinstance(image, str)]
    kinds = [next((kind for sign, kind in _SIGNS.items() if image.startswith(sign)), "*") for image in images]
    return [
        Part("image", f"data:image/{kind};base64,{image}", image) for kind, image in zip(kinds, images, strict=True)
    ]


# --- requests, out --------------------------------------------------------------------------------------


def write_request(prompt: Prompt) -> bytes:
    body: dict[str, Any] = {"model": prompt.model} if prompt.model else {}
    body["messages"] = [_message(message) for message in prompt.messages]
    if prompt.tools:
        body["tools"] = [_tool(tool) for tool in prompt.tools]
    return compact({**body, "stream": prompt.stream, **prompt.options}).encode()


def _message(message: Message) -> dict[str, Any]:
    """A message; there are no parts but thoughts and pictures."""
    thoughts = [text(mapping(part.data).get("thinking")) for part in message.parts if part.kind == "thinking"]
    written: dict[str, Any] = {"role": message.role, "content": message.text}
    beside = {
        "thinking": "".join(thoughts),
        "images": write_images(message),
        "tool_calls": [_call(call) for call in message.tool_calls],
        "tool_name": message.name,
        "tool_call_id": message.tool_call_id,
    }
    return {**written, **{name: value for name, value in beside.items() if value}}


def write_images(message: Message) -> list[str]:
    """The pictures that a message holds itself; there is no place for addresses."""
    urls = [part.url for part in message.parts if part.kind == "image"]
    return [url.partition(",")[2] for url in urls if url.startswith("data:")]


def _call(call: ToolCall) -> dict[str, Any]:
    function = {"name": call.name, "arguments": argument_object(call.arguments)}
    return {**({"id": call.id} if call.id else {}), "function": function}


def _tool(tool: Tool) -> dict[str, Any]:
    fields = shapes.write_tool(tool)
    return {"type": tool.kind, **({"function": fields} if tool.kind == "function" else fields)}


# --- replies --------------------------------------------------------------------------------------------


def write_reply(prompt: Prompt, answer: Answer) -> Reply:
    """`ChatResponse`, or a run of them."""
    return answers.write_reply(CHAT, prompt, answer)
