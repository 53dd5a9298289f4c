"""Images, sounds and files inside a JSON body, by the hash of their content."""

from __future__ import annotations

import base64
import binascii
import re
from hashlib import sha256
from typing import Any

_LEAST = 64
"""Characters from which Base64 that stands by itself is taken for content; a short word is a word."""

_DATA_URL = re.compile(r"data:([^,;]*)((?:;[^,;]*)*);base64,(.*)", re.DOTALL | re.IGNORECASE)
_BASE64 = re.compile(r"[A-Za-z0-9+/_-]+={0,2}", re.ASCII)
_SPACE = re.compile(r"\s+")


def may_hold(body: bytes) -> bool:
    """Whether a body is worth a closer look; looking at every string of every body would cost more than the rest.

    One of these stands wherever there is media: in data URLs, Anthropic's and Gemini's `data`, Ollama's `images`.
    """
    return b";base64," in body or b'"data"' in body or b'"images"' in body or b'"b64_json"' in body


def by_hash(value: Any) -> Any:
    """The value, in which content in Base64 is its kind and hash, however it was laid out."""
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, dict):
        return {name: by_hash(item) for name, item in value.items()}
    if isinstance(value, list):
        return [by_hash(item) for item in value]
    return value


def _text(text: str) -> str:
    found = _DATA_URL.fullmatch(text) if text[:5].lower() == "data:" else None
    if found is not None:
        content = _decoded(found[3])
        return text if content is None else _digest(content, found[1].lower() + found[2])
    content = _decoded(text) if len(text) >= _LEAST else None
    return text if content is None else _digest(content, "base64")


def _decoded(encoded: str) -> bytes | None:
    """What is encoded, in either alphabet, with or without padding and line breaks; None when it is not Base64."""
    packed = _SPACE.sub("", encoded)
    if not _BASE64.fullmatch(packed):
        return None
    plain = packed.rstrip("=").replace("-", "+").replace("_", "/")
    try:
        return base64.b64decode(plain + "=" * (-len(plain) % 4), validate=True)
    except binascii.Error:
        return None


def _digest(content: bytes, kind: str) -> str:
    return f"<{kind}, {len(content):,} bytes, sha256 {sha256(content).hexdigest()}>"
