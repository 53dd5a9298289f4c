"""The network: respx stands in for it, or a server on loopback."""

from __future__ import annotations

import gc
import gzip
import re
import socket
import sys
import threading
import zlib
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager

import brotli
import httpx
import pytest

from pytest_llmmock.core.live import Live
from pytest_llmmock.core.model import Frame, Reply, Request, json_reply
from pytest_llmmock.errors import CutConnection, UpstreamError
from pytest_llmmock.inbound.doors import Door
from pytest_llmmock.inbound.server import Server
from pytest_llmmock.upstreams import http
from pytest_llmmock.upstreams.http import Network

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

PATIENCE = 10
"""Seconds after which a test that waits for another thread gives up."""

HOST = "https://upstream.example"


def request(path: str = "/v1/models", *headers: tuple[str, str], method: str = "GET", **more: object) -> Request:
    values = {"origin": HOST, **more}
    return Request(method, path=path, headers=headers, **values)  # type: ignore[arg-type]


def read(reply: Reply) -> bytes:
    return b"".join(frame.data for frame in reply.frames)


@contextmanager
def serving(handle: Callable[[Request], Reply]) -> Iterator[str]:
    with Server(handle) as server:
        yield server.url


@contextmanager
def answering(*packets: bytes) -> Iterator[str]:
    """A server that sends these bytes, whatever it is asked, and hangs up."""
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def answer() -> None:
            connection, _ = listening.accept()
            with connection:
                connection.recv(65536)
                for packet in packets:
                    connection.sendall(packet)

        thread = threading.Thread(target=answer)
        thread.start()
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        thread.join(PATIENCE)


# --- what is sent ---------------------------------------------------------------------------------------


def test_method_address_and_body_are_sent_as_they_are(network, respx_mock):
    route = respx_mock.post(f"{HOST}/v1/chat/completions?a=1&a=2").respond(json={})
    body = '{"ä": "\\u00e4"}'.encode()
    read(network.send(request("/v1/chat/completions", method="POST", query="a=1&a=2", body=body)))
    sent = route.calls.last.request
    assert (sent.method, sent.content, sent.headers["content-length"]) == ("POST", body, str(len(body)))


@pytest.mark.parametrize(
    ("path", "query"),
    [
        ("/v1/models/a%2Fb", ""),
        ("/v1/models/ft:gpt-4o:org::id", ""),
        ("/v1/caf%C3%A9/%20/+", "q=%20+%2B&empty=&bare"),
        ("/v1/a//b", "x=%5B1%5D"),
    ],
)
def test_what_is_percent_encoded_arrives_as_the_client_wrote_it(network, path, query):
    arrived: list[Request] = []
    with serving(lambda asked: arrived.append(asked) or json_reply({})) as url:
        read(network.send(request(path, origin=url, query=query)))
    assert (arrived[0].path, arrived[0].query) == (path, query)


@pytest.mark.parametrize(
    "header",
    [
        ("host", "localhost:1234"),
        ("content-length", "999"),
        ("transfer-encoding", "chunked"),
        ("accept-encoding", "gzip, deflate, br, zstd"),
        ("connection", "close"),
        ("keep-alive", "timeout=5"),
        ("te", "trailers"),
        ("trailer", "x-sum"),
        ("upgrade", "h2c"),
        ("proxy-authorization", "Basic secret"),
        ("proxy-connection", "keep-alive"),
        ("x-llmmock-cassette", "a"),
    ],
)
def test_what_belongs_to_the_clients_own_connection_is_not_sent_on(network, respx_mock, header):
    route = respx_mock.post(f"{HOST}/v1/x").respond(json={})
    read(network.send(request("/v1/x", header, method="POST", body=b"{}")))
    assert header not in route.calls.last.request.headers.multi_items()


