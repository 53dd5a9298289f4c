"""aiohttp in process: its own responses, made from our replies."""

from __future__ import annotations

import asyncio
import io
import json
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from typing import Any

import pytest
from standin import SECRET, Standin

from pytest_llmmock import use_cassette
from pytest_llmmock.core.model import Frame, Reply, Request, json_reply
from pytest_llmmock.errors import CutConnection, UnmatchedError
from pytest_llmmock.inbound.doors import Door

aiohttp = pytest.importorskip("aiohttp")

URL = "https://api.openai.com/v1/chat/completions"

SSE = (("content-type", "text/event-stream"), ("x-twice", "one"), ("x-twice", "two"))

PATIENCE = 10
"""Seconds after which a test that waits for something else gives up."""


def run(work: Callable[..., Awaitable[Any]], *arguments: Any) -> Any:
    """With a session, in a loop that complains of whatever is slow, unclosed or never awaited."""

    async def main() -> Any:
        async with aiohttp.ClientSession() as session:
            done = await asyncio.wait_for(work(session, *arguments), PATIENCE)
            assert not session.connector._acquired  # every connection was given back
            return done

    return asyncio.run(main(), debug=True)


async def ask(session: Any, method: str = "GET", url: str = URL, **more: Any) -> tuple[int, str, Any, bytes]:
    async with session.request(method, url, **more) as response:
        return response.status, response.reason, response.headers, await response.read()


def door(*frames: bytes, asked: list[Request] | None = None, **more: Any) -> Door:
    reply = Reply(more.pop("status", 200), more.pop("headers", ()), [Frame(data) for data in frames], **more)

    def handle(request: Request) -> Reply:
        if asked is not None:
            asked.append(request)
        return reply

    return Door(lambda method, host, path: host == "api.openai.com", handle)


def test_the_request_arrives_as_it_was_sent():
    asked: list[Request] = []
    with door(b"{}", asked=asked):
        run(
            ask,
            "POST",
            URL + "?a=1&b=%20",
        )
        run(lambda session: ask(session, "POST", URL, json={"model": "m"}))
    first, second = asked
    assert (first.method, first.url, first.body) == ("POST", URL + "?a=1&b=%20", b"")
    assert (second.json(), second.header("content-type")) == ({"model": "m"}, "application/json")


def test_the_reply_has_status_reason_headers_and_length():
    with door(b'{"a":', b"1}", status=404, reason="Nope", headers=(("content-type", "application/json"),)):

        async def work(session: Any) -> Any:
            async with session.get(URL) as response:
                told = await response.json(), response.headers["content-length"], response.url
                with pytest.raises(aiohttp.ClientResponseError, match="404, message='Nope'"):
                    response.raise_for_status()
                return told

        assert run(work) == ({"a": 1}, "7", aiohttp.client.URL(URL))


def test_a_stream_comes_in_its_pieces():
    pieces = [b"data: 1\n\ndata: 2", b"\n\n", "data: é🙂\n\n".encode(), b"data: [DONE]\n\n"]

    async def work(session: Any) -> Any:
        async with session.post(URL, json={}) as response:
            return [piece async for piece in response.content.iter_any()], response.headers.getall("x-twice")

    with door(*pieces, headers=SSE):
        assert run(work) == (pieces, ["one", "two"])


def test_a_reader_that_is_slower_than_the_body_gets_all_of_it():
    sound = bytes(range(256)) * 4000

    async def work(session: Any) -> bytes:
        async with session.get(URL, read_bufsize=1024) as response:
            return b"".join([chunk async for chunk in response.content.iter_chunked(1000)])

    with door(*[sound] * 3, headers=SSE):
        assert run(work) == sound * 3


@pytest.mark.parametrize(("method", "status"), [("HEAD", 200), ("GET", 204)])
def test_what_has_no_body_has_none(method, status):
    with door(b"" if status == 204 else b"12345", status=status):
        assert run(ask, method)[::3] == (status, b"")


