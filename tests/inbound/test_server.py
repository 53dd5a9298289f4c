"""The local server, seen by raw sockets with h11 as the judge, and by the clients that people use."""

from __future__ import annotations

import asyncio
import errno
import json
import os
import queue
import socket
import threading
import time
import warnings
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from importlib import import_module
from typing import Any

import h11
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_llmmock.core.live import Live
from pytest_llmmock.core.model import Frame, Reply, Request, frames_of, json_reply
from pytest_llmmock.core.pacing import Paced
from pytest_llmmock.errors import CutConnection, ServerError
from pytest_llmmock.inbound.server import Server

SSE = (("content-type", "text/event-stream; charset=utf-8"),)
TEXT = (("content-type", "text/plain"),)
PATIENCE = 10
"""Seconds after which a test that waits for another thread gives up."""


# --- a client that hides nothing ------------------------------------------------------------------------


@dataclass
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes
    reason: str
    interim: int

    def json(self) -> Any:
        return json.loads(self.body)


class Wire:
    """A connection on which bytes are sent as they are, and answers are read by h11."""

    def __init__(self, server: Server) -> None:
        self.sock = socket.create_connection(("127.0.0.1", server.port), timeout=PATIENCE)
        self.rest = b""

    def send(self, data: bytes) -> None:
        self.sock.sendall(data)

    def read(self, method: str = "GET") -> Answer:
        """The next answer, whole. Raises `h11.RemoteProtocolError` when it is not."""
        judge = h11.Connection(h11.CLIENT)
        judge.send(h11.Request(method=method, target="/", headers=[("host", "x")]))
        judge.send(h11.EndOfMessage())
        answer = Answer(0, {}, b"", "", 0)
        for event in self.events(judge):
            if isinstance(event, h11.InformationalResponse):
                answer.interim += 1
            elif isinstance(event, h11.Response):
                answer.status, answer.reason = event.status_code, event.reason.decode("latin-1")
                answer.headers = {k.decode(): v.decode("latin-1") for k, v in event.headers}
            elif isinstance(event, h11.Data):
                answer.body += event.data
        self.rest = judge.trailing_data[0]
        return answer

    def events(self, judge: h11.Connection) -> Iterator[Any]:
        if self.rest:
            judge.receive_data(self.rest)
        while True:
            event = judge.next_event()
            if event is h11.NEED_DATA:
                judge.receive_data(self.sock.recv(65536))
                continue
            yield event
            if isinstance(event, h11.EndOfMessage | h11.ConnectionClosed):
                return

    def closed(self) -> bool:
        """Whether the server has ended the connection, with nothing more to say."""
        return not self.rest and self.sock.recv(1) == b""


@contextmanager
def wire(server: Server) -> Iterator[Wire]:
    connection = Wire(server)
    with connection.sock:
        yield connection


def echo(request: Request) -> Reply:
    return json_reply(
        {
            "method": request.method,
            "url": request.url,
            "path": request.path,
            "query": request.query,
            "headers": request.headers,
            "body": request.body.decode("latin-1"),
        }
    )


@pytest.fixture
def server() -> Iterator[Server]:
    with Server(echo) as running:
        yield running


def serving(reply: Reply | Callable[[Request], Reply]) -> Server:
    return Server(reply if callable(reply) else lambda request: reply)


def live(chunks: Iterable[bytes], headers: Any = SSE, close: Callable[[], None] = lambda: None) -> Reply:
    return Reply(200, headers, Live(chunks, close, since=time.monotonic()), live=True)


def cut_after(*chunks: bytes) -> Iterator[bytes]:
    yield from chunks
    raise CutConnection("here")


def cut_short(headers: Any) -> Reply:
    """Frames that are all there, and still end before the reply does."""
    reply = Reply(200, headers, [Frame(b"data: 1\n\n"), Frame(b"data: 2\n\n")], cut="here")
    reply.frames = Paced(reply, time.monotonic(), holds_head=headers is TEXT)
    return reply


# --- what the request is --------------------------------------------------------------------------------


def test_a_request_arrives_as_it_was_sent(server: Server) -> None:
    with wire(server) as client:
        client.send(b"post /v1/a%2Fb//c?x=%20&y HTTP/1.1\r\nHost: x\r\nX-Some:  a b \r\ncontent-LENGTH: 3\r\n\r\nabc")
        seen = client.read().json()
    assert seen == {
        "method": "POST",
        "url": "http://localhost/v1/a%2Fb//c?x=%20&y",
        "path": "/v1/a%2Fb//c",
        "query": "x=%20&y",
        "headers": [["host", "x"], ["x-some", "a b"], ["content-length", "3"]],
        "body": "abc",
    }


