"""Clients that go away while a stream comes: nothing is left behind, and the recording is dropped or finished."""

from __future__ import annotations

import asyncio
import importlib.util
import json
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import anyio
import pytest
from holding import FIRST, HEAD, PATIENCE, WHOLE, Holding, Threads, chunk

from pytest_llmmock import LLMServer, use_cassette
from pytest_llmmock.cassettes.library import open_cassette
from pytest_llmmock.core.live import Live
from pytest_llmmock.deck import Deck
from pytest_llmmock.errors import UnmatchedError
from pytest_llmmock.mock import _IN_CODE, LLMMock
from pytest_llmmock.settings import combine

PATH = "/v1/chat/completions"
ASKED: dict[str, Any] = {"model": "m", "messages": [{"role": "user", "content": "hello"}], "stream": True}

BACKENDS = ["asyncio", *(["trio"] if importlib.util.find_spec("trio") else [])]

Leave = Callable[[str, Holding], None]


# --- ways to leave behind the first piece -----------------------------------------------------------------


def closes(name: str) -> Leave:
    def leave(url: str, upstream: Holding) -> None:
        library = import_module(name)
        with library.Client() as client, client.stream("POST", url, json=ASKED) as response:
            assert next(response.iter_raw()) == FIRST

    return leave


def drops(name: str) -> Leave:
    """As code does that forgets its stream: the client is closed, and the response never."""

    def leave(url: str, upstream: Holding) -> None:
        library = import_module(name)
        with library.Client() as client:
            response = client.send(client.build_request("POST", url, json=ASKED), stream=True)
            pieces = response.iter_raw()
            assert next(pieces) == FIRST
            del pieces, response

    return leave


def requests_closes(url: str, upstream: Holding) -> None:
    requests = pytest.importorskip("requests")
    with requests.post(url, json=ASKED, stream=True) as response:
        assert next(response.iter_content(None)) == FIRST


def cancelled(name: str, backend: str) -> Leave:
    """In the middle of a wait for the next piece."""

    async def read(library: Any, url: str, begun: anyio.Event) -> None:
        async with library.AsyncClient() as client, client.stream("POST", url, json=ASKED) as response:
            pieces = response.aiter_raw()
            assert await anext(pieces) == FIRST
            begun.set()
            await anext(pieces)

    async def work(url: str) -> None:
        begun = anyio.Event()
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(read, import_module(name), url, begun)
            await begun.wait()
            await anyio.lowlevel.checkpoint()
            tasks.cancel_scope.cancel()

    return lambda url, upstream: anyio.run(work, url, backend=backend)


def cancelled_aiohttp(url: str, upstream: Holding) -> None:
    aiohttp = pytest.importorskip("aiohttp")

    async def work() -> None:
        begun = asyncio.Event()

        async def read() -> None:
            async with aiohttp.ClientSession() as session, session.post(url, json=ASKED) as response:
                assert await response.content.readany() == FIRST
                begun.set()
                await response.content.readany()

        task = asyncio.create_task(read())
        await begun.wait()
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(work())


def late(name: str) -> Leave:
    """Its own time is over. In process only an event loop can end such a wait."""

    async def work(url: str) -> None:
        library = import_module(name)
        async with library.AsyncClient() as client, client.stream("POST", url, json=ASKED) as response:
            pieces = response.aiter_raw()
            assert await anext(pieces) == FIRST
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.05):
                    await anext(pieces)

    return lambda url, upstream: asyncio.run(work(url))


def late_aiohttp(url: str, upstream: Holding) -> None:
    aiohttp = pytest.importorskip("aiohttp")

    async def work() -> None:
        brief = aiohttp.ClientTimeout(sock_read=1.0)  # the first piece is to come in time on a busy machine too
        async with aiohttp.ClientSession(timeout=brief) as session, session.post(url, json=ASKED) as response:
            assert await response.content.readany() == FIRST
            with pytest.raises(TimeoutError):
                await response.content.readany()

    asyncio.run(work())


WAYS: dict[str, Leave] = {
    **{f"{name} closes": closes(name) for name in ("httpx", "httpx2")},
    **{f"{name} drops": drops(name) for name in ("httpx", "httpx2")},
    **{f"{name} {kind} cancelled": cancelled(name, kind) for name in ("httpx", "httpx2") for kind in BACKENDS},
    **{f"{name} late": late(name) for name in ("httpx", "httpx2")},
    "requests closes": requests_closes,
    "aiohttp cancelled": cancelled_aiohttp,
    "aiohttp late": late_aiohttp,
}


@pytest.fixture(params=WAYS)
def leave(request: pytest.FixtureRequest) -> Leave:
    return _not_for_ever(WAYS[request.param])


def _not_for_ever(way: Leave) -> Leave:
    """One that goes wrong does not leave a block waiting for the rest of its stream."""

    def leave(url: str, upstream: Holding) -> None:
        try:
            way(url, upstream)
        except BaseException:
            upstream.release()
            raise

    return leave


