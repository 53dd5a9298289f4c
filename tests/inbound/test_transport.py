"""The way in process: requests of httpx and httpx2, sync and async, and replies as the libraries' own."""

from __future__ import annotations

import asyncio
import datetime
import importlib.util
import json
import subprocess
import sys
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import aclosing
from functools import partial
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

import anyio
import openai
import pytest

from pytest_llmmock import use_cassette
from pytest_llmmock.core.live import Live
from pytest_llmmock.core.model import Frame, Reply, Request, frames_of, json_reply
from pytest_llmmock.errors import CutConnection, UnmatchedError
from pytest_llmmock.inbound.doors import Door
from pytest_llmmock.inbound.server import Server
from pytest_llmmock.inbound.transport import MODULES

PATIENCE = 10
"""Seconds after which a test that waits for another thread gives up."""

URL = "https://model.example/v1/chat/completions"
SSE = (("content-type", "text/event-stream"),)

BACKENDS = ["asyncio", *(["trio"] if importlib.util.find_spec("trio") else [])]


# --- clients: both libraries, sync and async --------------------------------------------------------------


class Client:
    """A library's client in one of its kinds, driven from plain functions."""

    def __init__(self, library: ModuleType, kind: str) -> None:
        self.library = library
        self.kind = kind

    @property
    def waits(self) -> bool:
        return self.kind != "sync"

    def run(self, work: Callable[..., Awaitable[Any]], *arguments: Any) -> Any:
        return anyio.run(work, *arguments, backend=self.kind)

    def ask(self, method: str = "GET", url: str = URL, **more: Any) -> Any:
        """The response, read whole."""
        if not self.waits:
            with self.library.Client() as client:
                return client.request(method, url, **more)

        async def work() -> Any:
            async with self.library.AsyncClient() as client:
                return await client.request(method, url, **more)

        return self.run(work)

    def pieces(self, each: Callable[[bytes], object] = lambda piece: None, take: int | None = None) -> list[bytes]:
        """The pieces of a streamed response, each shown as it comes; after `take` of them the reader leaves."""
        seen: list[bytes] = []

        def note(piece: bytes) -> bool:
            seen.append(piece)
            each(piece)
            return len(seen) == take

        if not self.waits:
            with self.library.Client() as client, client.stream("GET", URL) as response:
                for piece in response.iter_raw():
                    if note(piece):
                        break
            return seen

        async def work() -> None:
            async with (
                self.library.AsyncClient() as client,
                client.stream("GET", URL) as response,
                aclosing(response.aiter_raw()) as pieces,
            ):
                async for piece in pieces:
                    if note(piece):
                        break

        self.run(work)
        return seen


@pytest.fixture(params=MODULES)
def library(request: pytest.FixtureRequest) -> ModuleType:
    return import_module(request.param)


@pytest.fixture(params=["sync", *BACKENDS])
def client(request: pytest.FixtureRequest, library: ModuleType) -> Client:
    return Client(library, request.param)


@pytest.fixture(params=BACKENDS)
def async_client(request: pytest.FixtureRequest, library: ModuleType) -> Client:
    return Client(library, request.param)


def model_host(method: str, host: str, path: str) -> bool:
    return host == "model.example"


class Desk:
    """Behind a door: notes what it is asked, and answers all of it alike."""

    def __init__(self, reply: Reply | None = None, name: str = "") -> None:
        self.reply = reply or json_reply({"from": name})
        self.requests: list[Request] = []

    def __call__(self, request: Request) -> Reply:
        self.requests.append(request)
        return self.reply

    @property
    def request(self) -> Request:
        """The one request that came."""
        (request,) = self.requests
        return request


def door(desk: Callable[[Request], Reply], *, blocks: bool = False) -> Door:
    return Door(model_host, desk, blocks=blocks)


def whoever_answers(client: Any, url: str = URL) -> str:
    return client.get(url).json()["from"]


@pytest.fixture
def outside() -> Iterator[Server]:
    """A server on loopback: the real network."""

    def handle(request: Request) -> Reply:
        body = request.body.decode("latin-1")
        return json_reply({"from": "outside", "method": request.method, "path": request.path, "body": body})

    with Server(handle) as server:
        yield server


# --- the patch ------------------------------------------------------------------------------------------


