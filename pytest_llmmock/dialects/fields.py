"""Tolerant access to JSON that others wrote, and compact JSON out."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from ..core import sse
from ..core.json_text import compact, parse_json
from ..core.model import Frame, Headers, Reply, json_reply

TEXT = (("content-type", "text/plain; charset=utf-8"),)
EVENTS = (("content-type", "text/event-stream; charset=utf-8"),)
LINES = (("content-type", "application/x-ndjson"),)
JSON = (("content-type", "application/json"),)


def mapping(value: object) -> dict[str, Any]:
    """The value when it is a JSON object, else an empty one."""
    return value if isinstance(value, dict) else {}


def listing(value: object) -> list[Any]:
    """The value when it is a JSON array, else an empty one."""
    return value if isinstance(value, list) else []


def objects(value: object) -> list[dict[str, Any]]:
    """The objects of a JSON array; what else it holds is passed over."""
    return [item for item in listing(value) if isinstance(item, dict)]


def text(value: object) -> str:
    """The value when it is a string, else ''."""
    return value if isinstance(value, str) else ""


def whole(value: object) -> int | None:
    """The value when it is a whole number, else None."""
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def first_text(*values: object) -> str:
    """The first of these that is a string with something in it, else ''."""
    return next((value for value in values if isinstance(value, str) and value), "")


def argument_text(value: object) -> str:
    """A tool call's arguments as text; some servers send them as an object."""
    return value if isinstance(value, str) else "" if value is None else compact(value)


def argument_object(arguments: str) -> Any:
    """A tool call's arguments as the object that some protocols want; broken ones stay the text that they are."""
    value = parse_json(arguments.encode(errors="replace")) if arguments else {}
    return value if isinstance(value, dict) else arguments


_BLANK = b"\xef\xbb\xbf \t\r\n"


def holds_json(body: bytes) -> bool:
    """Whether a body is JSON or lines of it, whatever its header says; else it may be events."""
    return body.lstrip(_BLANK)[:1] in (b"{", b"[")


def read_values(reply: Reply) -> list[Any]:
    """The JSON values of a reply, plain or a stream, in order. What is not JSON is passed over."""
    body = reply.body.lstrip(_BLANK)
    if holds_json(body):
        value = parse_json(body)
        return sse.read_lines(body) if value is None else [value]
    if sse.is_sse(reply.content_type) or body.startswith((b"data:", b"event:", b"id:", b"retry:", b":")):
        values = map(_value_of, sse.read_events(body))
        return [value for value in values if value is not None]
    return []


def _value_of(event: sse.Event) -> Any:
    """An event that is an error by its name only is one by its value too."""
    value = event.json()
    if event.event != "error" or (isinstance(value, dict) and ("error" in value or value.get("type") == "error")):
        return value
    return {"error": event.data if value is None else value}


def write_json(value: object, status: int = 200, headers: Headers = ()) -> Reply:
    """A plain reply that holds a JSON value."""
    return replace(json_reply(value, status, headers), source="script")


def write_events(events: list[bytes], headers: Headers = EVENTS) -> Reply:
    """A streamed reply, an event a frame."""
    return Reply(200, headers, [Frame(event) for event in events], source="script")


def write_event(value: object, event: str = "") -> bytes:
    return sse.write_event(compact(value), event)
