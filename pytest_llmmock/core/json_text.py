"""JSON as it comes over the wire, and goes out again."""

from __future__ import annotations

import json
import re
from typing import Any


def parse_json(body: bytes) -> Any:
    """A JSON value, or None when the bytes are not JSON (in UTF-8, as RFC 8259 wants it)."""
    try:
        return json.loads(body.decode()) if body else None
    except (ValueError, RecursionError):
        return None


def compact(value: object) -> str:
    """JSON without spaces that UTF-8 can hold: lone surrogates, which JSON allows, are escaped."""
    written = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return json.dumps(value, separators=(",", ":")) if _SURROGATE.search(written) else written


_SURROGATE = re.compile("[\ud800-\udfff]")


def is_json(body: bytes) -> bool:
    return json_error(body) is None


def json_error(body: bytes) -> str | None:
    """What keeps the bytes from being JSON, or None when they are."""
    try:
        json.loads(body.decode())
    except (ValueError, RecursionError) as error:
        return str(error)
    return None
