"""The answers of Chat Completions, in and out, plain and as chunks.

The shapes are `openai.types.chat.ChatCompletion` and `ChatCompletionChunk`, which `chat_chunks.py` writes. Reasoning is
no part of them; it is read in the spellings that servers use and written as DeepSeek's `reasoning_content`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ..core.model import Reply
from ..core.prompt import Answer, Delta, DeltaKind, Prompt
from . import chat_chunks as chunks
from . import openai_shapes as shapes
from .fields import (
    argument_text,
    first_text,
    listing,
    mapping,
    objects,
    read_values,
    text,
    whole,
    write_events,
    write_json,
)
from .growth import grown
from .writing import written

_LISTS = ("annotations", "images", "reasoning_details")
"""Lists beside the words of an answer that only this protocol knows."""

# --- calls of tools -------------------------------------------------------------------------------------


def called(call: dict[str, Any]) -> tuple[str, str, str, str]:
    """Name, arguments, id and kind of a call of a function or of a custom tool, whole or a piece of one."""
    inner = mapping(call.get("function") or call.get("custom"))
    arguments = inner.get("arguments", inner.get("input"))
    kind = "custom" if not call.get("function") and isinstance(call.get("custom"), dict) else "function"
    return text(inner.get("name")), argument_text(arguments), text(call.get("id")), kind


def legacy_call(said: dict[str, Any]) -> list[dict[str, Any]]:
    """The single `function_call` of the time before tools."""
    return [{"function": said["function_call"]}] if isinstance(said.get("function_call"), dict) else []


# --- replies, in ----------------------------------------------------------------------------------------


def read_reply(reply: Reply) -> Answer:
    """`openai.types.chat.ChatCompletion`, or a run of `ChatCompletionChunk`."""
    values = read_values(reply)
    refused = shapes.read_refusal(reply, values)
    if refused:
        return Answer((refused,))
    calls = Calls()
    deltas = [delta for value in objects(values) for delta in _deltas(value, calls)]
    usages = [delta for value in objects(values) for delta in shapes.usage_deltas(_usage_of(value))]
    heads = [value for value in objects(values) if "choices" in value]
    return Answer(
        deltas=(*deltas, *usages[-1:]),
        model=first_text(*(head.get("model") for head in heads)),
        id=first_text(*(head.get("id") for head in heads)),
        created=next((seconds for head in heads if (seconds := whole(head.get("created")))), None),
    )


def _usage_of(value: dict[str, Any]) -> object:
    """Groq puts a stream's usage in a field of its own."""
    return value.get("usage") or mapping(value.get("x_groq")).get("usage")


def _deltas(value: dict[str, Any], calls: Calls) -> Iterator[Delta]:
    """What one completion or one chunk says: they differ in a name only."""
    for position, choice in enumerate(objects(value.get("choices"))):
        number = whole(choice.get("index"))
        index = position if number is None else number
        yield from _said(mapping(choice.get("message") or choice.get("delta")), index, calls)
        if finish := text(choice.get("finish_reason")):
            yield Delta("finish", index=index, finish=finish)
    if error := shapes.read_error(value):
        yield error


def _said(said: dict[str, Any], index: int, calls: Calls) -> Iterator[Delta]:
    words: tuple[tuple[DeltaKind, str], ...] = (
        ("reasoning", _reasoning(said)),
        ("text", _words(said.get("content"), "text")),
        ("refusal", text(said.get("refusal"))),
    )
    yield from (Delta(kind, each, index) for kind, each in words if each)
    pieces = objects(said.get("tool_calls")) or legacy_call(said)
    yield from (calls.read(piece, index, position) for position, piece in enumerate(pieces))
    for name in _LISTS:
        if listing(said.get(name)):
            yield Delta("item", index=index, data={name: said[name]})


def _reasoning(said: dict[str, Any]) -> str:
    """DeepSeek's and vLLM's spelling, OpenRouter's, ChatMock's `o3`, Mistral's part of the content."""
    thought = said.get("reasoning")
    deeper = _words(mapping(thought).get("content"), "text")
    return first_text(said.get("reasoning_content"), thought, deeper, _words(said.get("content"), "thinking"))


def _words(content: object, kind: str) -> str:
    """The words of one kind of part; a thinking part of Mistral's holds text parts itself."""
    if isinstance(content, str):
        return content if kind == "text" else ""
    parts = [part for part in objects(content) if part.get("type", "text") == kind]
    held = [part.get(kind) for part in parts]
    words = [word if isinstance(word, str) else "".join(text(p.get("text")) for p in objects(word)) for word in held]
    return "".join(words)


class Calls:
    """Which call a piece belongs to.

    Gemini's endpoint gives all calls of a stream the index 0, other servers none; a new id with a name is a new call.
    """

    def __init__(self) -> None:
        self._open: dict[tuple[int, int], tuple[int, str]] = {}
        self._count: dict[int, int] = {}

    def read(self, piece: dict[str, Any], choice: int, position: int) -> Delta:
        name, arguments, id, kind = called(piece)
        number = whole(piece.get("index"))
        place = (choice, position if number is None else number)
        call, known = self._open.get(place, (-1, ""))
        if call < 0 or (name and id and known and id != known):
            call = self._count.get(choice, 0)
            self._count[choice] = call + 1
            self._open[place] = (call, id)
        return Delta("tool_call", arguments, choice, call, id, name, custom=kind == "custom")


# --- replies, out ---------------------------------------------------------------------------------------


def write_reply(prompt: Prompt, answer: Answer) -> Reply:
    """`ChatCompletion`, or when the prompt asks for a stream a run of `ChatCompletionChunk`."""
    named = shapes.digest(prompt, answer)
    if prompt.stream:
        return write_events(written(chunks.stream_writer(prompt, answer, named, answer.choices), answer.deltas))
    if error := shapes.error_of(answer):
        return write_json({"error": shapes.error_object(error)}, 500)
    head = chunks.write_head(prompt, answer, named, "chat.completion")
    choices = [_choice(answer, index, named) for index in answer.choices]
    usage = {"usage": shapes.write_usage(answer.usage)} if answer.usage else {}
    return write_json({**head, "choices": choices, **usage})


def _choice(answer: Answer, index: int, named: str) -> dict[str, Any]:
    words, refusal = answer.joined("text", index), answer.joined("refusal", index)
    calls = [
        chunks.write_call(call.id or chunks.call_id(named, index, number), call.name, call.arguments, call.kind)
        for number, call in enumerate(answer.calls_of(index))
    ]
    message: dict[str, Any] = {
        "role": "assistant",
        "content": None if not words and (calls or refusal) else words,
        "refusal": refusal or None,
        **({"reasoning_content": thought} if (thought := answer.joined("reasoning", index)) else {}),
        **({"tool_calls": calls} if calls else {}),
    }
    for delta in answer.deltas:
        if delta.kind == "item" and delta.index == index:
            message |= {name: grown(name, message.get(name), value) for name, value in chunks.extras_of(delta).items()}
    logprobs = chunks.write_logprobs(delta for delta in answer.deltas if delta.index == index)
    return {"index": index, "message": message, "logprobs": logprobs, "finish_reason": _finish(answer, index)}


def _finish(answer: Answer, index: int) -> str:
    return answer.finish_of(index) or ("tool_calls" if answer.calls_of(index) else "stop")