def test_compression_is_not_asked_for_and_length_and_host_are_our_own(network):
    arrived: list[Request] = []
    headers = (("host", "before.example"), ("content-length", "1"), ("accept-encoding", "br"))
    with serving(lambda asked: arrived.append(asked) or json_reply({})) as url:
        read(network.send(request("/v1/x", *headers, method="POST", origin=url, body=b"four")))
    (asked,) = arrived
    assert asked.body == b"four"
    assert [value for name, value in asked.headers if name == "accept-encoding"] == ["identity"]
    assert [value for name, value in asked.headers if name == "content-length"] == ["4"]
    assert [value for name, value in asked.headers if name == "host"] == [url.removeprefix("http://")]


def test_all_other_headers_are_sent_in_their_order_and_as_often_as_they_came(network):
    arrived: list[Request] = []
    headers = (
        ("authorization", "Bearer sk-1"),
        ("user-agent", "OpenAI/Python 3"),
        ("openai-beta", "a"),
        ("openai-beta", "b"),
        ("content-type", "application/json; charset=utf-8"),
    )
    with serving(lambda asked: arrived.append(asked) or json_reply({})) as url:
        read(network.send(request("/v1/x", *headers, origin=url)))
    assert [pair for pair in arrived[0].headers if pair in headers] == list(headers)


def test_a_header_that_is_not_ascii_arrives_as_it_was_received(network):
    """Both ways in hand over headers as latin-1, a byte a character."""
    arrived: list[Request] = []
    with serving(lambda asked: arrived.append(asked) or json_reply({})) as url:
        read(network.send(request("/v1/x", ("x-title", "caf\xe9"), origin=url)))
    assert arrived[0].header("x-title") == "caf\xe9"


def test_a_request_without_a_body_has_none(network):
    arrived: list[Request] = []
    with serving(lambda asked: arrived.append(asked) or json_reply({})) as url:
        for method in ("GET", "DELETE", "POST"):
            read(network.send(request("/v1/x", method=method, origin=url)))
    assert [asked.body for asked in arrived] == [b"", b"", b""]
    assert [asked.header("content-length") for asked in arrived] == [None, None, "0"]
    assert [asked.header("transfer-encoding") for asked in arrived] == [None, None, None]


def test_an_open_door_lets_our_own_requests_pass(network):
    """In record mode the upstream is asked from inside the very process whose clients are answered by us."""
    taken: list[Request] = []
    with (
        serving(lambda asked: json_reply({"from": "the network"})) as url,
        Door(lambda *asked: True, lambda asked: taken.append(asked) or json_reply({"from": "the door"})),
    ):
        assert read(network.send(request("/v1/models", origin=url))) == b'{"from":"the network"}'
        assert httpx.get(url + "/v1/models").json() == {"from": "the door"}
    assert len(taken) == 1


# --- what comes back ------------------------------------------------------------------------------------


def test_status_reason_headers_and_body_come_back(network, respx_mock):
    respx_mock.get(f"{HOST}/v1/models").respond(
        429, headers=[("X-Request-Id", "r1"), ("Set-Cookie", "a=1"), ("Set-Cookie", "b=2")], text="slow down"
    )
    reply = network.send(request())
    assert (reply.status, reply.reason, reply.source, reply.live) == (429, "Too Many Requests", "upstream", False)
    assert ("x-request-id", "r1") in reply.headers
    assert [value for name, value in reply.headers if name == "set-cookie"] == ["a=1", "b=2"]
    assert read(reply) == b"slow down"


def test_a_reason_of_the_upstreams_own_comes_back(network):
    with answering(b"HTTP/1.1 200 Very Fine\r\nContent-Length: 0\r\n\r\n") as url:
        reply = network.send(request(origin=url))
        assert (reply.reason, read(reply)) == ("Very Fine", b"")


