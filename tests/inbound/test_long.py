"""Long streams and large bodies, in process and over HTTP, and many of them at once."""

from __future__ import annotations

import socket
import subprocess
import sys
from typing import Any
from urllib.parse import urlsplit

import httpx2
import pytest
from holding import PATIENCE, Threads
from provider import Answer, Provider, as_stream

from pytest_llmmock import LLMServer, use_cassette
from pytest_llmmock.cassettes.library import open_cassette
from pytest_llmmock.core.model import Frame, Reply
from pytest_llmmock.core.sse import write_event
from pytest_llmmock.deck import Deck
from pytest_llmmock.inbound.server import Server
from pytest_llmmock.mock import _IN_CODE
from pytest_llmmock.settings import combine

PATH = "/v1/chat/completions"
ASKED: dict[str, Any] = {"model": "m", "messages": [{"role": "user", "content": "hello"}], "stream": True}
SSE = (("content-type", "text/event-stream"),)
EVENTS = 10_000
LARGE = 50_000_000
"""Bytes."""


def event(words: str) -> bytes:
    return write_event({"choices": [{"index": 0, "delta": {"content": words}}]})


def pieces(url: str, asked: dict[str, Any] = ASKED) -> list[bytes]:
    with httpx2.Client(timeout=120) as client, client.stream("POST", url + PATH, json=asked) as response:
        assert response.status_code == 200
        return list(response.iter_raw())


@pytest.mark.parametrize("way", ["in process", "over HTTP"])
def test_ten_thousand_events_are_recorded_and_replayed_as_they_came(tmp_path, way):
    events = [*(event(f" word{number}") for number in range(EVENTS)), write_event("[DONE]")]
    path = tmp_path / "it.yaml"
    with Provider() as provider:
        provider.answer = lambda asked: as_stream(*events)
        with use_cassette(path, mode="new_episodes"):
            assert b"".join(pieces(provider.url)) == b"".join(events)
    [kept] = open_cassette(path).interactions
    assert kept.reply.body == b"".join(events)
    if way == "in process":
        with use_cassette(path) as mock:
            assert pieces("http://127.0.0.1:9") == [frame.data for frame in kept.reply.frames]
            assert mock.requests.last.text.endswith(f" word{EVENTS - 1}")
    else:
        deck = Deck.open(path, combine([("test", {})]), advice=_IN_CODE)
        with LLMServer(deck) as server:
            assert b"".join(pieces(server.url)) == b"".join(events)


def test_twenty_megabytes_are_recorded_and_replayed_both_ways(tmp_path):
    """Asked and answered; the answer is a stream of which one event is most."""
    large = "lorem ipsum " * (20_000_000 // 12)
    body = event(large) + write_event("[DONE]")
    asked = {**ASKED, "messages": [{"role": "user", "content": large}]}
    path = tmp_path / "it.yaml"
    with Provider() as provider:
        provider.answer = lambda asked: as_stream(*(body[at : at + (1 << 20)] for at in range(0, len(body), 1 << 20)))
        with use_cassette(path, mode="new_episodes"):
            assert b"".join(pieces(provider.url, asked)) == body
        assert len(provider.requests[0].body) > 19_900_000
    deck = Deck.open(path, combine([("test", {"repeat": True})]), advice=_IN_CODE)
    with LLMServer(deck) as server:
        assert b"".join(pieces(server.url, asked)) == body
        assert deck.requests.last.source == "cassette"


def test_an_answer_of_fifty_megabytes_that_is_no_text_goes_out_with_its_length(tmp_path):
    body = bytes(range(256)) * (LARGE // 256)
    path = tmp_path / "it.yaml"
    with Provider() as provider:
        provider.answer = lambda asked: Answer(body, headers={"content-type": "audio/mpeg"})
        with use_cassette(path, mode="new_episodes"):
            assert b"".join(pieces(provider.url)) == body
    deck = Deck.open(path, combine([("test", {})]), advice=_IN_CODE)
    with LLMServer(deck) as server, httpx2.Client(timeout=120) as client:
        answer = client.post(server.url + PATH, json=ASKED)
        assert (answer.content == body, answer.headers["content-length"]) == (True, str(len(body)))


# --- many at once -----------------------------------------------------------------------------------------

CLIENTS = 200

REQUEST = b"GET /v1/models HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n"


def connected(server: Server) -> socket.socket:
    address = urlsplit(server.url)
    client = socket.create_connection((address.hostname, address.port), PATIENCE)
    client.sendall(REQUEST)
    return client


def rest(client: socket.socket) -> bytes:
    with client:
        return b"".join(iter(lambda: client.recv(1 << 20), b""))


def test_two_hundred_readers_at_once_all_get_every_byte():
    """All have asked before the first one reads: each stream is more than fits into its socket."""
    events = [event("x" * 1000 + str(number)) for number in range(4000)]
    reply = Reply(200, SSE, [Frame(each) for each in events])
    with Threads(), Server(lambda request: reply) as server:
        clients = [connected(server) for _ in range(CLIENTS)]
        expected = b"".join(b"%x\r\n%b\r\n" % (len(each), each) for each in events) + b"0\r\n\r\n"
        for client in clients:
            head, _, body = rest(client).partition(b"\r\n\r\n")
            assert head.startswith(b"HTTP/1.1 200 OK")
            assert body == expected
        assert server.errors == []


SLOW = """
import resource, socket, sys
from pytest_llmmock.core.model import Frame, Reply
from pytest_llmmock.inbound.server import Server

size, kind = 20_000_000, sys.argv[1]
if kind == "events":
    frames = [Frame(b"data: " + b"x" * 993 + b"\\n\\n") for _ in range(size // 1000)]
else:
    frames = [Frame(b"x" * size)]
content_type = "application/octet-stream" if kind == "bytes" else "text/event-stream"
reply = Reply(200, (("content-type", content_type),), frames)

def grown():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)

with Server(lambda request: reply) as server:
    before = grown()
    clients = []
    for _ in range(20):
        client = socket.create_connection(("127.0.0.1", server.port), 20)
        client.sendall(b"GET / HTTP/1.1\\r\\nconnection: close\\r\\n\\r\\n")
        assert client.recv(17) == b"HTTP/1.1 200 OK\\r\\n"  # and reads no more
        clients.append(client)
    print((grown() - before) / size)
    got = 17
    while data := clients[0].recv(1 << 20):
        got += len(data)
    assert got > size
    for client in clients:
        client.close()
"""


@pytest.mark.skipif(sys.platform == "win32", reason="Windows does not tell a process's memory this way")
@pytest.mark.parametrize("kind", ["events", "one frame", "bytes"])
def test_slow_readers_do_not_make_the_server_hold_the_stream_once_more_for_each(kind):
    """Twenty readers of 20 MB: a copy for each would be 400 MB."""
    done = subprocess.run([sys.executable, "-c", SLOW, kind], capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    assert float(done.stdout) < 2
