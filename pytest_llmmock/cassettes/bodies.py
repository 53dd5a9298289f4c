"""The body of a message, and how it is written down: JSON as structure, text as text, bytes as bytes."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from ..core.model import Headers, header

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
    return (json.dumps(value, **STYLES[name]) + ending).encode()


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


def without_encoding(body: bytes, headers: Headers) -> tuple[bytes, Headers]:
    """The body as it was before it was compressed, and the headers that then hold.

    Peers store some bodies compressed, and some plain under a header that still says compressed: bytes
    that do not decode are taken as plain.
    """
    names = [name.strip().lower() for name in (header(headers, "content-encoding") or "").split(",")]
    for name in reversed(names):
        decode = DECODERS.get(name)
        try:
            body = decode(body) if decode and body else body
        except Exception:  # each decoder has an exception type of its own, and brotli two
            break
    return body, tuple(pair for pair in headers if pair[0] != "content-encoding")


def _gzip(body: bytes) -> bytes:
    import zlib

    return zlib.decompress(body, wbits=zlib.MAX_WBITS | 32)


def _deflate(body: bytes) -> bytes:
    """Some servers leave out the header that RFC 9110 asks for."""
    import zlib

    try:
        return zlib.decompress(body)
    except zlib.error:
        unpacker = zlib.decompressobj(wbits=-zlib.MAX_WBITS)
        unpacked = unpacker.decompress(body)
        if not unpacker.eof or unpacker.unused_data:
            raise
        return unpacked


def _br(body: bytes) -> bytes:
    try:
        import brotli
    except ImportError:  # PyPy
        import brotlicffi as brotli
    decoded: bytes = brotli.decompress(body)
    return decoded


def _zstd(body: bytes) -> bytes:
    import sys

    if sys.version_info >= (3, 14):
        from compression import zstd
    else:
        from backports import zstd
    return zstd.decompress(body)


DECODERS: dict[str, Callable[[bytes], bytes]] = {
    "gzip": _gzip,
    "x-gzip": _gzip,
    "deflate": _deflate,
    "br": _br,
    "zstd": _zstd,
}