def test_framing_headers_stay_with_the_connection_they_were_for(network):
    head = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 2\r\nConnection: close\r\n"
    with answering(head + b"Keep-Alive: timeout=5\r\nTrailer: x-sum\r\nUpgrade: h2c\r\n\r\nhi") as url:
        reply = network.send(request(origin=url))
        assert read(reply) == b"hi"
    assert reply.headers == (("content-type", "text/plain"),)


CODINGS = {
    "gzip": gzip.compress,
    "deflate": zlib.compress,
    "br": brotli.compress,
    "zstd": zstd.compress,
    "Identity": bytes,
    "gzip, br": lambda words: brotli.compress(gzip.compress(words)),
}


@pytest.mark.parametrize(("coding", "compress"), CODINGS.items())
def test_an_answer_that_comes_compressed_all_the_same_is_decoded(network, respx_mock, coding, compress):
    words = b'{"text": "caf\xc3\xa9"}' * 50
    headers = {"content-encoding": coding, "content-type": "application/json"}
    respx_mock.get(f"{HOST}/v1/models").respond(headers=headers, content=compress(words))
    reply = network.send(request())
    assert read(reply) == words
    assert reply.headers == (("content-type", "application/json"),)


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_a_redirect_is_passed_on_and_not_followed(network, respx_mock, status):
    respx_mock.post(f"{HOST}/old").respond(status, headers={"location": f"{HOST}/new"})
    reply = network.send(request("/old", method="POST", body=b"{}"))
    read(reply)
    assert reply.status == status
    assert ("location", f"{HOST}/new") in reply.headers
    assert respx_mock.calls.call_count == 1


def test_frames_are_handed_over_as_they_arrive(network):
    """The upstream sends its second piece only after the first one was handed over."""
    had_first = threading.Event()

    def chunks() -> Iterator[bytes]:
        yield b"first"
        yield b"second" if had_first.wait(PATIENCE) else b"nobody took the first"

    def handle(asked: Request) -> Reply:
        return Reply(200, (("content-type", "text/event-stream"),), Live(chunks(), lambda: None, since=0.0), live=True)

    with serving(handle) as url:
        frames = iter(network.send(request(origin=url)).frames)
        first = next(frames)
        had_first.set()
        second = next(frames)
        assert [first.data, second.data] == [b"first", b"second"]
        assert 0 <= first.at <= second.at
        assert next(frames, None) is None


SIZED = b"HTTP/1.1 200 OK\r\ncontent-type: audio/mpeg\r\ncontent-length: 4\r\n\r\n"
CHUNKED = b"HTTP/1.1 200 OK\r\ncontent-type: %s\r\ntransfer-encoding: chunked\r\n\r\n"


@pytest.mark.parametrize(
    "packets",
    [
        (SIZED, b"{", b"1}\n"),
        (CHUNKED % b"application/json", b"1\r\n{\r\n", b"3\r\n1}\n\r\n0\r\n\r\n"),
        (CHUNKED % b"application/problem+json; charset=utf-8", b"4\r\n{1}\n\r\n0\r\n\r\n"),
    ],
)
def test_an_answer_that_is_no_stream_is_there_before_anybody_reads(network, packets):
    with answering(*packets) as origin:
        reply = network.send(request(origin=origin))
        assert (reply.live, reply.body) == (False, b"{1}\n")


@pytest.mark.parametrize(
    ("media_type", "path", "more"),
    [
        (b"text/event-stream", "/v1/chat/completions", {}),
        (b"application/x-ndjson", "/api/chat", {}),
        (b"audio/mpeg", "/v1/audio/speech", {}),
        (b"application/vnd.amazon.eventstream", "/model/m/converse-stream", {}),
        (b"application/json", "/v1beta/models/m:streamGenerateContent", {}),
        (b"application/json", "/api/chat", {"method": "POST", "body": b'{"stream": true}'}),
    ],
)
def test_nobody_waits_for_the_end_of_a_stream(network, media_type, path, more):
    with answering(CHUNKED % media_type, b"2\r\n{}\r\n") as origin:  # and it hangs up: no end would ever come
        reply = network.send(request(path, origin=origin, **more))
        assert (reply.live, reply.body) == (True, b"")
        reply.frames.close()


