"""A recorded answer as another request wants it: streamed or whole.

It is done on the JSON itself, so that nothing is lost which a `Prompt` or an `Answer` has no name for.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from ..core import sse
from ..core.json_text import compact, parse_json
from ..core.model import Frame, Headers, Reply
from ..core.prompt import Prompt
from .fields import EVENTS, JSON, objects

Value = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Form:
    """How the whole answers of a protocol become events, and the other way round. A line of NDJSON is an event."""

    gather: Callable[[list[Value]], Value | None]
    """The whole answer that a run of events leads to, or None when they do not hold all of it."""
    spread: Callable[[Prompt, Value], Iterable[bytes]]
    """The events that lead to a whole answer."""
    is_whole: Callable[[Value], bool]
    """Whether this is an answer of the protocol, and has an end."""
    read_error: Callable[[Value], Value | None]
    """The body of the error that an event tells of, or None."""
    status_of: Callable[[Value], int]
    """The status that goes with such a body."""
    stream_type: Headers = EVENTS


def convert(form: Form, prompt: Prompt, reply: Reply) -> Reply | None:
    """The same answer as the prompt wants it, or None when it cannot be. A reply that is so already stays as it is."""
    if reply.status >= 400:
        return reply
    streamed = _is_stream(reply)
    values = _values(reply) if streamed else [reply.json()]
    if streamed and (error := next(filter(None, map(form.read_error, objects(values))), None)):
        return reply if prompt.stream else _failed(reply, error, form.status_of(error))
    if not values or objects(values) != values:
        return None
    answer = form.gather(values) if streamed else values[0]
    if answer is None or not form.is_whole(answer):
        return None
    if streamed == prompt.stream:
        return reply
    return _streamed(form, reply, form.spread(prompt, answer)) if prompt.stream else _plain(reply, answer)


def _is_stream(reply: Reply) -> bool:
    """Whether a reply is events or lines, by what it holds: headers get lost on the way to a file."""
    if reply.json() is None:
        return bool(reply.body)
    return sse.is_ndjson(reply.content_type)  # of one line


def _values(reply: Reply) -> list[Any]:
    """The events of a stream; None stands for one that cannot be read."""
    if reply.body.lstrip()[:1] == b"{":
        return [parse_json(line) for line in sse.split_lines(reply.body) if line.strip()]
    return [event.json() for event in sse.read_events(reply.body)]


# --- replies --------------------------------------------------------------------------------------------

_OF_THE_FORM = ("content-type", "content-digest", "content-md5", "digest", "etag", "last-modified", "accept-ranges")
"""Headers that are about the bytes of a body, not about the answer."""


def _streamed(form: Form, reply: Reply, events: Iterable[bytes]) -> Reply:
    return replace(reply, headers=_headers(reply, form.stream_type), frames=[Frame(event) for event in events])


def _plain(reply: Reply, value: Value) -> Reply:
    """All of it comes when the stream was over."""
    frames = reply.frames if isinstance(reply.frames, Sequence) else reply.frames.seen
    body = Frame(compact(value).encode(), frames[-1].at if frames else 0.0)
    return replace(reply, headers=_headers(reply, JSON), frames=[body])


def _failed(reply: Reply, error: Value, status: int) -> Reply:
    """The status that a plain request would have got. It was recorded once: a client that tries again finds nothing."""
    failed = _plain(reply, error)
    return replace(failed, status=status, headers=(*failed.headers, ("x-should-retry", "false")), reason="")


def _headers(reply: Reply, said: Headers) -> Headers:
    return (*said, *(pair for pair in reply.headers if pair[0] not in _OF_THE_FORM))


# --- texts ----------------------------------------------------------------------------------------------

_PIECE = re.compile(r"\s*\S{1,16}|\s+")
_PIECE_OF_JSON = re.compile(r"\s*\S{1,8}|\s+")


def pieces(words: str) -> list[str]:
    """A text in pieces about as long as tokens: a word with the space before it."""
    return _PIECE.findall(words)


def json_pieces(value: object) -> list[str]:
    """A value as JSON, cut where a model's tokens might end: inside names, numbers and escapes."""
    return _PIECE_OF_JSON.findall(compact(value))