def handlers() -> list[Any]:
    """What the transport classes of both libraries have as their handlers now."""
    found = []
    for name in MODULES:
        module = import_module(name)
        found.append(module.HTTPTransport.__dict__["handle_request"])
        found.append(module.AsyncHTTPTransport.__dict__["handle_async_request"])
    return found


def test_the_patch_is_in_while_a_door_is_open_and_the_very_originals_are_back_afterwards():
    before = handlers()
    finders = list(sys.meta_path)
    with door(Desk()):
        assert not any(now is then for now, then in zip(handlers(), before, strict=True))
    assert all(now is then for now, then in zip(handlers(), before, strict=True))
    assert sys.meta_path == finders


def test_the_patch_stays_until_the_last_door_is_closed_in_whatever_order():
    before = handlers()
    first, second = door(Desk()), door(Desk())
    first.__enter__()
    patched = handlers()
    second.__enter__()
    assert all(now is then for now, then in zip(handlers(), patched, strict=True))
    first.__exit__()
    assert all(now is then for now, then in zip(handlers(), patched, strict=True))
    second.__exit__()
    assert all(now is then for now, then in zip(handlers(), before, strict=True))


def test_an_exception_in_the_block_takes_the_patch_out():
    before = handlers()
    with pytest.raises(KeyError), door(Desk()):
        raise KeyError
    assert all(now is then for now, then in zip(handlers(), before, strict=True))


def test_the_patch_can_be_put_in_again(client):
    for name in ("one", "two"):
        with door(Desk(name=name)):
            assert client.ask().json() == {"from": name}


def test_another_patch_put_in_later_stays_and_what_it_puts_back_does_not_pile_up():
    before = handlers()
    for _ in range(3):
        with pytest.MonkeyPatch.context() as other:
            with door(Desk()):
                for library in map(import_module, MODULES):
                    other.setattr(library.HTTPTransport, "handle_request", mine := object())
            assert all(import_module(name).HTTPTransport.handle_request is mine for name in MODULES[-1:])
    with door(Desk()):
        assert all(now is not then for now, then in zip(handlers(), before, strict=True))
    assert all(now is then for now, then in zip(handlers(), before, strict=True))


def test_where_one_library_has_the_name_of_the_other_each_class_is_patched_once(monkeypatch, outside):
    import httpx2

    monkeypatch.setitem(sys.modules, "httpx", httpx2)
    before = handlers()
    asked: list[str] = []
    with Door(lambda method, host, path: asked.append(path) is not None, Desk()):
        httpx2.get(outside.url + "/once")
    assert asked == ["/once"]
    assert all(now is then for now, then in zip(handlers(), before, strict=True))