def test_the_answer_of_a_head_request_has_no_body(network):
    with serving(lambda asked: Reply(200, (("x-size", "7"),), [Frame(b"unasked")])) as url:
        reply = network.send(request(method="HEAD", origin=url))
        assert read(reply) == b""
    assert ("x-size", "7") in reply.headers


# --- when it goes wrong ---------------------------------------------------------------------------------


def test_a_refused_connection_names_the_upstream_and_what_to_look_at(network):
    with socket.create_server(("127.0.0.1", 0)) as listening:
        url = f"http://127.0.0.1:{listening.getsockname()[1]}"
    with pytest.raises(UpstreamError) as caught:
        network.send(request("/v1/chat/completions", method="POST", origin=url))
    assert re.fullmatch(
        f"The upstream {url} did not answer POST /v1/chat/completions: .*refused.*\\. "
        "Is it running, and is its address right\\? Nothing was recorded\\.",
        str(caught.value),
    )


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (httpx.ConnectError("[Errno -2] Name or service not known"), "[Errno -2] Name or service not known"),
        (httpx.RemoteProtocolError("Server disconnected"), "Server disconnected"),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else "",
)
def test_whatever_keeps_the_upstream_from_answering_is_told(network, respx_mock, error, told):
    respx_mock.get(f"{HOST}/v1/models").mock(side_effect=error)
    with pytest.raises(UpstreamError) as caught:
        network.send(request())
    assert str(caught.value).startswith(f"The upstream {HOST} did not answer GET /v1/models: {told}. Is it running")
    assert caught.value.__cause__ is error


def test_who_does_not_answer_in_time_is_told_with_how_long_it_was_and_what_to_set(respx_mock):
    respx_mock.get(f"{HOST}/v1/models").mock(side_effect=httpx.ReadTimeout(""))
    with closing(Network(timeout=1.5)) as network, pytest.raises(UpstreamError) as caught:
        network.send(request())
    assert str(caught.value) == (
        f"The upstream {HOST} did not answer GET /v1/models within 1.5 seconds. Nothing was recorded. "
        "To wait longer, set LLMMOCK_TIMEOUT, or timeout in llm_config or the ini file (llm_timeout), in seconds."
    )


@pytest.mark.parametrize(("timeout", "patience", "told"), [(600, 0.1, "0.1"), (0.1, 30, "0.1")])
def test_who_need_not_think_is_waited_for_as_long_as_the_request_says(timeout, patience, told):
    """Other threads and processes wait for a login while it is renewed."""
    done = threading.Event()

    def handle(request: Request) -> Reply:
        done.wait(PATIENCE)
        return json_reply({})

    with serving(handle) as url, closing(Network(timeout=timeout)) as network:
        with pytest.raises(UpstreamError) as caught:
            network.send(request("/oauth/token", origin=url, patience=patience))
        done.set()
    assert str(caught.value) == (
        f"The upstream {url} did not answer GET /oauth/token within {told} seconds. Nothing was recorded. "
        "Try again later."
    )


@pytest.mark.parametrize(("timeout", "told"), [(600, "15"), (2, "2")])
def test_who_cannot_be_reached_in_time_is_told_apart(respx_mock, timeout, told):
    respx_mock.get(f"{HOST}/v1/models").mock(side_effect=httpx.ConnectTimeout(""))
    with closing(Network(timeout=timeout)) as network, pytest.raises(UpstreamError) as caught:
        network.send(request())
    assert str(caught.value) == (
        f"The upstream {HOST} could not be reached within {told} seconds, for GET /v1/models. Is its address right, "
        "and does a proxy stand before it (HTTPS_PROXY)? Nothing was recorded."
    )