@pytest.mark.parametrize(
    ("target", "url"),
    [
        (b"http://api.openai.com/v1/models?a=b", "http://localhost/v1/models?a=b"),
        (b"HTTPS://api.openai.com:443/v1", "http://localhost/v1"),
        (b"http://api.openai.com", "http://localhost/"),
        (b"http://api.openai.com?a", "http://localhost/?a"),
        ("/größe%20".encode(), "http://localhost/gr%C3%B6%C3%9Fe%20"),
        (b"//double", "http://localhost//double"),
    ],
)
def test_request_targets_of_every_form_are_read(server: Server, target: bytes, url: str) -> None:
    with wire(server) as client:
        client.send(b"GET %b HTTP/1.1\r\nHost: x\r\n\r\n" % target)
        assert client.read().json()["url"] == url


def test_a_body_in_chunks_is_put_together(server: Server) -> None:
    head = b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: Chunked\r\n\r\n"
    with wire(server) as client:
        client.send(head + b"3;name=value\r\nabc\r\n0A\r\n0123456789\r\n0\r\nTrailer: x\r\n\r\n")
        assert client.read().json()["body"] == "abc0123456789"
        client.send(head + b"0\r\n\r\n")
        assert client.read().json()["body"] == ""


def test_a_large_body_arrives_whole(server: Server) -> None:
    body = os.urandom(3_000_000)
    with wire(server) as client:
        client.send(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
        assert client.read().json()["body"].encode("latin-1") == body


@pytest.mark.parametrize("framing", [b"Content-Length: 2", b"Transfer-Encoding: chunked"])
def test_a_client_that_waits_to_be_told_sends_its_body(server: Server, framing: bytes) -> None:
    with wire(server) as client:
        client.send(b"POST / HTTP/1.1\r\nHost: x\r\nExpect: 100-Continue\r\n%b\r\n\r\n" % framing)
        assert client.sock.recv(100) == b"HTTP/1.1 100 Continue\r\n\r\n"
        client.send(b"hi" if b"Length" in framing else b"2\r\nhi\r\n0\r\n\r\n")
        answer = client.read()
        assert (answer.json()["body"], answer.interim) == ("hi", 0)


def test_nobody_is_told_to_go_on_without_a_body(server: Server) -> None:
    with wire(server) as client:
        client.send(b"GET / HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\n\r\n")
        assert client.read().interim == 0


def test_nobody_is_told_to_go_on_with_a_body_that_is_too_large(server: Server) -> None:
    with wire(server) as client:
        client.send(b"POST / HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 999999999\r\n\r\n")
        answer = client.read()
        assert (answer.status, answer.interim) == (413, 0)


# --- connections ----------------------------------------------------------------------------------------


def test_a_connection_is_kept_for_the_next_request(server: Server) -> None:
    with wire(server) as client:
        for number in range(5):
            client.send(b"GET /%d HTTP/1.1\r\nHost: x\r\n\r\n" % number)
            answer = client.read()
            assert answer.json()["path"] == f"/{number}"
            assert "connection" not in answer.headers


def test_a_connection_for_which_there_is_no_thread_is_closed_and_holds_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    start = threading.Thread.start

    def refuse(thread: threading.Thread) -> None:
        if thread.name == "llmmock-connection":
            raise RuntimeError("can't start new thread")
        start(thread)

    monkeypatch.setattr(threading.Thread, "start", refuse)
    with Server(echo) as server, wire(server) as client:
        assert client.closed()
    assert "can't start new thread" in server.errors[0]


def test_requests_sent_at_once_are_answered_in_order(server: Server) -> None:
    requests = [b"POST /%d HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n%02d" % (n, n) for n in range(30)]
    with wire(server) as client:
        client.send(b"\r\n".join(requests))  # and an empty line between two is passed over
        answers = [client.read().json() for _ in requests]
    assert [(a["path"], a["body"]) for a in answers] == [(f"/{n}", f"{n:02d}") for n in range(30)]


def test_a_request_in_single_bytes_is_read(server: Server) -> None:
    with wire(server) as client:
        client.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, True)
        for byte in b"POST /slow HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\nhi":
            client.send(bytes([byte]))
        assert client.read().json()["body"] == "hi"


