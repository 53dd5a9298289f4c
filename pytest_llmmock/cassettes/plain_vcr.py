"""Cassettes as vcrpy writes them itself: its version 1 YAML, which its own serializer reads without us."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import PurePosixPath
from typing import Any

from ..core.model import Reply, Request
from . import yaml_text
from .bodies import as_text
from .cassette import Interaction, Recorded
from .format import headers_by_name


def dumps(interactions: Iterable[Interaction]) -> bytes:
    """The text of a cassette: bodies as texts, bytes that are no text as `!!binary`, nothing of ours."""
    items = [_item(each.recorded) for each in interactions]
    return f"interactions:{yaml_text.block(items, '')}\nversion: 1\n".encode()


def _item(recorded: Recorded) -> dict[str, Any]:
    request, reply = recorded.request, recorded.reply
    return {
        "request": {
            "body": as_text(request.body),
            "headers": headers_by_name(request.headers),
            "method": request.method,
            "uri": request.url,
        },
        "response": {
            "body": {"string": as_text(reply.body)},
            "headers": headers_by_name((*reply.headers, *_length(request, reply))),
            "status": {"code": reply.status, "message": reply.reason},
        },
    }


def _length(request: Request, reply: Reply) -> tuple[tuple[str, str], ...]:
    """What the body measures, where a server would have said it: not of a stream, nor where no body is."""
    without_body = request.method == "HEAD" or reply.status in (204, 304)
    return () if reply.is_stream or without_body else (("content-length", str(len(reply.body))),)


def place_of(name: str, format: str) -> PurePosixPath:
    """Where a cassette of this name goes: for pytest-recording in a folder `cassettes` beside the test module."""
    path = PurePosixPath(f"{name}.yaml")
    if format != "pytest-recording" or len(path.parts) < 2:
        return path
    return path.parent.parent / "cassettes" / path.parent.name / path.name


FORMATS = ("vcrpy", "pytest-recording")
"""The same text, in folders as each of them looks for it."""