def run_python(code: str) -> str:
    """What a fresh interpreter prints."""
    command = [sys.executable, "-W", "error", "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


IMPORTED_LATER = """
import sys
from pytest_llmmock.inbound.doors import Door
from pytest_llmmock.core.model import json_reply

assert "httpx" not in sys.modules and "httpx2" not in sys.modules
with Door(lambda *asked: True, lambda request: json_reply({"path": request.path})):
    BEFORE
    import LIBRARY as library
    assert library.get("https://model.example/inside").json() == {"path": "/inside"}
    patched = library.HTTPTransport.handle_request
assert library.HTTPTransport.handle_request is not patched
assert library.HTTPTransport.handle_request.__module__ == library.__name__ + "._transports.default"
assert library.AsyncHTTPTransport.handle_async_request.__module__ == library.__name__ + "._transports.default"
assert library.__spec__.loader.__class__.__name__ == "SourceFileLoader"
print(library.__name__)
"""


@pytest.mark.parametrize("name", MODULES)
def test_a_library_that_is_imported_while_a_door_is_open_is_patched_when_it_comes(name):
    code = IMPORTED_LATER.replace("LIBRARY", name).replace("BEFORE", "")
    assert run_python(code) == name + "\n"


def test_an_alias_that_is_made_while_a_door_is_open_is_covered():
    code = IMPORTED_LATER.replace("LIBRARY", "httpx").replace("BEFORE", "import httpx2; httpx2.alias_httpx()")
    assert run_python(code) == "httpx2\n"


def test_an_alias_that_was_made_before_is_covered():
    code = (
        "import httpx2\nhttpx2.alias_httpx()\nimport httpx\n"
        "from pytest_llmmock.inbound.doors import Door\n"
        "from pytest_llmmock.core.model import json_reply\n"
        "before = httpx2.HTTPTransport.handle_request\n"
        "with Door(lambda *asked: True, lambda request: json_reply({'path': request.path})):\n"
        "    print(httpx.get('https://model.example/a').json(), httpx2.get('https://model.example/b').json())\n"
        "print(httpx2.HTTPTransport.handle_request is before)\n"
    )
    assert run_python(code) == "{'path': '/a'} {'path': '/b'}\nTrue\n"


def test_a_library_that_is_not_there_is_not_missed(monkeypatch):
    monkeypatch.setitem(sys.modules, "httpx2", None)  # what makes `import httpx2` fail
    import httpx

    with door(Desk(name="door")):
        assert httpx.get(URL).json() == {"from": "door"}


# --- which clients --------------------------------------------------------------------------------------


def test_a_client_that_was_made_before_is_covered_and_free_again_afterwards(library, outside):
    taken = Desk(name="door")
    with library.Client() as before:
        with Door(lambda *asked: True, taken):
            assert whoever_answers(before, outside.url) == "door"
        assert whoever_answers(before, outside.url) == "outside"
    assert len(taken.requests) == 1


def test_an_async_client_that_was_made_before_is_covered(async_client):
    async def work() -> Any:
        async with async_client.library.AsyncClient() as before:
            with door(Desk(name="door")):
                return (await before.get(URL)).json()

    assert async_client.run(work) == {"from": "door"}


def test_a_transport_of_the_users_own_is_covered_where_it_calls_the_librarys(library):
    class Counting(library.HTTPTransport):
        count = 0

        def handle_request(self, request: Any) -> Any:
            self.count += 1
            request.headers["x-own"] = "yes"
            return super().handle_request(request)

    desk = Desk(name="door")
    with door(desk), library.Client(transport=Counting()) as client:
        assert whoever_answers(client) == "door"
        assert client._transport.count == 1
    assert desk.request.header("x-own") == "yes"


def test_an_async_transport_of_the_users_own_is_covered_where_it_calls_the_librarys(async_client):
    class Tagging(async_client.library.AsyncHTTPTransport):
        async def handle_async_request(self, request: Any) -> Any:
            response = await super().handle_async_request(request)
            response.headers["x-own"] = "yes"
            return response

    async def work() -> Any:
        async with async_client.library.AsyncClient(transport=Tagging()) as client:
            return await client.get(URL)

    with door(Desk(name="door")):
        assert async_client.run(work).headers["x-own"] == "yes"


def test_a_transport_that_opens_no_connection_is_left_alone(library):
    transport = library.MockTransport(lambda request: library.Response(200, json={"from": "users own mock"}))
    with door(Desk()), library.Client(transport=transport) as client:
        assert whoever_answers(client) == "users own mock"


def test_a_client_behind_a_proxy_is_covered(library):
    with door(Desk(name="door")), library.Client(proxy="http://127.0.0.1:1") as client:
        assert whoever_answers(client) == "door"


def test_all_else_goes_to_the_real_network_untouched(client, outside):
    desk = Desk()
    with door(desk):
        answer = client.ask("PUT", outside.url + "/weather?q=1", content=b"\xe9")
    assert answer.json() == {"from": "outside", "method": "PUT", "path": "/weather", "body": "\xe9"}
    assert answer.headers["content-type"] == "application/json"
    assert desk.requests == []


def test_a_door_is_asked_by_method_host_and_path(client):
    asked: list[tuple[str, ...]] = []

    def takes(*request: str) -> bool:
        asked.append(request)
        return True

    with Door(takes, Desk()):
        client.ask("GET", "https://API.Example.com/v1/caf%C3%A9?q=/x")
        client.ask("POST", "http://127.0.0.1:8080")
        client.ask("HEAD", "http://[::1]:443/")
    assert asked == [
        ("GET", "api.example.com", "/v1/caf%C3%A9"),
        ("POST", "127.0.0.1", "/"),
        ("HEAD", "::1", "/"),
    ]


# --- doors inside each other, threads and tasks -----------------------------------------------------------


def test_of_nested_doors_the_innermost_answers_and_the_outer_one_after_it(client):
    with door(Desk(name="outer")):
        with door(Desk(name="inner")):
            assert client.ask().json() == {"from": "inner"}
        assert client.ask().json() == {"from": "outer"}


def test_each_thread_is_answered_by_its_own_door(library):
    both_open = threading.Barrier(2, timeout=PATIENCE)
    both_asked = threading.Barrier(2, timeout=PATIENCE)

    def work(name: str) -> list[str]:
        with door(Desk(name=name)), library.Client() as client:
            both_open.wait()
            answers = [whoever_answers(client) for _ in range(5)]
            both_asked.wait()
            return answers

    with ThreadPoolExecutor(2) as threads:
        assert list(threads.map(work, ["a", "b"])) == [["a"] * 5, ["b"] * 5]


def test_each_thread_replays_its_own_cassette(library, tmp_path):
    recorded = {name: tmp_path / f"{name}.yaml" for name in ("a", "b")}
    for name, path in recorded.items():
        write_cassette(path, name)
    both_open = threading.Barrier(2, timeout=PATIENCE)

    def work(name: str) -> str:
        with use_cassette(recorded[name]), library.Client() as client:
            both_open.wait()
            answer = whoever_answers(client, "https://api.openai.com/v1/models")
            both_open.wait()
            return answer

    with ThreadPoolExecutor(2) as threads:
        assert list(threads.map(work, recorded)) == ["a", "b"]


def write_cassette(path: Path, name: str) -> None:
    interaction = {
        "request": {"method": "GET", "uri": "https://api.openai.com/v1/models"},
        "response": {
            "status": {"code": 200, "message": "OK"},
            "headers": {"content-type": ["application/json"]},
            "body": {"string": json.dumps({"from": name})},
        },
    }
    path.write_text(json.dumps({"version": 1, "interactions": [interaction]}))


def test_a_thread_that_is_started_inside_the_block_is_covered(library):
    with door(Desk(name="door")), library.Client() as client, ThreadPoolExecutor(1) as threads:
        assert threads.submit(whoever_answers, client).result(PATIENCE) == "door"


def test_a_thread_that_ran_before_is_covered_and_free_again_afterwards(library, outside):
    with ThreadPoolExecutor(1) as threads, library.Client() as client:
        ask = partial(threads.submit, whoever_answers, client, outside.url)
        assert ask().result(PATIENCE) == "outside"
        with Door(lambda *asked: True, Desk(name="door")):
            assert ask().result(PATIENCE) == "door"
        assert ask().result(PATIENCE) == "outside"


def test_concurrent_tasks_are_each_answered_by_the_door_they_opened(async_client):
    async def work() -> dict[str, list[str]]:
        found: dict[str, list[str]] = {}
        ready = 0
        all_open = anyio.Event()

        async def task(name: str) -> None:
            nonlocal ready
            async with async_client.library.AsyncClient() as client:
                with door(Desk(name=name)):
                    ready += 1
                    if ready == 3:
                        all_open.set()
                    await all_open.wait()
                    found[name] = [(await client.get(URL)).json()["from"] for _ in range(3)]

        async with anyio.create_task_group() as tasks:
            for name in "abc":
                tasks.start_soon(task, name)
        return found

    assert async_client.run(work) == {name: [name] * 3 for name in "abc"}


def test_tasks_of_a_block_share_its_door(async_client):
    desk = Desk(name="door")

    async def work() -> None:
        async with async_client.library.AsyncClient() as client, anyio.create_task_group() as tasks:
            for number in range(5):
                tasks.start_soon(client.get, f"{URL}?n={number}")

    with door(desk):
        async_client.run(work)
    assert sorted(request.query for request in desk.requests) == [f"n={number}" for number in range(5)]


def test_in_replay_an_async_client_is_answered_without_leaving_its_thread(async_client):
    threads: list[int] = []

    def handle(request: Request) -> Reply:
        threads.append(threading.get_ident())
        return Reply(200, (), [Frame(b"a"), Frame(b"b")])

    with door(handle):
        async_client.ask()
    assert threads == [threading.get_ident()]


def test_while_a_reply_is_awaited_in_record_mode_the_event_loop_goes_on(async_client):
    """The upstream answers only when another task of the same loop has run."""
    other_task_ran = threading.Event()

    def handle(request: Request) -> Reply:
        return json_reply({"went_on": other_task_ran.wait(PATIENCE)})

    async def work() -> Any:
        answers: list[Any] = []

        async def ask() -> None:
            async with async_client.library.AsyncClient() as client:
                answers.append((await client.get(URL)).json())

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(ask)
            tasks.start_soon(anyio.to_thread.run_sync, other_task_ran.set)
        return answers

    with door(handle, blocks=True):
        assert async_client.run(work) == [{"went_on": True}]


# --- requests -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("url", "origin", "path", "query"),
    [
        ("https://model.example/v1/models", "https://model.example", "/v1/models", ""),
        ("https://model.example:443/v1", "https://model.example", "/v1", ""),
        ("http://model.example:8080", "http://model.example:8080", "/", ""),
        ("https://model.example/a%2Fb/%20/é", "https://model.example", "/a%2Fb/%20/%C3%A9", ""),
        ("https://model.example/?q=%20+x&empty=&q=2", "https://model.example", "/", "q=%20+x&empty=&q=2"),
        ("https://user:secret@model.example/v1", "https://model.example", "/v1", ""),
    ],
)
def test_the_address_is_read_as_it_would_be_on_the_wire(client, url, origin, path, query):
    desk = Desk()
    with door(desk):
        client.ask("GET", url)
    request = desk.request
    assert (request.method, request.origin, request.path, request.query) == ("GET", origin, path, query)


