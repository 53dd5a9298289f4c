"""http.client in process, and what is built on it: real clients, the reply as each of them gives it to its user."""

from __future__ import annotations

import http.client
import importlib.util
import json
import socket
import subprocess
import sys
import threading
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from standin import SECRET, Standin

from pytest_llmmock import use_cassette
from pytest_llmmock.core.model import Frame, Reply, Request
from pytest_llmmock.errors import CutConnection, UnmatchedError
from pytest_llmmock.inbound.doors import Door

URL = "https://api.openai.com/v1/chat/completions"
"""A provider's address: a request that were to leave would fail, for nothing else is reachable in these tests."""

SSE = (("content-type", "text/event-stream"), ("x-twice", "one"), ("x-twice", "two"))

PATIENCE = 10
"""Seconds after which a test that waits for another thread gives up."""

Answer = tuple[int, str, dict[str, str], bytes]
"""Status, reason, headers and body."""


# --- clients --------------------------------------------------------------------------------------------


def ask_http_client(method: str, url: str, body: bytes | None = None) -> Answer:
    parts = urlsplit(url)
    kinds = {"http": http.client.HTTPConnection, "https": http.client.HTTPSConnection}
    with closing(kinds[parts.scheme](parts.netloc, timeout=PATIENCE)) as connection:
        connection.request(method, parts._replace(scheme="", netloc="").geturl(), body)
        response = connection.getresponse()
        return response.status, response.reason, lower(response.getheaders()), response.read()


def ask_urllib(method: str, url: str, body: bytes | None = None) -> Answer:
    try:
        response = urllib.request.urlopen(urllib.request.Request(url, body, method=method), timeout=PATIENCE)
    except urllib.error.HTTPError as error:
        response = error
    with response:
        return response.status, response.reason, lower(response.headers.items()), response.read()


def ask_urllib3(method: str, url: str, body: bytes | None = None) -> Answer:
    urllib3 = importlib.import_module("urllib3")
    with urllib3.PoolManager() as pool:
        response = pool.request(method, url, body=body, retries=False, timeout=PATIENCE)
        return response.status, response.reason, lower(response.headers.items()), response.data


def ask_requests(method: str, url: str, body: bytes | None = None) -> Answer:
    requests = importlib.import_module("requests")
    response = requests.request(method, url, data=body, timeout=PATIENCE)
    return response.status_code, response.reason, lower(response.headers.items()), response.content


def ask_httplib2(method: str, url: str, body: bytes | None = None) -> Answer:
    httplib2 = importlib.import_module("httplib2")
    with closing(httplib2.Http(timeout=PATIENCE)) as client:
        response, content = client.request(url, method, body)
    headers = {name: value for name, value in response.items() if name not in ("status", "content-location")}
    return response.status, response.reason, headers, content


def lower(headers: Any) -> dict[str, str]:
    merged: dict[str, str] = {}
    for name, value in headers:
        merged[name.lower()] = f"{merged[name.lower()]}, {value}" if name.lower() in merged else value
    return merged


ASKS = {
    "http.client": ask_http_client,
    "urllib": ask_urllib,
    "urllib3": ask_urllib3,
    "requests": ask_requests,
    "httplib2": ask_httplib2,
}


@pytest.fixture(params=[name for name in ASKS if importlib.util.find_spec(name)])
def ask(request: pytest.FixtureRequest) -> Callable[..., Answer]:
    return ASKS[request.param]


# --- doors ----------------------------------------------------------------------------------------------


class Desk:
    """Answers with one reply, and remembers what it was asked."""

    def __init__(self, *frames: bytes, status: int = 200, headers: Any = (), reason: str = "") -> None:
        self.reply = Reply(status, headers, [Frame(data) for data in frames], reason)
        self.requests: list[Request] = []

    def handle(self, request: Request) -> Reply:
        self.requests.append(request)
        return self.reply


def door(desk: Desk, takes: Callable[[str, str, str], bool] = lambda *asked: True) -> Door:
    return Door(takes, desk.handle)


def test_the_request_arrives_as_it_was_sent(ask):
    desk = Desk(b"{}")
    with door(desk):
        ask("POST", URL + "?a=1&b=%20", b'{"model": "m"}')
    (request,) = desk.requests
    assert (request.method, request.url) == ("POST", URL + "?a=1&b=%20")
    assert request.body == b'{"model": "m"}'
    assert request.header("host") == "api.openai.com"


