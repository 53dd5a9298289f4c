"""HTTP/1.1 as bytes: a request read from a connection, a reply as blocks to be sent.

The grammar: https://www.rfc-editor.org/rfc/rfc9112. werkzeug's own reader goes through the email module,
which takes longer than all the rest of an answer, and its handler closes the connection after each reply.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from io import BufferedIOBase
from itertools import chain
from urllib.parse import quote

from ..core.model import Headers, Reply, Request, header
from ..core.pacing import Paced
from .blocks import as_it_is, chunks, in_chunks
from .head import FIELD, STATUS_WITHOUT_BODY, TOKEN, write_head

ORIGIN = "http://localhost"
"""The origin of every request. The real port is another in each run, so a cassette must not hold it."""

_MAX_HEAD = 1 << 16
_MAX_BODY = 1 << 27
_MAX_TRAILERS = 100

_REQUEST_LINE = re.compile(rb"(%b) ([^\x00-\x20\x7f]+) HTTP/(\d)\.(\d)" % TOKEN)
_CHUNK_SIZE = re.compile(rb"([0-9A-Fa-f]{1,16})[ \t]*(?:;[^\n]*)?\r?\n")
_ABSOLUTE = re.compile(r"(?i:https?)://[^/?]*(.*)")
_ASCII = "".join(map(chr, range(0x21, 0x7F)))

_CHUNKED = b"transfer-encoding: chunked\r\n"


class BadRequest(Exception):
    """What arrived cannot be read as a request, so nobody knows where the next one would begin."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.request: Request | None = None
        """The request as far as it could be read: its head, or nothing."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A request, and what its sender can take as an answer."""

    request: Request
    modern: bool
    """It speaks HTTP/1.1: it knows chunks."""
    keep: bool
    """The connection stays open for the next request."""


# --- in -------------------------------------------------------------------------------------------------


def read_request(stream: BufferedIOBase, send: Callable[[bytes], object]) -> Asked | None:
    """The next request, or None when the client has no more. `send` tells it to go on with a body it holds back."""
    lines = _read_head(stream)
    if not lines:
        return None
    method, target, modern = _read_request_line(lines[0])
    path, query = _split_target(target)
    headers = tuple(map(_read_field, lines[1:]))
    proceed = send if modern and "100-continue" in _values(headers, "expect") else _no_need
    request = Request(method, ORIGIN, path, query, headers)
    try:
        request = replace(request, body=_read_body(stream, headers, proceed))
    except BadRequest as bad:
        bad.request = request
        raise
    return Asked(request, modern, keep=modern and "close" not in _values(headers, "connection"))


def _read_head(stream: BufferedIOBase) -> list[bytes]:
    """The request line and the fields. Empty lines before them are passed over."""
    lines: list[bytes] = []
    room = _MAX_HEAD
    while line := stream.readline(room + 1):
        room -= len(line)
        if room < 0:
            raise BadRequest(431, f"The request's head is longer than {_MAX_HEAD} bytes.")
        line = line.rstrip(b"\r\n")
        if line:
            lines.append(line)
        elif lines:
            return lines
    if lines:
        raise ConnectionAbortedError("the client went away inside a request's head")
    return lines


def _read_request_line(line: bytes) -> tuple[str, bytes, bool]:
    match = _REQUEST_LINE.fullmatch(line)
    if match is None:
        raise BadRequest(400, f"Not a request line of HTTP/1.1: {_shown(line)}")
    method, target, major, minor = match.groups()
    if major != b"1":
        raise BadRequest(505, f"This server speaks HTTP/1.1 and not HTTP/{major.decode()}.{minor.decode()}.")
    return method.decode().upper(), target, minor != b"0"


@lru_cache(maxsize=512)
def _read_field(line: bytes) -> tuple[str, str]:
    match = FIELD.fullmatch(line)
    if match is None:
        raise BadRequest(400, f"Not a header of HTTP/1.1: {_shown(line)}")
    name, value = match.groups()
    return name.decode().lower(), value.rstrip(b" \t").decode("latin-1")


def _split_target(target: bytes) -> tuple[str, str]:
    """Path and query, as sent. Of an absolute address, as a proxy is asked, the part behind the host."""
    text = target.decode() if target.isascii() else quote(target, safe=_ASCII)
    if not text.startswith("/"):
        absolute = _ABSOLUTE.fullmatch(text)
        if absolute is None:
            raise BadRequest(400, f"Not an address of this server, which is no proxy: {_shown(target)}")
        text = "/" + absolute[1].removeprefix("/")
    path, _, query = text.partition("?")
    return path, query


