"""Loads an HTTP server from a process of its own: raw sockets that are kept open, each asking again when answered.

`python load.py PORT BODIES SECONDS CONNECTIONS` posts the lines of the file BODIES in turn and prints what
came of it as JSON. A server that closes connections is asked over new ones.
"""

from __future__ import annotations

import json
import re
import selectors
import socket
import sys
import time
from collections.abc import Iterator, Sequence
from itertools import cycle, islice
from pathlib import Path
from statistics import median

from traffic import PATH, REQUEST_HEADERS

_BLOCK = 1 << 18
_SECONDS_OF_SILENCE = 10
_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
_CLOSE = re.compile(rb"\r\nconnection: *close", re.IGNORECASE)
_END_OF_CHUNKS = b"\r\n0\r\n\r\n"


class Connection:
    """A client: asks, reads the answer to its end, asks again."""

    def __init__(self, port: int, requests: Iterator[bytes], selector: selectors.BaseSelector) -> None:
        self._port = port
        self._requests = requests
        self._selector = selector
        self.took: list[float] = []
        """Seconds to each answer."""
        self._connect()

    def _connect(self) -> None:
        self._socket = socket.create_connection(("127.0.0.1", self._port), timeout=_SECONDS_OF_SILENCE)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._selector.register(self._socket, selectors.EVENT_READ, self)

    def close(self) -> None:
        self._selector.unregister(self._socket)
        self._socket.close()

    def ask(self) -> None:
        self._received = b""
        self._asked = time.perf_counter()
        self._socket.sendall(next(self._requests))

    def receive(self) -> bool:
        """Take what has arrived; True when that ends an answer, and then the next question is on its way."""
        block = self._socket.recv(_BLOCK)
        self._received += block
        if not _is_whole(self._received) and block:
            return False
        head, _, body = self._received.partition(b"\r\n\r\n")
        if not head.startswith(b"HTTP/1.1 200 ") or not (block and body):
            raise RuntimeError(f"not an answer: {self._received[:500]!r}")
        self.took.append(time.perf_counter() - self._asked)
        if _CLOSE.search(head):
            self.close()
            self._connect()
        self.ask()
        return True


def _is_whole(received: bytes) -> bool:
    """Whether an answer has come to its end: after its length, or with the chunk that is the last."""
    end_of_head = received.find(b"\r\n\r\n")
    if end_of_head < 0:
        return False
    length = _LENGTH.search(received, 0, end_of_head)
    if length is None:
        return received.endswith(_END_OF_CHUNKS)
    return len(received) >= end_of_head + 4 + int(length[1])


def load(port: int, bodies: Sequence[bytes], seconds: float, connections: int) -> dict[str, float]:
    """Answers that came within the time, the time, and the microseconds in which half of them came."""
    with selectors.DefaultSelector() as selector:
        clients = [Connection(port, _requests(bodies, number), selector) for number in range(connections)]
        start = time.perf_counter()
        for client in clients:
            client.ask()
        answers = _count_answers(selector, start + seconds)
        elapsed = time.perf_counter() - start
        for client in clients:
            client.close()
    half = median(took for client in clients for took in client.took) * 1e6
    return {"answers": answers, "seconds": elapsed, "half": half, "errors": 0}


def _count_answers(selector: selectors.BaseSelector, deadline: float) -> int:
    answers = 0
    while time.perf_counter() < deadline:
        ready = selector.select(_SECONDS_OF_SILENCE)
        if not ready:
            raise RuntimeError(f"the server said nothing for {_SECONDS_OF_SILENCE} seconds")
        answers += sum(key.data.receive() for key, _ in ready)
    return answers


def _requests(bodies: Sequence[bytes], first: int) -> Iterator[bytes]:
    """The requests as they are sent, again and again, each client beginning with another."""
    return islice(cycle([_request(body) for body in bodies]), first, None)


def _request(body: bytes) -> bytes:
    fields = {"Host": "127.0.0.1", **REQUEST_HEADERS, "Accept": "*/*", "Content-Length": str(len(body))}
    head = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
    return f"POST {PATH} HTTP/1.1\r\n{head}\r\n".encode() + body


if __name__ == "__main__":
    port, file, seconds, connections = sys.argv[1:]
    print(json.dumps(load(int(port), Path(file).read_bytes().splitlines(), float(seconds), int(connections))))
