"""What Ollama answers, to a conversation and to a prompt, plain and as lines.

The shapes are `ollama.ChatResponse` and `ollama.GenerateResponse`. The one holds its words in a message, the other
itself; all else is the same. An answer has one choice, of index 0.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any

from ..core.model import Problem, Reply
from ..core.prompt import Answer, Delta, Prompt, Usage
from . import chat_answers, conversion
from . import openai_shapes as shapes
from .fields import (
    LINES,
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
from .ollama_lines import (
    CHAT,
    GENERATE,
    MADE,
    Fields,
    Lines,
    held,
    is_call,
    names_of,
    no_words,
    write_line,
    write_piece,
    write_whole,
)
from .writing import written

# --- errors ---------------------------------------------------------------------------------------------


def write_error(problem: Problem) -> Reply:
    """`ollama.ResponseError` prints what it finds here, as it is."""
    return write_json({"error": problem.message}, problem.status, problem.headers)


def write_failure(problem: Problem) -> bytes:
    """The line by which a stream says that it went wrong."""
    return write_line({"error": problem.message})


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


def _said(value: Fields, calls: int) -> Iterator[Delta]:
    message = mapping(value.get("message"))
    words = (
        Delta("reasoning", first_text(message.get("thinking"), value.get("thinking"))),
        Delta("text", first_text(message.get("content"), value.get("response"))),
    )
    yield from (delta for delta in words if delta.text)
    found = objects(message.get("tool_calls")) or objects(value.get("tool_calls"))
    for number, call in enumerate(found, calls):
        name, arguments, id = chat_answers.called(call)
        yield Delta("tool_call", arguments, call=number, id=id, name=name)
    made = {name: message.get(name) or value.get(name) for name in MADE}
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
    named = shapes.digest(prompt, answer)
    deltas = list(_with_whole_calls(answer))
    if prompt.stream:
        return write_events(written(Lines(words, prompt, answer, named), deltas), LINES)
    if error := shapes.error_of(answer):
        return write_json({"error": error.text}, 500)
    said: Fields = {words: ""}
    for piece in _pieces_of(words, deltas, named):
        said = _joined(said, piece)
    return write_json(write_whole(words, prompt, answer, said))


def _with_whole_calls(answer: Answer) -> Iterator[Delta]:
    """An answer's deltas, in which a call comes whole, where its first piece did."""
    order = dict.fromkeys(delta.call for delta in answer.deltas if is_call(delta))
    calls = dict(zip(order, answer.tool_calls, strict=True))
    for delta in answer.deltas:
        if not is_call(delta):
            yield delta
        elif call := calls.pop(delta.call, None):
            yield Delta("tool_call", call.arguments, call=delta.call, id=call.id, name=call.name)


def _pieces_of(words: str, deltas: Iterable[Delta], named: str) -> Iterator[Fields]:
    """What each delta says, in the fields of the answer."""
    number = 0
    for delta in deltas:
        if piece := write_piece(words, delta, number, named):
            yield piece
        number += is_call(delta)


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
    told: set[str] = set()
    for piece in pieces:
        told |= piece.keys()
        yield write_line({**names_of(value), **held(value, piece), "done": False})
    yield write_line(_left(value, told))


def _left(value: Fields, told: set[str]) -> Fields:
    """An answer without what its pieces told."""
    left = {**{name: item for name, item in value.items() if name not in told}, **no_words(value)}
    if isinstance(left.get("message"), dict):
        left["message"] = _left(left["message"], told)
    return left


def _read_failure(line: Fields) -> Fields | None:
    return line if shapes.read_error(line) else None


def _status_of(failure: Fields) -> int:
    return 500


_FORM = conversion.Form(_gather, _spread, _is_whole, _read_failure, _status_of, LINES)
