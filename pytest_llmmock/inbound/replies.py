"""A reply of HTTP/1.1 as blocks of bytes to be sent.

The grammar: https://www.rfc-editor.org/rfc/rfc9112.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain

from ..core.model import Frame, Reply, header
from ..core.pacing import Paced
from .blocks import as_it_is, chunks, in_chunks
from .head import STATUS_WITHOUT_BODY, write_head
from .http1 import Asked

_ROOM = 1 << 23
"""Bytes of replies that are kept ready."""

_CHUNKED = b"transfer-encoding: chunked\r\n"


class Ready:
    """Replies of recordings as they were sent before: a recording is the same each time.

    They are found by the identity of their frames, and are good as long as those are what they were.
    """

    def __init__(self) -> None:
        self._known: dict[tuple[object, ...], tuple[list[bytes], Sequence[Frame]]] = {}
        self._size = 0

    def write(self, asked: Asked, reply: Reply) -> Iterable[bytes]:
        """As `write_reply`."""
        frames = reply.frames
        if reply.source != "cassette" or not isinstance(frames, Sequence) or asked.request.method == "HEAD":
            return write_reply(asked, reply)
        place = id(frames), reply.headers, reply.status, reply.reason, asked.modern, asked.keep
        known = self._known.get(place)
        if known is not None and known[1] == frames:
            return known[0]
        written = write_reply(asked, reply)
        if isinstance(written, list):  # which a large one is not
            self._make_room(sum(map(len, written)))
            self._known[place] = written, frames[:]
        return written

    def _make_room(self, size: int) -> None:
        self._size += size + 500
        if self._size > _ROOM:
            self._known, self._size = {}, size


def write_blocks(asked: Asked, reply: Reply) -> Iterable[bytes]:
    """As `write_reply`, and each frame of a stream is a block of its own."""
    if reply.is_stream:
        return _write_stream(asked, reply, ([frame] for frame in reply.frames))
    return write_reply(asked, reply)


def write_reply(asked: Asked, reply: Reply) -> Iterable[bytes]:
    """The reply in blocks, each to be sent as soon as it is there: one block when the body is known and not large.

    What is wrong with the head is raised here, before there is a block; `CutConnection`, or whatever else
    the frames raise, comes between blocks.
    """
    if isinstance(reply.frames, Sequence):
        return _write_known(asked, reply, [frame.data for frame in reply.frames])
    frames = reply.frames
    return _write_stream(asked, reply, frames.together() if isinstance(frames, Paced) else ([each] for each in frames))


def _write_known(asked: Asked, reply: Reply, bodies: list[bytes]) -> Iterable[bytes]:
    size = sum(map(len, bodies))
    streams = reply.is_stream
    if not _has_body(asked, reply):
        return [write_head(reply, _unknown(asked) if streams else _told(reply, size), asked.keep)]
    head = write_head(reply, _unknown(asked) if streams else _known(size), asked.keep)
    write = in_chunks if streams and asked.modern else as_it_is
    return write(head, bodies, size)


def _write_stream(asked: Asked, reply: Reply, pieces: Iterable[Sequence[Frame]]) -> Iterable[bytes]:
    """Without a length the body ends with the empty chunk, or in HTTP/1.0 with the connection."""
    framing = _length_ahead(reply) or _unknown(asked)
    head = write_head(reply, framing, asked.keep)
    if not _has_body(asked, reply):
        return _without_body(head, reply)
    bodies = ([frame.data for frame in frames] for frames in pieces)
    return chain([head], chunks(bodies) if framing is _CHUNKED else map(b"".join, bodies))


def _without_body(head: bytes, reply: Reply) -> Iterator[bytes]:
    """What an upstream sends is read to its end all the same, for else it would not be recorded."""
    if reply.live:
        deque(reply.frames, maxlen=0)
    yield head


def _length_ahead(reply: Reply) -> bytes:
    """The framing of a plain body that is held back: it is known before it comes."""
    frames = reply.frames
    length = frames.length if isinstance(frames, Paced) and frames.holds_head else None
    return b"" if length is None else _known(length)


def _told(reply: Reply, size: int) -> bytes:
    """What an answer to HEAD says of the body that it does not have: an upstream told it, or it is what there is."""
    length = header(reply.headers, "content-length")
    return _known(int(length)) if length and length.isdecimal() else _known(size) if size else b""


def _known(length: int) -> bytes:
    return b"content-length: %d\r\n" % length


def _unknown(asked: Asked) -> bytes:
    """The framing of a body whose length is not told."""
    return _CHUNKED if asked.modern else b""


def _has_body(asked: Asked, reply: Reply) -> bool:
    return asked.request.method != "HEAD" and reply.status not in STATUS_WITHOUT_BODY
