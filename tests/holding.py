"""A provider on loopback that begins a stream and holds the rest back, and knows who has hung up."""

from __future__ import annotations

import select
import socket
import threading
from collections.abc import Callable

from pytest_llmmock.core.sse import write_event

PATIENCE = 20
"""Seconds after which a test that waits for another thread gives up."""

HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
FIRST = write_event({"choices": [{"index": 0, "delta": {"role": "assistant", "content": "one"}}]})
REST = [write_event({"choices": [{"index": 0, "delta": {"content": " two"}}]}), write_event("[DONE]")]
WHOLE = [FIRST, *REST]


def chunk(data: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(data), data)


class Holding:
    """Sends `begins` at once, and `ends` to every connection when it is released."""

    def __init__(self, begins: bytes = HEAD + chunk(FIRST), ends: bytes = b"".join(map(chunk, [*REST, b""]))) -> None:
        self.begins = begins
        self.ends = ends
        self.asked = 0
        self.hung_up = 0
        """How many went before they had all."""
        self._changed = threading.Condition()
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=256)
        self._bell, self._gate = socket.socketpair()
        self._threads: list[threading.Thread] = []
        self._acceptor = threading.Thread(target=self._accept)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._listener.getsockname()[1]}"

    def __enter__(self) -> Holding:
        self._acceptor.start()
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.release()
        self._listener.shutdown(socket.SHUT_RDWR)
        for thread in [self._acceptor, *self._threads]:
            thread.join(PATIENCE)
        for each in (self._listener, self._bell, self._gate):
            each.close()

    def release(self) -> None:
        self._bell.send(b"!")

    def wait(self, until: Callable[[Holding], bool]) -> None:
        with self._changed:
            assert self._changed.wait_for(lambda: until(self), PATIENCE), (self.asked, self.hung_up)

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self._threads.append(threading.Thread(target=self._answer, args=(connection,)))
            self._threads[-1].start()

    def _answer(self, connection: socket.socket) -> None:
        with connection:
            sent = b""
            while not sent.endswith(b"}"):
                sent += (got := connection.recv(1 << 16))
                if not got:
                    return
            self._count("asked")
            connection.sendall(self.begins)
            ready, _, _ = select.select([connection, self._gate], [], [])
            if connection in ready:
                self._count("hung_up")
            else:
                connection.sendall(self.ends)

    def _count(self, what: str) -> None:
        with self._changed:
            setattr(self, what, getattr(self, what) + 1)
            self._changed.notify_all()


class Threads:
    """The threads that a block has started, and that have to end."""

    def __enter__(self) -> Threads:
        self._before = set(threading.enumerate())
        return self

    def __exit__(self, *exc_info: object) -> None:
        if exc_info[0] is None:
            for thread in self.new:
                thread.join(PATIENCE)
            assert self.new == []

    @property
    def new(self) -> list[threading.Thread]:
        """Those of trio's pool that have nothing to do are not ours: it keeps them for ten seconds."""
        found = [each for each in threading.enumerate() if each not in self._before]
        return [each for each in found if not each.name.startswith("Trio thread ")]