def test_a_stream_that_stops_is_told_with_how_long_nothing_came():
    def stalls() -> Iterator[bytes]:
        yield b"data: 1\n\n"
        over.wait(PATIENCE)

    over = threading.Event()
    stream = (("content-type", "text/event-stream"),)
    with (
        serving(lambda asked: Reply(200, stream, Live(stalls(), lambda: None, since=0.0), live=True)) as url,
        closing(Network(timeout=0.2)) as network,
    ):
        reply = network.send(request(origin=url))
        with pytest.raises(CutConnection) as caught:
            read(reply)
        over.set()
    assert str(caught.value).startswith(
        f"The answer of {url} stopped: nothing came for 0.2 seconds. To wait longer, set LLMMOCK_TIMEOUT"
    )
    assert caught.value.cause == "nothing came for 0.2 seconds"


@pytest.mark.parametrize("origin", ["http://host:99999999", "http://[half", "http://a b", "http://host:port"])
def test_an_address_that_is_none_is_told(network, origin):
    with pytest.raises(UpstreamError, match=f"^The upstream {re.escape(origin)} did not answer GET /v1/models: "):
        network.send(request(origin=origin))


def test_the_password_of_an_address_is_never_told(network):
    with socket.create_server(("127.0.0.1", 0)) as listening:
        address = f"127.0.0.1:{listening.getsockname()[1]}"
    with pytest.raises(UpstreamError) as caught:
        network.send(request(origin=f"http://user:s3cret@{address}"))
    assert address in str(caught.value)
    assert "s3cret" not in str(caught.value)


def test_a_stream_that_breaks_off_is_no_end(network):
    def chunks() -> Iterator[bytes]:
        yield b"first"
        raise CutConnection("the upstream dies")

    handle = lambda asked: Reply(200, (), Live(chunks(), lambda: None, since=0.0), live=True)  # noqa: E731
    ended: list[bool] = []
    with serving(handle) as url:
        reply = network.send(request(origin=url))
        reply.frames.then(lambda: ended.append(True))
        frames = iter(reply.frames)
        assert next(frames).data == b"first"
        with pytest.raises(CutConnection) as caught:
            next(frames)
    assert str(caught.value).startswith(f"The answer of {url} broke off: ")
    assert str(caught.value) == f"The answer of {url} broke off: {caught.value.cause}."
    assert ended == []