def test_headers_are_read_in_lower_case_as_often_as_they_were_sent(client):
    desk = Desk()
    with door(desk):
        client.ask("POST", headers=[("X-Trace", "1"), ("X-Trace", "2"), ("X-Title", b"caf\xe9")], json={"a": 1})
    headers = desk.request.headers
    assert [value for name, value in headers if name == "x-trace"] == ["1", "2"]
    assert desk.request.header("x-title") == "caf\xe9"
    assert desk.request.header("host") == "model.example"
    assert desk.request.json() == {"a": 1}
    assert all(name == name.lower() for name, _ in headers)


def test_an_upload_in_parts_is_read_whole(client):
    desk = Desk()
    files = {"file": ("a.bin", b"\x00\xff" * 50_000, "application/octet-stream")}
    with door(desk):
        client.ask("POST", data={"purpose": "batch"}, files=files)
    request = desk.request
    assert (request.header("content-type") or "").startswith("multipart/form-data; boundary=")
    assert request.header("content-length") == str(len(request.body))
    assert b'name="purpose"\r\n\r\nbatch\r\n' in request.body
    assert b"\x00\xff" * 50_000 in request.body


def test_a_body_from_a_generator_is_read_whole(client):
    def chunks() -> Iterator[bytes]:
        yield from (b"one ", b"two ", b"three")

    async def chunks_async() -> AsyncIterator[bytes]:
        for chunk in chunks():
            yield chunk

    desk = Desk()
    with door(desk):
        client.ask("POST", content=chunks_async() if client.waits else chunks())
    assert desk.request.body == b"one two three"


