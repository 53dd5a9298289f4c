"""HTTP/1.1 without a network: what a client writes is read as a request, and the reply is what it reads.

So a client's own code makes the response, with all that belongs to it, whatever the client's version.
"""

from __future__ import annotations

import io
import re
import socket
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace

from ..core.model import Problem, Reply, Request
from ..core.pacing import Paced
from ..errors import CutConnection
from . import http1, replies
from .doors import Door
from .refusals import refusal

_LENGTH = re.compile(rb"\r\ncontent-length:[ \t]*(\d+)[ \t]*\r\n", re.IGNORECASE)
_CHUNKED = re.compile(rb"\r\ntransfer-encoding:[^\r]*chunked", re.IGNORECASE)
_EXPECTS = re.compile(rb"\r\nexpect:[ \t]*100-continue[ \t]*\r\n", re.IGNORECASE)
_LAST_CHUNK = b"0\r\n\r\n"

PROCEED = b"HTTP/1.1 100 Continue\r\n\r\n"


def read(sent: bytes | bytearray, origin: str) -> http1.Asked:
    """What a client wrote. The connection ends behind its reply. Raises `http1.BadRequest`."""
    asked = http1.read_request(io.BytesIO(sent), len)
    assert asked is not None, "a client that reads has written"
    return replace(asked, request=replace(asked.request, origin=origin, base=""), keep=False)


def refuse(bad: http1.BadRequest) -> Iterable[bytes]:
    """The answer to what cannot be read as a request."""
    nothing = http1.Asked(Request("GET", http1.ORIGIN, "/"), modern=True, keep=False)
    return replies.write_reply(nothing, refusal(Problem(bad.status, str(bad), "bad_request")))


def is_whole(sent: bytes | bytearray) -> bool:
    """Whether a client has written its request to the end."""
    end = sent.find(b"\r\n\r\n")
    if end < 0:
        return False
    length = _LENGTH.search(sent, 0, end + 2)
    if length is not None:
        return len(sent) >= end + 4 + int(length[1])
    return _CHUNKED.search(sent, 0, end + 2) is None or sent.endswith(_LAST_CHUNK)


def is_held_back(sent: bytes | bytearray) -> bool:
    """Whether a client waits to be told to go on, before it writes the body."""
    return sent.endswith(b"\r\n\r\n") and _EXPECTS.search(sent) is not None


class Wire:
    """The socket of a blocking client: its other end is a door."""

    def __init__(self, door: Door, origin: str) -> None:
        self._door = door
        self._origin = origin
        self._sent = bytearray()
        self._ended: socket.socket | None = None
        self._patience: float | None = None

    def sendall(self, data: bytes) -> None:
        self._sent += data

    def makefile(self, mode: str = "rb", buffering: int | None = None) -> io.BufferedReader:
        """The reply. Whoever asks for it has sent the request."""
        return io.BufferedReader(_Received(*self._answer(), lambda: self._patience))

    def _answer(self) -> tuple[Iterable[bytes], Reply | None]:
        try:
            asked = read(self._sent, self._origin)
        except http1.BadRequest as bad:
            return refuse(bad), None
        reply = self._door.handle(asked.request)
        return replies.write_blocks(asked, reply), reply

    def settimeout(self, seconds: float | None) -> None:
        """How long the client waits for what is late on purpose. An upstream has its own time."""
        self._patience = seconds

    def shutdown(self, how: int) -> None:
        """There is nothing to shut: who reads no more closes what it reads from."""

    def fileno(self) -> int:
        """For who looks whether the other side has hung up: it has, so that no pool keeps a wire."""
        if self._ended is None:
            self._ended, other = socket.socketpair()
            other.close()
        return self._ended.fileno()

    def close(self) -> None:
        """The reply can still be read, as from a socket."""
        if self._ended is not None:
            self._ended.close()


class _Received(io.RawIOBase):
    """The blocks of a reply as a file: a read gives no more than one block, and waits for no other."""

    def __init__(self, blocks: Iterable[bytes], reply: Reply | None, patience: Callable[[], float | None]) -> None:
        self._blocks: Iterator[bytes] = iter(blocks)
        self._frames = None if reply is None or isinstance(reply.frames, Sequence) else reply.frames
        self._patience = patience
        self._head = True
        self._rest = memoryview(b"")

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        while not self._rest:
            try:
                self._wait()
                self._rest = memoryview(next(self._blocks))
            except StopIteration:
                return 0
            except CutConnection as error:
                raise ConnectionResetError(str(error)) from error
        size = min(len(buffer), len(self._rest))
        buffer[:size], self._rest = self._rest[:size], self._rest[size:]
        return size

    def _wait(self) -> None:
        """Until the next block is due. Raises what a socket does when its timeout is over."""
        head, self._head = self._head, False
        frames = self._frames
        if isinstance(frames, Paced) and (frames.holds_head or not head) and not frames.wait(self._patience()):
            raise TimeoutError("timed out")

    def close(self) -> None:
        if self._frames is not None:
            self._frames.close()
        super().close()
