"""Any other endpoint: replayed as it was recorded, read as far as the commonest shapes go.

Those are Google's contents and candidates, prompts, and texts of transcriptions and of older completions.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from ..core.json_text import compact
from ..core.model import Reply, Request, frames_of
from ..core.prompt import Answer, Delta, Message, Prompt
from . import chat, conversion, embeddings
from . import openai_shapes as shapes
from .fields import TEXT, first_text, mapping, objects, read_values, text, write_json

write_error = shapes.write_error
write_failure = shapes.write_failure
convert = conversion.never

_READ = ("model", "messages", "prompt", "contents", "input", "tools", "stream")
_MODEL_FIELD = re.compile(rb'name="?model"?\r\n(?:[^\r\n]+\r\n)*\r\n([^\r\n]{1,200})\r\n')
_NAMED_IN_PATH = re.compile(r"/models/([^/:]+):")


def read_request(request: Request) -> Prompt:
    body = mapping(request.json())
    return Prompt(
        model=text(body.get("model")) or _model_elsewhere(request),
        messages=tuple(_messages(body)),
        tools=shapes.read_tools(body.get("tools")),
        inputs=embeddings.read_inputs(body.get("input")),
        stream=body.get("stream") is True,
        options={key: value for key, value in body.items() if key not in _READ},
    )


def _model_elsewhere(request: Request) -> str:
    """The model in a multipart form, or in the path as Google has it."""
    form = _MODEL_FIELD.search(request.body[:65536]) if request.body.startswith(b"--") else None
    path = _NAMED_IN_PATH.search(request.path)
    return form[1].decode(errors="replace") if form else path[1] if path else ""


def _messages(body: dict[str, Any]) -> Iterator[Message]:
    yield from map(chat.read_message, objects(body.get("messages")))
    for content in objects(body.get("contents")):
        yield chat.read_message({"role": content.get("role"), "content": content.get("parts")})
    prompts = body.get("prompt")
    for prompt in prompts if isinstance(prompts, list) else [prompts]:
        if isinstance(prompt, str) and prompt:
            yield Message("user", prompt)


def write_request(prompt: Prompt) -> bytes:
    """A body that says the same, in the words of Chat Completions; nothing when nothing is asked."""
    if prompt == Prompt():
        return b""
    body = mapping(Request("POST", "", "/", body=chat.write_request(prompt)).json())
    inputs = {"input": list(prompt.inputs)} if prompt.inputs else {}
    return compact({**body, **inputs}).encode()


def read_reply(reply: Reply) -> Answer:
    values = read_values(reply)
    refused = shapes.read_refusal(reply, values)
    if refused:
        return Answer((refused,))
    if not values and reply.content_type.lower().startswith("text/plain"):
        return Answer((Delta("text", reply.body.decode(errors="replace")),))
    deltas = [delta for value in objects(values) for delta in _deltas(value)]
    model = first_text(*(value.get("model") for value in objects(values)))
    return Answer(tuple(deltas), model)


def _deltas(value: dict[str, Any]) -> Iterator[Delta]:
    yield from (Delta("text", words) for words in _words(value) if words)
    if error := shapes.read_error(value):
        yield error


def _words(value: dict[str, Any]) -> Iterator[str]:
    """Transcriptions; Google."""
    yield text(value.get("text"))
    for candidate in objects(value.get("candidates"))[:1]:
        yield from (text(part.get("text")) for part in objects(mapping(candidate.get("content")).get("parts")))


def write_reply(prompt: Prompt, answer: Answer) -> Reply:
    """The first item as JSON, or else the words as plain text."""
    if error := shapes.error_of(answer):
        return write_json({"error": shapes.error_object(error)}, 500)
    for delta in answer.deltas:
        if delta.kind == "item":
            return write_json(delta.data)
    words = answer.text.encode(errors="replace")
    return Reply(200, TEXT, frames_of(words), source="script")
