"""Messages, Anthropic's protocol of blocks of content.

The shapes of requests are those of `anthropic.types.MessageCreateParams` and its beta form. What Chat Completions calls
a message of the role `tool` is here a block of the user's.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby
from typing import Any

from ..core.json_text import compact
from ..core.model import Reply, Request
from ..core.prompt import Message, Part, Prompt, Tool, ToolCall
from . import anthropic_answers as answers
from . import anthropic_errors as errors
from . import anthropic_stream as stream
from . import conversion
from .fields import argument_object, argument_text, mapping, objects, text

read_reply = answers.read_reply
write_reply = answers.write_reply
write_error = errors.write_error
write_failure = errors.write_failure

_READ = ("model", "messages", "system", "tools", "stream")
_KINDS = {"document": "file"}
_TYPES = {"image": "image", "file": "document"}
_ANY = {"type": "object"}
"""The schema of a tool without parameters, which here has to have one."""

# --- requests, in ---------------------------------------------------------------------------------------


def read_request(request: Request) -> Prompt:
    """`MessageCreateParams`; what `system` says is a message before all others."""
    body = mapping(request.json())
    system = _said("system", _blocks(body.get("system")))
    before = [system] if system.text or system.parts else []
    turns = [message for turn in objects(body.get("messages")) for message in _messages(turn)]
    return Prompt(
        model=text(body.get("model")),
        messages=(*before, *turns),
        tools=tuple(_read_tool(tool) for tool in objects(body.get("tools"))),
        stream=body.get("stream") is True,
        options={key: value for key, value in body.items() if key not in _READ},
    )


def _blocks(content: object) -> list[dict[str, Any]]:
    """Content as blocks, as which the API reads a text as well."""
    return [{"type": "text", "text": content}] if isinstance(content, str) else objects(content)


def _messages(turn: dict[str, Any]) -> Iterator[Message]:
    """One turn: each result of a tool that it holds is a message of its own, before what else it says."""
    blocks = _blocks(turn.get("content"))
    rest = [block for block in blocks if block.get("type") != "tool_result"]
    yield from (_result(block) for block in blocks if block.get("type") == "tool_result")
    if rest or not blocks:
        yield _said(text(turn.get("role")), rest)


def _result(block: dict[str, Any]) -> Message:
    said = _said("tool", _blocks(block.get("content")))
    failed = (Part("is_error", data=True),) if block.get("is_error") is True else ()
    return Message("tool", said.text, (*said.parts, *failed), tool_call_id=text(block.get("tool_use_id")))


def _said(role: str, blocks: list[dict[str, Any]]) -> Message:
    words = [text(block.get("text")) for block in blocks if _is_words(block)]
    calls = [block for block in blocks if block.get("type") == "tool_use"]
    parts = [block for block in blocks if block not in calls and not _is_words(block)]
    return Message(
        role,
        "\n".join(word for word in words if word),
        tuple(_read_part(part) for part in parts),
        tuple(ToolCall(text(c.get("name")), argument_text(c.get("input")), text(c.get("id"))) for c in calls),
    )


def _is_words(block: dict[str, Any]) -> bool:
    return str(block.get("type", "text")) == "text"


def _read_part(block: dict[str, Any]) -> Part:
    kind, source = text(block.get("type")), mapping(block.get("source"))
    url = text(source.get("url"))
    if source.get("type") == "base64":
        url = f"data:{text(source.get('media_type'))};base64,{text(source.get('data'))}"
    return Part(_KINDS.get(kind, kind), url, block)


def _read_tool(tool: dict[str, Any]) -> Tool:
    """A tool of the client's, or one that the API runs, which keeps its kind."""
    name, description, kind = (text(tool.get(key)) for key in ("name", "description", "type"))
    if kind in ("", "custom"):
        schema, strict = tool.get("input_schema"), tool.get("strict")
        return Tool(
            name, description, None if schema == _ANY else schema, strict=strict if isinstance(strict, bool) else None
        )
    rest = {key: value for key, value in tool.items() if key not in ("type", "name", "description")}
    return Tool(name, description, rest or None, kind)


