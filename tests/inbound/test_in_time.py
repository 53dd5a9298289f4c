"""Replies that come in time, or break off: what each client sees of it, in process and over HTTP."""

from __future__ import annotations

import asyncio
import http.client
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from importlib import import_module
from types import ModuleType
from typing import Any

import aiohttp
import pytest
import requests

from pytest_llmmock.core.chunking import Chunking
from pytest_llmmock.core.delivery import Delivery
from pytest_llmmock.core.model import Exchange, Frame, Reply, Request
from pytest_llmmock.core.pacing import RECORDED, Paced
from pytest_llmmock.inbound.doors import Door
from pytest_llmmock.inbound.server import Server
from pytest_llmmock.inbound.transport import MODULES

URL = "http://model.example/v1/chat/completions"
SSE = (("content-type", "text/event-stream"),)
JSON = (("content-type", "application/json"),)
LONG = 600.0
"""Seconds that no test waits for."""


class Desk:
    """Answers everything with frames in time, and keeps the replies that it gave."""

    def __init__(self, *frames: Frame, headers: Any = SSE, cut: str = "") -> None:
        self.frames, self.headers, self.cut = frames, headers, cut
        self.replies: list[Reply] = []
        self.began = 0.0

    def __call__(self, request: Request) -> Reply:
        self.began = time.monotonic()
        exchange = Exchange(request, "chat", "", None)  # type: ignore[arg-type]
        reply = Reply(200, self.headers, list(self.frames), cut=self.cut)
        self.replies.append(Delivery(RECORDED, Chunking())(exchange, reply))
        return self.replies[-1]

    @property
    def paced(self) -> Paced:
        frames = self.replies[-1].frames
        assert isinstance(frames, Paced)
        return frames

    @property
    def elapsed(self) -> float:
        return time.monotonic() - self.began


def model_host(method: str, host: str, path: str) -> bool:
    return host == "model.example"


Note = Callable[[bytes], object]

# Each reads a stream and notes every piece as it comes; `patience` is its read timeout in seconds.


def read_httpx(name: str) -> Callable[..., None]:
    library = import_module(name)

    def read(url: str, note: Note, patience: float | None = None) -> None:
        with library.Client(timeout=patience) as client, client.stream("GET", url) as response:
            for piece in response.iter_raw():
                note(piece)

    return read


def read_httpx_async(name: str) -> Callable[..., None]:
    library = import_module(name)

    async def work(url: str, note: Note, patience: float | None) -> None:
        async with library.AsyncClient(timeout=patience) as client, client.stream("GET", url) as response:
            async for piece in response.aiter_raw():
                note(piece)

    return lambda url, note, patience=None: asyncio.run(work(url, note, patience))


def read_requests(url: str, note: Note, patience: float | None = None) -> None:
    with requests.get(url, stream=True, timeout=patience) as response:
        for piece in response.raw.stream(1 << 16):
            note(piece)


def read_aiohttp(url: str, note: Note, patience: float | None = None) -> None:
    async def work() -> None:
        timeout = aiohttp.ClientTimeout(sock_read=patience)
        async with aiohttp.ClientSession(timeout=timeout) as session, session.get(url) as response:
            async for piece in response.content.iter_any():
                note(piece)

    asyncio.run(work())


READERS: dict[str, Callable[..., None]] = {
    **{name: read_httpx(name) for name in MODULES},
    **{f"{name}-async": read_httpx_async(name) for name in MODULES},
    "requests": read_requests,
    "aiohttp": read_aiohttp,
}

LATE = {
    **{name: (import_module(name).ReadTimeout,) for name in MODULES},
    "requests": (requests.exceptions.ReadTimeout, requests.exceptions.ConnectionError),
    "aiohttp": (aiohttp.ServerTimeoutError, TimeoutError),
}
CUT = {
    **{name: (import_module(name).RemoteProtocolError,) for name in MODULES},
    "requests": (requests.exceptions.ChunkedEncodingError, requests.exceptions.ConnectionError),
    "aiohttp": (aiohttp.ClientPayloadError, aiohttp.ClientConnectionError),
}
# `response.raw` of requests raises what urllib3 does.
URLLIB3 = import_module("urllib3.exceptions")
LATE["requests"] += (URLLIB3.ReadTimeoutError,)
CUT["requests"] += (URLLIB3.ProtocolError,)


@contextmanager
def in_process(desk: Desk) -> Iterator[str]:
    with Door(model_host, desk):
        yield URL


@contextmanager
def over_http(desk: Desk) -> Iterator[str]:
    with Server(desk) as server:
        yield server.url + "/v1/chat/completions"
        assert server.errors == []


