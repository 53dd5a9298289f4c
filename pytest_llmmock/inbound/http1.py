"""HTTP/1.1 as bytes: a request read from a connection. `replies.py` writes the reply.

The grammar: https://www.rfc-editor.org/rfc/rfc9112. werkzeug's own reader goes through the email module,
which takes longer than all the rest of an answer, and its handler closes the connection after each reply.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from io import BufferedIOBase
from urllib.parse import quote

from ..core.model import Headers, Request, header
from .head import FIELD, TOKEN

ORIGIN = "http://localhost"
"""The origin of every request. The real port is another in each run, so a cassette must not hold it."""

_MAX_HEAD = 1 << 16
MAX_BODY = 1 << 27
_MAX_TRAILERS = 100

_REQUEST_LINE = re.compile(rb"(%b) ([^\x00-\x20\x7f]+) HTTP/(\d)\.(\d)" % TOKEN)
_CHUNK_SIZE = re.compile(rb"([0-9A-Fa-f]{1,16})[ \t]*(?:;[^\n]*)?\r?\n")
_ABSOLUTE = re.compile(r"(?i:https?)://[^/?]*(.*)")
_ASCII = "".join(map(chr, range(0x21, 0x7F)))


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


@dataclass(frozen=True, slots=True)
class Head:
    """A request without its body."""

    method: str
    path: str
    query: str
    headers: Headers
    base: str
    """Where its client believes that it is asking."""
    modern: bool
    keep: bool
    expects: bool
    """The client holds the body back until it is told to go on."""

    def asked(self, body: bytes = b"") -> Asked:
        request = Request(self.method, ORIGIN, self.path, self.query, self.headers, body, self.base)
        return Asked(request, self.modern, self.keep)


def read_request(stream: BufferedIOBase, send: Callable[[bytes], object]) -> Asked | None:
    """The next request, or None when the client has no more. `send` tells it to go on with a body it holds back."""
    head = read_head(stream)
    if head is None:
        return None
    try:
        return head.asked(_read_body(stream, head.headers, send if head.expects else _no_need))
    except BadRequest as bad:
        bad.request = head.asked().request
        raise


def read_head(stream: BufferedIOBase) -> Head | None:
    """The next request's head, or None when the client has no more."""
    lines = _read_lines(stream)
    if not lines:
        return None
    method, target, modern = _read_request_line(lines[0])
    path, query = _split_target(target)
    headers = tuple(map(_read_field, lines[1:]))
    host = header(headers, "host")
    expects = modern and "100-continue" in _values(headers, "expect")
    keep = modern and "close" not in _values(headers, "connection")
    return Head(method, path, query, headers, f"http://{host}" if host else "", modern, keep, expects)


def _read_lines(stream: BufferedIOBase) -> list[bytes]:
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
    length = read_length(headers)
    if length == 0:
        return b""
    if length is not None and length > MAX_BODY:
        raise _too_large()  # before its client is told to go on with it
    proceed(b"HTTP/1.1 100 Continue\r\n\r\n")
    return b"".join(_read_chunks(stream)) if length is None else read_exactly(stream, length)


def read_length(headers: Headers) -> int | None:
    """Bytes of the body; None when it comes in chunks."""
    codings = _values(headers, "transfer-encoding")
    lengths = {value for name, value in headers if name == "content-length"}
    if codings and lengths:
        raise BadRequest(400, "A request has either Content-Length or Transfer-Encoding, not both.")
    if codings and codings != ["chunked"]:
        raise BadRequest(501, f"This server does not know the transfer encoding {', '.join(codings)}.")
    return None if codings else _read_number(lengths or {"0"})


def _read_number(lengths: set[str]) -> int:
    text = lengths.pop()
    if lengths or not (text.isascii() and text.isdigit()):
        raise BadRequest(400, "Content-Length is not one number.")
    if len(text) > 18:
        raise _too_large()
    return int(text)


def _read_chunks(stream: BufferedIOBase) -> Iterator[bytes]:
    room = MAX_BODY
    while size := _read_chunk_size(stream.readline(_MAX_HEAD)):
        room -= size
        if room < 0:
            raise _too_large()
        yield read_exactly(stream, size)
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


def read_exactly(stream: BufferedIOBase, size: int) -> bytes:
    data = stream.read(size)
    if len(data) < size:
        raise ConnectionAbortedError("the client went away inside a request's body")
    return data


def _values(headers: Headers, name: str) -> list[str]:
    """The members of a header that is a list, in lower case."""
    found = [value for key, value in headers if key == name]
    return [member.strip().lower() for value in found for member in value.split(",")]


def _too_large() -> BadRequest:
    return BadRequest(413, f"The request's body is longer than {MAX_BODY} bytes.")


def _shown(line: bytes) -> str:
    return ascii(line[:80].decode("latin-1"))


def _no_need(interim: bytes) -> None:
    """The client sends its body without being told to."""
