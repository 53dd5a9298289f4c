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
        logprobs = _grown("", logprobs, piece.get("logprobs"))
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
            heard[name] = _grown(name, heard.get(name), value)
    return heard


def _called(so_far: list[Value], found: list[Value], calls: Calls) -> list[Value]:
    called = list(so_far)
    for position, piece in enumerate(found):
        number = calls.read(piece, 0, position).call
        called += [{}] if number == len(called) else []
        called[number] = _grown("", called[number], {name: value for name, value in piece.items() if name != "index"})
    return called


_ONCE = ("role", "type", "id", "name", "index", "format")
"""Texts that some servers repeat in every chunk; others grow."""


def _grown(name: str, old: Any, new: Any) -> Any:
    """A field with what one more chunk says of it."""
    if old is None or new is None:
        return new if old is None else old
    if isinstance(old, str) and isinstance(new, str):
        return old + new if name not in _ONCE else old or new
    if isinstance(old, dict) and isinstance(new, dict):
        return {**old, **{field: _grown(field, old.get(field), value) for field, value in new.items()}}
    if name in ("content", "thinking"):
        return _more(_parts(old), _parts(new), _is_continued)
    return _more(old, new, _is_the_same) if isinstance(old, list) and isinstance(new, list) else new


def _parts(content: Any) -> list[Any]:
    """Content as parts: Mistral's reasoning models send thoughts as a part, and words behind them as text."""
    if isinstance(content, str):
        return [{"type": "text", "text": content}] if content else []
    return content if isinstance(content, list) else [content]


def _more(old: list[Any], new: list[Any], continues: Any) -> list[Any]:
    """A list with more entries, of which some continue the last one."""
    found = list(old)
    for entry in new:
        if found and isinstance(entry, dict) and isinstance(found[-1], dict) and continues(found[-1], entry):
            found[-1] = _grown("", found[-1], entry)
        else:
            found.append(entry)
    return found


def _is_continued(last: Value, part: Value) -> bool:
    return last.get("type") == part.get("type") and part.get("type") in ("text", "thinking")


def _is_the_same(last: Value, entry: Value) -> bool:
    """OpenRouter numbers the details of its reasoning."""
    return "index" in entry and all(last.get(name) == entry.get(name) for name in ("index", "type"))


# --- both -----------------------------------------------------------------------------------------------

_KIND = chunks.Chunked("chat.completion", "chat.completion.chunk", "message", _split, _join)
_FORM = chunks.form_of(_KIND)
