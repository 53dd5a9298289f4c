"""Ten thousand requests that no careful client sends: each is answered, in the shape of its protocol, soon.

A run of all tests sends some hundred of them; `LLMMOCK_FUZZ=10000` says how many it is to be (`tox -e fuzz`).
"""

from __future__ import annotations

import json
import os
import socket
import time
from collections.abc import Callable
from contextlib import ExitStack, closing
from http.client import HTTPResponse, IncompleteRead, RemoteDisconnected
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from fuzzing import Hostile, hostile

from pytest_llmmock import LLMServer
from pytest_llmmock.cassettes.advice import Advice
from pytest_llmmock.core.model import Reply, Request, json_reply
from pytest_llmmock.deck import Deck
from pytest_llmmock.inbound.server import Server
from pytest_llmmock.mock import new_server
from pytest_llmmock.script.scripted import Scripted
from pytest_llmmock.settings import Settings

REQUESTS = int(os.environ.get("LLMMOCK_FUZZ", "600"))
SECONDS = 5.0
"""What an answer may take, on a machine that does something else as well."""

CASSETTE = Path(__file__).parents[1] / "cassettes"
ADVICE = Advice(record="r", ignore="i {paths}", normalise="n {names}", repeat="again")

Handle = Callable[[Request], Reply]


def opened(settings: Settings, cassette: Path = Path("nowhere.yaml")) -> Deck:
    return Deck.open(cassette, settings, advice=ADVICE)


def replaying(tmp_path: Path) -> Deck:
    """Nothing fits, so that each request is compared with what is nearest."""
    return opened(Settings(), CASSETTE / "tests/examples/test_conversations/test_tools.yaml")


def playing(tmp_path: Path) -> Deck:
    deck = opened(Settings(simulate=True, model_list=("gpt-*", "claude-*", "llama*", "e", "m")))
    Scripted(deck.script).when(contains="Rome").reply("Start at the Colosseum", reasoning="Hm", usage={"input": 1})
    return deck


RULES = """
rules:
  - when: {operation: embeddings}
    reply: {embedding: {dimensions: 8}}
  - when: {tool: look}
    reply: {tool_calls: [{name: look, arguments: {city: "{{ last_word }}"}}]}
default: {reply: {text: "You said: {{ last_message }} to {{ model }}"}}
"""


def ruled(tmp_path: Path) -> Deck:
    (tmp_path / "rules.yaml").write_text(RULES)
    return opened(Settings(rules=tmp_path / "rules.yaml"))


def inventing(tmp_path: Path) -> Deck:
    deck = opened(Settings())
    said = Scripted(deck.script)
    said.when(operation="images*").reply(image=True)
    said.when(operation="audio.speech").reply(audio=True)
    said.when(operation="*embed*").reply(embedding=True)
    said.reply(json=True)
    return deck


def spoiling(tmp_path: Path) -> Deck:
    deck = inventing(tmp_path)
    deck.faults.random(rate=0.7, seed=7)
    deck.faults.bad_tool_json().finish("length")
    return deck


MODES = [replaying, playing, ruled, inventing, spoiling]


class Client:
    """One connection, made anew when it was closed."""

    def __init__(self, address: tuple[str, int], prefix: str = "") -> None:
        self.address = address
        self.prefix = prefix
        self._socket: socket.socket | None = None

    def ask(self, request: Request) -> tuple[HTTPResponse, bytes]:
        if self._socket is None:
            self._socket = socket.create_connection(self.address, SECONDS)
        self._socket.sendall(self._bytes(request))
        response = HTTPResponse(self._socket, method=request.method)
        response.begin()
        body = response.read()
        if response.will_close:
            self.close()
        response.close()
        return response, body

    def _bytes(self, request: Request) -> bytes:
        target = self.prefix + request.path + (f"?{request.query}" if request.query else "")
        fields = [*request.headers, ("host", "x"), ("content-length", str(len(request.body)))]
        head = "".join(f"{name}: {value}\r\n" for name, value in fields)
        return f"{request.method} {target} HTTP/1.1\r\n{head}\r\n".encode("latin-1") + request.body

    def close(self) -> None:
        if self._socket is not None:
            self._socket.close()
            self._socket = None


def is_refused_in_shape(request: Request, body: bytes) -> bool:
    """Whether an error has the shape of the protocol that its request speaks."""
    value = json.loads(body)
    error = value["error"]
    if request.path.startswith("/api/"):
        return isinstance(error, str)
    if request.path.startswith("/v1/messages") or request.header("anthropic-version"):
        return value["type"] == "error" and {*error} >= {"type", "message"}
    return {*error} >= {"message", "type", "param", "code"}


