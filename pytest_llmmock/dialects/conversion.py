"""A recorded answer as another request wants it: streamed or whole.

It is done on the JSON itself, so that nothing is lost which a `Prompt` or an `Answer` has no name for.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Any

from ..core import sse
from ..core.json_text import compact, parse_json
from ..core.model import Frame, Headers, Reply
from ..core.prompt import Prompt
from .fields import EVENTS, JSON, holds_json, objects, text, whole

Value = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Form:
    """How the whole answers of a protocol become events, and the other way round. A line of NDJSON is an event."""

    gather: Callable[[list[Value], bool], Value | None]
    """The whole answer of a run of events, which came to `[DONE]` or the like or not; None when some is missing."""
    spread: Callable[[Prompt, Value], Iterable[bytes]]
    """The events that lead to a whole answer."""
    is_whole: Callable[[Value], bool]
    """Whether this is a whole answer of the protocol."""
    read_failure: Callable[[Value], Value | None]
    """The body of the error that an event tells of, or None."""
    status_of: Callable[[Value], int]
    """The status that goes with such a body."""
    stream_type: Headers = EVENTS


def convert(form: Form, prompt: Prompt, reply: Reply) -> Reply | None:
    """The same answer as the prompt wants it, or None when it cannot be. A reply that is so already stays as it is."""
    if reply.status >= 400:
        return reply
    streamed = _is_stream(reply)
    values = _events(reply) if streamed else [reply.json()]
    if streamed and (failure := next(filter(None, map(form.read_failure, objects(values))), None)):
        return reply if prompt.stream else _failed(reply, failure, form.status_of(failure))
    if not values or objects(values) != values:
        return None
    answer = form.gather(values, sse.is_whole(reply.body, reply.content_type)) if streamed else values[0]
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


def _events(reply: Reply) -> list[Any]:
    """The values of a stream; None stands for one that cannot be read."""
    if holds_json(reply.body):
        return [parse_json(line) for line in sse.split_lines(reply.body) if line.strip()]
    return [event.json() for event in sse.read_events(reply.body) if event.data.strip() != "[DONE]"]


def never(prompt: Prompt, reply: Reply) -> Reply | None:
    """A protocol without streams has nothing to convert."""
    return None


# --- replies --------------------------------------------------------------------------------------------

_OF_THE_FORM = ("content-type", "content-digest", "content-md5", "digest", "etag", "last-modified", "accept-ranges")
"""Headers that are about the bytes of a body, not about the answer."""


def _streamed(form: Form, reply: Reply, events: Iterable[bytes]) -> Reply:
    """Events evenly over the time that the answer took."""
    found = list(events)
    step = _took(reply) / len(found) if found else 0.0
    frames = [Frame(event, step * number) for number, event in enumerate(found, 1)]
    return replace(reply, headers=headers_as(reply, form.stream_type), frames=frames)


def _took(reply: Reply) -> float:
    """When the last of it came, in seconds from the request."""
    return reply.arrived[-1].at if reply.arrived else 0.0


def _plain(reply: Reply, value: Value) -> Reply:
    """All of it comes when the stream was over."""
    body = Frame(compact(value).encode(), _took(reply))
    return replace(reply, headers=headers_as(reply, JSON), frames=[body])


def headers_as(reply: Reply, said: Headers) -> Headers:
    """The headers of a reply whose body is written anew, in the form that `said` tells."""
    return (*said, *(pair for pair in reply.headers if pair[0] not in _OF_THE_FORM))


def _failed(reply: Reply, failure: Value, status: int) -> Reply:
    """The status that a plain request would have got. It was recorded once: a client that tries again finds nothing."""
    failed = _plain(reply, failure)
    return replace(failed, status=status, headers=(*failed.headers, ("x-should-retry", "false")), reason="")


# --- errors, as OpenAI's protocols have them ------------------------------------------------------------


def read_error(event: Value) -> Value | None:
    """The error that an event tells of: `{"error": {…}}` or the string that some servers send."""
    error = event.get("error")
    if isinstance(error, str) and error:
        return {"message": error}
    return error if isinstance(error, dict) and error else None


def read_failure(event: Value) -> Value | None:
    """The same as the body of a plain answer."""
    error = read_error(event)
    return None if error is None else {"error": error}


_STATUSES = {
    "invalid_request_error": 400,
    "invalid_prompt": 400,
    "context_length_exceeded": 400,
    "authentication_error": 401,
    "invalid_api_key": 401,
    "permission_error": 403,
    "not_found_error": 404,
    "model_not_found": 404,
    "rate_limit_error": 429,
    "rate_limit_exceeded": 429,
    "insufficient_quota": 429,
    "server_is_overloaded": 503,
}


def status_of(failure: Value) -> int:
    """The HTTP status of a body that `read_failure` has made."""
    return status_named(failure["error"])


def status_named(error: Value) -> int:
    """The HTTP status of an error that came inside a stream: the one that it names, else the server's own fault."""
    for said in (error.get("status"), error.get("code"), error.get("type")):
        number = _STATUSES.get(said) if isinstance(said, str) else whole(said)
        if number is not None and 400 <= number <= 599:
            return number
    return 500


# --- texts ----------------------------------------------------------------------------------------------

_MANY = 10_000
_LONG = 16
"""Characters. Where pieces would be more than `_MANY`, they are longer than that."""

_PIECE = re.compile(r"\s*\S{1,16}|\s+")
_PIECE_OF_JSON = re.compile(r"\s*\S{1,8}|\s+")


def pieces(words: str) -> list[str]:
    """A text in pieces about as long as tokens: a word with the space before it; longer ones of a very long text."""
    size = len(words) // _MANY
    if size <= _LONG:
        return _PIECE.findall(words)
    return [words[start : start + size] for start in range(0, len(words), size)]


def json_pieces(value: object) -> list[str]:
    """A value as JSON, cut where a model's tokens might end: inside names, numbers and escapes."""
    return _PIECE_OF_JSON.findall(compact(value))


def tokens(logprobs: object, words: object) -> list[tuple[str, Value]]:
    """The tokens of a text, each with what is said of it; none when they are not the very text."""
    found = [(text(entry.get("token")), entry) for entry in objects(logprobs)]
    return found if "".join(token for token, _ in found) == words else []


def joined(so_far: Value, more: Value) -> Value:
    """Fields that several events repeat: the first value that says something stays, objects are joined."""
    found = dict(so_far)
    for name, value in more.items():
        before = found.get(name)
        if isinstance(before, dict) and isinstance(value, dict):
            found[name] = {**before, **value}
        elif name not in found or (not before and value is not None):
            found[name] = value
    return found