def test_a_head_request_is_taken_too(client):
    desk = Desk(Reply(200, (("x-size", "7"),), []))
    with door(desk):
        answer = client.ask("HEAD")
    assert desk.request.method == "HEAD"
    assert (answer.status_code, answer.headers["x-size"], answer.content) == (200, "7", b"")


def test_a_redirect_is_followed_through_the_door_where_the_client_follows_it(client):
    def handle(request: Request) -> Reply:
        if request.path == "/new":
            return json_reply({"from": "new"})
        return Reply(307, (("location", "/new"),), [])

    with door(handle):
        assert client.ask(follow_redirects=True).json() == {"from": "new"}
        assert client.ask().status_code == 307


# --- replies --------------------------------------------------------------------------------------------


def test_a_reply_is_the_librarys_own_response(client):
    json_type = ("content-type", "application/json; charset=utf-8")
    headers = (json_type, ("x-request-id", "r1"), ("x-two", "a"), ("x-two", "b"))
    with door(Desk(Reply(201, headers, frames_of('{"text": "café"}'.encode()), "Very Fine"))):
        answer = client.ask()
    assert type(answer) is client.library.Response
    assert (answer.status_code, answer.reason_phrase, answer.http_version) == (201, "Very Fine", "HTTP/1.1")
    assert answer.json() == {"text": "café"}
    assert (answer.text, answer.encoding) == ('{"text": "café"}', "utf-8")
    assert answer.headers.get_list("x-two") == ["a", "b"]
    assert answer.headers["content-length"] == str(len(answer.content)) == "17"
    assert isinstance(answer.elapsed, datetime.timedelta)
    assert answer.is_closed
    assert str(answer.url) == URL


