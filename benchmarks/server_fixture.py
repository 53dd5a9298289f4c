"""A server of the test's own process: from its start over its first answer to its end, and one request to it.

`llm_server` against pytest-httpserver, aimock-pytest and, as the floor, a thread that answers the bytes of one reply
from a bare socket. The client is one of httpx2, in the same process, as in a test.
"""

from __future__ import annotations

import logging
import os
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory

import httpx2
from harness import Absent, Contender, Options, Ratio, Sample, Table, main, microseconds
from peers import AIMOCK
from servers import NEEDED, add_aimock
from traffic import HEADERS, PATH, REQUEST_HEADERS, answer, ask, compact, plain, question, text, write_ours

from pytest_llmmock import LLMServer

SOCKET, OURS, HTTPSERVER, AIMOCK_PYTEST = "bare socket thread", "llm_server", "pytest-httpserver", "aimock-pytest"
START, FIRST, STOP, ALL = "ms to start", "ms to the first answer", "ms to stop", "ms in all"
BODY = compact(ask(0))

PAUSE = 0.03
"""Seconds that do not count: a test does something behind its last answer, and servers have turned to waiting then."""

Serve = Callable[[], AbstractContextManager[str]]
"""A server that answers for the time of a block, at the address that it gives."""


def tables(options: Options) -> Iterator[Table]:
    logging.getLogger("werkzeug").setLevel(logging.ERROR)  # a line for each request is not what we measure
    if options.aimock:
        os.environ[AIMOCK] = options.aimock
    times = 10 if options.quick else 150
    with TemporaryDirectory() as folder:
        cassette = write_ours(Path(folder, "served.yaml"), [plain(0)])
        kinds: dict[str, Serve] = {
            SOCKET: bare_socket,
            OURS: lambda: ours(cassette),
            HTTPSERVER: httpserver,
            AIMOCK_PYTEST: aimock_pytest,
        }
        yield Table(
            "A server fixture: start, first answer, stop",
            [Contender(name, from_start_to_stop(serve)) for name, serve in kinds.items()],
            [
                Ratio(ALL, HTTPSERVER, OURS, at_least=50),
                Ratio(ALL, AIMOCK_PYTEST, OURS, at_least=30),
                Ratio(ALL, OURS, SOCKET, at_most=2),
            ],
        )
        with ExitStack() as stack:
            yield Table(
                "A server fixture: one request",
                [Contender(name, Asking(stack, serve, times)) for name, serve in kinds.items()],
                [
                    Ratio("us", OURS, SOCKET, at_most=1.3),
                    Ratio("us", HTTPSERVER, OURS),
                    Ratio("us", AIMOCK_PYTEST, OURS),
                ],
            )


def from_start_to_stop(serve: Serve) -> Callable[[], Sample]:
    def turn() -> Sample:
        with httpx2.Client() as client:
            began = time.perf_counter()
            with serve() as url:
                started = time.perf_counter()
                ask_once(client, url)
                answered = time.perf_counter()
                time.sleep(PAUSE)
                stopping = time.perf_counter()
            stopped = time.perf_counter()
        steps = {START: started - began, FIRST: answered - started, STOP: stopped - stopping}
        return {name: seconds * 1000 for name, seconds in {**steps, ALL: sum(steps.values())}.items()}

    return turn


class Asking:
    """A turn is so many requests to a server that starts with the first one."""

    def __init__(self, stack: ExitStack, serve: Serve, times: int) -> None:
        self._stack = stack
        self._serve = serve
        self._times = times
        self._client: httpx2.Client | None = None

    def __call__(self) -> Sample:
        if self._client is None:
            self._url = self._stack.enter_context(self._serve())
            self._client = self._stack.enter_context(httpx2.Client())
        client = self._client
        took = microseconds(lambda _: ask_once(client, self._url), range(self._times), time.perf_counter_ns)
        return {"us": took}


def ask_once(client: httpx2.Client, url: str) -> None:
    response = client.post(url + PATH, content=BODY, headers=REQUEST_HEADERS)
    if response.status_code != 200:
        raise RuntimeError(f"not answered: {response.text[:500]}")


# --- servers --------------------------------------------------------------------------------------------


@contextmanager
def ours(cassette: Path) -> Iterator[str]:
    with LLMServer(cassette, repeat=True) as server:
        yield server.url


@contextmanager
def httpserver() -> Iterator[str]:
    try:
        from pytest_httpserver import HTTPServer
    except ImportError:
        raise Absent("pytest-httpserver") from None
    with HTTPServer(host="127.0.0.1", port=0) as server:
        asked = server.expect_request(PATH, method="POST")
        asked.respond_with_data(answer(0), content_type="application/json")
        yield f"http://127.0.0.1:{server.port}"


@contextmanager
def aimock_pytest() -> Iterator[str]:
    try:
        from aimock_pytest._node_manager import NodeManager
        from aimock_pytest._server import AIMockServer
    except ImportError:
        raise Absent("aimock-pytest") from None
    if AIMOCK not in os.environ:
        raise Absent(NEEDED)
    server = AIMockServer(NodeManager())
    url = server.start()
    try:
        server.on_message(question(0), {"content": text(0)})
        yield url
    finally:
        server.stop()


@contextmanager
def bare_socket() -> Iterator[str]:
    """The floor: a thread for each connection, which sends the same bytes for whatever is asked."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        accepting = threading.Thread(target=_accept, args=(listening,), daemon=True)
        accepting.start()
        try:
            yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        finally:
            listening.shutdown(socket.SHUT_RDWR)
            accepting.join()


def _accept(listening: socket.socket) -> None:
    with suppress(OSError):  # it is shut down
        while True:
            threading.Thread(target=_answer, args=(listening.accept()[0],), daemon=True).start()


def _answer(connection: socket.socket) -> None:
    fields = dict(HEADERS) | {"content-length": str(len(answer(0)))}
    head = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
    ready = f"HTTP/1.1 200 OK\r\n{head}\r\n".encode() + answer(0)
    with connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        received = b""
        while block := connection.recv(1 << 16):
            received += block
            if received.endswith(BODY):
                connection.sendall(ready)
                received = b""


if __name__ == "__main__":
    main(__doc__ or "", tables, rounds=15, more=add_aimock)
