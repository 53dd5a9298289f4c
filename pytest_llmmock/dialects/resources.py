"""What a provider keeps, and what is done with it: created, listed, retrieved, deleted.

The shapes are those of `openai.pagination.SyncCursorPage` and `openai.types.FileDeleted`.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any
from urllib.parse import unquote

from ..core.json_text import parse_json
from ..core.model import Reply, Request
from ..core.prompt import Answer, Delta
from . import openai_shapes as shapes
from .fields import objects, read_values, write_json

Value = dict[str, Any]

_ACTIONS = {("POST", False): "create", ("GET", False): "list", ("GET", True): "retrieve", ("DELETE", True): "delete"}


def asked(request: Request, kind: str) -> tuple[str, str]:
    """What is to be done, and with which one; '' where the address is another."""
    found = re.search(rf"/{kind}(?:/([^/]+))?(?:/([^/]+))?/?$", request.path)
    if found is None:
        return "", ""
    id = unquote(found[1] or "")
    return found[2] or _ACTIONS.get((request.method, bool(id)), ""), id


def read_reply(reply: Reply) -> Answer:
    """Whatever is told of them, as it is."""
    values = read_values(reply)
    trouble = shapes.read_trouble(reply, values)
    return Answer((trouble,) if trouble else tuple(Delta("item", data=item) for item in _items(values)))


def _items(values: list[Any]) -> list[Value]:
    """One of them, or what a list holds."""
    return [each for value in objects(values) for each in (objects(value["data"]) if _is_list(value) else [value])]


def _is_list(value: Value) -> bool:
    return isinstance(value.get("data"), list)


def told(answer: Answer) -> list[Value]:
    """What an answer tells of them: items, or words that are JSON."""
    found: list[Any] = [delta.data for delta in answer.deltas if delta.kind == "item"]
    if not found:
        value = parse_json(answer.text.encode(errors="replace"))
        found = value if isinstance(value, list) else [value]
    return [value for value in objects(found) if value]


def write_list(values: list[Value], *, more: bool = False) -> Reply:
    """`SyncCursorPage`"""
    ends = {"first_id": values[0].get("id"), "last_id": values[-1].get("id")} if values else _NO_ENDS
    return write_json({"object": "list", "data": values, **ends, "has_more": more})


_NO_ENDS = {"first_id": None, "last_id": None}


def write_page(values: list[Value], *, more: bool = False) -> Reply:
    """The same as Anthropic writes it: `anthropic.pagination.SyncPage`, and `SyncPageCursor` of later clients"""
    ends = {"first_id": values[0].get("id"), "last_id": values[-1].get("id")} if values else _NO_ENDS
    return write_json({"data": values, **ends, "has_more": more, "next_page": ends["last_id"] if more else None})


def write_deleted(kind: str, id: str, found: list[Value]) -> Reply:
    """`FileDeleted`, whatever it is that is gone."""
    return write_json({"id": id, "object": kind, "deleted": True, **(found[0] if found else {})})


Make = Callable[[Value], Value]


def write(action: str, kind: str, id: str, found: list[Value], make: Make) -> Reply:
    """What is said about one thing or about all; `make` fills in what was not told."""
    if action == "delete":
        return write_deleted(kind, id, found)
    if action == "list":
        return write_list([make(value) for value in held(found)], more=has_more(found))
    return write_json(make(found[0] if found else {}))


def held(found: list[Value]) -> list[Value]:
    """The things of a list, which may have been told as such."""
    lists = [objects(value["data"]) for value in found if _is_list(value)]
    return lists[0] if lists else found


def has_more(found: list[Value]) -> bool:
    return any(value.get("has_more") is True for value in found if _is_list(value))


def write_failed(answer: Answer) -> Reply | None:
    """The error that an answer tells of."""
    error = shapes.error_of(answer)
    return write_json({"error": shapes.error_object(error)}, 500) if error else None