def test_a_status_without_a_reason_gets_the_usual_one(client):
    with door(Desk(json_reply({}, 404))):
        assert client.ask().reason_phrase == "Not Found"


def test_a_reason_that_the_wire_could_not_carry_does_not_break_the_reply(client):
    with door(Desk(Reply(200, (), [], "schön"))):
        assert client.ask().reason_phrase == "sch?n"


def test_an_empty_body_has_the_length_none(client):
    with door(Desk(Reply(200, (), []))):
        answer = client.ask()
    assert (answer.headers["content-length"], answer.content) == ("0", b"")


def test_a_stream_has_no_length(client):
    with door(Desk(Reply(200, SSE, [Frame(b"data: a\n\n"), Frame(b"data: b\n\n")]))):
        answer = client.ask()
    assert "content-length" not in answer.headers
    assert answer.content == b"data: a\n\ndata: b\n\n"


def test_a_recorded_stream_is_handed_over_frame_by_frame(client):
    frames = [Frame("data: é\n\n".encode()), Frame(b"d"), Frame(b"ata: 2\n\n")]
    with door(Desk(Reply(200, SSE, frames))):
        assert client.pieces() == [frame.data for frame in frames]


def test_the_same_recording_can_be_played_more_than_once(client):
    with door(Desk(Reply(200, SSE, [Frame(b"a"), Frame(b"b")]))):
        assert client.pieces() == client.pieces() == [b"a", b"b"]


def test_a_live_frame_is_handed_over_before_the_next_one_is_there(client):
    """The upstream makes its second frame only once the client has had the first."""
    had_first = threading.Event()

    def chunks() -> Iterator[bytes]:
        yield b"first"
        yield b"second" if had_first.wait(PATIENCE) else b"nobody took the first"

    live = Reply(200, SSE, Live(chunks(), lambda: None, since=0.0), live=True)
    with door(Desk(live), blocks=True):
        assert client.pieces(lambda piece: had_first.set()) == [b"first", b"second"]


def test_while_a_live_frame_is_awaited_the_event_loop_goes_on(async_client):
    """The upstream makes its second frame only once another task of the same loop has run."""
    other_task_ran = threading.Event()

    def chunks() -> Iterator[bytes]:
        yield b"first"
        yield b"second" if other_task_ran.wait(PATIENCE) else b"the loop stood still"

    async def work() -> list[bytes]:
        had_first = anyio.Event()
        pieces: list[bytes] = []

        async def read() -> None:
            async with async_client.library.AsyncClient() as client, client.stream("GET", URL) as response:
                async for piece in response.aiter_raw():
                    pieces.append(piece)
                    had_first.set()

        async def other() -> None:
            await had_first.wait()
            await anyio.lowlevel.checkpoint()
            other_task_ran.set()

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(read)
            tasks.start_soon(other)
        return pieces

    live = Reply(200, SSE, Live(chunks(), lambda: None, since=0.0), live=True)
    with door(Desk(live), blocks=True):
        assert async_client.run(work) == [b"first", b"second"]


# --- ends that are none, and readers that leave -----------------------------------------------------------


class Cut(Sequence[Frame]):
    """Frames of a recording, behind which the connection ends."""

    def __init__(self, *data: bytes) -> None:
        self._frames = [Frame(each) for each in data]

    def __len__(self) -> int:
        return len(self._frames) + 1

    def __getitem__(self, index: Any) -> Any:
        if index < len(self._frames):
            return self._frames[index]
        raise CutConnection("here it ends")


def live_cut(*data: bytes) -> Live:
    def chunks() -> Iterator[bytes]:
        yield from data
        raise CutConnection("here it ends")

    return Live(chunks(), lambda: None, since=0.0)


@pytest.mark.parametrize("frames", [Cut, live_cut], ids=["recorded", "live"])
def test_a_cut_connection_is_the_librarys_own_error_behind_what_arrived(client, frames):
    seen: list[bytes] = []
    reply = Reply(200, SSE, frames(b"first", b"second"))
    with (
        door(Desk(reply), blocks=isinstance(reply.frames, Live)),
        pytest.raises(client.library.RemoteProtocolError) as caught,
    ):
        client.pieces(seen.append)
    assert seen == [b"first", b"second"]
    assert str(caught.value) == "peer closed connection without sending complete message body (incomplete chunked read)"
    assert isinstance(caught.value.__cause__, CutConnection)


