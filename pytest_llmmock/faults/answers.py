"""Answers that say something else than the model said.

Field names are those of Chat Completions, Completions, Responses, Anthropic's Messages and Ollama.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

from ..core import sse
from ..core.chunking import by_event
from ..core.json_text import compact, parse_json
from ..core.model import Frame, Reply

Alter = Callable[[Any], bool]
"""Changes a JSON value in place; whether it did."""

_LINE = re.compile(rb"[^\r\n]*(?:\r\n|\r|\n|$)")


def with_bad_tool_json(reply: Reply) -> Reply:
    """The reply, in which no tool call has arguments that can be read.

    In a stream a call comes in pieces, so the last piece is the one that is spoilt: events are looked at from the end.
    """
    spoilt: set[object] = set()
    return _altered(reply, lambda value: _spoil(value, spoilt), backwards=True)


def with_finish(reply: Reply, reason: str) -> Reply:
    """The reply, which ends for another reason; told in the words of Chat Completions."""
    return _altered(reply, lambda value: _finish(value, reason))


# --- the arguments of tool calls ------------------------------------------------------------------------

_PIECES = ("response.function_call_arguments.delta", "response.mcp_call_arguments.delta")


def _spoil(value: Any, spoilt: set[object]) -> bool:
    """Take the last character, white space apart, of the arguments in each place where none was taken yet."""
    done = False
    for place, holder, field in _arguments(value):
        words = holder[field].rstrip()
        if words and place not in spoilt:
            spoilt.add(place)
            holder[field] = words[:-1]
            done = True
    return done


def _arguments(value: Any, place: tuple[object, ...] = ()) -> Iterator[tuple[object, dict[str, Any], str]]:
    """Every text that is, or is a piece of, a call's arguments: whose it is, and where it stands."""
    if isinstance(value, list):
        for number, item in enumerate(value):
            yield from _arguments(item, (*place, number))
    if not isinstance(value, dict):
        return
    names = ("index", "output_index") if place else ("type", "index", "output_index")
    here = (*place, *(value.get(name) for name in names if isinstance(value.get(name), int | str)))
    fields = ["arguments", "partial_json", *(["delta"] if value.get("type") in _PIECES else [])]
    for field in fields:
        if isinstance(value.get(field), str) and value[field]:
            yield (*here, field), value, field
    for name, item in value.items():
        yield from _arguments(item, (*here, name))


# --- why it ended ---------------------------------------------------------------------------------------

_ANTHROPIC = {"stop": "end_turn", "length": "max_tokens", "tool_calls": "tool_use", "content_filter": "refusal"}
_RESPONSES = {"length": "max_output_tokens"}
_ENDINGS = ("response.completed", "response.incomplete")


def _finish(value: Any, reason: str) -> bool:
    """Write the reason wherever one stands."""
    inner = value if isinstance(value, list) else list(value.values()) if isinstance(value, dict) else []
    done = sum(_finish(item, reason) for item in inner) > 0
    if not isinstance(value, dict):
        return done
    words = {"finish_reason": reason, "done_reason": reason, "stop_reason": _ANTHROPIC.get(reason, reason)}
    for field, word in words.items():
        if isinstance(value.get(field), str):
            value[field], done = word, True
    if value.get("object") == "response" and value.get("status") in ("completed", "incomplete"):
        value.update(_response_status(reason))
        done = True
    if value.get("type") in _ENDINGS:
        value["type"] = f"response.{_response_status(reason)['status']}"
    return done


def _response_status(reason: str) -> dict[str, Any]:
    if reason in ("stop", "tool_calls"):
        return {"status": "completed", "incomplete_details": None}
    return {"status": "incomplete", "incomplete_details": {"reason": _RESPONSES.get(reason, reason)}}


# --- values, in place -----------------------------------------------------------------------------------


def _altered(reply: Reply, alter: Alter, *, backwards: bool = False) -> Reply:
    """The reply with its JSON values changed. What is not changed keeps its bytes."""
    events = by_event(reply.arrived, reply.content_type)
    write = _rewritten_event if sse.is_sse(reply.content_type) else _rewritten_line
    order = -1 if backwards else 1
    changed = [Frame(write(event.data, alter), event.at) for event in events[::order]][::order]
    return reply if changed == events else replace(reply, frames=changed)


def _rewritten_line(line: bytes, alter: Alter) -> bytes:
    value = parse_json(line)
    if not alter(value):
        return line
    return compact(value).encode() + line[len(line.rstrip()) :]


def _rewritten_event(piece: bytes, alter: Alter) -> bytes:
    """The event with other data; its other lines stay, but for the name where it repeats the type."""
    event = sse.read_event(piece)
    value = event.json() if event else None
    before = _type_of(value)
    if event is None or not alter(value):
        return piece
    name = _type_of(value) if event.event == before else event.event
    end = piece[len(piece.rstrip(b"\r\n")) :]
    kept = [
        line for line in _LINE.findall(piece[: -len(end) or None]) if line and not line.startswith((b"data", b"event"))
    ]
    head = b"event: %b\n" % name.encode() if name else b""
    return head + b"".join(line.rstrip(b"\r\n") + b"\n" for line in kept) + b"data: " + compact(value).encode() + end


def _type_of(value: Any) -> str:
    return str(value.get("type", "")) if isinstance(value, dict) else ""
