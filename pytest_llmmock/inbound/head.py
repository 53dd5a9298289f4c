"""The head of a reply as bytes."""

from __future__ import annotations

import re
from functools import lru_cache
from http import HTTPStatus

from ..core.model import Headers, Reply

STATUS_WITHOUT_BODY = {204, 304}

TOKEN = rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]+"
TEXT = rb"[^\x00-\x08\x0a-\x1f\x7f]*"
FIELD = re.compile(rb"(%b):[ \t]*(%b)" % (TOKEN, TEXT))

_REASON = re.compile(TEXT)
_OUR_OWN = {"connection", "content-length", "keep-alive", "transfer-encoding"}
_PHRASES = {status.value: status.phrase for status in HTTPStatus}


def write_head(reply: Reply, framing: bytes, keep: bool) -> bytes:
    """The status line and the fields, with the framing of the body and whether the connection stays open.

    Raises `ValueError` for what cannot be sent.
    """
    if not 200 <= reply.status <= 999:
        raise ValueError(f"{reply.status} cannot be sent as a status")
    framing = b"" if reply.status in STATUS_WITHOUT_BODY else framing
    closing = b"" if keep else b"connection: close\r\n"
    line = b"HTTP/1.1 %d %b\r\n" % (reply.status, _write_reason(reply.status, reply.reason))
    return b"%b%b%b%b\r\n" % (line, _write_fields(reply.headers), framing, closing)


@lru_cache(maxsize=256)
def _write_reason(status: int, text: str) -> bytes:
    reason = _encode(text or _PHRASES.get(status, ""))
    if _REASON.fullmatch(reason) is None:
        raise ValueError(f"{text!r} cannot be sent as a reason")
    return reason


@lru_cache(maxsize=256)
def _write_fields(headers: Headers) -> bytes:
    """A recorded reply has the same headers each time."""
    return b"".join([_write_field(name, value) for name, value in headers if name.lower() not in _OUR_OWN])


def _write_field(name: str, value: str) -> bytes:
    field = b"%b: %b" % (_encode(name), _encode(value))
    if FIELD.fullmatch(field) is None:
        raise ValueError(f"{name!r}: {value!r} cannot be sent as a header")
    return field + b"\r\n"


def _encode(text: str) -> bytes:
    """As it was received, where each byte became a character; else in UTF-8."""
    try:
        return text.encode("latin-1")
    except UnicodeEncodeError:
        return text.encode()