@pytest.mark.parametrize("frames", [Cut, live_cut], ids=["recorded", "live"])
def test_openai_tells_a_cut_stream_as_it_tells_one_of_the_network(frames):
    event = b'data: {"id":"1","object":"chat.completion.chunk","created":1,"model":"m","choices":[]}\n\n'
    library = sys.modules[openai.DefaultHttpxClient.__mro__[1].__module__.partition(".")[0]]
    reply = Reply(200, SSE, frames(event))
    client = openai.OpenAI(api_key="k", base_url="https://model.example/v1", max_retries=0)
    with client, door(Desk(reply)):
        stream = client.chat.completions.create(model="m", messages=[], stream=True)
        assert next(stream).id == "1"
        with pytest.raises((library.RemoteProtocolError, openai.APIConnectionError)):
            next(stream)


class Endless:
    """A live stream without an end, that tells when its upstream is let go."""

    def __init__(self) -> None:
        self.closed = 0
        self.ended = threading.Event()
        self.whole = False
        self.frames = Live(self._chunks(), self._close, since=0.0, content_type="text/event-stream")
        self.frames.then(self._note_whole)
        self.reply = Reply(200, SSE, self.frames, live=True)

    def _chunks(self) -> Iterator[bytes]:
        while True:
            yield b"data: more\n\n"

    def _close(self) -> None:
        self.closed += 1
        self.ended.set()

    def _note_whole(self) -> None:
        self.whole = True


httpx_leaves_generators_to_trio = pytest.mark.filterwarnings(
    # Over the network just as much, and httpx2 does not.
    r"ignore:Async generator '.*(BoundAsyncStream|Frames)\.__aiter__':ResourceWarning"
)


@httpx_leaves_generators_to_trio
def test_a_reader_that_leaves_a_live_stream_early_lets_the_upstream_go(client):
    endless = Endless()
    with door(Desk(endless.reply), blocks=True):
        assert client.pieces(take=2) == [b"data: more\n\n"] * 2
    assert (endless.closed, endless.whole) == (1, False)


def test_a_response_that_is_never_read_lets_the_upstream_go(client):
    endless = Endless()

    async def work() -> None:
        async with client.library.AsyncClient() as own, own.stream("GET", URL):
            pass

    with door(Desk(endless.reply), blocks=True):
        if client.waits:
            client.run(work)
        else:
            with client.library.Client() as own, own.stream("GET", URL):
                pass
    assert (endless.closed, endless.whole) == (1, False)


@httpx_leaves_generators_to_trio
def test_a_cancelled_reader_of_a_live_stream_lets_the_upstream_go(async_client):
    """As after a timeout: in a cancelled scope every await is cancelled, that of closing too."""
    endless = Endless()

    async def work() -> int:
        async with async_client.library.AsyncClient() as client:
            with anyio.CancelScope() as scope:
                async with client.stream("GET", URL) as response, aclosing(response.aiter_raw()) as pieces:
                    await anext(pieces)
                    scope.cancel()
                    await anyio.lowlevel.checkpoint()
            return endless.closed

    with door(Desk(endless.reply), blocks=True):
        assert async_client.run(work) == 1


def test_a_task_that_is_cancelled_while_it_waits_for_an_upstream_ends_before_the_answer(async_client):
    """A timeout of the code under test does not wait for the model."""
    asked, release, answered = threading.Event(), threading.Event(), threading.Event()

    def handle(request: Request) -> Reply:
        asked.set()
        release.wait(1)
        answered.set()
        return json_reply({})

    async def work() -> bool:
        async with async_client.library.AsyncClient() as client, anyio.create_task_group() as tasks:
            tasks.start_soon(client.get, URL)
            await anyio.to_thread.run_sync(asked.wait, PATIENCE)
            tasks.cancel_scope.cancel()
        ended_before = not answered.is_set()
        release.set()
        return ended_before

    with door(handle, blocks=True):
        assert async_client.run(work)


def test_a_task_that_is_cancelled_in_replay_leaves_nothing_behind():
    import httpx2

    async def work() -> str:
        async with httpx2.AsyncClient() as client:
            task = asyncio.create_task(client.get(URL))
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            return (await client.get(URL)).json()["from"]

    with door(Desk(name="door")):
        assert asyncio.run(work()) == "door"