# --- requests, out --------------------------------------------------------------------------------------


def write_request(prompt: Prompt) -> bytes:
    body: dict[str, Any] = {"model": prompt.model} if prompt.model else {}
    messages = prompt.messages
    if messages and messages[0].role == "system" and (messages[0].text or messages[0].parts):
        body["system"], messages = _content(messages[0]), messages[1:]
    body["messages"] = [turn for results, run in groupby(messages, _is_result) for turn in _turns(results, list(run))]
    if prompt.tools:
        body["tools"] = [_tool(tool) for tool in prompt.tools]
    if prompt.stream:
        body["stream"] = True
    return compact({**body, **prompt.options}).encode()


def _is_result(message: Message) -> bool:
    return message.role == "tool"


def _turns(results: bool, messages: list[Message]) -> list[dict[str, Any]]:
    """Messages as turns; the API wants the results of parallel calls in one."""
    if results:
        return [{"role": "user", "content": [_write_result(message) for message in messages]}]
    return [{"role": message.role, "content": _content(message)} for message in messages]


def _write_result(message: Message) -> dict[str, Any]:
    failed = any(part.kind == "is_error" for part in message.parts)
    said = Message("tool", message.text, tuple(part for part in message.parts if part.kind != "is_error"))
    written = {"type": "tool_result", "tool_use_id": message.tool_call_id, "content": _content(said)}
    return {**written, "is_error": True} if failed else written


def _content(message: Message) -> Any:
    """A text, or blocks: thoughts first, as the API wants it, and calls last."""
    if not message.parts and not message.tool_calls:
        return message.text
    thoughts = [part for part in message.parts if part.kind in ("thinking", "redacted_thinking")]
    others = [part for part in message.parts if part not in thoughts]
    words = [{"type": "text", "text": message.text}] if message.text else []
    return [*map(_part, thoughts), *words, *map(_part, others), *map(_call, message.tool_calls)]


def _part(part: Part) -> dict[str, Any]:
    """The part as it was, unless another protocol wrote it."""
    data, kind = mapping(part.data), _TYPES.get(part.kind, part.kind)
    if part.url and data.get("type") != kind and part.kind in _TYPES:
        return {"type": kind, "source": _source(part.url)}
    return data or {"type": kind}


def _source(url: str) -> dict[str, str]:
    head, comma, data = url.partition(",")
    if not (url.startswith("data:") and comma):
        return {"type": "url", "url": url}
    return {"type": "base64", "media_type": head.removeprefix("data:").partition(";")[0], "data": data}


def _call(call: ToolCall) -> dict[str, Any]:
    return {"type": "tool_use", "id": call.id, "name": call.name, "input": argument_object(call.arguments)}


def _tool(tool: Tool) -> dict[str, Any]:
    written: dict[str, Any] = {"description": tool.description} if tool.description else {}
    if tool.kind == "function":
        written |= {} if tool.strict is None else {"strict": tool.strict}
        return {"name": tool.name, **written, "input_schema": _ANY if tool.parameters is None else tool.parameters}
    named = {"name": tool.name} if tool.name else {}
    return {"type": tool.kind, **mapping(tool.parameters), **named, **written}


# --- replies, streamed and whole ------------------------------------------------------------------------


def convert(prompt: Prompt, reply: Reply) -> Reply | None:
    """The same answer as this prompt wants it, streamed or whole; None when it cannot be."""
    return conversion.convert(_FORM, prompt, reply)


def _gather(events: list[dict[str, Any]], done: bool) -> dict[str, Any] | None:
    told = stream.Told()
    for event in events:
        told.take(event)
    return told.message()


def _spread(prompt: Prompt, message: dict[str, Any]) -> Iterator[bytes]:
    return stream.write_message(message)


def _is_whole(message: dict[str, Any]) -> bool:
    content = message.get("content")
    return isinstance(content, list) and objects(content) == content and text(message.get("stop_reason")) != ""


_FORM = conversion.Form(_gather, _spread, _is_whole, errors.read_failure, errors.status_of)