def test_a_body_in_chunks_arrives_whole():
    async def chunks() -> AsyncIterator[bytes]:
        yield b'{"model":'
        await asyncio.sleep(0)
        yield b' "m"}'

    asked: list[Request] = []
    with door(b"{}", asked=asked):
        run(lambda session: ask(session, "POST", data=chunks()))
    assert asked[0].json() == {"model": "m"}


def test_a_large_body_arrives_whole():
    asked: list[Request] = []
    with door(b"{}", asked=asked):
        run(lambda session: ask(session, "POST", data=io.BytesIO(b"x" * 3_000_000)))
    assert asked[0].body == b"x" * 3_000_000


def test_a_reply_that_is_cut_is_an_error_of_the_client():
    class Cut(list[Frame]):
        def __iter__(self) -> Iterator[Frame]:
            yield Frame(b"data: 1\n\n")
            raise CutConnection("cut on purpose")

    reply = Reply(200, SSE, Cut([Frame(b"")]))
    with Door(lambda *asked: True, lambda request: reply), pytest.raises(aiohttp.ClientPayloadError, match="cut on"):
        run(ask)


def test_what_a_door_raises_reaches_the_caller():
    def broken(request: Request) -> Reply:
        raise ZeroDivisionError("a door that is broken")

    with Door(lambda *asked: True, broken), pytest.raises(ZeroDivisionError, match="a door that is broken"):
        run(ask, "POST")


def test_what_cannot_be_read_is_refused():
    with door(b"{}"):
        status, _, _, body = run(lambda session: ask(session, "POST", headers={"transfer-encoding": "gzip"}))
    assert (status, json.loads(body)["error"]["code"]) == (400, "bad_request")


def test_a_web_socket_of_a_provider_does_not_go_out():
    asked: list[Request] = []

    async def work(session: Any) -> int:
        with pytest.raises(aiohttp.WSServerHandshakeError) as caught:
            await session.ws_connect("wss://api.openai.com/v1/realtime")
        return caught.value.status

    with door(b"{}", status=404, asked=asked):
        assert run(work) == 404
    assert asked[0].url == "https://api.openai.com/v1/realtime"


def test_many_at_once_get_their_own_answers():
    def echo(request: Request) -> Reply:
        return json_reply(request.json())

    async def work(session: Any) -> list[bytes]:
        answers = await asyncio.gather(*(ask(session, "POST", json=number) for number in range(150)))
        return [answer[3] for answer in answers]

    with Door(lambda *asked: True, echo):
        assert run(work) == [str(number).encode() for number in range(150)]


def test_a_session_from_before_is_covered_and_is_itself_again_afterwards():
    with Standin() as standin:
        url = standin.base_url + "/models"

        async def work(session: Any) -> list[bytes]:
            bodies = [(await ask(session, url=url))[3]]
            with Door(lambda *asked: True, lambda request: json_reply("door")):
                bodies += [(await ask(session, url=url))[3] for _ in range(2)]
            return [*bodies, (await ask(session, url=url))[3]]

        before, first, second, after = run(work)
        assert (first, second, after) == (b'"door"', b'"door"', before)
        assert len(standin.requests) == 2


def test_what_a_door_does_not_take_goes_to_the_network():
    with Standin() as standin, door(b"{}"):
        assert run(lambda session: ask(session, url=standin.base_url + "/models"))[0] == 200


def test_a_client_that_waits_to_be_told_to_go_on_is_told():
    asked: list[Request] = []
    with door(b"{}", asked=asked):
        run(lambda session: ask(session, "POST", json={"model": "m"}, expect100=True))
    assert asked[0].json() == {"model": "m"}


def test_a_reader_that_leaves_in_the_middle_leaves_nothing_behind():
    async def work(session: Any) -> None:
        for _ in range(3):
            async with session.get(URL) as response:
                await response.content.readany()
        response = await session.get(URL, read_bufsize=16)  # paused, and closed with its session
        await session.connector.close()
        response.close()

    with door(*[b"x" * 100_000] * 5, headers=SSE):
        run(work)


# --- with a cassette --------------------------------------------------------------------------------------