# --- what is ours, by the settings ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "settings", "ours"),
    [
        ("/v1/models", {}, True),  # a named route, on whatever host
        ("/deep/api/tags", {}, True),
        ("/weather", {}, False),
        ("/weather", {"hosts": ["127.0.0.1"]}, True),
        ("/weather", {"hosts": ["127.*"]}, True),
        ("/weather", {"hosts": ["other.example"]}, False),
        ("/v1/models", {"ignore_hosts": ["127.0.0.1"]}, False),
        ("/v1/models", {"ignore_hosts": ["127.*"]}, False),
        ("/v1/models", {"hosts": ["127.*"], "ignore_hosts": ["127.0.0.1"]}, False),
    ],
)
def test_the_settings_say_which_requests_are_ours(outside, path, settings, ours):
    import httpx2

    def ask() -> Any:
        with use_cassette("no-such-cassette.yaml", **settings) as mock:
            answer = httpx2.get(outside.url + path)
            assert len(mock.requests) == int(ours)
            return answer

    if not ours:
        assert ask().json()["from"] == "outside"
        return
    with pytest.raises(UnmatchedError):
        ask()


@pytest.mark.parametrize("host", ["api.openai.com", "API.OpenAI.com", "resource.openai.azure.com", "api.anthropic.com"])
def test_whatever_is_asked_of_a_provider_is_ours(library, host):
    with pytest.raises(UnmatchedError, match="GET /never/heard/of/it"), use_cassette("no-such-cassette.yaml"):
        assert library.get(f"https://{host}/never/heard/of/it").status_code == 404


def test_hosts_are_compared_whatever_their_case(library, outside):
    settings = {"hosts": ["LocalHost"]}
    with pytest.raises(UnmatchedError), use_cassette("no-such-cassette.yaml", **settings):
        assert library.get(f"http://localhost:{outside.port}/anything").status_code == 404


# --- the SDKs look below the surface ----------------------------------------------------------------------

CHAT = {
    "id": "chatcmpl-1",
    "object": "chat.completion",
    "created": 1,
    "model": "m",
    "choices": [{"index": 0, "message": {"role": "assistant", "content": "hi"}, "finish_reason": "stop"}],
}


def test_openais_raw_response_shows_headers_status_and_time():
    headers = [("x-request-id", "req-1")]
    client = openai.OpenAI(api_key="k", base_url="https://model.example/v1")
    with client, door(Desk(json_reply(CHAT, headers=headers))):
        raw = client.chat.completions.with_raw_response.create(model="m", messages=[])
        assert (raw.status_code, raw.headers["x-request-id"], raw.http_version) == (200, "req-1", "HTTP/1.1")
        assert isinstance(raw.elapsed, datetime.timedelta)
        assert json.loads(raw.text) == CHAT
        parsed = raw.parse()
    assert parsed.choices[0].message.content == "hi"
    assert parsed._request_id == "req-1"


def test_openais_raw_response_shows_them_async(async_client):
    async def work() -> Any:
        async with openai.AsyncOpenAI(api_key="k", base_url="https://model.example/v1") as client:
            raw = await client.chat.completions.with_raw_response.create(model="m", messages=[])
            return raw.status_code, raw.headers["x-request-id"], raw.parse().choices[0].message.content

    with door(Desk(json_reply(CHAT, headers=[("x-request-id", "req-1")]))):
        assert async_client.run(work) == (200, "req-1", "hi")


def test_openais_streaming_response_hands_over_lines_as_they_are():
    frames = [Frame(b"data: {}\n\n"), Frame(b"data: [DONE]\n\n")]
    client = openai.OpenAI(api_key="k", base_url="https://model.example/v1")
    with (
        client,
        door(Desk(Reply(200, SSE, frames))),
        client.chat.completions.with_streaming_response.create(model="m", messages=[], stream=True) as raw,
    ):
        assert list(raw.iter_bytes()) == [frame.data for frame in frames]


def test_openai_does_not_try_again_where_it_is_told_not_to():
    desk = Desk(json_reply({"error": {"message": "explained"}}, 404, [("x-should-retry", "false")]))
    client = openai.OpenAI(api_key="k", base_url="https://model.example/v1", max_retries=3)
    with client, door(desk), pytest.raises(openai.NotFoundError, match="explained"):
        client.models.list()
    assert len(desk.requests) == 1