@pytest.mark.parametrize(
    "url",
    ["http://localhost:11434/api/chat", "https://gateway.example:8443/v1/models", "http://[::1]:8000/v1/models"],
)
def test_scheme_and_port_are_those_of_the_address(ask, url):
    desk = Desk(b"{}")
    with door(desk, lambda method, host, path: host in ("localhost", "gateway.example", "::1")):
        ask("GET", url)
    assert [request.url for request in desk.requests] == [url]


def test_the_reply_has_status_reason_headers_and_length(ask):
    desk = Desk(b'{"error":', b"{}}", status=404, headers=(("content-type", "application/json"),), reason="Nope")
    with door(desk):
        status, reason, headers, body = ask("GET", URL)
    assert (status, reason, body) == (404, "Nope", b'{"error":{}}')
    assert headers["content-type"] == "application/json"
    assert headers["content-length"] == "12"


def test_a_stream_is_whole_and_repeated_headers_stay(ask):
    desk = Desk(b"data: 1\n\n", "data: é🙂\n\n".encode(), b"data: [DONE]\n\n", headers=SSE)
    with door(desk):
        _, reason, headers, body = ask("POST", URL, b"{}")
    assert body == "data: 1\n\ndata: é🙂\n\ndata: [DONE]\n\n".encode()
    assert reason == "OK"
    assert headers["x-twice"] == "one, two"


def test_bytes_stay_bytes(ask):
    sound = bytes(range(256)) * 1000
    with door(Desk(sound, b"tail", headers=(("content-type", "audio/mpeg"),))):
        assert ask("POST", URL, b"{}")[3] == sound + b"tail"


@pytest.mark.parametrize(("method", "status"), [("HEAD", 200), ("GET", 204)])
def test_what_has_no_body_has_none(ask, method, status):
    with door(Desk(b"" if status == 204 else b"12345", status=status)):
        assert ask(method, URL)[::3] == (status, b"")


def test_a_reply_that_is_cut_is_an_error_of_the_client(ask):
    class Cut(list[Frame]):
        def __iter__(self) -> Iterator[Frame]:
            yield from super().__iter__()
            raise CutConnection("cut on purpose")

    desk = Desk(headers=SSE)
    desk.reply.frames = Cut([Frame(b"data: 1\n\n")])
    with door(desk), pytest.raises(Exception, match="cut on purpose"):
        ask("POST", URL, b"{}")


def test_a_request_that_nobody_could_read_is_refused(ask):
    with door(desk := Desk(b"{}")):
        connection = http.client.HTTPSConnection("api.openai.com")
        connection.putrequest("POST", "/v1/models")
        connection.putheader("transfer-encoding", "gzip")
        connection.endheaders()
        response = connection.getresponse()
        assert response.status == 501
        assert "does not know the transfer encoding gzip" in json.loads(response.read())["error"]["message"]
    assert desk.requests == []


def test_what_a_door_does_not_take_goes_to_the_network_and_streams(ask):
    with Standin() as standin, door(desk := Desk(b"{}"), lambda method, host, path: path == "/ours"):
        assert ask("GET", standin.base_url + "/models")[0] == 200
        assert ask("GET", standin.url + "/ours")[3] == b"{}"
        assert ask("GET", standin.base_url + "/models")[0] == 200
        assert [request.path for request in standin.requests] == ["/v1/models"] * 2
    assert len(desk.requests) == 1


def test_the_network_is_back_when_the_door_is_closed(ask):
    before = http.client.HTTPConnection.putrequest, http.client.HTTPSConnection.connect
    with door(Desk(b"{}")):
        ask("GET", URL)
    assert (http.client.HTTPConnection.putrequest, http.client.HTTPSConnection.connect) == before
    with Standin() as standin:
        assert ask("GET", standin.base_url + "/models")[0] == 200


# --- what each client has of its own ----------------------------------------------------------------------


def test_a_connection_that_was_opened_before_is_used_again_on_either_side_of_the_door():
    with Standin() as standin, closing(http.client.HTTPConnection(urlsplit(standin.url).netloc)) as connection:

        def get() -> bytes:
            connection.request("GET", "/v1/models")
            return connection.getresponse().read()

        before = get()
        with door(desk := Desk(b"ours")):
            assert [get(), get()] == [b"ours"] * 2
        assert get() == before
        assert len(standin.requests) == len(desk.requests) == 2


def test_a_connection_that_was_meant_for_a_door_connects_when_no_door_takes_it():
    with Standin() as standin:
        where = urlsplit(standin.url)
        with closing(http.client.HTTPConnection(where.netloc)) as connection:
            with door(Desk(b"{}")):
                connection.connect()
            with door(Desk(b"{}"), lambda *asked: False):
                connection.request("GET", "/v1/models")
                assert connection.getresponse().status == 200