def question(words: str, **more: object) -> dict[str, Any]:
    messages = [{"role": "user", "content": words}]
    headers = {"authorization": f"Bearer {SECRET}"}
    return {"json": {"model": "m", "messages": messages, **more}, "headers": headers}


def test_what_is_recorded_is_seen_live_and_replayed_in_the_same_pieces(tmp_path):
    path = tmp_path / "it.yaml"

    async def stream(session: Any, standin: Standin) -> list[bytes]:
        async with session.post(standin.base_url + "/chat/completions", **question("tell me", stream=True)) as response:
            pieces = [await response.content.readany()]  # the stand-in has not said more yet
            standin.release.set()
            return [*pieces, *[piece async for piece in response.content.iter_any()]]

    with Standin() as standin:
        standin.release.clear()
        with use_cassette(path, mode="new_episodes"):
            live = run(stream, standin)
        with use_cassette(path) as mock:
            replayed = run(stream, standin)
            assert [entry.source for entry in mock.requests] == ["cassette"]
        assert len(standin.requests) == 1
    assert b"".join(replayed) == b"".join(live)
    assert replayed[0] == live[0]
    assert SECRET not in path.read_text()


def test_the_loop_goes_on_while_an_upstream_thinks(tmp_path):
    with Standin() as standin:
        standin.release.clear()

        async def work(session: Any) -> bytes:
            url = standin.base_url + "/chat/completions"
            asking = asyncio.create_task(ask(session, "POST", url, **question("tell me", stream=True)))
            while not standin.requests:
                await asyncio.sleep(0)
            standin.release.set()  # by the loop that asks: it would wait for ever if it were blocked
            return (await asking)[3]

        with use_cassette(tmp_path / "it.yaml", mode="new_episodes"):
            assert b"[DONE]" in run(work)


def test_a_stream_that_is_left_early_lets_the_upstream_go_and_is_not_recorded(tmp_path):
    with Standin() as standin:
        standin.release.clear()

        async def work(session: Any) -> None:
            url = standin.base_url + "/chat/completions"
            async with session.post(url, **question("tell me", stream=True)) as response:
                await response.content.readany()

        with use_cassette(tmp_path / "it.yaml", mode="new_episodes") as mock:
            run(work)
            assert mock.requests.last.whole is False
    assert not (tmp_path / "it.yaml").exists()


def test_an_answer_that_is_no_stream_is_recorded_though_the_client_does_not_read_it(tmp_path):
    async def look(session: Any, standin: Standin) -> int:
        async with session.post(standin.base_url + "/chat/completions", **question("hello")) as response:
            return response.status

    with Standin() as standin:
        with use_cassette(tmp_path / "it.yaml", mode="new_episodes") as mock:
            assert run(look, standin) == 200
            assert mock.requests.last.whole
        with use_cassette(tmp_path / "it.yaml"):
            assert run(look, standin) == 200
        assert len(standin.requests) == 1


def test_a_request_that_is_cancelled_while_the_upstream_thinks_is_let_go():
    begun, go, closed = threading.Event(), threading.Event(), threading.Event()

    class Frames:
        seen: tuple[Frame, ...] = ()

        def close(self) -> None:
            closed.set()

    def slow(request: Request) -> Reply:
        begun.set()
        go.wait(PATIENCE)
        return Reply(200, (), Frames(), live=True)  # type: ignore[arg-type]

    async def work(session: Any) -> None:
        asking = asyncio.create_task(ask(session, "POST"))
        await asyncio.to_thread(begun.wait, PATIENCE)
        asking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asking

    with Door(lambda *asked: True, slow, blocks=True):
        run(work)
        go.set()
        assert closed.wait(PATIENCE)


def test_a_miss_is_an_answer_and_fails_at_the_end(tmp_path):
    answers: list[Any] = []
    with pytest.raises(UnmatchedError, match="no recordings to answer this request"), use_cassette(tmp_path / "x.yaml"):
        answers.append(run(lambda session: ask(session, "POST", **question("hello"))))
    status, _, headers, body = answers[0]
    assert (status, headers["x-should-retry"]) == (404, "false")
    assert json.loads(body)["error"]["code"] == "no_recording"
