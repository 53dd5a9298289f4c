"""The way in through a WSGI server that somebody else runs: https://peps.python.org/pep-3333/

It answers as `server.py` does, from the same function. Only the bytes on the wire are the other server's.
"""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from http import HTTPStatus
from typing import Any, TypeAlias
from urllib.parse import quote, unquote_to_bytes
from wsgiref.util import is_hop_by_hop

from ..core.model import Frame, Headers, LiveFrames, Problem, Reply, Request, header
from ..core.pacing import Paced
from ..errors import CutConnection
from .head import FIELD, STATUS_WITHOUT_BODY, TEXT
from .http1 import ORIGIN, BadRequest
from .refusals import WriteError, refusal

Environ: TypeAlias = Mapping[str, Any]
StartResponse: TypeAlias = Callable[[str, list[tuple[str, str]]], object]
Handle: TypeAlias = Callable[[Request], Reply]

_MAX_BODY = 1 << 27
_NOT_A_HEADER = "HTTP_PROXY"
"""A variable of the environment, which some servers copy among the headers: https://httpoxy.org"""

_OF_THE_BODY = ("content-type", "content-length")
"""Headers that have keys of their own, which some servers leave empty where there is no such header."""

_MOST_NAMES = 1024
_IN_A_PATH = "/!$&'()*+,;=:@-._~"
_PHRASES = {status.value: status.phrase for status in HTTPStatus}
_TEXT = re.compile(TEXT)
_LOG = logging.getLogger("pytest_llmmock")

_NOTHING = b"\n"
"""Of a body that breaks off before it begins: servers send the head with the first byte, and this one says nothing."""

_MORE = 2
"""Bytes that such a body is said to have and does not: more than there are of `_NOTHING`."""

_SECONDS_TO_SEND = 0.05
"""A server that sends from another thread throws away what it holds when a body breaks off: let it send that first."""


class Application:
    """A WSGI application. It may be asked by many threads at once."""

    def __init__(self, handle: Handle, write_error: WriteError | None = None, *, coalesces: bool = True) -> None:
        """`coalesces` says that pieces which are due together go as one: nobody wants to see where they were cut."""
        self._handle = handle
        self._write_error = write_error
        self._coalesces = coalesces

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        request, reply = self._answered(environ)
        try:
            status, headers, body = write_reply(request, reply, coalesces=self._coalesces)
        except ValueError as error:
            status, headers, body = write_reply(request, self._failed(error, request))
        start_response(status, headers)
        return body

    def _answered(self, environ: Environ) -> tuple[Request, Reply]:
        """The request, and its reply; 500 when that fails."""
        try:
            request = read_request(environ)
        except BadRequest as bad:
            problem = Problem(bad.status, str(bad), "bad_request")
            request = bad.request or Request("GET", ORIGIN, "/")
            return request, refusal(problem, request, self._write_error)
        try:
            return request, self._handle(request)
        except Exception as error:
            return request, self._failed(error, request)

    def _failed(self, error: Exception, request: Request) -> Reply:
        """Tell an error that nobody expected, in the log and to the client."""
        _LOG.error("A request could not be answered", exc_info=error)
        problem = Problem(500, f"{type(error).__name__}: {error}", "handler_error", "server_error")
        return refusal(problem, request, self._write_error)


# --- in -------------------------------------------------------------------------------------------------


def read_request(environ: Environ) -> Request:
    """The request of an environ, as `http1.read_request` would have read it. Raises `BadRequest`."""
    try:
        return _request_of(environ, _read_body(environ))
    except BadRequest as bad:
        bad.request = _request_of(environ, b"")
        raise


def _request_of(environ: Environ, body: bytes) -> Request:
    script = environ.get("SCRIPT_NAME", "")
    sent = environ.get("RAW_URI") or environ.get("REQUEST_URI") or ""
    host = environ.get("HTTP_HOST") or f"{environ['SERVER_NAME']}:{environ['SERVER_PORT']}"
    return Request(
        environ["REQUEST_METHOD"].upper(),
        ORIGIN,
        _path_of(script, environ.get("PATH_INFO") or "/", sent.partition("?")[0]),
        environ.get("QUERY_STRING", ""),
        _headers_of(environ),
        body,
        f"{environ['wsgi.url_scheme']}://{host}{script}",
    )


@lru_cache(maxsize=512)
def _path_of(script: str, path: str, sent: str) -> str:
    """The path as it was sent, below where we are mounted. Few servers tell it; the others have decoded it."""
    decoded = path.encode("latin-1")
    if sent.startswith(script) and unquote_to_bytes(sent[len(script) :]) == decoded:
        return sent[len(script) :]
    return quote(decoded, safe=_IN_A_PATH)


def _headers_of(environ: Environ) -> Headers:
    named = [(name, value) for key, value in environ.items() if (name := _NAMES[key])]
    return tuple([pair for pair in named if pair[1] or pair[0] not in _OF_THE_BODY])


class _Names(dict[str, str]):
    """What the keys of an environ are called as headers; '' for what is none. It is looked through at every request,
    and some servers put their whole environment in it.
    """

    def __missing__(self, key: str) -> str:
        name = key.removeprefix("HTTP_").replace("_", "-").lower() if key.startswith("HTTP_") else ""
        if len(self) < _MOST_NAMES:
            self[key] = name
        return name


_NAMES = _Names({"CONTENT_TYPE": "content-type", "CONTENT_LENGTH": "content-length", _NOT_A_HEADER: ""})


