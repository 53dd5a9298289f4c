"""Clients that go while they wait for their turn at the upstream: it is not asked, and nobody else waits for them."""

from __future__ import annotations

import asyncio
import json
import socket
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlsplit

import httpx
import pytest
from holding import PATIENCE, WHOLE, Holding, Threads

from pytest_llmmock import LLMServer, use_cassette
from pytest_llmmock.cassettes.library import open_cassette
from pytest_llmmock.upstreams.turns import Turns

PATH = "/v1/chat/completions"


def asked(words: str) -> dict:
    return {"model": "m", "messages": [{"role": "user", "content": words}], "stream": True}


class Queue:
    """Tells when somebody begins to wait, and when somebody has gone."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.joined, self.left = threading.Semaphore(0), threading.Semaphore(0)
        begins, leave = Turns._begins, Turns._leave

        def joining(turns, wait):
            at_once = begins(turns, wait)
            if not at_once:
                self.joined.release()
            return at_once

        def leaving(turns, wait):
            leave(turns, wait)
            self.left.release()

        monkeypatch.setattr(Turns, "_begins", joining)
        monkeypatch.setattr(Turns, "_leave", leaving)


@pytest.fixture
def queue(monkeypatch) -> Queue:
    return Queue(monkeypatch)


@pytest.fixture
def upstream() -> Iterator[Holding]:
    with Threads(), Holding() as upstream:
        yield upstream


def ask(url: str, words: str) -> list[bytes]:
    with httpx.Client(timeout=PATIENCE) as client, client.stream("POST", url, json=asked(words)) as response:
        assert response.status_code == 200
        return list(response.iter_raw())


def connect(url: str, words: str) -> socket.socket:
    """A client that has asked, and waits."""
    body = json.dumps(asked(words)).encode()
    address = urlsplit(url)
    client = socket.create_connection((address.hostname, address.port), PATIENCE)
    head = f"POST {address.path} HTTP/1.1\r\ncontent-type: application/json\r\ncontent-length: {len(body)}"
    client.sendall(head.encode() + b"\r\n\r\n" + body)
    return client


def test_a_client_over_http_that_goes_is_not_waited_for(queue, upstream, tmp_path):
    path = tmp_path / "it.yaml"
    settings = {"mode": "new_episodes", "upstream": upstream.url + "/v1", "max_concurrency": 1}
    with LLMServer(path, **settings) as server, ThreadPoolExecutor(2) as pool:
        first = pool.submit(ask, server.url + PATH, "first")
        upstream.wait(lambda it: it.asked == 1)
        goes = connect(server.url + PATH, "goes")
        assert queue.joined.acquire(timeout=PATIENCE)
        stays = pool.submit(ask, server.url + PATH, "stays")
        assert queue.joined.acquire(timeout=PATIENCE)
        goes.close()
        assert queue.left.acquire(timeout=PATIENCE)
        upstream.release()
        assert [first.result(PATIENCE), stays.result(PATIENCE)] == [WHOLE, WHOLE]
    assert upstream.asked == 2
    assert len(open_cassette(path).interactions) == 2


def test_a_task_that_is_cancelled_is_not_waited_for(queue, upstream, tmp_path):
    url = upstream.url + PATH

    async def work() -> None:
        async with (
            httpx.AsyncClient(timeout=PATIENCE) as client,
            client.stream("POST", url, json=asked("first")) as response,
        ):
            goes = asyncio.create_task(client.post(url, json=asked("goes")))
            await asyncio.to_thread(queue.joined.acquire, timeout=PATIENCE)
            goes.cancel()
            with pytest.raises(asyncio.CancelledError):
                await goes
            await asyncio.to_thread(queue.left.acquire, timeout=PATIENCE)
            upstream.release()
            assert [piece async for piece in response.aiter_raw()] == WHOLE

    with use_cassette(tmp_path / "it.yaml", mode="new_episodes", max_concurrency=1):
        asyncio.run(work())
    assert upstream.asked == 1


@pytest.mark.parametrize(
    ("path", "shape"),
    [
        ("/v1/chat/completions", lambda body: body["error"]["message"]),
        ("/v1/messages", lambda body: body["error"]["message"]),
        ("/api/chat", lambda body: body["error"]),
    ],
)
def test_who_comes_when_the_queue_is_full_is_told_in_its_own_protocol(upstream, tmp_path, path, shape):
    limits = {"max_concurrency": 1, "queue_limit": 0}
    with (
        LLMServer(tmp_path / "it.yaml", mode="new_episodes", upstream=upstream.url + "/v1", **limits) as server,
        ThreadPoolExecutor(1) as pool,
    ):
        first = pool.submit(ask, server.url + PATH, "first")
        upstream.wait(lambda it: it.asked == 1)
        with httpx.Client() as client:
            reply = client.post(server.url + path, json=asked("one too many"))
        assert (reply.status_code, reply.headers["retry-after"]) == (429, "2")
        assert "none may wait (queue_limit)" in shape(reply.json())
        upstream.release()
        assert first.result(PATIENCE) == WHOLE
        assert server.requests.where(status=429)[0].notes[0].startswith("The upstream is being asked 1 at once")
