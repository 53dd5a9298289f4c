"""`pytest_llmmock.wsgi:app`: what configures it, and how it answers behind servers that people run."""

from __future__ import annotations

import importlib.util
import json
import os
import re
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import httpx
import pytest
from controlled import chat
from openai import APIConnectionError, AuthenticationError, NotFoundError, OpenAI

from pytest_llmmock.cassettes.cassette import Interaction, Recorded
from pytest_llmmock.cassettes.library import save
from pytest_llmmock.core.model import json_reply
from pytest_llmmock.errors import CassetteError, UsageError
from pytest_llmmock.wsgi import make_app

ROOT = Path(__file__).parents[1]
HELLO: Any = {"model": "gpt-5", "messages": [{"role": "user", "content": "Plan a day in Rome"}]}


# --- what configures it ---------------------------------------------------------------------------------


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the server is started: it has cassettes there and elsewhere, and no variable of ours is set."""
    for name in [name for name in os.environ if name.startswith("LLMMOCK_") and name != "LLMMOCK_HOME"]:
        monkeypatch.delenv(name)
    for name in ("cassettes/here", "else where/there", "tapes/deep/further"):
        (tmp_path / name).parent.mkdir(parents=True)
        save(tmp_path / f"{name}.yaml", [Interaction.of(Recorded(chat(name), json_reply(f"from {name}")))])
    monkeypatch.chdir(tmp_path)
    return tmp_path


def asked(app: Any, words: str, **headers: str) -> tuple[int, Any]:
    sent = {"content-type": "application/json"} | headers
    with httpx.Client(transport=httpx.WSGITransport(app=app), base_url="http://test") as client:
        response = client.post("/v1/chat/completions", content=chat(words).body, headers=sent)
    return response.status_code, response.json()


def answered(app: Any) -> list[str]:
    """The cassettes that answer."""
    names = ("cassettes/here", "else where/there", "tapes/deep/further")
    return [name for name in names if asked(app, name) == (200, f"from {name}")]


def test_without_a_word_it_serves_the_folder_of_the_cassettes(folder):
    assert answered(make_app()) == ["cassettes/here"]


def test_it_serves_what_it_is_given(folder):
    assert answered(make_app("tapes", folder / "else where/there.yaml")) == ["else where/there", "tapes/deep/further"]


def test_it_serves_what_the_environment_names(folder, monkeypatch):
    monkeypatch.setenv("LLMMOCK_CASSETTES", "tapes 'else where'\n")
    assert answered(make_app()) == ["else where/there", "tapes/deep/further"]
    assert answered(make_app("cassettes")) == ["cassettes/here"]


def test_the_folder_of_the_cassettes_is_a_setting_of_the_environment_and_of_the_ini_file(folder, monkeypatch):
    (folder / "pytest.ini").write_text("[pytest]\nllm_cassette_dir = tapes\n")
    assert answered(make_app()) == ["tapes/deep/further"]
    monkeypatch.setenv("LLMMOCK_CASSETTE_DIR", "else where")
    assert answered(make_app()) == ["else where/there"]
    assert answered(make_app(cassette_dir="cassettes")) == ["cassettes/here"]


def test_rules_need_no_cassettes(folder, monkeypatch):
    (folder / "rules.yaml").write_text("rules: [{when: {contains: x}, reply: {text: by rule}}]")
    monkeypatch.setenv("LLMMOCK_RULES", "rules.yaml")
    status, value = asked(make_app(), "x")
    assert (status, value["choices"][0]["message"]["content"]) == (200, "by rule")
    assert answered(make_app()) == []


def test_keys_may_be_several_and_are_not_read_by_pytest(folder, monkeypatch):
    monkeypatch.setenv("LLMMOCK_AUTH_TOKEN", "sk-1 sk-2")
    app = make_app()
    assert asked(app, "cassettes/here")[0] == 401
    assert asked(app, "cassettes/here", **{"x-api-key": "sk-2"})[0] == 200


def test_the_last_recording_is_repeated_unless_it_is_not_wanted(folder, monkeypatch):
    app = make_app()
    assert [asked(app, "cassettes/here")[0] for _ in range(2)] == [200, 200]
    monkeypatch.setenv("LLMMOCK_REPEAT", "0")
    app = make_app()
    assert [asked(app, "cassettes/here")[0] for _ in range(2)] == [200, 404]


def test_what_is_not_matched_is_told_to_whoever_runs_the_server(folder, capsys):
    status, value = asked(make_app(), "unknown")
    assert (status, value["error"]["code"]) == (404, "no_recording")
    assert "No recording matches this request" in capsys.readouterr().err


def test_a_setting_that_is_not_possible_names_where_it_is_from(folder, monkeypatch):
    monkeypatch.setenv("LLMMOCK_LIMITS", "rpm=never")
    with pytest.raises(UsageError, match=r"environment \(LLMMOCK_LOCK_OUT, LLMMOCK_LIMITS.*limits='rpm=never'"):
        make_app()
    monkeypatch.delenv("LLMMOCK_LIMITS")
    with pytest.raises(UsageError, match="make_app: there is no setting 'sped'"):
        make_app(sped="x10")
    with pytest.raises(CassetteError, match="There is no cassette and no folder at nowhere"):
        make_app("nowhere")


def test_a_variable_that_is_for_recording_changes_nothing(folder, monkeypatch):
    monkeypatch.setenv("LLMMOCK_RECORD", "all")
    assert answered(make_app()) == ["cassettes/here"]


def test_the_application_of_the_module_is_made_once_and_when_it_is_asked_for(folder):
    code = "import pytest_llmmock.wsgi as m; assert 'app' not in vars(m); assert m.app is m.app; m.nonsense"
    environ = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=folder, env=environ, capture_output=True, text=True, check=False
    )
    assert done.stderr.rstrip().endswith("AttributeError: module 'pytest_llmmock.wsgi' has no attribute 'nonsense'")


# --- behind servers that people run ---------------------------------------------------------------------

Command = Callable[[int], list[str]]

SERVERS: dict[str, tuple[Command, str]] = {
    "gunicorn": (
        lambda port: ["-m", "gunicorn", "--worker-class=gthread", "--threads=8", f"--bind=127.0.0.1:{port}"],
        "Listening at",
    ),
    "granian": (
        lambda port: ["-m", "granian", "--interface=wsgi", "--blocking-threads=4", f"--port={port}"],
        "Started worker",
    ),
    "waitress": (lambda port: ["-m", "waitress", f"--listen=127.0.0.1:{port}"], "Serving on"),
}
"""Server -> its command for a port, and what it says when it is there."""


class Started:
    """A server in a process of its own, in front of our application."""

    def __init__(self, server: str, variables: dict[str, str], *more: str) -> None:
        command, ready = SERVERS[server]
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        kept = {name: value for name, value in os.environ.items() if not name.startswith("LLMMOCK_")}
        self.process = subprocess.Popen(
            [sys.executable, *command(port), *more, "pytest_llmmock.wsgi:app"],
            cwd=ROOT,
            env={**kept, "PYTHONUNBUFFERED": "1", "PYTHONPATH": str(ROOT), **variables},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        assert self.process.stdout is not None
        said = ""
        while ready not in said:
            line = self.process.stdout.readline()
            assert line, said
            said += line
        self.url = f"http://127.0.0.1:{port}"

    def client(self, key: str = "test") -> OpenAI:
        return OpenAI(base_url=f"{self.url}/v1", api_key=key, max_retries=0, timeout=30)

    def stop(self) -> str:
        """End it as its users do; what it has said meanwhile."""
        self.process.terminate()
        return self.process.communicate(timeout=30)[0]


@pytest.fixture(scope="module", params=SERVERS)
def server(request: pytest.FixtureRequest) -> str:
    if importlib.util.find_spec(request.param) is None:
        pytest.skip(f"{request.param} is not installed")
    return str(request.param)


@pytest.fixture(scope="module")
def at_once(server: str) -> Iterator[Started]:
    started = Started(server, {})
    yield started
    said = started.stop()
    assert said.count("Traceback") == said.count("CutConnection: "), said


@pytest.fixture(scope="module")
def in_time(server: str) -> Iterator[Started]:
    variables = {"LLMMOCK_SPEED": "ttft=0.1,tps=40", "LLMMOCK_AUTH_TOKEN": "sk-right", "LLMMOCK_CHUNKING": "event"}
    started = Started(server, variables)
    yield started
    started.stop()


def words(chunks: Any) -> str:
    return "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)


def test_an_sdk_is_answered(at_once):
    with at_once.client() as client:
        plain = client.chat.completions.create(**HELLO).choices[0].message.content
        assert "Colosseum" in plain
        assert words(client.chat.completions.create(**HELLO, stream=True)) == plain


def test_health_and_its_head(at_once):
    told = httpx.get(f"{at_once.url}/health")
    head = httpx.head(f"{at_once.url}/health")
    assert told.json()["status"] == "ok"
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["content-length"] == str(len(told.content))


def test_a_miss_is_explained(at_once):
    with at_once.client() as client, pytest.raises(NotFoundError, match="Closest recording") as missed:
        client.chat.completions.create(model="gpt-5", messages=[{"role": "user", "content": "Plan a day in Paris"}])
    assert missed.value.response.headers["x-should-retry"] == "false"


def test_a_body_may_come_in_chunks(at_once):
    body = json.dumps(HELLO).encode()
    pieces = iter([body[:10], body[10:]])
    headers = {"content-type": "application/json"}
    answered = httpx.post(f"{at_once.url}/v1/chat/completions", content=pieces, headers=headers)
    assert answered.status_code == 200


def test_a_connection_is_kept_for_the_next_request(at_once):
    with httpx.Client(limits=httpx.Limits(max_connections=1)) as client:
        assert [client.get(f"{at_once.url}/healthz").status_code for _ in range(20)] == [200] * 20


@pytest.mark.parametrize("stream", [True, False])
@pytest.mark.parametrize("events", [0, 1])
def test_an_answer_that_breaks_off_is_an_error_and_no_short_answer(at_once, stream, events):
    httpx.post(f"{at_once.url}/__llmmock__/faults", json={"fault": "cut", "after_events": events})
    try:
        with at_once.client() as client, pytest.raises((APIConnectionError, httpx.RemoteProtocolError)):
            words(client.chat.completions.create(**HELLO, stream=stream))
    finally:
        httpx.delete(f"{at_once.url}/__llmmock__/faults")


def test_what_came_before_the_break_has_come(at_once):
    httpx.post(f"{at_once.url}/__llmmock__/faults", json={"fault": "cut", "after_events": 2})
    came = b""
    try:
        with (
            suppress(httpx.RemoteProtocolError),
            httpx.stream("POST", f"{at_once.url}/v1/chat/completions", json={**HELLO, "stream": True}) as response,
        ):
            for piece in response.iter_raw():
                came += piece
    finally:
        httpx.delete(f"{at_once.url}/__llmmock__/faults")
    assert came.count(b"data: ") == 2


def test_keys_are_asked_for(in_time):
    with in_time.client("sk-wrong") as client, pytest.raises(AuthenticationError, match="Incorrect API key"):
        client.chat.completions.create(**HELLO)


def test_a_stream_comes_in_time(in_time):
    begun = time.monotonic()
    with in_time.client("sk-right") as client:
        stream = client.chat.completions.create(**HELLO, stream=True)
        times = [time.monotonic() - begun for _ in stream]
    assert times[0] >= 0.1
    assert times[-1] - times[0] >= 0.3
    assert times[len(times) // 2] < times[-1] - 0.1


def test_who_leaves_a_stream_does_not_hold_it(in_time):
    with in_time.client("sk-right") as client:
        stream = client.chat.completions.create(**HELLO, stream=True)
        next(iter(stream))
        stream.close()
        assert "Colosseum" in client.chat.completions.create(**HELLO).choices[0].message.content
    told = {"llmmock_open_streams 1\n"}
    while "llmmock_open_streams 0\n" not in told:  # a server notices with the next event
        told = set(re.findall("llmmock_open_streams .*\n", httpx.get(f"{in_time.url}/metrics").text))


@pytest.mark.parametrize("preloaded", [False, True])
def test_workers_that_share_a_folder_answer_as_one(tmp_path, preloaded):
    pytest.importorskip("gunicorn")
    more = ["--workers=2", *(["--preload"] if preloaded else [])]
    started = Started("gunicorn", {"LLMMOCK_WORKERS_DIR": str(tmp_path / "together")}, *more)
    try:
        seen: set[str] = set()
        while len(seen) < 2:  # the system chooses who is asked
            httpx.post(f"{started.url}/v1/chat/completions", json=HELLO)
            entries = httpx.get(f"{started.url}/__llmmock__/journal").json()["entries"]
            seen = {entry["worker"] for entry in entries}
        counted = re.search(r'source="cassette",status="200"} (\d+)', httpx.get(f"{started.url}/metrics").text)
        assert counted is not None
        assert int(counted[1]) == len(entries)
    finally:
        started.stop()
    assert not [place for place in (tmp_path / "together").iterdir() if place.name in seen]