def test_an_answer_shorter_than_its_length_is_no_end(network):
    with answering(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf") as url:
        frames = iter(network.send(request(origin=url)).frames)
        with pytest.raises(CutConnection, match="broke off"):
            list(frames)


def test_an_answer_that_cannot_be_decoded_is_no_end(network):
    head = b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 9\r\n\r\n"
    with answering(head + b"not a zip") as url, pytest.raises(CutConnection, match="broke off"):
        read(network.send(request(origin=url)))


@pytest.mark.parametrize(
    ("coding", "packed", "told"),
    [
        ("zstd", zstd.compress(b"x" * 999)[:-1], "broke off: it ends inside its compressed data"),
        ("zstd", b"no zstd", "broke off"),
        ("exi", b"<packed>", "broke off: its content encoding 'exi' cannot be unpacked"),
    ],
)
def test_what_httpx_does_not_unpack_is_never_handed_over_packed(network, respx_mock, coding, packed, told):
    respx_mock.get(f"{HOST}/v1/models").respond(headers={"content-encoding": coding}, content=packed)
    with pytest.raises(CutConnection, match=told):
        read(network.send(request()))


def test_zstandard_in_several_packets_and_frames_is_unpacked_as_it_comes(network):
    packed = zstd.compress(b"one ") + zstd.compress(b"two")
    head = b"HTTP/1.1 200 OK\r\nContent-Encoding: zstd\r\nContent-Length: %d\r\n\r\n" % len(packed)
    with answering(head, *(packed[at : at + 1] for at in range(len(packed)))) as url:
        assert read(network.send(request(origin=url))) == b"one two"


def test_a_reader_that_leaves_early_closes_the_connection(network):
    closed = threading.Event()

    def chunks() -> Iterator[bytes]:
        while True:
            yield b"x" * 65536

    def handle(asked: Request) -> Reply:
        return Reply(200, (), Live(chunks(), closed.set, since=0.0), live=True)

    with serving(handle) as url:
        reply = network.send(request(origin=url))
        next(iter(reply.frames))
        reply.frames.close()
        assert closed.wait(PATIENCE)


# --- one client for all ---------------------------------------------------------------------------------


@pytest.fixture
def clients(monkeypatch) -> list[httpx.Client]:
    """The clients that were made."""
    made: list[httpx.Client] = []
    new_client = http._new_client

    def remember(seconds: float) -> httpx.Client:
        made.append(new_client(seconds))
        return made[-1]

    monkeypatch.setattr(http, "_new_client", remember)
    return made


def test_no_client_is_made_before_something_is_sent(network, clients):
    network.close()
    assert clients == []


def test_requests_at_once_share_one_client_and_leave_no_socket_behind(network, clients):
    """Each is answered only once all have been asked."""
    together = threading.Barrier(8, timeout=PATIENCE)

    def handle(asked: Request) -> Reply:
        together.wait()
        return json_reply({"path": asked.path})

    with serving(handle) as url, ThreadPoolExecutor(8) as threads:
        paths = [f"/v1/{number}" for number in range(8)]
        replies = threads.map(lambda path: read(network.send(request(path, origin=url))), paths)
        assert list(replies) == [b'{"path":"%s"}' % path.encode() for path in paths]
        network.close()
    assert len(clients) == 1
    assert clients[0].is_closed
    gc.collect()  # a socket left open warns here, and a warning is an error


def test_a_connection_is_used_again(network):
    seen: set[threading.Thread] = set()

    def handle(asked: Request) -> Reply:
        seen.add(threading.current_thread())  # a thread a connection
        return json_reply({})

    with serving(handle) as url:
        for _ in range(3):
            read(network.send(request(origin=url)))
        network.close()
    assert len(seen) == 1


def test_more_requests_run_at_once_than_a_pool_usually_has_connections(network):
    """A limit would let a suite of many threads wait for each other's streams."""
    count = 120
    together = threading.Barrier(count, timeout=PATIENCE)

    def handle(asked: Request) -> Reply:
        together.wait()
        return json_reply({})

    with serving(handle) as url, ThreadPoolExecutor(count) as threads:
        replies = list(threads.map(lambda _: network.send(request(origin=url)).status, range(count)))
        network.close()
    assert replies == [200] * count


def test_closing_twice_is_closing_once_and_sending_again_opens_again(network, clients):
    with serving(lambda asked: json_reply({})) as url:
        read(network.send(request(origin=url)))
        network.close()
        network.close()
        assert read(network.send(request(origin=url))) == b"{}"
        network.close()
    assert [client.is_closed for client in clients] == [True, True]


def test_a_model_may_think_for_minutes_and_a_connection_may_not(network, respx_mock):
    route = respx_mock.get(f"{HOST}/v1/models").respond(json={})
    read(network.send(request()))
    timeout = route.calls.last.request.extensions["timeout"]
    assert timeout["connect"] <= 30
    assert timeout["read"] >= 300


@pytest.mark.parametrize("key", ["sk-first\nsk-second", "sk-first\r", "sk-\x00first", "sk-first…"])
def test_a_key_that_no_header_can_hold_is_told_and_not_shown(network, key):
    with pytest.raises(UpstreamError) as caught:
        network.send(request("/v1/models", ("authorization", f"Bearer {key}")))
    assert str(caught.value) == (
        "The header 'authorization' holds a line break or another character that no header may hold, so nothing was "
        "asked. Is the key, or the setting, that it is made of whole, and without anything around it?"
    )