@pytest.fixture(params=READERS)
def reader(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture(params=[in_process, over_http])
def way(request: pytest.FixtureRequest) -> Callable[[Desk], Any]:
    return request.param


def of(errors: dict[str, Any], reader: str) -> tuple[type[Exception], ...]:
    return errors[reader.removesuffix("-async")]


def test_each_frame_comes_when_it_is_due_and_not_before(way, reader):
    frames = [Frame(b"data: a\n\n", 0.01), Frame(b"data: b\n\n", 0.04), Frame(b"data: c\n\n", 0.08)]
    desk, came = Desk(*frames), []
    with way(desk) as url:
        READERS[reader](url, lambda piece: came.append((piece, desk.elapsed)))
    due = {frame.data: frame.at for frame in frames}
    assert b"".join(piece for piece, _ in came) == b"".join(due)
    assert all(elapsed >= due[frame] for piece, elapsed in came for frame in due if piece.endswith(frame))
    assert desk.paced.whole


def test_a_plain_answer_does_not_begin_before_it_is_there(way, reader):
    desk, came = Desk(Frame(b'{"a": 1}', 0.05), headers=JSON), []
    with way(desk) as url:
        READERS[reader](url, lambda piece: came.append((piece, desk.elapsed)))
    assert [piece for piece, _ in came] == [b'{"a": 1}']
    assert came[0][1] >= 0.05


@pytest.mark.parametrize("headers", [SSE, JSON], ids=["stream", "plain"])
def test_a_client_waits_no_longer_than_its_timeout(way, reader, headers):
    desk = Desk(Frame(b"data: late\n\n", LONG), headers=headers)
    with way(desk) as url, pytest.raises(of(LATE, reader)):
        READERS[reader](url, lambda piece: None, patience=0.05)
    assert not desk.paced.whole
    assert desk.paced.ended is not None


@pytest.mark.parametrize("headers", [SSE, JSON], ids=["stream", "plain"])
def test_a_cut_is_what_the_client_library_calls_it(way, reader, headers):
    desk, came = Desk(Frame(b"data: a\n\n"), Frame(b"data: b\n\n", 0.01), headers=headers, cut="by this test"), []
    with way(desk) as url, pytest.raises(of(CUT, reader)):
        READERS[reader](url, came.append)
    assert b"".join(came) in (b"data: a\n\ndata: b\n\n", b""), "a client may keep back what it cannot finish"
    assert not desk.paced.whole


# --- nobody waits for who has left ----------------------------------------------------------------------


def threads() -> set[threading.Thread]:
    return {thread for thread in threading.enumerate() if thread.name.startswith(("llmmock-c", "AnyIO", "asyncio"))}


@pytest.mark.parametrize("name", MODULES)
def test_a_stream_that_is_closed_early_is_over(way, name):
    library: ModuleType = import_module(name)
    desk = Desk(Frame(b"data: a\n\n"), Frame(b"data: b\n\n", LONG))
    with way(desk) as url, library.Client() as client:
        with client.stream("GET", url) as response:
            assert next(response.iter_raw()) == b"data: a\n\n"
        for thread in threads():
            thread.join(10)
        assert desk.paced.ended is not None
        assert not threads()


@pytest.mark.parametrize("name", MODULES)
@pytest.mark.parametrize("headers", [SSE, JSON], ids=["stream", "plain"])
def test_a_task_that_is_cancelled_leaves_nothing_behind(way, name, headers):
    library: ModuleType = import_module(name)
    desk = Desk(Frame(b"data: a\n\n", LONG), headers=headers)

    async def work(url: str) -> None:
        async def ask() -> None:
            async with library.AsyncClient(timeout=None) as client, client.stream("GET", url) as response:
                await response.aread()

        task = asyncio.create_task(ask())
        while not desk.replies:
            await asyncio.sleep(0)
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    with way(desk) as url:
        asyncio.run(work(url))
        for thread in threads():
            thread.join(10)
        assert not threads()
    assert desk.paced.ended is not None


def test_an_event_loop_goes_on_while_a_frame_is_awaited():
    desk = Desk(Frame(b"data: a\n\n", 0.05))
    library: ModuleType = import_module("httpx2")

    async def work() -> int:
        turns = 0
        async with library.AsyncClient() as client:
            task = asyncio.create_task(client.get(URL))
            while not task.done():
                turns += 1
                await asyncio.sleep(0)
                assert not threads()
            assert task.result().content == b"data: a\n\n"
        return turns

    with Door(model_host, desk):
        assert asyncio.run(work()) > 10


def test_a_server_that_stops_does_not_wait_for_its_frames():
    desk = Desk(Frame(b"data: a\n\n"), Frame(b"data: b\n\n", LONG))
    with ExitStack() as stack:
        server = stack.enter_context(Server(desk))
        connection = stack.enter_context(closing(http.client.HTTPConnection("127.0.0.1", server.port)))
        connection.request("GET", "/")
        assert connection.getresponse().read1() == b"data: a\n\n"
        server.stop()
    assert desk.paced.ended is not None
    assert not threads()


def test_a_client_that_sends_its_next_request_early_has_not_left():
    desk = Desk(Frame(b"data: a\n\n"), Frame(b"data: b\n\n", 0.05))
    with Server(desk) as server, socket.create_connection(("127.0.0.1", server.port)) as connection:
        connection.sendall(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n" * 2)
        received = b""
        while received.count(b"0\r\n\r\n") < 2:
            received += connection.recv(1 << 16)
    assert received.count(b"data: b") == 2
