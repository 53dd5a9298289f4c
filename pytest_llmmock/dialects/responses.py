"""Responses, OpenAI's protocol of typed items.

The shapes of requests are those of `openai.types.responses.ResponseCreateParams` and `ResponseInputItemParam`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from ..core.json_text import compact
from ..core.model import Reply, Request
from ..core.prompt import Answer, Message, Part, Prompt, ToolCall
from . import openai_shapes as shapes
from . import responses_conversion
from . import responses_events as events
from . import responses_items as items
from . import responses_stream as stream
from .fields import mapping, objects, read_values, text, write_events, write_json

write_error = shapes.write_error
write_failure = events.write_failure
convert = responses_conversion.convert

_READ = ("model", "input", "instructions", "tools", "stream")
_PARTS = {"image": "input_image", "audio": "input_audio", "file": "input_file"}
_OUTPUTS = ("function_call_output", "custom_tool_call_output")


# --- requests, in ---------------------------------------------------------------------------------------


def read_request(request: Request) -> Prompt:
    """`ResponseCreateParams`; the instructions are a message of the system, before all others."""
    body = mapping(request.json())
    instructions = text(body.get("instructions"))
    before = [Message("system", instructions)] if instructions else []
    return Prompt(
        model=text(body.get("model")),
        messages=(*before, *_messages(body.get("input"))),
        tools=shapes.read_tools(body.get("tools")),
        stream=body.get("stream") is True,
        options={key: value for key, value in body.items() if key not in _READ},
    )


def _messages(value: object) -> list[Message]:
    """The input's items as messages. Calls join the assistant's message before them: it is one turn."""
    if isinstance(value, str):
        return [Message("user", value)]
    messages: list[Message] = []
    for item in objects(value):
        message = _message(item)
        if message and message.tool_calls and messages and messages[-1].role == "assistant":
            messages[-1] = _joined(messages[-1], message)
        elif message:
            messages.append(message)
    return messages


def _joined(said: Message, calls: Message) -> Message:
    return Message(said.role, said.text, said.parts, (*said.tool_calls, *calls.tool_calls))


def _message(item: dict[str, Any]) -> Message | None:
    """One item as a message. What is no message, call or result of a call keeps its type as role."""
    kind = text(item.get("type"))
    if kind in items.CALLS:
        return Message("assistant", tool_calls=(ToolCall(*items.called(item)),))
    if kind in _OUTPUTS:
        words, parts = shapes.read_content(item.get("output"))
        return Message("tool", words, parts, tool_call_id=text(item.get("call_id")))
    if kind in ("", "message") and isinstance(item.get("role"), str):
        words, parts = shapes.read_content(item.get("content"))
        return Message(item["role"], words, parts)
    kind = kind or ("item_reference" if "id" in item else "")
    return Message(kind, parts=(Part(kind, data=item),)) if kind else None


# --- requests, out --------------------------------------------------------------------------------------


def write_request(prompt: Prompt) -> bytes:
    body: dict[str, Any] = {"model": prompt.model} if prompt.model else {}
    messages = prompt.messages
    if messages and messages[0].text and messages[0] == Message("system", messages[0].text):
        body["instructions"], messages = messages[0].text, messages[1:]
    body["input"] = write_items(messages)
    if prompt.tools:
        body["tools"] = [items.write_tool(tool) for tool in prompt.tools]
    if prompt.stream:
        body["stream"] = True
    return compact({**body, **prompt.options}).encode()


def write_items(messages: Iterable[Message]) -> list[dict[str, Any]]:
    """Messages as items of an input."""
    return [item for message in messages for item in _items(message)]


def _items(message: Message) -> Iterator[dict[str, Any]]:
    """A message as items: its words first, then each of its calls."""
    if _is_item(message):
        yield mapping(message.parts[0].data)
    elif message.role == "tool":
        output = _content(message, "input_text") if message.parts else message.text
        yield {"type": "function_call_output", "call_id": message.tool_call_id, "output": output}
    elif message.text or message.parts or not message.tool_calls:
        kind = "output_text" if message.role == "assistant" else "input_text"
        yield {"type": "message", "role": message.role, "content": _content(message, kind)}
    for call in message.tool_calls:
        yield items.write_call(call)


def _is_item(message: Message) -> bool:
    """Whether this is something else than a message, kept as it came."""
    return len(message.parts) == 1 and message.parts[0].kind == message.role and bool(mapping(message.parts[0].data))


def _content(message: Message, kind: str) -> list[Any]:
    words = [{"type": kind, "text": message.text}] if message.text else []
    return [*words, *(_part(part) for part in message.parts)]


def _part(part: Part) -> Any:
    """The part as it was, unless another protocol wrote it."""
    data, kind = mapping(part.data), _PARTS.get(part.kind, part.kind)
    if data and data.get("type") == kind:
        return data
    if kind == "input_image":
        detail = mapping(data.get("image_url")).get("detail", "auto")
        return {"type": kind, "image_url": part.url, "detail": detail}
    if kind == "input_audio":
        return {"type": kind, "input_audio": shapes.sound_of(part.url)}
    return _file(part) if kind == "input_file" else data or {"type": kind}


def _file(part: Part) -> dict[str, Any]:
    inner = mapping(mapping(part.data).get("file"))
    named: dict[str, Any] = {key: inner[key] for key in ("file_id", "filename") if key in inner}
    place = "file_data" if part.url.startswith("data:") or inner else "file_url"
    return {"type": "input_file", **named, **({place: part.url} if part.url else {})}


# --- replies --------------------------------------------------------------------------------------------


def read_reply(reply: Reply) -> Answer:
    """`openai.types.responses.Response`, or a run of `ResponseStreamEvent`."""
    values = read_values(reply)
    refused = shapes.read_refusal(reply, values)
    if refused:
        return Answer((refused,))
    if len(values) == 1 and "output" in mapping(values[0]):
        return items.read_response(values[0])
    return stream.read_events(objects(values)) if values else Answer()


def write_reply(prompt: Prompt, answer: Answer) -> Reply:
    """`Response`, or when the prompt asks for a stream the typed events that lead to it."""
    groups = items.output_of(prompt, answer)
    response = items.write_response(prompt, answer, [group.item() for group in groups])
    if prompt.stream:
        return write_events(list(events.write_events(response, lambda index, _: groups[index].pieces)))
    return write_json(response)