def _read_body(stream: BufferedIOBase, headers: Headers, proceed: Callable[[bytes], object]) -> bytes:
    codings = _values(headers, "transfer-encoding")
    lengths = {value for name, value in headers if name == "content-length"}
    if not codings and lengths <= {"0"}:
        return b""
    if codings and lengths:
        raise BadRequest(400, "A request has either Content-Length or Transfer-Encoding, not both.")
    if codings and codings != ["chunked"]:
        raise BadRequest(501, f"This server does not know the transfer encoding {', '.join(codings)}.")
    length = 0 if codings else _read_length(lengths)
    proceed(b"HTTP/1.1 100 Continue\r\n\r\n")
    return b"".join(_read_chunks(stream)) if codings else _read_exactly(stream, length)


def _read_length(lengths: set[str]) -> int:
    text = lengths.pop()
    if lengths or not (text.isascii() and text.isdigit()):
        raise BadRequest(400, "Content-Length is not one number.")
    if len(text) > 18:
        raise _too_large()
    return int(text)


def _read_chunks(stream: BufferedIOBase) -> Iterator[bytes]:
    room = _MAX_BODY
    while size := _read_chunk_size(stream.readline(_MAX_HEAD)):
        room -= size
        if room < 0:
            raise _too_large()
        yield _read_exactly(stream, size)
        if stream.readline(2) not in (b"\r\n", b"\n"):
            raise BadRequest(400, "A chunk of the body is longer than it says.")
    _read_trailers(stream)


def _read_chunk_size(line: bytes) -> int:
    match = _CHUNK_SIZE.fullmatch(line)
    if match is not None:
        return int(match[1], 16)
    if not line.endswith(b"\n") and len(line) < _MAX_HEAD:
        raise ConnectionAbortedError("the client went away inside a request's body")
    raise BadRequest(400, f"Not the size of a chunk: {_shown(line)}")


def _read_trailers(stream: BufferedIOBase) -> None:
    """What may follow the last chunk says nothing that we need."""
    for _ in range(_MAX_TRAILERS):
        if stream.readline(_MAX_HEAD) in (b"\r\n", b"\n", b""):
            return
    raise BadRequest(431, f"The request's body is followed by more than {_MAX_TRAILERS} lines.")


def _read_exactly(stream: BufferedIOBase, size: int) -> bytes:
    if size > _MAX_BODY:
        raise _too_large()
    data = stream.read(size)
    if len(data) < size:
        raise ConnectionAbortedError("the client went away inside a request's body")
    return data


def _values(headers: Headers, name: str) -> list[str]:
    """The members of a header that is a list, in lower case."""
    found = [value for key, value in headers if key == name]
    return [member.strip().lower() for value in found for member in value.split(",")]


def _too_large() -> BadRequest:
    return BadRequest(413, f"The request's body is longer than {_MAX_BODY} bytes.")


def _shown(line: bytes) -> str:
    return ascii(line[:80].decode("latin-1"))


def _no_need(interim: bytes) -> None:
    """The client sends its body without being told to."""


# --- out ------------------------------------------------------------------------------------------------


def write_blocks(asked: Asked, reply: Reply) -> Iterable[bytes]:
    """As `write_reply`, and each frame of a stream is a block of its own."""
    return _write_stream(asked, reply) if reply.is_stream else write_reply(asked, reply)


def write_reply(asked: Asked, reply: Reply) -> Iterable[bytes]:
    """The reply in blocks, each to be sent as soon as it is there: one block when the body is known and not large.

    What is wrong with the head is raised here, before there is a block; `CutConnection`, or whatever else
    the frames raise, comes between blocks.
    """
    if isinstance(reply.frames, Sequence):
        return _write_known(asked, reply, [frame.data for frame in reply.frames])
    return _write_stream(asked, reply)


def _write_known(asked: Asked, reply: Reply, bodies: list[bytes]) -> Iterable[bytes]:
    size = sum(map(len, bodies))
    streams = reply.is_stream
    if not _has_body(asked, reply):
        return [write_head(reply, _unknown(asked) if streams else _told(reply, size), asked.keep)]
    head = write_head(reply, _unknown(asked) if streams else _known(size), asked.keep)
    write = in_chunks if streams and asked.modern else as_it_is
    return write(head, bodies, size)


def _write_stream(asked: Asked, reply: Reply) -> Iterable[bytes]:
    """Without a length the body ends with the empty chunk, or in HTTP/1.0 with the connection."""
    framing = _length_ahead(reply) or _unknown(asked)
    head = write_head(reply, framing, asked.keep)
    if not _has_body(asked, reply):
        return _without_body(head, reply)
    bodies = (frame.data for frame in reply.frames)
    return chain([head], chunks(bodies) if framing is _CHUNKED else bodies)


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
