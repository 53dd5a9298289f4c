"""Requests that came before in the very same bytes: what they mean is looked up, and not read again.

A client sends the same headers each time, and tests send the same requests. Only what is beyond doubt is
remembered: a head that ends in an empty line of CRLF, and a body whose length it tells. All else is for `http1`.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from io import BufferedReader, BytesIO

from . import http1
from .http1 import Asked, BadRequest, Head

_ROOM = 1 << 22
"""Bytes of requests that are remembered."""

_BESIDE = 500
"""Bytes that a request takes beside those that were sent."""

_LARGE = 1 << 16
"""Bytes from which a request is not: to read it again is then a small part of what it takes."""

_LONG_HEAD = 1 << 12
_END = b"\r\n\r\n"


class Seen:
    """The requests of all connections of a server. Two that read the same one at once both remember it."""

    def __init__(self) -> None:
        self._known: dict[bytes, Asked] = {}
        self._size = 0

    def read(self, stream: BufferedReader, send: Callable[[bytes], object]) -> Asked | None:
        """As `http1.read_request`."""
        sent = stream.peek()
        known = self._known.get(sent)
        if known is not None:
            stream.read(len(sent))
            return known
        end = sent.find(_END) + len(_END)
        found = _read_head(sent[:end]) if len(_END) <= end <= _LONG_HEAD else None
        if found is None:
            return http1.read_request(stream, send)
        head, length = found
        stream.read(end)
        asked = head.asked(http1.read_exactly(stream, length))
        if len(sent) == end + length:
            self._remember(sent, asked)
        return asked

    def _remember(self, sent: bytes, asked: Asked) -> None:
        if len(sent) > _LARGE:
            return
        size = 2 * len(sent) + _BESIDE  # its body stands in the request once more
        self._size += size
        if self._size > _ROOM:
            self._known, self._size = {}, size
        self._known[sent] = asked


@lru_cache(maxsize=256)
def _read_head(sent: bytes) -> tuple[Head, int] | None:
    """What these bytes say when they are a head, to the last one, of a body that just comes; and the body's length."""
    stream = BytesIO(sent)
    try:
        head = http1.read_head(stream)
        length = None if head is None or head.expects else http1.read_length(head.headers)
    except (BadRequest, ConnectionAbortedError):
        return None
    if head is None or length is None or length > http1.MAX_BODY or stream.tell() < len(sent):
        return None
    return head, length
