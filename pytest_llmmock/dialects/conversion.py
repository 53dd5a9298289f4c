"""A recorded answer as another request wants it: streamed or whole.

It is done on the JSON itself, so that nothing is lost which a `Prompt` or an `Answer` has no name for.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from ..core import sse
from ..core.json_text import compact
from ..core.model import Frame, Headers, Reply
from ..core.prompt import Prompt
from .fields import EVENTS, holds_json, objects, read_values, text, whole

Value = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Form:
    """How the whole answers of a protocol become events, and the other way round."""

    gather: Callable[[list[Value], bool], Value | None]
    """The whole answer of a run of events, which came to `[DONE]` or the like or not; None when some is missing."""
    spread: Callable[[Prompt, Value], Iterable[bytes]]
    """The events that lead to a whole answer."""
    is_whole: Callable[[Value], bool]
    """Whether this is a whole answer of the protocol."""
    read_error: Callable[[Value], Value | None]
    """The error that an event tells of, or None."""


def convert(form: Form, prompt: Prompt, reply: Reply) -> Reply | None:
    """The same answer as the prompt wants it, or None when it cannot be. A reply that is so already stays as it is."""
    if reply.status >= 400:
        return reply
    values, streamed = objects(read_values(reply)), not holds_json(reply.body)
    if streamed and (error := next(filter(None, map(form.read_error, values)), None)):
        return reply if prompt.stream else _failed(reply, error)
    done = streamed and sse.is_whole(reply.body, reply.content_type)
    answer = form.gather(values, done) if streamed else values[0] if len(values) == 1 else None
    if answer is None or not form.is_whole(answer):
        return None
    if streamed == prompt.stream:
        return reply
    return _streamed(reply, form.spread(prompt, answer)) if prompt.stream else _plain(reply, answer)


def never(prompt: Prompt, reply: Reply) -> Reply | None:
    """A protocol without streams has nothing to convert."""
    return None


# --- replies --------------------------------------------------------------------------------------------

_OF_THE_FORM = ("content-type", "content-digest", "content-md5", "digest", "etag", "last-modified", "accept-ranges")
"""Headers that are about the bytes of a body, not about the answer."""


def _streamed(reply: Reply, events: Iterable[bytes]) -> Reply:
    """Events evenly over the time that the answer took."""
    found = list(events)
    step = _took(reply) / len(found) if found else 0.0
    frames = [Frame(event, step * number) for number, event in enumerate(found, 1)]
    return replace(reply, headers=_headers(reply, EVENTS), frames=frames)


def _took(reply: Reply) -> float:
    """When the last of it came, in seconds from the request."""
    frames = reply.frames if isinstance(reply.frames, Sequence) else reply.frames.seen
    return frames[-1].at if frames else 0.0


def _plain(reply: Reply, value: Value) -> Reply:
    """All of it comes when the stream was over."""
    body = Frame(compact(value).encode(), _took(reply))
    return replace(reply, headers=_headers(reply, (("content-type", "application/json"),)), frames=[body])


def _headers(reply: Reply, said: Headers) -> Headers:
    return (*said, *(pair for pair in reply.headers if pair[0] not in _OF_THE_FORM))


def _failed(reply: Reply, error: Value) -> Reply:
    """The status that a plain request would have got. It was recorded once: a client that tries again finds nothing."""
    failed = _plain(reply, {"error": error})
    headers = (*failed.headers, ("x-should-retry", "false"))
    return replace(failed, status=status_of(error), headers=headers, reason="")


def read_error(event: Value) -> Value | None:
    """The error that an event tells of: `{"error": {…}}` or the string that some servers send."""
    error = event.get("error")
    if isinstance(error, str) and error:
        return {"message": error}
    return error if isinstance(error, dict) and error else None


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


def status_of(error: Value) -> int:
    """The HTTP status of an error that came inside a stream: the one that it names, else the server's own fault."""
    for said in (error.get("status"), error.get("code"), error.get("type")):
        number = _STATUSES.get(said) if isinstance(said, str) else whole(said)
        if number is not None and 400 <= number <= 599:
            return number
    return 500


# --- texts ----------------------------------------------------------------------------------------------

_PIECE = re.compile(r"\s*\S{1,16}|\s+")


def pieces(words: str) -> list[str]:
    """A text in pieces about as long as tokens: a word with the space before it."""
    return _PIECE.findall(words)


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
