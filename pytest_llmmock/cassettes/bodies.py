"""The body of a message, and how it is written down: JSON as structure, text as text, bytes as bytes."""

from __future__ import annotations

import json
from functools import lru_cache
from typing import Any

Body = dict[str, Any]
"""What stands in the cassette: one of `parsed_body` and `body`."""

STYLES: dict[str, dict[str, Any]] = {
    "compact": {"separators": (",", ":"), "ensure_ascii": False},
    "compact ascii": {"separators": (",", ":")},
    "spaced": {"separators": (", ", ": "), "ensure_ascii": False},
    "spaced ascii": {"separators": (", ", ": ")},
    "indent 2": {"indent": 2, "ensure_ascii": False},
    "indent 2 ascii": {"indent": 2},
    "indent 4": {"indent": 4, "ensure_ascii": False},
}
"""How programs lay out JSON. A body in none of these is kept as its text."""

COMPACT = "compact"


def style_of(value: Any, text: str) -> str | None:
    """The name of the style in which the value, written again, gives this very text; None if there is none."""
    ending = text[len(text.rstrip("\r\n")) :]
    for name, style in STYLES.items():
        if json.dumps(value, **style) + ending == text:
            return f"{name} {ending!a}" if ending else name
    return None


def in_style(value: Any, style: str) -> bytes:
    """A JSON value as the bytes that it was recorded as."""
    name, quote, rest = style.partition(" '")
    ending = rest.rstrip("'").encode().decode("unicode_escape") if quote else ""
    return (_encoder(name).encode(value) + ending).encode()


@lru_cache(maxsize=len(STYLES))
def _encoder(style: str) -> json.JSONEncoder:
    return json.JSONEncoder(**STYLES[style])


def structure(body: bytes, content_type: str) -> tuple[Any, str] | None:
    """The JSON value of a body and its style, or None when it is to be kept as text or bytes."""
    if not _may_be_json(body, content_type):
        return None
    try:
        text = body.decode()
        value = json.loads(text)
        style = style_of(value, text)
    except (ValueError, RecursionError):
        return None
    return None if style is None else (value, style)


def _may_be_json(body: bytes, content_type: str) -> bool:
    media_type = content_type.partition(";")[0].strip().lower()
    if media_type:
        return media_type == "application/json" or media_type.endswith("+json")
    return body[:1] in (b"{", b"[")


def as_text(body: bytes) -> str | bytes:
    """Text where the bytes are UTF-8, else the bytes."""
    try:
        return body.decode()
    except UnicodeDecodeError:
        return body
