"""What Ollama answers, to a conversation and to a prompt, plain and as lines.

The shapes are `ollama.ChatResponse` and `ollama.GenerateResponse`. The one holds its words in a message, the other
itself; all else is the same. An answer has one choice, of index 0.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import Any

from ..core.json_text import compact
from ..core.model import Problem, Reply
from ..core.prompt import Answer, Delta, Prompt, ToolCall, Usage
from . import chat_answers, conversion
from . import openai_shapes as shapes
from .fields import (
    LINES,
    argument_object,
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

Fields = dict[str, Any]

CHAT, GENERATE = "content", "response"
"""The field that holds the words, by which the two are told apart."""

# --- errors ---------------------------------------------------------------------------------------------


def write_error(problem: Problem) -> Reply:
    """`ollama.ResponseError` prints what it finds here, as it is."""
    return write_json({"error": problem.message}, problem.status, problem.headers)


def write_failure(problem: Problem) -> bytes:
    """The line by which a stream says that it went wrong."""
    return _line({"error": problem.message})


def _line(value: Fields) -> bytes:
    return compact(value).encode() + b"\n"


# --- replies, in ----------------------------------------------------------------------------------------


def read_reply(reply: Reply) -> Answer:
    """`ChatResponse` or `GenerateResponse`, or a run of them, of which the last one is done."""
    values = objects(read_values(reply))
    refused = shapes.read_refusal(reply, values)
    if refused:
        return Answer((refused,))
    deltas: list[Delta] = []
    for value in values:
        deltas += _said(value, sum(delta.kind == "tool_call" for delta in deltas))
        deltas += _ending(value, any(delta.kind == "tool_call" for delta in deltas))
    model = first_text(*(value.get("model") for value in values))
    return Answer(tuple(deltas), model, created=_seconds(values[-1].get("created_at")) if values else None)


_MADE = ("image", "images")
"""Pictures that a model made."""


def _said(value: Fields, calls: int) -> Iterator[Delta]:
    message = mapping(value.get("message"))
    words = (
        Delta("reasoning", first_text(message.get("thinking"), value.get("thinking"))),
        Delta("text", first_text(message.get("content"), value.get("response"))),
    )
    yield from (delta for delta in words if delta.text)
    found = objects(message.get("tool_calls")) or objects(value.get("tool_calls"))
    for number, call in enumerate(found, calls):
        name, arguments, id, _ = chat_answers.called(call)
        yield Delta("tool_call", arguments, call=number, id=id, name=name)
    made = {name: message.get(name) or value.get(name) for name in _MADE}
    yield from (Delta("item", data={name: item}) for name, item in made.items() if item)


def _ending(value: Fields, called: bool) -> Iterator[Delta]:
    """Why an answer ended, and what it cost; or that it failed. Older servers do not say why."""
    if error := shapes.read_error(value):
        yield error
    if value.get("done") is True:
        reason = text(value.get("done_reason")) or "stop"
        yield Delta("finish", finish="tool_calls" if called and reason == "stop" else reason)
    usage = Usage(whole(value.get("prompt_eval_count")), whole(value.get("eval_count")))
    if usage != Usage():
        yield Delta("usage", usage=usage)


def _seconds(written: object) -> int | None:
    try:
        return int(datetime.fromisoformat(text(written)).timestamp())
    except (ValueError, OverflowError):
        return None


# --- replies, out ---------------------------------------------------------------------------------------


def write_reply(words: str, prompt: Prompt, answer: Answer) -> Reply:
    """The answer, or when the prompt asks for a stream a line for each of its pieces. An error is the end."""
    error = shapes.error_of(answer)
    told = list(_told(words, answer, shapes.digest(prompt, answer)))
    value = _whole(words, prompt, answer, told)
    if prompt.stream:
        lines = list(_write_lines(value, told))
        return write_events([*lines[:-1], _line({"error": error.text})] if error else lines, LINES)
    return write_json({"error": error.text}, 500) if error else write_json(value)


_WORDS = {"text": "", "refusal": "", "reasoning": "thinking"}
"""Where words go; '' is the field of the answer. Refusals have no field of their own."""


def _told(words: str, answer: Answer, named: str) -> Iterator[Fields]:
    """The pieces of an answer. A call comes whole, where its first piece did."""
    order = dict.fromkeys(delta.call for delta in answer.deltas if _is_call(delta))
    calls = dict(zip(order, enumerate(answer.tool_calls), strict=True))
    for delta in answer.deltas:
        if delta.kind == "error":
            return
        if delta.index == 0 and delta.kind in _WORDS and delta.text:
            yield {_WORDS[delta.kind] or words: delta.text}
        if delta.kind == "item":
            yield {name: item for name, item in mapping(delta.data).items() if name in _MADE}
        if _is_call(delta) and delta.call in calls:
            yield {"tool_calls": [_call(*calls.pop(delta.call), named)]}


def _call(number: int, call: ToolCall, named: str) -> Fields:
    function = {"name": call.name, "arguments": argument_object(call.arguments)}
    return {"id": call.id or f"call_{named}{number}", "function": function}


def _is_call(delta: Delta) -> bool:
    return delta.kind == "tool_call" and delta.index == 0


def _whole(words: str, prompt: Prompt, answer: Answer, told: list[Fields]) -> Fields:
    """All that was told, why it ended and what it cost. What is not known is left out, as Ollama does."""
    said: Fields = {words: ""}
    for piece in told:
        said = _joined(said, piece)
    finish = answer.finish_reason or "stop"
    usage = answer.usage or Usage()
    counts = {"prompt_eval_count": usage.input, "eval_count": usage.output}
    return {
        "model": answer.model or prompt.model,
        "created_at": _time(answer.created or 0),
        **({"message": {"role": "assistant", **said}} if words == CHAT else said),
        "done": True,
        "done_reason": "stop" if finish == "tool_calls" else finish,
        **{name: count for name, count in counts.items() if count is not None},
    }


def _time(seconds: int) -> str:
    try:
        return datetime.fromtimestamp(seconds, UTC).isoformat().replace("+00:00", "Z")
    except (ValueError, OverflowError, OSError):
        return _time(0)


# --- streamed and whole ---------------------------------------------------------------------------------

_TEXTS = ("content", "response", "thinking")
_LISTS = ("tool_calls", "logprobs")


def convert(prompt: Prompt, reply: Reply) -> Reply | None:
    """The same answer as this prompt wants it, streamed or whole; None when it cannot be."""
    return conversion.convert(_FORM, prompt, reply)


def _gather(lines: list[Fields], done: bool) -> Fields | None:
    """The last line, with the words and lists of all."""
    found: Fields = {}
    for line in lines:
        found = _joined(found, line)
    return found if lines[-1].get("done") is True else None


def _joined(before: Fields, after: Fields) -> Fields:
    return {**before, **{name: _more(name, before.get(name), item) for name, item in after.items()}}


def _more(name: str, before: Any, item: Any) -> Any:
    if name == "message" and isinstance(before, dict) and isinstance(item, dict):
        return _joined(before, item)
    if name in _TEXTS and isinstance(before, str) and isinstance(item, str):
        return before + item
    if name in _LISTS and isinstance(before, list) and isinstance(item, list):
        return [*before, *item]
    return before if item is None else item


def _is_whole(value: Fields) -> bool:
    held = isinstance(value.get("message"), dict) or isinstance(value.get("response"), str)
    return held and value.get("done") is True


def _spread(prompt: Prompt, value: Fields) -> Iterator[bytes]:
    return _write_lines(value, _pieces(value))


def _pieces(value: Fields) -> Iterator[Fields]:
    """The words of an answer cut like tokens, or into the tokens that it tells of, then each of its calls."""
    said = mapping(value.get("message")) or value
    words = CHAT if said is not value else GENERATE
    yield from ({"thinking": piece} for piece in conversion.pieces(text(said.get("thinking"))))
    tokens = objects(value.get("logprobs"))
    if _are_tokens(tokens, value, said.get(words)):
        yield from ({words: text(token.get("token")), "logprobs": [token]} for token in tokens)
    else:
        yield from ({words: piece} for piece in conversion.pieces(text(said.get(words))))
    yield from ({"tool_calls": [call]} for call in listing(said.get("tool_calls")))


def _are_tokens(tokens: list[Fields], value: Fields, words: object) -> bool:
    """Whether these are all the tokens of the words."""
    return tokens == value.get("logprobs") and "".join(text(token.get("token")) for token in tokens) == words


def _write_lines(value: Fields, pieces: Iterable[Fields]) -> Iterator[bytes]:
    """A line for each piece, then one that says what none of them did."""
    head: Fields = {name: value[name] for name in ("model", "created_at") if name in value}
    told: set[str] = set()
    for piece in pieces:
        told |= piece.keys()
        yield _line({**head, **_held(value, piece), "done": False})
    yield _line(_left(value, told))


def _held(value: Fields, piece: Fields) -> Fields:
    """A piece in the place where such an answer holds it. Every line has words, if only none."""
    message = value.get("message")
    if not isinstance(message, dict):
        return {**_no_words(value), **piece}
    role = {name: item for name, item in message.items() if name == "role"}
    said = {name: item for name, item in piece.items() if name != "logprobs"}
    beside = {name: item for name, item in piece.items() if name == "logprobs"}
    return {"message": {**role, **_no_words(message), **said}, **beside}


def _left(value: Fields, told: set[str]) -> Fields:
    """An answer without what its pieces told."""
    left = {**{name: item for name, item in value.items() if name not in told}, **_no_words(value)}
    if isinstance(left.get("message"), dict):
        left["message"] = _left(left["message"], told)
    return left


def _no_words(said: Fields) -> Fields:
    return {name: "" for name in (CHAT, GENERATE) if isinstance(said.get(name), str)}


def _read_failure(line: Fields) -> Fields | None:
    return line if shapes.read_error(line) else None


def _status_of(failure: Fields) -> int:
    return 500


_FORM = conversion.Form(_gather, _spread, _is_whole, _read_failure, _status_of, LINES)
