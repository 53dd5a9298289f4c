from __future__ import annotations

import asyncio
import http.client
import re
import socket
import subprocess
import sys
import threading
import urllib.request
from collections.abc import Iterator
from contextlib import closing

import httpx
import pytest
from standin import Standin

from pytest_llmmock.errors import EgressError, LLMMockError
from pytest_llmmock.inbound.egress import Guard

HOST = "api.provider.example"


def look_up(host: str | bytes | None = HOST, port: object = 443) -> None:
    """Raises the event of a look-up, and asks no name server."""
    socket.getaddrinfo(host, port, flags=socket.AI_NUMERICHOST)


@pytest.fixture
def told() -> list[str]:
    return []


@pytest.fixture
def guard(told: list[str]) -> Guard:
    return Guard(lambda host: host == HOST, told.append, "No way in is open.")


@pytest.fixture
def listening() -> Iterator[socket.socket]:
    """A proxy to which nothing may be said."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server


@pytest.mark.parametrize("host", [HOST, HOST.encode(), HOST.upper(), HOST + "."], ids=repr)
def test_a_look_up_is_stopped_however_the_host_is_written(guard, told, host):
    with guard, pytest.raises(EgressError):
        look_up(host)
    assert len(told) == 1


@pytest.mark.parametrize("name", ["gethostbyname", "gethostbyname_ex"])
def test_the_older_look_ups_are_stopped_too(guard, told, name):
    with guard, pytest.raises(EgressError):
        getattr(socket, name)(HOST)
    assert f"  {HOST}   by socket\n" in told[0]


def test_an_address_that_is_watched_is_not_connected_to(told, listening):
    guard = Guard(lambda host: host == "127.0.0.1", told.append)
    with guard, closing(socket.socket()) as sock, pytest.raises(EgressError):
        sock.connect(listening.getsockname())
    assert f"127.0.0.1:{listening.getsockname()[1]}" in told[0]


def test_a_proxy_is_not_asked_for_the_host(guard, told, listening):
    connection = http.client.HTTPSConnection(*listening.getsockname())
    connection.set_tunnel(HOST, 443)
    with guard, pytest.raises(EgressError):
        connection.request("GET", "/")
    assert f"  {HOST}:443   by http.client" in told[0]


def test_a_plain_request_through_a_proxy_is_stopped(guard, told, listening):
    opener = urllib.request.build_opener(
        urllib.request.ProxyHandler({"http": f"http://127.0.0.1:{listening.getsockname()[1]}"})
    )
    with guard, pytest.raises(OSError, match="connection to a model provider was stopped"):
        opener.open(f"http://{HOST}:8080/v1/models")
    assert f"  {HOST}:8080   by urllib.request" in told[0]


def test_a_connection_that_was_open_before_is_not_used():
    with Standin() as standin:
        connection = http.client.HTTPConnection(standin.url.removeprefix("http://"))
        connection.request("GET", "/v1/models")
        connection.getresponse().read()
        with Guard(lambda host: host == "127.0.0.1", lambda text: None), pytest.raises(EgressError):
            connection.request("GET", "/v1/models")
        connection.close()
        assert len(standin.requests) == 1


@pytest.mark.parametrize("host", ["127.0.0.1", b"127.0.0.1", None, "other.provider.example"])
def test_other_hosts_pass(guard, told, host):
    with guard:
        if host == "other.provider.example":
            with pytest.raises(socket.gaierror):
                look_up(host)
        else:
            look_up(host)
    assert told == []


def test_a_unix_socket_passes(guard, tmp_path):
    with guard, closing(socket.socket(socket.AF_UNIX)) as sock, pytest.raises(FileNotFoundError):
        sock.connect(str(tmp_path / "none"))


def test_a_guard_that_is_not_armed_any_more_stops_nothing(guard, told):
    with guard:
        pass
    with pytest.raises(socket.gaierror):
        look_up()
    assert told == []


def test_one_that_lets_all_pass_wins_over_the_others(guard, told):
    with guard, Guard(None, told.append), pytest.raises(socket.gaierror):
        look_up()
    with Guard(None, told.append), guard, pytest.raises(socket.gaierror):
        look_up()
    assert told == []


def test_the_guard_that_was_armed_last_is_told(guard, told):
    inner: list[str] = []
    with guard, Guard(guard.watches, inner.append, "It is the inner one."), pytest.raises(EgressError):
        look_up()
    assert told == []
    assert "No way in is open.\n\nIt is the inner one." in inner[0]


def test_a_thread_of_an_earlier_test_is_told_to_the_one_that_runs(guard, told):
    go = threading.Event()
    failures: list[Exception] = []

    def ask() -> None:
        go.wait(30)
        try:
            look_up()
        except EgressError as error:
            failures.append(error)

    thread = threading.Thread(target=ask)
    thread.start()
    with guard:
        go.set()
        thread.join()
    assert [str(failure) for failure in failures] == told


def test_clients_take_it_for_a_connection_that_failed(guard, told):
    with guard, httpx.Client() as client, pytest.raises(httpx.ConnectError) as caught:
        client.get(f"https://{HOST}/v1/models")
    assert str(caught.value) == told[0]
    assert issubclass(EgressError, LLMMockError)
    assert issubclass(EgressError, ConnectionError)


def test_the_explanation_word_for_word(guard, told):
    with guard, httpx.Client() as client, pytest.raises(httpx.ConnectError):
        client.get(f"https://{HOST}/v1/models")
    line = sys._getframe().f_lineno - 1
    import httpcore

    place = told[0].partition("asked for in ")[2].partition("\n")[0]
    assert place.endswith(f"test_egress.py:{line} (test_the_explanation_word_for_word)")
    assert told == [
        "A connection to a model provider was stopped, because no way in took it.\n\n"
        f"  {HOST}:443   by httpx {httpx.__version__} via httpcore {httpcore.__version__}\n"
        f"  asked for in {place}\n\n"
        "No way in is open.\n\n"
        "To fix it:\n"
        "  * Send this client to llm_server: give it `llm_server.base_url`, or let it read OPENAI_BASE_URL.\n"
        f'  * If it is meant to go out, name the host in the settings:  ignore_hosts=["{HOST}"]\n'
        '  * To let every connection pass:  --llm-egress=allow, or the setting egress="allow"'
    ]


def test_while_a_worker_thread_looks_up_the_task_that_waits_is_told(guard, told):
    async def ask() -> None:
        async with httpx.AsyncClient() as client:
            await client.get(f"https://{HOST}/v1/models")

    async def others() -> None:
        waiting = asyncio.create_task(asyncio.sleep(60))
        try:
            await asyncio.create_task(ask())
        finally:
            waiting.cancel()

    with guard, pytest.raises(httpx.ConnectError):
        asyncio.run(others())
    assert re.search(
        rf"  {HOST}:443   by httpx \S+ via anyio \S+\n  asked for in \S+test_egress.py:\d+ \(ask\)\n", told[0]
    )


def test_asyncio_itself_is_told_with_the_line_that_asked(guard, told):
    async def ask() -> None:
        await asyncio.get_running_loop().getaddrinfo(HOST.upper().encode(), 443)

    with guard, pytest.raises(EgressError):
        asyncio.run(ask())
    assert re.search(r"   by asyncio\.base_events\n  asked for in \S+test_egress.py:\d+ \(ask\)\n", told[0])


def test_a_thread_that_nobody_waits_for_is_told_with_what_is_known(guard, told):
    thread = threading.Thread(target=socket.gethostbyname, args=(HOST,), name="worker-7")
    failures: list[object] = []
    with guard, pytest.MonkeyPatch.context() as patch:
        patch.setattr(threading, "excepthook", failures.append)
        thread.start()
        thread.join()
    assert len(failures) == 1
    assert f"  {HOST}   by the thread worker-7\n  asked for by a task that does not show; clients that may" in told[0]
    clients = told[0].partition("clients that may have: ")[2].partition("\n")[0]
    assert f"httpx {httpx.__version__}" in clients.split(", ")


def test_the_guard_listens_only_from_the_first_that_is_armed_on():
    script = (
        "import sys; seen = []; sys.addaudithook(lambda event, arguments: seen.append(event))\n"
        "from pytest_llmmock.inbound.egress import Guard\n"
        "with Guard(None, print): assert 'sys.addaudithook' not in seen, seen\n"
        "for _ in range(2):\n"
        "    with Guard(lambda host: False, print): pass\n"
        "assert seen.count('sys.addaudithook') == 1, seen"
    )
    subprocess.run([sys.executable, "-c", script], check=True)
