"""Chat completions, streamed or whole, turned into each other field by field.

Fields that nobody knows are kept: https://platform.openai.com/docs/api-reference/chat-streaming has the known ones.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ..core.model import Reply
from ..core.prompt import Prompt
from . import chunks, conversion
from .chat_answers import Calls
from .conversion import Value, joined, pieces, tokens
from .fields import mapping, objects
from .growth import grown


def convert(prompt: Prompt, reply: Reply) -> Reply | None:
    """`ChatCompletion` from a run of `ChatCompletionChunk`, and the other way round."""
    return conversion.convert(_FORM, prompt, reply)


# --- whole to pieces ------------------------------------------------------------------------------------

_Step = tuple[Value, Value | None]
"""What a chunk says, and the probabilities of it."""


def _split(number: int, choice: Value) -> Iterator[Value]:
    """Who speaks, then the message piece by piece, then why it ended."""
    message, logprobs = mapping(choice.get("message")), choice.get("logprobs")
    steps = list(_steps(message, mapping(logprobs)))
    told = {name for _, said in steps for name in said or {}}
    left = {name: value for name, value in mapping(logprobs).items() if name not in told}
    blank = {"logprobs": None} if "logprobs" in choice else {}
    more = chunks.rest_of(choice, "message", "logprobs")
    yield {"index": number, "delta": _begun(message), **blank, "finish_reason": None, **more}
    for delta, said in steps:
        yield {"index": number, "delta": delta, **({"logprobs": said} if said else blank), "finish_reason": None}
    last = {"logprobs": left if left or logprobs == {} else None} if blank else {}
    yield {"index": number, "delta": {}, **last, "finish_reason": choice.get("finish_reason")}


def _begun(message: Value) -> Value:
    """The message before anything was said: its role, and what holds nothing."""
    begun = {name: value for name, value in message.items() if name == "role" or not value}
    return {**begun, "content": ""} if isinstance(message.get("content"), str) else begun


_ORDER = ("content", "refusal", "audio", "function_call", "tool_calls")


def _rank(name: str) -> int:
    """Thoughts come before words, calls behind them, and what is said of them last."""
    if name.startswith("reasoning"):
        return -1
    return _ORDER.index(name) if name in _ORDER else len(_ORDER)


def _steps(message: Value, logprobs: Value) -> Iterator[_Step]:
    for name in sorted((name for name, value in message.items() if value and name != "role"), key=_rank):
        value = message[name]
        if found := tokens(logprobs.get(name), value):
            yield from (({name: token}, {**_nulls(logprobs), name: [entry]}) for token, entry in found)
        else:
            yield from (({name: piece}, None) for piece in _pieces_of(name, value))


def _nulls(logprobs: Value) -> Value:
    return {name: None for name, value in logprobs.items() if value is None}


def _pieces_of(name: str, value: Any) -> Iterator[Any]:
    if name == "tool_calls" and objects(value):
        for index, call in enumerate(objects(value)):
            yield from ([{"index": index, **piece}] for piece in _calling(call))
    elif name == "function_call" and isinstance(value, dict):
        yield from _growing(value, "arguments")
    elif name == "audio" and isinstance(value, dict):
        yield from _sounding(value)
    elif isinstance(value, str) and _rank(name) <= _ORDER.index("refusal"):
        yield from pieces(value)
    else:
        yield value


def _calling(call: Value) -> Iterator[Value]:
    """A call: the first piece says whose the arguments are."""
    named = {name: value for name, value in call.items() if name != "index"}
    kind = next((kind for kind in ("function", "custom") if isinstance(named.get(kind), dict)), "")
    if not kind:
        yield named
        return
    first, *more = _growing(named[kind], "input" if kind == "custom" else "arguments")
    yield {**named, kind: first}
    yield from ({kind: piece} for piece in more)


def _growing(value: Value, field: str) -> Iterator[Value]:
    """An object of which one text comes in pieces."""
    if not isinstance(value.get(field), str):
        yield value
        return
    yield {**value, field: ""}
    yield from ({field: piece} for piece in pieces(value[field]))


def _sounding(audio: Value) -> Iterator[Value]:
    """A sound: its name, its words, its data, and how long it may be asked for."""
    last = ("transcript", "data", "expires_at")
    yield {name: value for name, value in audio.items() if name not in last or not value}
    words = audio.get("transcript")
    yield from (
        {"transcript": piece} for piece in (pieces(words) if isinstance(words, str) else [words] if words else [])
    )
    yield from ({name: audio[name]} for name in last[1:] if audio.get(name))


# --- pieces to whole ------------------------------------------------------------------------------------


def _join(found: list[Value]) -> Value:
    """The choice of these pieces."""
    choice: Value = {}
    message: Value = {}
    calls = Calls()
    logprobs: Any = None
    for piece in found:
        message = _heard(message, mapping(piece.get("delta")), calls)
        logprobs = grown("", logprobs, piece.get("logprobs"))
        choice = joined(choice, {name: value for name, value in piece.items() if name not in ("delta", "logprobs")})
    said = {"logprobs": logprobs} if any("logprobs" in piece for piece in found) else {}
    return {**choice, "message": message, **said}


def _heard(message: Value, delta: Value, calls: Calls) -> Value:
    """The message with one more delta."""
    heard = dict(message)
    for name, value in delta.items():
        if name == "tool_calls" and isinstance(value, list):
            heard[name] = _called(heard.get(name) or [], objects(value), calls)
        else:
            heard[name] = grown(name, heard.get(name), value)
    return heard


def _called(so_far: list[Value], found: list[Value], calls: Calls) -> list[Value]:
    called = list(so_far)
    for position, piece in enumerate(found):
        number = calls.read(piece, 0, position).call
        called += [{}] if number == len(called) else []
        called[number] = grown("", called[number], {name: value for name, value in piece.items() if name != "index"})
    return called


# --- both -----------------------------------------------------------------------------------------------

_KIND = chunks.Chunked("chat.completion", "chat.completion.chunk", "message", _split, _join)
_FORM = chunks.form_of(_KIND)