def never(constant: str) -> Any:
    raise AssertionError(f"{constant} is no JSON")


def check(request: Request, status: int, kind: str, body: bytes) -> None:
    if request.method == "HEAD":
        assert body == b""
        return
    assert status < 500 or is_meant(body), body
    if status >= 400:
        assert is_refused_in_shape(request, body), body
    elif kind.startswith("application/json") and body:
        json.loads(body, parse_constant=never)


def is_meant(body: bytes) -> bool:
    """Whether the test itself is what went wrong: a fault that it asked for, a rule that cannot be followed."""
    return any(
        words in body for words in (b"a fault of this test", b"reply(json=True) makes a value up", b"The schema ")
    )


def sent(client: Client, asked: Hostile, spoils: bool) -> None:
    """Send a request and look at what comes back; connections may break where faults are asked for."""
    since = time.monotonic()
    try:
        response, body = client.ask(asked.request)
    except (IncompleteRead, RemoteDisconnected, ConnectionResetError):
        client.close()
        assert spoils
    else:
        if not spoils:  # where a body may be garbled, an error as well
            check(asked.request, response.status, response.headers.get("content-type", ""), body)
    assert time.monotonic() - since < SECONDS


@pytest.mark.parametrize("mode", MODES)
def test_each_is_answered_in_the_shape_of_its_protocol_soon(mode: Callable[[Path], Deck], tmp_path: Path) -> None:
    deck, wrong = mode(tmp_path), []
    with Server() as server, closing(Client(("127.0.0.1", server.port))) as client:
        client.prefix = server.mount(deck.engine(str).handle)
        for number in range(REQUESTS // len(MODES)):
            asked = hostile(number)
            try:
                sent(client, asked, mode is spoiling)
            except Exception as error:  # all that is wrong is told, not only the first
                wrong.append(f"{asked}\n{type(error).__name__}: {str(error)[:900]}")
                client.close()
    assert not wrong, f"{len(wrong)} are answered wrongly:\n" + "\n\n".join(wrong[:5])
    assert server.errors == []
    assert deck.report() or mode is not replaying


# --- what never becomes a request -----------------------------------------------------------------------

TOO_LARGE = b"Host: x\r\nContent-Length: 300000000\r\n\r\n"


PATHS = ["/v1/chat/completions", "/v1/messages", "/v1/messages/batches", "/api/chat", "/api/pull"]


@pytest.mark.parametrize("path", PATHS)
def test_a_body_that_is_too_large_is_refused_before_it_is_read(path: str, tmp_path: Path) -> None:
    with LLMServer(tmp_path / "none.yaml") as server:
        address = urlsplit(server.url)
        with socket.create_connection((address.hostname, address.port), SECONDS) as connection:
            connection.sendall(b"POST %b%b HTTP/1.1\r\n%b" % (address.path.encode(), path.encode(), TOO_LARGE))
            response = HTTPResponse(connection, method="POST")
            response.begin()
            body = response.read()
    assert response.status == 413
    assert is_refused_in_shape(Request("POST", "", path), body), body
    assert b"longer than 134217728 bytes" in body
    assert response.headers["x-should-retry"] == "false"


def test_a_test_that_is_over_says_so_in_the_shape_of_the_protocol() -> None:
    server = new_server()
    with server, closing(Client(("127.0.0.1", server.port))) as client:
        client.prefix = server.mount(lambda request: json_reply({}))
        server.unmount(client.prefix)
        for path in ("/v1/chat/completions", "/v1/messages", "/api/chat"):
            request = Request("POST", "", path)
            response, body = client.ask(request)
            assert (response.status, is_refused_in_shape(request, body)) == (410, True)


def test_many_connections_that_never_say_a_whole_request_keep_nobody_waiting() -> None:
    with Server(lambda request: json_reply({"path": request.path})) as server:
        address = ("127.0.0.1", server.port)
        with ExitStack() as idle:
            for number in range(60):
                connection = idle.enter_context(socket.create_connection(address, SECONDS))
                connection.sendall([b"", b"POST /v1", b"GET / HTTP/1.1\r\nHost: x\r\nX"][number % 3])
            with closing(Client(address)) as client:
                assert client.ask(Request("GET", "", "/hello"))[1] == b'{"path":"/hello"}'
    assert server.errors == []