@pytest.fixture
def upstream() -> Iterator[Holding]:
    with Threads(), Holding() as holding:
        yield holding


FORGETFUL = pytest.mark.filterwarnings("ignore::ResourceWarning")
"""Clients that forget their streams are told so, over the network as much."""


def ask(url: str) -> list[bytes]:
    import httpx2

    with httpx2.Client() as client, client.stream("POST", url, json=ASKED) as response:
        return list(response.iter_raw())


# --- in process -------------------------------------------------------------------------------------------


@FORGETFUL
def test_a_client_that_goes_leaves_no_thread_no_connection_and_no_recording(leave, upstream, tmp_path):
    path = tmp_path / "it.yaml"
    with Threads(), use_cassette(path, mode="new_episodes") as mock:
        leave(upstream.url + PATH, upstream)
        upstream.wait(lambda it: it.hung_up == 1)
        assert mock.requests.last.whole is False
        upstream.release()
        assert ask(upstream.url + PATH) == WHOLE  # another one is not touched by it
    assert len(open_cassette(path).interactions) == 1


@FORGETFUL
def test_what_a_client_left_is_read_to_its_end_and_recorded_where_that_is_wanted(leave, upstream, tmp_path):
    path = tmp_path / "it.yaml"
    with Threads(), use_cassette(path, mode="new_episodes", record_abandoned=True) as mock:
        leave(upstream.url + PATH, upstream)
        assert mock.requests.last.whole is False
        upstream.release()  # the block ends here: it has to wait for the rest
    assert (upstream.asked, upstream.hung_up) == (1, 0)
    with use_cassette(path) as mock:
        assert ask(upstream.url + PATH) == WHOLE
        assert mock.requests.last.text == "one two"


@pytest.mark.parametrize("way", [name for name in WAYS if "late" not in name and "aiohttp" not in name])
@FORGETFUL
def test_a_client_that_goes_in_replay_leaves_nothing_behind(way, upstream, tmp_path):
    path = tmp_path / "it.yaml"
    upstream.release()
    with use_cassette(path, mode="new_episodes"):
        ask(upstream.url + PATH)
    with Threads(), use_cassette(path, repeat=True) as mock:
        WAYS[way](upstream.url + PATH, upstream)
        assert ask(upstream.url + PATH) == WHOLE
        assert [entry.source for entry in mock.requests] == ["cassette", "cassette"]
    assert upstream.asked == 1


def test_who_goes_before_the_answer_begins_leaves_no_thread_behind(tmp_path):
    async def work(url: str, upstream: Holding) -> None:
        import httpx2

        async with httpx2.AsyncClient() as client:
            asking = asyncio.create_task(client.post(url, json=ASKED))
            await asyncio.to_thread(upstream.wait, lambda it: it.asked == 1)
            asking.cancel()
            with pytest.raises(asyncio.CancelledError):
                await asking

    with Threads(), Holding(begins=b"") as upstream, Threads():
        deck = Deck.open(tmp_path / "it.yaml", combine([("test", {"mode": "new_episodes"})]), advice=_IN_CODE)
        with LLMMock(deck).opened():
            asyncio.run(work(upstream.url + PATH, upstream))
        assert (len(deck.requests), deck.abandoned) == (0, 1)
        deck.close()
        upstream.wait(lambda it: it.hung_up == 1)
    assert not (tmp_path / "it.yaml").exists()


def test_an_answer_that_nobody_waits_for_any_more_is_recorded_where_that_is_wanted(tmp_path):
    path = tmp_path / "it.yaml"

    async def work(url: str, upstream: Holding) -> None:
        import httpx2

        async with httpx2.AsyncClient() as client:
            asking = asyncio.create_task(client.post(url, json=ASKED))
            await asyncio.to_thread(upstream.wait, lambda it: it.asked == 1)
            asking.cancel()
            with pytest.raises(asyncio.CancelledError):
                await asking
            upstream.release()

    ends = HEAD + b"".join(map(chunk, [*WHOLE, b""]))
    with (
        Threads(),
        Holding(begins=b"", ends=ends) as upstream,
        use_cassette(path, mode="new_episodes", record_abandoned=True),
    ):
        asyncio.run(work(upstream.url + PATH, upstream))
    [kept] = open_cassette(path).interactions
    assert kept.reply.body == b"".join(WHOLE)


def test_a_hundred_streams_at_once_all_begin_before_one_goes_on(tmp_path):
    """More than the forty threads that anyio lets wait at once."""

    async def read(client: Any, url: str, number: int) -> list[bytes]:
        asked = {**ASKED, "user": str(number)}
        async with client.stream("POST", url, json=asked, timeout=PATIENCE) as response:
            return [piece async for piece in response.aiter_raw()]

    async def work(upstream: Holding) -> list[list[bytes]]:
        import httpx2

        async with httpx2.AsyncClient() as client:
            reading = [asyncio.create_task(read(client, upstream.url + PATH, number)) for number in range(100)]
            await asyncio.to_thread(upstream.wait, lambda it: it.asked == 100)
            upstream.release()
            return await asyncio.gather(*reading)

    path = tmp_path / "it.yaml"
    with Threads(), Holding() as upstream, Threads(), use_cassette(path, mode="new_episodes"):
        assert asyncio.run(work(upstream)) == [WHOLE] * 100
    assert len(open_cassette(path).interactions) == 100