def _read_body(environ: Environ) -> bytes:
    length = environ.get("CONTENT_LENGTH")
    if length:
        return _read_exactly(environ["wsgi.input"].read, _length_of(length))
    if "HTTP_TRANSFER_ENCODING" in environ and environ.get("wsgi.input_terminated"):
        return _read_all(environ["wsgi.input"].read)
    return b""


def _length_of(text: str) -> int:
    if not (text.isascii() and text.isdigit()):
        raise BadRequest(400, "Content-Length is not one number.")
    if len(text) > 18 or int(text) > _MAX_BODY:
        raise _too_large()
    return int(text)


def _read_exactly(read: Callable[[int], bytes], size: int) -> bytes:
    data = read(size)
    while len(data) < size:
        more = read(size - len(data))
        if not more:
            raise BadRequest(400, f"The request's body ends after {len(data)} of {size} bytes.")
        data += more
    return data


def _read_all(read: Callable[[int], bytes]) -> bytes:
    blocks = []
    room = _MAX_BODY
    while block := read(1 << 16):
        room -= len(block)
        if room < 0:
            raise _too_large()
        blocks.append(block)
    return b"".join(blocks)


def _too_large() -> BadRequest:
    return BadRequest(413, f"The request's body is longer than {_MAX_BODY} bytes.")


# --- out ------------------------------------------------------------------------------------------------

Written: TypeAlias = tuple[str, list[tuple[str, str]], Iterable[bytes]]
"""Status, headers and body."""


def write_reply(request: Request, reply: Reply, *, coalesces: bool = True) -> Written:
    """The reply as a server is given it. Raises `ValueError` for what cannot be sent."""
    headers = list(_fields(reply.headers))
    has_body = request.method != "HEAD" and reply.status not in STATUS_WITHOUT_BODY
    length, body = _held_back(reply) if not isinstance(reply.frames, Sequence) else _known(reply, coalesces)
    if not has_body:
        length, body = _without_body(reply, length, body), ()
    if length is not None:
        headers.append(("content-length", str(length)))
    return _status(reply.status, reply.reason), headers, body


def _known(reply: Reply, coalesces: bool) -> tuple[int | None, Iterable[bytes]]:
    """A body that is there: its length, and in one piece what nobody wants in several."""
    pieces = [frame.data for frame in reply.arrived]
    if coalesces or len(pieces) < 2:
        data = pieces[0] if len(pieces) == 1 else b"".join(pieces)
        return len(data), [data]
    return None if reply.is_stream else sum(map(len, pieces)), _Pieces(reply.arrived)


def _held_back(reply: Reply) -> tuple[int | None, Iterable[bytes]]:
    """A body that comes in time, or from somewhere else. A plain one does not begin before it is there.

    One that is to break off says that it is longer than it is: then every server has to cut the connection, where some
    would end the body as if it were whole.
    """
    frames = reply.frames
    if not isinstance(frames, Paced):
        return None, _Pieces(frames)
    if frames.holds_head:
        frames.wait()
    length = frames.size + _MORE if reply.cut else frames.length if frames.holds_head else None
    return length, _Pieces(frames)


def _without_body(reply: Reply, length: int | None, body: Iterable[bytes]) -> int | None:
    """What an answer without a body tells of its length: that of a recorded answer to HEAD, or what there would be."""
    if isinstance(body, _Pieces):
        body.close()
    if reply.status in STATUS_WITHOUT_BODY:
        return None
    told = header(reply.headers, "content-length")
    return int(told) if told and told.isdecimal() else None if reply.is_stream else length or None


class _Pieces(Iterator[bytes]):
    """The pieces of a body, each when it is due. Closed by the server when its client has gone."""

    def __init__(self, frames: Sequence[Frame] | LiveFrames) -> None:
        self._frames = frames
        self._left = iter(frames)
        self._begun = False
        self._cut: CutConnection | None = None

    def __next__(self) -> bytes:
        if self._cut is None:
            try:
                return self._next()
            except CutConnection as cut:
                self._cut = cut
                if not self._begun:
                    return _NOTHING
        time.sleep(_SECONDS_TO_SEND)
        raise self._cut

    def _next(self) -> bytes:
        while not (data := next(self._left).data):
            pass
        self._begun = True
        return data

    def close(self) -> None:
        if not isinstance(self._frames, Sequence):
            self._frames.close()


@lru_cache(maxsize=256)
def _status(status: int, reason: str) -> str:
    if not 200 <= status <= 999:
        raise ValueError(f"{status} cannot be sent as a status")
    text = _native(reason or _PHRASES.get(status, "Unknown"))
    if _TEXT.fullmatch(text.encode("latin-1")) is None:
        raise ValueError(f"{text!r} cannot be sent as a reason")
    return f"{status} {text}"


@lru_cache(maxsize=256)
def _fields(headers: Headers) -> Headers:
    """The headers but those that are the server's own. A recorded reply has the same each time."""
    return tuple(_field(*pair) for pair in headers if pair[0] != "content-length" and not is_hop_by_hop(pair[0]))


def _field(name: str, value: str) -> tuple[str, str]:
    pair = _native(name), _native(value)
    if FIELD.fullmatch(": ".join(pair).encode("latin-1")) is None:
        raise ValueError(f"{name!r}: {value!r} cannot be sent as a header")
    return pair


def _native(text: str) -> str:
    """A text whose characters are bytes, as WSGI has it: those of Latin-1, or else of UTF-8."""
    try:
        text.encode("latin-1")
    except UnicodeEncodeError:
        return text.encode().decode("latin-1")
    return text
