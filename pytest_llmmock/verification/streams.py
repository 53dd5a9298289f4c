"""Of which kinds of events a stream consists, and in which order they begin."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from ..cassettes.difference import MISSING, Difference
from ..core import sse
from ..core.model import Reply
from .classes import Found

_BEATS = ("ping", "keepalive", "heartbeat")
"""Events that only keep a connection open."""

_SAYS = re.compile("output|content|function_call|tool|reason|refusal|thinking|text|_call|role|delta|audio|image")
"""Kinds of events that depend on what is said."""


def values(reply: Reply) -> list[Any]:
    """What the events hold: values of JSON, else texts."""
    if sse.is_ndjson(reply.content_type):
        return sse.read_lines(reply.body)
    return [event.data if event.json() is None else event.json() for event in sse.read_events(reply.body)]


def compared(old: Reply, new: Reply, *, said_alike: bool) -> Iterator[Found]:
    """Where two streams differ in the kinds of their events.

    Where the answers are of different kinds, text here and a call there, events that carry them are no difference.
    """
    ours, theirs = (_kinds(reply, said_alike=said_alike) for reply in (old, new))
    removed = [kind for kind in ours if kind not in theirs]
    added = [kind for kind in theirs if kind not in ours]
    yield from (Found("field-removed", Difference("events", kind, MISSING)) for kind in removed)
    yield from (Found("field-added", Difference("events", MISSING, kind)) for kind in added)
    one, other = [each for each in ours if each in theirs], [each for each in theirs if each in ours]
    if one != other:
        yield Found("type-changed", Difference("order of events", ", ".join(one), ", ".join(other)))


def _kinds(reply: Reply, *, said_alike: bool) -> list[str]:
    """Each kind once, in the order in which they begin."""
    found = dict.fromkeys(_all_kinds(reply))
    return [kind for kind in found if kind not in _BEATS and (said_alike or not _SAYS.search(kind))]


def _all_kinds(reply: Reply) -> Iterator[str]:
    if sse.is_ndjson(reply.content_type):
        for value in sse.read_lines(reply.body):
            yield from _of_chunk(value)
        return
    for event in sse.read_events(reply.body):
        value = event.json()
        kind = value.get("type") if isinstance(value, dict) else None
        if isinstance(kind, str) or event.event:
            yield str(kind or event.event)
        else:
            yield from _of_chunk(value) if isinstance(value, dict) else (event.data.strip(),)


def _of_chunk(value: Any) -> Iterator[str]:
    """What a chunk without a type brings: of chat, of completions, of Ollama."""
    held = value if isinstance(value, dict) else {}
    for choice in _objects(held.get("choices")):
        delta = choice.get("delta")
        yield from _filled(delta) if isinstance(delta, dict) else _filled({"text": choice.get("text")})
        yield from _filled({"finish_reason": choice.get("finish_reason")})
    message = held.get("message")
    yield from _filled(message) if isinstance(message, dict) else ()
    yield from _filled({name: held.get(name) for name in ("response", "usage", "done", "error")})


def _objects(value: Any) -> list[dict[str, Any]]:
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []


def _filled(held: dict[str, Any]) -> Iterator[str]:
    yield from (name for name, value in held.items() if value not in (None, "", [], False) and name != "obfuscation")
