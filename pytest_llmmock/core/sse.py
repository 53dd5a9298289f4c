"""Server-sent events and NDJSON, out and in, without changing a byte.

The format of events: https://html.spec.whatwg.org/multipage/server-sent-events.html#parsing-an-event-stream
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any

from .json_text import compact

_END_OF_EVENT = re.compile(rb"(?:\r\n|\r(?!\n)|\n)(?:\r\n|\r(?!\n)|\n)+")
_END_WITHOUT_RETURN = re.compile(rb"\n\n+")
"""The same where there is no carriage return, as in almost every stream: found ten times as fast."""
_END_OF_LINE = re.compile(r"\r\n|\r|\n")


@dataclass(frozen=True, slots=True)
class Event:
    """One event of a stream, read."""

    data: str
    """All `data:` lines, joined by line feeds."""
    event: str = ""
    id: str = ""

    def json(self) -> Any:
        """The data as a JSON value, or None when it is not JSON."""
        try:
            return json.loads(self.data)
        except (ValueError, RecursionError):
            return None


def is_sse(content_type: str) -> bool:
    return content_type.partition(";")[0].strip().lower() == "text/event-stream"


def is_ndjson(content_type: str) -> bool:
    return content_type.partition(";")[0].strip().lower() in (
        "application/x-ndjson",
        "application/ndjson",
        "application/jsonl",
        "application/x-jsonlines",
    )


def is_stream(content_type: str) -> bool:
    """Whether a body is a run of events or of lines."""
    return is_sse(content_type) or is_ndjson(content_type)


def split_events(stream: bytes) -> list[bytes]:
    """Cut a stream behind each event. Joined again, the pieces are the stream, byte for byte."""
    end_of_event = _END_OF_EVENT if b"\r" in stream else _END_WITHOUT_RETURN
    ends = [match.end() for match in end_of_event.finditer(stream)]
    if not ends or ends[-1] < len(stream):
        ends.append(len(stream))
    return [stream[start:end] for start, end in zip([0, *ends], ends, strict=False) if end > start]


class Cutter:
    """Cuts a stream that comes in chunks behind each event, as soon as it has come."""

    def __init__(self) -> None:
        self._open: list[bytes] = []
        self._tail = b""

    def take(self, chunk: bytes) -> list[bytes]:
        """The events that this chunk completes."""
        self._open.append(chunk)
        seam, self._tail = self._tail + chunk, (self._tail + chunk)[-3:]
        if not chunk or _END_OF_EVENT.search(seam) is None:
            return []
        pieces = split_events(b"".join(self._open))
        last = [] if _END_OF_EVENT.search(pieces[-1]) else [pieces.pop()]
        self._open = last
        return pieces

    def rest(self) -> bytes:
        """What came behind the last event that was completed."""
        rest, self._open = b"".join(self._open), []
        return rest


def split_lines(stream: bytes) -> list[bytes]:
    """Cut NDJSON behind each line. Joined again, the pieces are the stream, byte for byte."""
    return re.findall(rb"[^\n]*\n|[^\n]+", stream)


def read_events(stream: bytes) -> list[Event]:
    """The events that carry data, in order. Comments and empty events are passed over."""
    events = (read_event(piece) for piece in split_events(stream.removeprefix(_BOM)))
    return [event for event in events if event is not None]


def read_event(piece: bytes) -> Event | None:
    """One event, or None when it carries no data."""
    data: list[str] = []
    fields = {"event": "", "id": ""}
    for line in _lines_of(piece.decode(errors="replace")):
        name, colon, value = line.partition(":")
        value = value.removeprefix(" ") if colon else ""
        if name == "data":
            data.append(value)
        elif name in fields:
            fields[name] = value
    return Event("\n".join(data), fields["event"], fields["id"]) if data else None


def _lines_of(text: str) -> list[str]:
    return _END_OF_LINE.split(text) if "\r" in text else text.split("\n")


def read_lines(stream: bytes) -> list[Any]:
    """The values of NDJSON, in order. Lines that are not JSON are passed over."""
    values = []
    for line in split_lines(stream):
        try:
            values.append(json.loads(line.decode()))
        except (ValueError, RecursionError):
            continue
    return values


_LAST_TYPES = ("response.completed", "response.incomplete", "response.failed", "message_stop", "error")
_MAY_BE_LAST = re.compile(
    rb'\[DONE\]|response\.(?:completed|incomplete|failed)|message_stop|"error"|event: ?error|\\u00'
)
"""What an event holds that may be the last one. Parsing each would take longer than all else that is done for it."""


_BORDERS = (b"\n\n", b"\r\r", b"\n\r\n", b"\r\r\n")
"""How an event may end."""

_BOM = b"\xef\xbb\xbf"


class Ending:
    """Notices the event behind which a stream says nothing more.

    Clients leave there and do not wait for the connection's end: openai's at `[DONE]`, and all of them where an event
    tells of an error.
    """

    def __init__(self, content_type: str) -> None:
        self._is_last = _holds_last if is_sse(content_type) else _is_last_line if is_ndjson(content_type) else None
        self._border = b"\n" if is_ndjson(content_type) else _BORDERS
        self.failure = ""
        self._open: list[bytes] = []

    def reached(self, chunk: bytes) -> bool:
        """Whether the stream, with this chunk, has come to its last event."""
        if self._is_last is None:
            return False
        self._open.append(chunk)
        tail = b"".join(self._open[-4:])[-4:]
        if not tail.endswith(self._border):
            return False
        events, self._open = b"".join(self._open), []
        return self._is_last(events)


def is_whole(body: bytes, content_type: str) -> bool:
    """Whether a stream holds the event behind which it says nothing more."""
    if is_ndjson(content_type):
        return any(_is_last_line(line) for line in reversed(split_lines(body)))
    return _holds_last(body)


def _holds_last(events: bytes) -> bool:
    """A server may say something behind its last event, such as a comment, in the same breath."""
    if _MAY_BE_LAST.search(events) is None:
        return False
    return any(_is_last_event(piece) for piece in reversed(split_events(events.removeprefix(_BOM))))


def _is_last_event(piece: bytes) -> bool:
    event = read_event(piece) if _MAY_BE_LAST.search(piece) else None
    if event is None:
        return False
    value = event.json() if event.data.startswith("{") else None
    kind = value.get("type") if isinstance(value, dict) else event.event
    return event.data.strip() == "[DONE]" or kind in _LAST_TYPES or event.event == "error" or _tells_error(value)


def _is_last_line(lines: bytes) -> bool:
    values = read_lines(lines)
    last = values[-1] if values else None
    return _tells_error(last) or (isinstance(last, dict) and last.get("done") is True)


def _tells_error(value: object) -> bool:
    return isinstance(value, dict) and bool(value.get("error"))


def write_event(data: object, event: str = "") -> bytes:
    """One event; anything but text is written as compact JSON."""
    text = data if isinstance(data, str) else compact(data)
    head = f"event: {event}\n" if event else ""
    return (head + "".join(f"data: {line}\n" for line in _lines_of(text)) + "\n").encode()
