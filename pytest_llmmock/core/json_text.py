"""JSON as it comes over the wire, and goes out again."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

DEEPEST = 128
"""Levels: what is nested deeper is refused, as many parsers do. Whatever walks through a value may call itself."""


def parse_json(body: bytes, decode: Callable[[str], Any] = json.loads) -> Any:
    """A JSON value, or None when the bytes are not JSON (in UTF-8, as RFC 8259 wants it) or nested too deeply."""
    try:
        return _parsed(body, decode) if body else None
    except (ValueError, RecursionError):
        return None


def _parsed(body: bytes, decode: Callable[[str], Any] = json.loads) -> Any:
    value = decode(body.decode())
    if body.count(b"[") + body.count(b"{") > DEEPEST and _is_too_deep(value):
        raise ValueError(_TOO_DEEP)
    return value


_TOO_DEEP = f"it is nested more than {DEEPEST} levels deep"


def _is_too_deep(value: Any) -> bool:
    level = [value]
    for _ in range(DEEPEST):
        inner = [each.values() if isinstance(each, dict) else each for each in level if isinstance(each, dict | list)]
        level = [value for values in inner for value in values if isinstance(value, dict | list)]
        if not level:
            return False
    return True


def compact(value: object) -> str:
    """JSON without spaces that UTF-8 can hold: lone surrogates, which JSON allows, are escaped."""
    written = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return json.dumps(value, separators=(",", ":")) if _SURROGATE.search(written) else written


_SURROGATE = re.compile("[\ud800-\udfff]")


def writable(text: str) -> str:
    """A text that UTF-8 can hold: a file does, and what xdist's workers are told through."""
    return text if text.isascii() else text.encode(errors="backslashreplace").decode()


def is_json(body: bytes) -> bool:
    return json_error(body) is None


def json_error(body: bytes) -> str | None:
    """What keeps the bytes from being JSON, or None when they are."""
    try:
        _parsed(body)
    except RecursionError:
        return _TOO_DEEP
    except ValueError as error:
        return str(error)
    return None
