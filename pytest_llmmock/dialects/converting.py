"""What turns a plain reply into a stream and back, whatever protocol it is in."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import replace

from ..core import sse
from ..core.json_text import compact
from ..core.model import Frame, Reply, frames_of

EVENTS = "text/event-stream; charset=utf-8"
LINES = "application/x-ndjson"
JSON = "application/json"

_PIECES = re.compile(r"\s*\S{1,16}|\s+")
_SHORT_PIECES = re.compile(r"\s*\S{1,8}|\s+")


def pieces(text: str) -> list[str]:
    """A text cut like tokens, a word with the space before it; joined again, the pieces are the text."""
    return _PIECES.findall(text)


def json_pieces(text: str) -> list[str]:
    """JSON cut where a model's tokens might end: inside names, numbers and escapes."""
    return _SHORT_PIECES.findall(text)


def holds_events(reply: Reply) -> bool:
    """Whether a reply is a stream of server-sent events, by what it holds: headers get lost on the way to a file."""
    body = reply.body.lstrip(b"\xef\xbb\xbf \t\r\n")
    begins = (b"data:", b"event:", b"id:", b"retry:", b":")
    return body.startswith(begins) or (sse.is_sse(reply.content_type) and body[:1] not in (b"{", b"["))


def as_stream(reply: Reply, events: Iterable[bytes], content_type: str) -> Reply:
    """The reply with these events, each a frame, in place of what it held."""
    return replace(reply, headers=_typed(reply, content_type), frames=[Frame(event) for event in events])


def as_whole(reply: Reply, value: object, status: int = 0) -> Reply:
    """The reply with this JSON value, there when the last frame was, in place of what it held."""
    frames = reply.frames if isinstance(reply.frames, Sequence) else reply.frames.seen
    at = frames[-1].at if frames else 0.0
    whole = [Frame(frame.data, at) for frame in frames_of(compact(value).encode())]
    reason = "" if status else reply.reason
    return replace(reply, status=status or reply.status, reason=reason, headers=_typed(reply, JSON), frames=whole)


def _typed(reply: Reply, content_type: str) -> tuple[tuple[str, str], ...]:
    others = [pair for pair in reply.headers if pair[0] != "content-type"]
    return (("content-type", content_type), *others)
