"""What an answer says, as a value that can be compared: its words and calls, not the pieces in which they came."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ..core import sse
from ..core.json_text import parse_json
from ..core.model import Exchange, Reply
from ..core.prompt import Answer, Delta, ToolCall
from .difference import Difference, differences, digest

_READ = ("finish", "vector", "model", "error")
"""An answer with none of these is one whose protocol is read in part only: its values are compared as they are."""

_IDS = ("id", "call_id", "item_id", "request_id", "response_id", "responseId", "tool_call_id", "tool_use_id")
_TIMES = ("created", "created_at", "completed_at", "createTime", "timings", "total_duration", "load_duration")
_TIMES_OF_OLLAMA = ("prompt_eval_duration", "eval_duration")
_TOKENS = ("usage", "usageMetadata", "x_groq", "prompt_eval_count", "eval_count")
_SEALED = ("encrypted_content", "obfuscation", "sequence_number", "signature", "system_fingerprint", "thoughtSignature")

NOISE = frozenset((*_IDS, *_TIMES, *_TIMES_OF_OLLAMA, *_TOKENS, *_SEALED))
"""Fields of an answer that are others on every run and say nothing: who made it, when, how long it took."""

_PIECES = frozenset(("text", "content", "thinking", "partial_json", "response", "delta", "arguments", "reasoning"))
"""Fields in which streams send text piece by piece."""


def meaning(exchange: Exchange, reply: Reply, answer: Answer) -> dict[str, Any]:
    """What the reply says, without what is noise."""
    told = {"status": reply.status, "model": answer.model, "cut": reply.cut}
    head = {name: value for name, value in told.items() if value}
    if not any(delta.kind in _READ for delta in answer.deltas):
        return {**head, "body": _values(reply)}
    choices = [_choice(answer, index) for index in answer.choices]
    return {**head, **(choices[0] if len(choices) == 1 else {"choices": choices}), **_beside(answer)}


def _choice(answer: Answer, index: int) -> dict[str, Any]:
    words = {
        "text": answer.joined("text", index),
        "reasoning": answer.joined("reasoning", index),
        "refusal": answer.joined("refusal", index),
        "tool_calls": [_call(call) for call in answer.calls_of(index)],
        "finish": answer.finish_of(index),
    }
    return {name: value for name, value in words.items() if value}


def _call(call: ToolCall) -> dict[str, Any]:
    """The same arguments in another layout are the same call."""
    arguments = parse_json(call.arguments.encode(errors="replace"))
    return {"name": call.name, "arguments": call.arguments if arguments is None else arguments}


def _beside(answer: Answer) -> dict[str, Any]:
    """What stands beside the words: vectors, names of models, errors, what only this protocol knows."""
    found: dict[str, list[Any]] = {
        "vectors": [_vector(delta) for delta in answer.deltas if delta.kind == "vector"],
        "models": [delta.text for delta in answer.deltas if delta.kind == "model"],
        "errors": [delta.text for delta in answer.deltas if delta.kind == "error"],
        "items": [item for d in answer.deltas if d.kind == "item" and (item := without_noise(d.data))],
    }
    return {name: value for name, value in found.items() if value}


def _vector(delta: Delta) -> str:
    """Numbers by hundreds are nothing to read: how many, the first, and a digest of all."""
    first = ", ".join(f"{number:.6g}" for number in delta.vector[:3])
    return f"{len(delta.vector)} numbers: {first} …, {digest(repr(delta.vector).encode())}"


def noise(reply: Reply, answer: Answer) -> dict[str, Any]:
    """What may differ between two runs that say the same."""
    return {
        "ids": ids(answer),
        "created": answer.created,
        "usage": answer.usage,
        "headers": reply.headers,
        "times": [frame.at for frame in reply.frames] if isinstance(reply.frames, list) else [],
        "bytes": reply.body,
    }


def ids(answer: Answer) -> list[str]:
    """The names that a provider made up for the answer and for its calls."""
    return [answer.id, *(call.id for index in answer.choices for call in answer.calls_of(index))]


def details(old: Reply, new: Reply, path: str) -> Iterator[Difference]:
    """Where two plain JSON replies differ that were read as saying the same: in fields that no dialect reads."""
    one, other = old.json(), new.json()
    if one is not None and other is not None:
        yield from differences(without_noise(one), without_noise(other), path)


def without_noise(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: without_noise(item) for name, item in value.items() if name not in NOISE}
    if isinstance(value, list):
        return [without_noise(item) for item in value]
    return value


# --- replies that no dialect reads whole ----------------------------------------------------------------


def _values(reply: Reply) -> Any:
    """JSON as a value, a stream as its events with their pieces of text joined, other content as it is."""
    events = _events(reply)
    if events:
        return joined([without_noise(event) for event in events])
    value = reply.json()
    if value is not None:
        return without_noise(value)
    try:
        return reply.body.decode()
    except UnicodeDecodeError:
        return f"{len(reply.body)} bytes {reply.content_type}, {digest(reply.body)}"


def _events(reply: Reply) -> list[Any]:
    if sse.is_ndjson(reply.content_type):
        return sse.read_lines(reply.body)
    if sse.is_sse(reply.content_type):
        return [event.data if event.json() is None else event.json() for event in sse.read_events(reply.body)]
    return []


def joined(events: list[Any]) -> list[Any]:
    """Events of which each goes on where the one before it stopped, as one: however a text is cut, it is the same."""
    found: list[tuple[Any, Any]] = []
    for event in events:
        shape = _shape(event)
        if found and shape != event and found[-1][0] == shape:
            found[-1] = (shape, _together(found[-1][1], event))
        else:
            found.append((shape, event))
    return [event for _, event in found]


def _shape(value: Any, name: str = "") -> Any:
    """The value with nothing in place of its pieces of text."""
    if isinstance(value, dict):
        return {key: _shape(item, key) for key, item in value.items()}
    if isinstance(value, list):
        return [_shape(item) for item in value]
    return None if name in _PIECES and isinstance(value, str) else value


def _together(one: Any, other: Any, name: str = "") -> Any:
    """Two values of the same shape as one."""
    if isinstance(one, dict):
        return {key: _together(item, other[key], key) for key, item in one.items()}
    if isinstance(one, list):
        return [_together(first, second) for first, second in zip(one, other, strict=True)]
    return one + other if name in _PIECES and isinstance(one, str) else one