@pytest.mark.parametrize("value", [b"close", b"Keep-Alive, Close"])
def test_a_client_that_wants_no_more_is_left(server: Server, value: bytes) -> None:
    with wire(server) as client:
        client.send(b"GET / HTTP/1.1\r\nHost: x\r\nConnection: %b\r\n\r\n" % value)
        assert client.read().headers["connection"] == "close"
        assert client.closed()


def test_a_client_that_only_listens_any_more_is_answered(server: Server) -> None:
    with wire(server) as client:
        client.send(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        client.sock.shutdown(socket.SHUT_WR)
        assert client.read().status == 200
        assert client.closed()


def test_http_1_0_gets_no_chunks_and_is_left() -> None:
    for reply in (Reply(200, SSE, [Frame(b"a"), Frame(b"b")]), live([b"a", b"b"])):
        with serving(reply) as server, wire(server) as client:
            client.send(b"GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
            answer = client.read()
            assert (answer.body, answer.headers) == (b"ab", {"content-type": SSE[0][1], "connection": "close"})
            assert client.closed()


def test_a_default_timeout_for_sockets_does_not_end_connections() -> None:
    timeouts = queue.SimpleQueue[float | None]()

    def handle(request: Request) -> Reply:
        connections = server._listener._threads_of
        timeouts.put(next(sock.gettimeout() for sock in connections))
        return json_reply("ok")

    socket.setdefaulttimeout(60)
    try:
        with Server(handle) as server, wire(server) as client:
            client.send(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
            assert client.read().status == 200
        assert timeouts.get() is None
    finally:
        socket.setdefaulttimeout(None)


# --- replies --------------------------------------------------------------------------------------------


def test_a_known_body_has_its_length() -> None:
    reply = Reply(201, (*TEXT, ("x-a", "1"), ("x-a", "2")), [Frame(b"ab"), Frame(b""), Frame(b"c")], reason="Made")
    with serving(reply) as server, wire(server) as client:
        client.send(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        expected = b"HTTP/1.1 201 Made\r\ncontent-type: text/plain\r\nx-a: 1\r\nx-a: 2\r\ncontent-length: 3\r\n\r\nabc"
        assert client.sock.recv(1000) == expected


@pytest.mark.parametrize("content_type", [SSE[0][1], "application/x-ndjson"])
def test_a_stream_is_sent_in_its_chunks(content_type: str) -> None:
    reply = Reply(200, (("content-type", content_type),), [Frame(b"one\n"), Frame(b""), Frame(b"twelve bytes")])
    with serving(reply) as server, wire(server) as client:
        client.send(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        head, _, body = client.sock.recv(1000).partition(b"\r\n\r\n")
        assert b"transfer-encoding: chunked" in head
        assert b"content-length" not in head
        assert body == b"4\r\none\n\r\nc\r\ntwelve bytes\r\n0\r\n\r\n"


def test_framing_headers_of_a_recording_are_left_out() -> None:
    old = (("Content-Length", "99"), ("transfer-encoding", "chunked"), ("connection", "close"), ("x", "y"))
    with serving(Reply(200, old, frames_of(b"abc"))) as server, wire(server) as client:
        client.send(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        answer = client.read()
        assert (answer.headers, answer.body) == ({"x": "y", "content-length": "3"}, b"abc")


def test_head_has_the_headers_and_no_body() -> None:
    closed = threading.Event()
    replies = queue.SimpleQueue[Reply]()
    with serving(lambda request: replies.get()) as server, wire(server) as client:
        for reply in (
            Reply(200, TEXT, frames_of(b"abc")),
            Reply(200, SSE, frames_of(b"abc")),
            live([b"abc"], close=closed.set),
        ):
            replies.put(reply)
            client.send(b"HEAD / HTTP/1.1\r\nHost: x\r\n\r\n")
            answer = client.read("HEAD")
            length = {"content-length": "3"} if reply.headers is TEXT else {"transfer-encoding": "chunked"}
            assert (answer.body, answer.headers) == (b"", dict(reply.headers) | length)
        assert closed.wait(PATIENCE)


@pytest.mark.parametrize("status", [204, 304])
def test_replies_that_have_no_body_send_none(status: int) -> None:
    replies = queue.SimpleQueue[Reply]()
    with serving(lambda request: replies.get()) as server, wire(server) as client:
        for reply in (Reply(status, (), frames_of(b"abc")), live([b"abc"])):
            reply.status = status
            replies.put(reply)
            client.send(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
            answer = client.read()
            assert (answer.status, answer.body) == (status, b"")
            assert not {"content-length", "transfer-encoding"} & answer.headers.keys()


TOKENS = st.text("abcdefghijklmnopqrstuvwxyz0123456789-_.!#$%&'*+^`|~", min_size=1, max_size=12)
PRINTABLE = st.text(st.characters(codec="latin-1", exclude_categories=["Cc"]) | st.just("\t"), max_size=20)
HEADERS = st.lists(
    st.tuples(TOKENS.map("x-".__add__), PRINTABLE)
    | st.sampled_from([SSE[0], TEXT[0], ("content-type", "application/x-ndjson"), ("content-encoding", "identity")]),
    max_size=6,
).map(tuple)


@given(data=st.data())
@settings(max_examples=10, deadline=None)
def test_every_reply_is_read_as_it_is(data: st.DataObject) -> None:
    replies = queue.SimpleQueue[Reply]()
    with serving(lambda request: replies.get()) as server, wire(server) as client:
        for _ in range(20):
            chunks = data.draw(st.lists(st.binary(max_size=50), max_size=6))
            reply = Reply(
                data.draw(st.integers(200, 599)), data.draw(HEADERS), list(map(Frame, chunks)), data.draw(PRINTABLE)
            )
            if data.draw(st.booleans()):
                reply.frames = live(chunks).frames
            method = data.draw(st.sampled_from(["GET", "POST", "HEAD"]))
            replies.put(reply)
            client.send(b"%b / HTTP/1.1\r\nHost: x\r\n\r\n" % method.encode())
            answer = client.read(method)
            bodiless = method == "HEAD" or reply.status in (204, 304)
            assert (answer.status, answer.body) == (reply.status, b"" if bodiless else b"".join(chunks))
            for name, value in dict(reply.headers).items():
                assert answer.headers[name] == value.strip(" \t")


def test_headers_beyond_latin_1_are_sent_in_utf_8() -> None:
    with serving(Reply(200, (("x-city", "東京"), ("x-food", "crème")), [])) as server, wire(server) as client:
        client.send(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        headers = client.read().headers
        assert headers["x-city"].encode("latin-1").decode() == "東京"
        assert headers["x-food"] == "crème"


# --- streams --------------------------------------------------------------------------------------------


def lockstep(received: threading.Event) -> Iterator[bytes]:
    """The second event is made only after the first was received."""
    yield b"data: 1\n\n"
    assert received.wait(PATIENCE)
    yield b"data: 2\n\n"


@pytest.mark.parametrize("module", ["httpx", "httpx2"])
def test_each_frame_is_sent_when_it_is_there(module: str) -> None:
    received = threading.Event()
    with (
        serving(lambda request: live(lockstep(received))) as server,
        import_module(module).Client() as client,
        client.stream("GET", server.url) as response,
    ):
        chunks = response.iter_raw()
        assert next(chunks) == b"data: 1\n\n"
        received.set()
        assert list(chunks) == [b"data: 2\n\n"]


@pytest.mark.parametrize("module", ["httpx", "httpx2"])
def test_each_frame_is_sent_when_it_is_there_to_async_clients(module: str) -> None:
    received = threading.Event()

    async def ask(url: str) -> list[bytes]:
        chunks = []
        async with import_module(module).AsyncClient() as client, client.stream("GET", url) as response:
            async for chunk in response.aiter_raw():
                chunks.append(chunk)
                received.set()
        return chunks

    with serving(lambda request: live(lockstep(received))) as server:
        assert asyncio.run(ask(server.url)) == [b"data: 1\n\n", b"data: 2\n\n"]


def test_the_head_of_a_live_reply_is_sent_before_its_first_frame() -> None:
    received = threading.Event()

    def chunks() -> Iterator[bytes]:
        assert received.wait(PATIENCE)
        yield b"late"

    with serving(lambda request: live(chunks(), TEXT)) as server, wire(server) as client:
        client.send(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        client.rest = client.sock.recv(1000)
        assert client.rest.endswith(b"transfer-encoding: chunked\r\n\r\n")
        received.set()
        assert client.read().body == b"late"


@pytest.mark.parametrize("module", ["httpx", "httpx2"])
@pytest.mark.parametrize(
    "cut",
    [
        lambda: live(cut_after(b"data: 1\n\n", b"data: 2\n\n")),
        lambda: cut_short(SSE),
        lambda: cut_short(TEXT),
    ],
    ids=["live", "stream", "plain"],
)
def test_a_cut_stream_ends_without_a_final_chunk(module: str, cut: Callable[[], Reply]) -> None:
    httpx = import_module(module)
    got: list[bytes] = []

    def read_all() -> None:
        with client.stream("GET", server.url) as response:
            for chunk in response.iter_raw():
                got.append(chunk)

    with serving(lambda request: cut()) as server, httpx.Client() as client:
        with pytest.raises(httpx.RemoteProtocolError):
            read_all()
        assert server.errors == []
    assert b"".join(got) == b"data: 1\n\ndata: 2\n\n"


@pytest.mark.parametrize("module", ["httpx", "httpx2"])
def test_a_cut_before_the_reply_leaves_nothing(module: str) -> None:
    def handle(request: Request) -> Reply:
        raise CutConnection("at once")

    httpx = import_module(module)
    with serving(handle) as server, httpx.Client() as client, pytest.raises(httpx.RemoteProtocolError):
        client.get(server.url)
    assert server.errors == []


def test_a_cut_is_a_reset_where_the_end_of_the_connection_would_be_the_end_of_the_body() -> None:
    with serving(lambda request: live(cut_after(b"data: 1\n\n"))) as server, wire(server) as client:
        client.send(b"GET / HTTP/1.0\r\n\r\n")
        with pytest.raises(ConnectionResetError):
            client.read()


def test_frames_that_fail_cut_the_connection_and_are_noted(caplog: pytest.LogCaptureFixture) -> None:
    def chunks() -> Iterator[bytes]:
        yield b"x"
        raise RuntimeError("upstream broke")

    with serving(lambda request: live(chunks())) as server, wire(server) as client:
        client.send(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        with pytest.raises(h11.RemoteProtocolError):
            client.read()
    assert "RuntimeError: upstream broke" in server.errors[0]
    assert [record.name for record in caplog.records] == ["pytest_llmmock"]


def test_live_frames_are_closed_when_the_client_goes_away(capfd: pytest.CaptureFixture[str]) -> None:
    closed = threading.Event()

    def endless() -> Iterator[bytes]:
        while not closed.is_set():
            yield b"x" * 10_000

    with serving(lambda request: live(endless(), close=closed.set)) as server:
        with wire(server) as client:
            client.send(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
            assert client.sock.recv(10)
        assert closed.wait(PATIENCE)
    assert server.errors == []
    assert capfd.readouterr() == ("", "")


def test_live_frames_are_closed_after_the_last() -> None:
    closed = threading.Event()
    with serving(lambda request: live([b"x"], close=closed.set)) as server, wire(server) as client:
        client.send(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        assert client.read().body == b"x"
        assert closed.wait(PATIENCE)


# --- what is wrong --------------------------------------------------------------------------------------

HOST = b"Host: x\r\n"


@pytest.mark.parametrize(
    ("sent", "status", "says"),
    [
        (b"hello\r\n\r\n", 400, "Not a request line of HTTP/1.1: 'hello'"),
        (b"GET /\r\n\r\n", 400, "Not a request line of HTTP/1.1: 'GET /'"),
        (b"GET / HTTP/1.1 x\r\n\r\n", 400, "Not a request line of HTTP/1.1: 'GET / HTTP/1.1 x'"),
        (b"GET /a\x00b HTTP/1.1\r\n\r\n", 400, "Not a request line of HTTP/1.1: 'GET /a\\x00b HTTP/1.1'"),
        (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505, "This server speaks HTTP/1.1 and not HTTP/2.0."),
        (
            b"CONNECT api.openai.com:443 HTTP/1.1\r\n\r\n",
            400,
            "Not an address of this server, which is no proxy: 'api.openai.com:443'",
        ),
        (b"GET / HTTP/1.1\r\nno colon\r\n\r\n", 400, "Not a header of HTTP/1.1: 'no colon'"),
        (b"GET / HTTP/1.1\r\na : b\r\n\r\n", 400, "Not a header of HTTP/1.1: 'a : b'"),
        (b"GET / HTTP/1.1\r\na: b\r\n folded\r\n\r\n", 400, "Not a header of HTTP/1.1: ' folded'"),
        (b"GET / HTTP/1.1\r\na: b\rc\r\n\r\n", 400, "Not a header of HTTP/1.1: 'a: b\\rc'"),
        (b"GET / HTTP/1.1\r\na: " + b"x" * 70_000, 431, "The request's head is longer than 65536 bytes."),
        (b"GET / HTTP/1.1\r\n" + b"a: b\r\n" * 20_000, 431, "The request's head is longer than 65536 bytes."),
        (b"POST / HTTP/1.1\r\nContent-Length: -1\r\n\r\n", 400, "Content-Length is not one number."),
        (b"POST / HTTP/1.1\r\nContent-Length: \xb2\r\n\r\n", 400, "Content-Length is not one number."),
        (
            b"POST / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
            400,
            "Content-Length is not one number.",
        ),
        (
            b"POST / HTTP/1.1\r\nContent-Length: 2000000000\r\n\r\n",
            413,
            "The request's body is longer than 134217728 bytes.",
        ),
        (
            b"POST / HTTP/1.1\r\nContent-Length: " + b"9" * 5000 + b"\r\n\r\n",
            413,
            "The request's body is longer than 134217728 bytes.",
        ),
        (
            b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n7fffffff\r\n",
            413,
            "The request's body is longer than 134217728 bytes.",
        ),
        (
            b"POST / HTTP/1.1\r\nTransfer-Encoding: gzip, chunked\r\n\r\n",
            501,
            "This server does not know the transfer encoding gzip, chunked.",
        ),
        (
            b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\nContent-Length: 1\r\n\r\n",
            400,
            "A request has either Content-Length or Transfer-Encoding, not both.",
        ),
        (b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n0x1\r\n", 400, "Not the size of a chunk: '0x1\\r\\n'"),
        (
            b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nabc\r\n",
            400,
            "A chunk of the body is longer than it says.",
        ),
        (
            b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n" + b"a: b\r\n" * 101,
            431,
            "The request's body is followed by more than 100 lines.",
        ),
        (b"\x16\x03\x01\x02\x00\x01", 400, "This server speaks http, not https."),
    ],
)
def test_what_cannot_be_read_is_refused(server: Server, sent: bytes, status: int, says: str) -> None:
    with wire(server) as client:
        client.send(sent)
        answer = client.read()
        error = {"message": says, "type": "invalid_request_error", "param": None, "code": "bad_request"}
        assert (answer.status, answer.json()) == (status, {"error": error})
        assert answer.headers["connection"] == "close"
        assert client.closed()
    assert server.errors == []


@pytest.mark.parametrize(
    "sent",
    [
        b"",
        b"GET / HT",
        b"GET / HTTP/1.1\r\nHost: x\r\n",
        b"POST / HTTP/1.1\r\nContent-Length: 9\r\n\r\nabc",
        b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n",
        b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n9\r\nabc",
    ],
)
def test_a_client_that_goes_away_inside_its_request_is_let_go(
    server: Server, sent: bytes, capfd: pytest.CaptureFixture[str]
) -> None:
    with wire(server) as client:
        client.send(sent)
        client.sock.shutdown(socket.SHUT_WR)
        assert client.closed()
    assert server.errors == []
    assert capfd.readouterr() == ("", "")


def test_a_handler_that_raises_is_answered_and_noted(
    caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    def handle(request: Request) -> Reply:
        raise KeyError("no such thing \udc80")

    with serving(handle) as server, wire(server) as client:
        for _ in range(2):  # the connection is still good
            client.send(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
            answer = client.read()
            assert answer.status == 500
            assert answer.headers["x-should-retry"] == "false"
            assert answer.json() == {
                "error": {
                    "message": "KeyError: 'no such thing \\udc80'",
                    "type": "server_error",
                    "param": None,
                    "code": "handler_error",
                }
            }
    assert len(server.errors) == 2
    assert "in handle" in server.errors[0]
    assert {record.name for record in caplog.records} == {"pytest_llmmock"}
    assert capfd.readouterr() == ("", "")


def test_a_handler_that_fails_the_test_is_answered() -> None:
    with serving(lambda request: pytest.fail("not \udc80 this")) as server, wire(server) as client:
        client.send(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        assert client.read().json()["error"]["message"] == "Failed: not ? this"


@pytest.mark.parametrize(
    ("reply", "says"),
    [
        (Reply(200, (("x-a", "b\r\nset-cookie: c"),), []), "cannot be sent as a header"),
        (Reply(200, (("x a", "b"),), []), "cannot be sent as a header"),
        (Reply(200, (), [], reason="fine\r\nx: y"), "cannot be sent as a reason"),
        (Reply(101, (), []), "101 cannot be sent as a status"),
    ],
)
def test_a_reply_that_cannot_be_sent_is_an_error(reply: Reply, says: str) -> None:
    with serving(reply) as server, wire(server) as client:
        client.send(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        answer = client.read()
        assert answer.status == 500
        assert says in answer.json()["error"]["message"]
        assert says in server.errors[0]


def test_live_frames_of_a_reply_that_cannot_be_sent_are_closed() -> None:
    closed = threading.Event()
    reply = live([b"x"], (("bad name", "x"),), close=closed.set)
    with serving(reply) as server, wire(server) as client:
        client.send(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        assert client.read().status == 500
        assert closed.wait(PATIENCE)


# --- addresses ------------------------------------------------------------------------------------------


def test_each_test_has_an_address_of_its_own() -> None:
    with Server() as server, wire(server) as client:
        prefixes = [server.mount(lambda request, n=n: json_reply([n, request.path, request.query])) for n in range(3)]
        assert len(set(prefixes)) == 3
        for number, prefix in enumerate(prefixes):
            for below, path in (("/v1/models?a=/b", "/v1/models"), ("", "/"), ("/", "/"), ("//x", "//x")):
                client.send(f"GET {prefix}{below} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
                assert client.read().json() == [number, path, below.partition("?")[2]]


def test_an_address_is_never_given_twice() -> None:
    server = Server()
    seen = set()
    for _ in range(100):
        prefix = server.mount(echo)
        server.unmount(prefix)
        seen.add(prefix)
    assert len(seen) == 100


@pytest.mark.parametrize("server", [Server(), Server(echo)], ids=["tests only", "standalone"])
def test_a_request_that_comes_after_its_test_is_told_so(server: Server) -> None:
    prefix = server.mount(echo)
    server.unmount(prefix)
    with server, wire(server) as client:
        client.send(f"POST {prefix}/v1/responses HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        answer = client.read()
    assert (answer.status, answer.headers["x-should-retry"]) == (410, "false")
    assert answer.json()["error"] == {
        "message": "The test that owned this address is over: POST /v1/responses came too late. "
        "Let the test wait for its clients, threads and child processes before it returns.",
        "type": "invalid_request_error",
        "param": None,
        "code": "test_is_over",
    }


def test_an_address_of_nobody_is_not_found() -> None:
    with Server() as server, wire(server) as client:
        server.mount(echo)
        client.send(b"GET /v1/models HTTP/1.1\r\nHost: x\r\n\r\n")
        answer = client.read()
    assert (answer.status, answer.headers["x-should-retry"]) == (404, "false")
    assert answer.json()["error"] == {
        "message": "Nothing is served at /v1/models: use the whole base URL that the test was given.",
        "type": "invalid_request_error",
        "param": None,
        "code": "unknown_address",
    }


# --- many at once, start and stop -----------------------------------------------------------------------


def test_many_clients_at_once_get_their_own_answers(capfd: pytest.CaptureFixture[str]) -> None:
    everyone = threading.Barrier(32)

    def handle(request: Request) -> Reply:
        everyone.wait(PATIENCE)
        return json_reply(request.path)

    def ask(number: int) -> list[str]:
        with wire(server) as client:
            answers = []
            for turn in range(5):
                client.send(b"GET /%d/%d HTTP/1.1\r\nHost: x\r\n\r\n" % (number, turn))
                answers.append(client.read().json())
            return answers

    with serving(handle) as server, ThreadPoolExecutor(32) as pool:
        found = list(pool.map(ask, range(32)))
    assert found == [[f"/{number}/{turn}" for turn in range(5)] for number in range(32)]
    assert capfd.readouterr() == ("", "")


def test_stop_leaves_no_thread_and_no_connection() -> None:
    before = set(threading.enumerate())
    waiting = threading.Event()

    def stuck() -> Iterator[bytes]:
        yield b"x"
        assert waiting.wait(PATIENCE)
        raise OSError("closed under my hands")

    server = serving(lambda request: live(stuck(), close=waiting.set) if request.path == "/stuck" else echo(request))
    server.start()
    clients = [Wire(server) for _ in range(8)]
    for client in clients[:6]:
        client.send(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        assert client.read().status == 200
    clients[6].send(b"GET /stuck HTTP/1.1\r\nHost: x\r\n\r\n")
    while b"1\r\nx\r\n" not in clients[6].rest:
        clients[6].rest += clients[6].sock.recv(1000)
    server.stop()
    assert set(threading.enumerate()) <= before
    assert server.errors == []
    for client in clients:
        client.rest = b""
        with suppress(ConnectionResetError):  # the one that was never accepted
            assert client.closed()
        client.sock.close()
    with pytest.raises(ConnectionRefusedError):
        Wire(server)


def test_start_and_stop_may_be_called_again() -> None:
    server = Server(echo)
    server.stop()
    for _ in range(3):
        assert server.start() is server
        port = server.port
        assert server.start().port == port
        with wire(server) as client:
            client.send(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
            assert client.read().status == 200
        server.stop()
        server.stop()


def test_a_handler_may_stop_its_server() -> None:
    def handle(request: Request) -> Reply:
        server.stop()
        return json_reply("bye")

    with Server(handle) as server, wire(server) as client:
        client.send(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        assert client.closed()
    assert server.errors == []


def test_serving_in_the_calling_thread_ends_with_stop() -> None:
    server = Server(echo).start()
    caller = threading.Thread(target=server.serve_forever)
    caller.start()
    with wire(server) as client:
        client.send(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        assert client.read().status == 200
    server.stop()
    caller.join(PATIENCE)
    assert not caller.is_alive()


def test_serving_in_the_calling_thread_ends_with_ctrl_c(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*timeout: float) -> None:
        monkeypatch.undo()
        raise KeyboardInterrupt

    server = Server(echo).start()
    monkeypatch.setattr(server._stopped, "wait", interrupted)
    server.serve_forever()
    with pytest.raises(ConnectionRefusedError):
        Wire(server)


def test_a_port_in_use_is_explained(server: Server) -> None:
    with pytest.raises(ServerError) as caught:
        Server(echo, port=server.port).start()
    assert str(caught.value) == (
        f"The server cannot listen on 127.0.0.1, port {server.port}: {os.strerror(errno.EADDRINUSE)}.\n\n"
        "To fix it:\n  * Choose another port (--port), or 0 for any that is free."
    )


@pytest.mark.parametrize(
    ("host", "port", "says"),
    [
        ("192.0.2.1", 0, "192.0.2.1, port 0: "),
        ("127.0.0.1", 70_000, "127.0.0.1, port 70000: There is no such port.\n\nTo fix it:\n  * Choose another port"),
    ],
)
def test_an_address_that_does_not_exist_is_explained(host: str, port: int, says: str) -> None:
    with pytest.raises(ServerError) as caught:
        Server(echo, host=host, port=port).start()
    assert says in str(caught.value)
    assert ("--host" in str(caught.value)) is (port == 0)


@pytest.mark.parametrize(
    ("host", "url"),
    [("127.0.0.1", "http://127.0.0.1:8"), ("0.0.0.0", "http://127.0.0.1:8"), ("::", "http://[::1]:8")],
)
def test_the_url_is_one_that_this_machine_reaches(host: str, url: str) -> None:
    assert Server(echo, host=host, port=8).url == url


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
def test_a_forked_child_that_stops_its_copy_leaves_the_parent_alone(server: Server) -> None:
    with wire(server) as client:
        client.send(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        assert client.read().status == 200
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # the child of a process with threads
            child = os.fork()
        if child == 0:
            server.stop()
            os._exit(0)
        assert os.waitpid(child, 0)[1] == 0
        client.send(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        assert client.read().status == 200


def test_openai_talks_to_it() -> None:
    openai = import_module("openai")
    reply = {"object": "list", "data": [{"id": "gpt-5", "object": "model", "created": 1, "owned_by": "x"}]}
    with Server() as server:
        base_url = server.url + server.mount(lambda request: json_reply(reply)) + "/v1"
        with openai.OpenAI(api_key="test", base_url=base_url) as client:
            assert [model.id for model in client.models.list()] == ["gpt-5"]