def test_what_breaks_off_when_its_client_has_left_is_dropped_and_told(tmp_path):
    def leave(upstream: Holding) -> None:
        with use_cassette(tmp_path / "it.yaml", mode="new_episodes", record_abandoned=True):
            closes("httpx2")(upstream.url + PATH, upstream)
            upstream.release()

    told = r"The answer of http://127\.0\.0\.1:\d+ broke off: .*was not recorded"
    cut = chunk(WHOLE[1])[:-4]  # and then the connection ends
    with Threads(), Holding(ends=cut) as upstream, pytest.raises(UnmatchedError, match=told):
        leave(upstream)
    assert not (tmp_path / "it.yaml").exists()


def test_ctrl_c_ends_the_wait_for_what_was_left_(upstream, tmp_path, monkeypatch):
    def interrupted(stream: Live) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(Live, "wait", interrupted)
    wanted = use_cassette(tmp_path / "it.yaml", mode="new_episodes", record_abandoned=True)
    with Threads(), pytest.raises(KeyboardInterrupt), wanted:
        closes("httpx2")(upstream.url + PATH, upstream)
    upstream.wait(lambda it: it.hung_up == 1)


def test_a_later_miss_says_that_its_stream_was_left(upstream, tmp_path):
    path = tmp_path / "it.yaml"
    with use_cassette(path, mode="new_episodes"):
        closes("httpx2")(upstream.url + PATH, upstream)
    with pytest.raises(UnmatchedError) as caught, use_cassette(path):
        ask(upstream.url + PATH)
    assert (
        "It was asked of the upstream before, and its client left the stream before the end, so that it was not "
        "recorded.\nTo record such a stream all the same:  record_abandoned=True"
    ) in str(caught.value)


# --- over HTTP --------------------------------------------------------------------------------------------


@contextmanager
def serving(path: Path, upstream: Holding, **settings: Any) -> Iterator[LLMServer]:
    given = {"mode": "new_episodes", "upstream": upstream.url + "/v1", **settings}
    deck = Deck.open(path, combine([("test", given)]), advice=_IN_CODE)
    with LLMServer(deck) as server:
        yield server


def begin(server: LLMServer) -> socket.socket:
    """A client that has asked, and had the first piece."""
    body = json.dumps(ASKED).encode()
    address = urlsplit(server.url)
    client = socket.create_connection((address.hostname, address.port), PATIENCE)
    head = f"POST {address.path}{PATH} HTTP/1.1\r\ncontent-type: application/json\r\ncontent-length: {len(body)}"
    client.sendall(head.encode() + b"\r\n\r\n" + body)
    got = b""
    while chunk(FIRST) not in got:
        got += client.recv(1 << 16)
    return client


def test_a_client_over_http_that_goes_while_the_upstream_is_silent_is_noticed(upstream, tmp_path):
    with Threads(), serving(tmp_path / "it.yaml", upstream) as server:
        begin(server).close()
        upstream.wait(lambda it: it.hung_up == 1)
        upstream.release()
        assert ask(server.url + PATH) == WHOLE
        assert [entry.whole for entry in server.requests] == [False, True]
    assert len(open_cassette(tmp_path / "it.yaml").interactions) == 1


def test_a_client_over_http_whose_time_is_over_is_noticed(upstream, tmp_path):
    import httpx2

    with Threads(), serving(tmp_path / "it.yaml", upstream) as server:
        with (
            httpx2.Client(timeout=httpx2.Timeout(PATIENCE, read=0.2)) as client,
            pytest.raises(httpx2.ReadTimeout),
            client.stream("POST", server.url + PATH, json=ASKED) as response,
        ):
            list(response.iter_raw())
        upstream.wait(lambda it: it.hung_up == 1)


def test_what_a_client_over_http_left_is_recorded_where_that_is_wanted(upstream, tmp_path):
    path = tmp_path / "it.yaml"
    with Threads(), serving(path, upstream, record_abandoned=True) as server:
        begin(server).close()
        upstream.release()
    [kept] = open_cassette(path).interactions
    assert [frame.data for frame in kept.reply.frames] == WHOLE
    assert upstream.hung_up == 0


def test_a_client_over_http_that_goes_in_replay_leaves_nothing_behind(upstream, tmp_path):
    path = tmp_path / "it.yaml"
    upstream.release()
    with serving(path, upstream) as server:
        ask(server.url + PATH)
    with Threads(), serving(path, upstream, mode="none", repeat=True) as server:
        for _ in range(3):
            begin(server).close()
        assert ask(server.url + PATH) == WHOLE