def test_a_session_and_its_pool_from_before_are_covered():
    requests = pytest.importorskip("requests")
    with Standin() as standin, requests.Session() as session:
        url = standin.base_url + "/models"
        real = session.get(url).json()
        with door(Desk(b'{"from": "door"}')):
            assert [session.get(url).json() for _ in range(3)] == [{"from": "door"}] * 3
        assert session.get(url).json() == real


def test_a_pool_does_not_keep_what_was_prepared_for_a_door_and_not_used():
    urllib3 = pytest.importorskip("urllib3")

    with urllib3.HTTPSConnectionPool("api.openai.com", maxsize=1) as pool, door(Desk(b"{}")):
        connection = pool._get_conn()
        connection.connect()
        pool._put_conn(connection)
        assert pool._get_conn() is connection
        assert connection.sock is None
        pool._put_conn(connection)
        assert pool.request("GET", "/v1/models").data == b"{}"


def test_vcrpy_may_stand_before_us(tmp_path):
    requests, vcr = pytest.importorskip("requests"), importlib.import_module("vcr")
    desk = Desk(b"{}")
    with door(desk), requests.Session() as session:
        for played in (0, 2):
            with vcr.use_cassette(str(tmp_path / "theirs.yaml")) as cassette:
                assert [session.get(URL + path).content for path in ("/1", "/2")] == [b"{}"] * 2
                assert cassette.play_count == played
    assert len(desk.requests) == 2


def test_a_proxy_is_not_asked():
    requests = pytest.importorskip("requests")
    with socket.create_server(("127.0.0.1", 0)) as listening:
        proxy = f"http://127.0.0.1:{listening.getsockname()[1]}"
        with door(desk := Desk(b"{}"), lambda method, host, path: host == "api.openai.com"):
            for scheme in ("http", "https"):
                requests.get(f"{scheme}://api.openai.com/v1/models?x=1", proxies={scheme: proxy}, timeout=PATIENCE)
    assert [request.url for request in desk.requests] == [
        "http://api.openai.com/v1/models?x=1",
        "https://api.openai.com/v1/models?x=1",
    ]


def test_urllib3_does_not_connect_for_a_path_that_is_ours_at_an_unknown_host():
    urllib3 = pytest.importorskip("urllib3")
    with socket.create_server(("127.0.0.1", 0)) as listening, urllib3.PoolManager() as pool:
        listening.settimeout(0)
        url = f"https://127.0.0.1:{listening.getsockname()[1]}/v1/models"
        with door(Desk(b"{}"), lambda method, host, path: path == "/v1/models"):
            assert pool.request("GET", url).data == b"{}"
        with pytest.raises(BlockingIOError):
            listening.accept()


def test_requests_gives_lines_and_pieces_as_they_were():
    requests = pytest.importorskip("requests")
    pieces = (b"data: 1\n\ndata: 2", b"\n\n", b"data: [DONE]\n\n")
    with door(Desk(*pieces, headers=SSE)):
        assert tuple(requests.post(URL, stream=True).iter_content(None)) == pieces
        lines = [line for line in requests.post(URL, stream=True).iter_lines() if line]
    assert lines == [b"data: 1", b"data: 2", b"data: [DONE]"]


def test_a_body_in_chunks_arrives_whole():
    requests = pytest.importorskip("requests")
    with door(desk := Desk(b"{}")):
        requests.post(URL, data=iter([b'{"model":', b' "m"}']))
    assert desk.requests[0].body == b'{"model": "m"}'


def test_requests_does_not_warn_of_a_certificate_that_nobody_showed():
    requests = pytest.importorskip("requests")
    with door(Desk(b"{}")):  # warnings are errors
        assert requests.get(URL, verify=False).ok


