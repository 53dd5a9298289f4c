"""One client's connection to the server."""

from __future__ import annotations

import socket
import struct
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from io import BufferedReader
from typing import Protocol, cast

from ..core.leaving import Client, Closable
from ..core.model import Problem, Reply, Request
from ..core.pacing import Paced
from ..errors import CutConnection
from . import http1, replies
from .seen import Seen
from .watch import Watch

SECONDS_TO_LEAVE = 1.0
_TLS_HANDSHAKE = b"\x16"
_READS_TO_LEAVE = 1 << 10
_RESET = struct.pack("hh" if sys.platform == "win32" else "ii", 1, 0)  # SO_LINGER: on, for no time
_ROOM = 1 << 16


class Owner(Protocol):
    """Whoever answers."""

    @property
    def seen(self) -> Seen: ...
    @property
    def ready(self) -> replies.Ready: ...

    def respond(self, request: Request, client: Client | None = None) -> Reply:
        """The reply to a request; never fails but by `CutConnection`."""

    def refuse(self, request: Request | None, problem: Problem) -> Reply:
        """The reply that says what is wrong with a request."""

    def failed(self, error: BaseException, request: Request) -> Reply:
        """The reply to a request that could not be answered."""

    def note(self, error: BaseException) -> None:
        """Keep an error that nobody expected."""


class Host(Protocol):
    """Whoever has accepted the connection."""

    @property
    def owner(self) -> Owner: ...
    @property
    def watch(self) -> Watch: ...
    @property
    def stopping(self) -> bool: ...


class Connection:
    """Each request is answered before the next one is read."""

    def __init__(self, sock: socket.socket, host: Host) -> None:
        self._socket = sock
        self._host = host
        self._owner = host.owner
        sock.settimeout(None)  # whatever socket.setdefaulttimeout() was told
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, True)
        self._arriving = cast(BufferedReader, sock.makefile("rb", _ROOM))

    def serve(self) -> None:
        """Answer until the client wants no more. Raises `OSError` when it goes away."""
        with self._arriving:
            try:
                self._refuse_tls()
                while self._answer_next():
                    pass
            except http1.BadRequest as bad:
                self._refuse(bad)

    def _refuse_tls(self) -> None:
        """A handshake is not made of lines: we would wait for the end of one, and the client for our part."""
        if self._arriving.peek()[:1] == _TLS_HANDSHAKE:
            raise http1.BadRequest(400, "This server speaks http, not https.")

    def _answer_next(self) -> bool:
        """True when the connection is good for another request."""
        asked = self._owner.seen.read(self._arriving, self._socket.sendall)
        if asked is None:
            return False
        try:
            self._answer(asked)
        except CutConnection:
            self._abort(asked)
            return False
        return asked.keep

    def _answer(self, asked: http1.Asked) -> None:
        reply = self._owner.respond(asked.request, self)
        if isinstance(reply.frames, Sequence):
            return self._send(asked, reply)
        with self._host.watch.over(self._socket, reply.frames):
            if isinstance(reply.frames, Paced) and reply.frames.holds_head:
                reply.frames.wait()
            self._send(asked, reply)

    def over(self, wait: Closable) -> AbstractContextManager[None]:
        """For the time of the block: close this when the client goes."""
        return self._host.watch.over(self._socket, wait)

    def _send(self, asked: http1.Asked, reply: Reply) -> None:
        blocks = self._written(asked, reply)
        for block in blocks if isinstance(blocks, list) else self._coming(blocks):
            self._socket.sendall(block)

    def _written(self, asked: http1.Asked, reply: Reply) -> Iterable[bytes]:
        """The reply in blocks; what is wrong with its head is told."""
        try:
            return self._owner.ready.write(asked, reply)
        except Exception as error:
            return replies.write_reply(asked, self._owner.failed(error, asked.request))

    def _coming(self, blocks: Iterable[bytes]) -> Iterator[bytes]:
        """What goes wrong while blocks are made can be told no more, and cuts."""
        try:
            yield from blocks
        except (CutConnection, GeneratorExit):
            raise
        except BaseException as error:
            if not self._host.stopping:  # which closes the frames under our hands
                self._owner.note(error)
            raise CutConnection("the frames failed") from error

    def _abort(self, asked: http1.Asked) -> None:
        """Leave without the end of the reply. In HTTP/1.0 only a reset differs from an end."""
        if not asked.modern:
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
            self._arriving.close()
            self._socket.close()

    def _refuse(self, bad: http1.BadRequest) -> None:
        """Say why and close, but not over unread bytes: that would be a reset, and take the reply with it."""
        reply = self._owner.refuse(bad.request, Problem(bad.status, str(bad), "bad_request"))
        asked = http1.Asked(bad.request or Request("GET", http1.ORIGIN, "/"), modern=True, keep=False)
        self._send(asked, reply)
        self._socket.shutdown(socket.SHUT_WR)
        self._socket.settimeout(SECONDS_TO_LEAVE)
        for _ in range(_READS_TO_LEAVE):
            if not self._socket.recv(1 << 16):
                return