def test_bedrock_is_answered_whatever_it_signed():
    boto3 = pytest.importorskip("boto3")
    keys = {"region_name": "us-east-1", "aws_access_key_id": "a", "aws_secret_access_key": "b"}
    said = {
        "output": {"message": {"role": "assistant", "content": [{"text": "Colosseum"}]}},
        "stopReason": "end_turn",
        "usage": {"inputTokens": 1, "outputTokens": 1, "totalTokens": 2},
        "metrics": {"latencyMs": 1},
    }
    desk = Desk(json.dumps(said).encode(), headers=(("content-type", "application/json"),))
    with closing(boto3.client("bedrock-runtime", **keys)) as client, door(desk):
        talk = [{"role": "user", "content": [{"text": "Plan a day in Rome"}]}]
        answer = client.converse(modelId="some.model", messages=talk)
        raw = client.invoke_model(modelId="some.model", body=b'{"prompt": "Rome"}')["body"].read()
    assert answer["output"] == said["output"]
    assert json.loads(raw) == said
    host = "https://bedrock-runtime.us-east-1.amazonaws.com/model/some.model"
    assert [request.url for request in desk.requests] == [f"{host}/converse", f"{host}/invoke"]


# --- with a cassette --------------------------------------------------------------------------------------


def question(words: str, **more: object) -> bytes:
    return json.dumps({"model": "m", "messages": [{"role": "user", "content": words}], **more}).encode()


def post(requests: Any, url: str, words: str, **more: Any) -> Any:
    headers = {"authorization": f"Bearer {SECRET}", "content-type": "application/json"}
    return requests.post(url + "/v1/chat/completions", data=question(words, **more), headers=headers, stream=True)


def test_what_is_recorded_is_seen_live_and_replayed_in_the_same_pieces(tmp_path):
    requests = pytest.importorskip("requests")
    path = tmp_path / "it.yaml"
    with Standin() as standin:
        with use_cassette(path, mode="new_episodes"):
            standin.release.clear()
            chunks = post(requests, standin.url, "tell me", stream=True).iter_content(None)
            live = [next(chunks)]  # the stand-in has not said more yet
            standin.release.set()
            live.extend(chunks)
        with use_cassette(path) as mock:
            assert list(post(requests, standin.url, "tell me", stream=True).iter_content(None)) == live
            assert [entry.source for entry in mock.requests] == ["cassette"]
        assert len(standin.requests) == 1
        assert standin.requests[0].header("authorization") == f"Bearer {SECRET}"
    assert SECRET not in path.read_text()


def test_a_stream_that_is_left_early_lets_the_upstream_go_and_is_not_recorded(tmp_path):
    requests = pytest.importorskip("requests")
    with Standin() as standin:
        standin.release.clear()
        with use_cassette(tmp_path / "it.yaml", mode="new_episodes") as mock:
            response = post(requests, standin.url, "tell me", stream=True)
            next(response.iter_content(None))
            response.close()
            assert mock.requests.last.whole is False
    assert not (tmp_path / "it.yaml").exists()


def test_a_miss_is_an_answer_and_fails_at_the_end(ask, tmp_path):
    answers: list[Answer] = []
    with pytest.raises(UnmatchedError, match="no recordings to answer this request"), use_cassette(tmp_path / "x.yaml"):
        answers.append(ask("POST", URL, question("hello")))
    status, _, headers, body = answers[0]
    assert (status, headers["x-should-retry"]) == (404, "false")
    assert json.loads(body)["error"]["code"] == "no_recording"


def test_a_thread_of_the_code_under_test_is_answered():
    bodies: list[bytes] = []
    with door(Desk(b"{}")):
        thread = threading.Thread(target=lambda: bodies.append(ask_http_client("GET", URL)[3]))
        thread.start()
        thread.join(PATIENCE)
    assert bodies == [b"{}"]


# --- what it costs ----------------------------------------------------------------------------------------


def run_python(code: str) -> str:
    command = [sys.executable, "-W", "error", "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False, cwd=Path(__file__).parent)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_a_client_that_is_imported_while_the_door_is_open_is_covered():
    pytest.importorskip("requests")
    code = (
        "import sys\n"
        "from pytest_llmmock.inbound.doors import Door\n"
        "from pytest_llmmock.core.model import json_reply\n"
        "assert 'urllib3' not in sys.modules\n"
        "with Door(lambda *asked: True, lambda request: json_reply(request.url)):\n"
        "    import requests\n"
        f"    print(requests.get('{URL}').json())\n"
    )
    assert run_python(code) == URL + "\n"


def test_no_client_is_imported_by_us():
    code = (
        "import sys\n"
        "from pytest_llmmock import use_cassette\n"
        "with use_cassette('none.yaml'): pass\n"
        "print(sorted({'vcr', 'requests', 'urllib3', 'aiohttp', 'botocore', 'httplib2', 'httpx', 'httpx2', 'anyio'}\n"
        "             & sys.modules.keys()), 'pytest_llmmock.inbound.aiohttp_client' in sys.modules)\n"
    )
    assert run_python(code) == "[] False\n"
