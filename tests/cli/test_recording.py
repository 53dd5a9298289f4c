"""`llmmock record` and `run`: which upstream is asked, how many at once, and for how much."""

from __future__ import annotations

import os
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import httpx
import pytest
from standin import Standin

from pytest_llmmock.cassettes.library import open_cassette


@pytest.fixture
def other():
    with Standin() as running:
        yield running


def ask(url: str, words: str = "hello", model: str = "m", query: str = "") -> httpx.Response:
    body = {"model": model, "messages": [{"role": "user", "content": words}]}
    return httpx.post(f"{url}/v1/chat/completions{query}", json=body, timeout=60)


def test_models_are_routed_and_a_request_may_name_its_upstream(llmmock, standin, other, tmp_path):
    llmmock.environment["MINE_KEY"] = "key-of-mine-0123"
    own = ["--define", f"mine={other.base_url} MINE_KEY", "--route", "grok-*=mine"]
    with llmmock.serving("record", "--cassette", "a.yaml", "--upstream", standin.base_url, *own) as serving:
        for model, query in (("m", ""), ("grok-4", ""), ("m2", "?provider=mine")):
            assert ask(serving.url, model=model, query=query).status_code == 200
        refused = ask(serving.url, query="?provider=xia")
        assert refused.status_code == 502
    assert "The request asks for ?provider=xia, and was not sent." in serving.err
    assert [request.json()["model"] for request in standin.requests] == ["m"]
    assert [request.json()["model"] for request in other.requests] == ["grok-4", "m2"]
    assert {request.header("authorization") for request in other.requests} == {"Bearer key-of-mine-0123"}
    upstreams = [each.meta["upstream"] for each in open_cassette(tmp_path / "a.yaml").interactions]
    assert upstreams == [standin.base_url, "mine", "mine"]


def test_the_environment_routes_too(llmmock, standin, other):
    llmmock.environment["LLMMOCK_UPSTREAMS"] = f"mine={other.base_url}"
    llmmock.environment["LLMMOCK_MODELS"] = "grok-*=mine"
    with llmmock.serving("record", "--cassette", "a.yaml", "--upstream", standin.base_url) as serving:
        ask(serving.url, model="grok-4")
    assert (len(standin.requests), len(other.requests)) == (0, 1)


def test_wishes_that_an_upstream_does_not_hear_of_are_told_once(llmmock, standin):
    wishes = ["--debug-model", "other", "--reasoning-effort", "high"]
    with llmmock.serving("record", "--cassette", "a.yaml", "--upstream", standin.base_url, *wishes) as serving:
        for words in ("one", "two"):
            assert ask(serving.url, words).status_code == 200
    told = "was asked as its client asked: reasoning_effort, debug_model is for codex and chatgpt only"
    assert serving.err.split("\n\n") == [f"llmmock: {standin.base_url} {told}", "llmmock: stopped\n"]
    assert [body["model"] for body in standin.bodies] == ["m", "m"]


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--upstream", "groq"], "The upstream 'groq' needs a key, and GROQ_API_KEY is not set. Set it, or choose"),
        (["--upstream", "opnai"], "There is no upstream 'opnai'. Did you mean 'openai'?"),
        (["--upstream", "ollama", "--route", "grok-*=xia"], "'grok-*' is to go to 'xia'. There is no upstream 'xia'."),
        (["--upstream", "ollama", "--route", "grok"], "'grok' is not of the form PATTERN=UPSTREAM"),
        (["--upstream", "ollama", "--define", "mine"], "'mine' is not of the form NAME=URL or NAME=URL KEY_VARIABLE"),
        (["--upstream", "ollama", "--budget", "much"], "budget='much' is not possible."),
        (["--upstream", "ollama", "--timeout", "0"], "timeout=0.0 is not possible."),
        (["--upstream", "ollama", "--retry-seconds", "-1"], "retry_seconds=-1.0 is not possible."),
        (["--upstream", "ollama", "--max-concurrency", "0"], "0 is not in the range x>=1."),
    ],
)
def test_what_cannot_be_is_told_before_it_serves(llmmock, arguments, told):
    llmmock.environment.pop("GROQ_API_KEY", None)
    assert told in " ".join(llmmock("record", "--cassette", "a.yaml", *arguments, status=2).stderr.split())


@pytest.mark.parametrize(("retries", "asked"), [("0", 1), ("1", 2)])
def test_a_busy_upstream_is_asked_again_as_often_as_is_said(llmmock, standin, retries, asked):
    with llmmock.serving(
        "record", "--cassette", "a.yaml", "--upstream", standin.base_url, "--retries", retries
    ) as serving:
        assert ask(serving.url, "refuse").status_code == 429
    assert len(standin.requests) == asked


def test_a_server_asks_so_many_at_once_and_everybody_is_answered(llmmock, standin, tmp_path):
    limits = ["--max-concurrency", "1", "--queue-limit", "10"]
    with (
        llmmock.serving("record", "--cassette", "a.yaml", "--upstream", standin.base_url, *limits) as serving,
        ThreadPoolExecutor(5) as pool,
    ):
        answers = list(pool.map(lambda number: ask(serving.url, f"number {number}"), range(5)))
    assert [answer.status_code for answer in answers] == [200] * 5
    assert len(open_cassette(tmp_path / "a.yaml").interactions) == 5


def test_a_server_sends_no_more_than_its_budget_and_keeps_what_it_has(llmmock, standin, tmp_path):
    with llmmock.serving("record", "--cassette", "a.yaml", "--upstream", standin.base_url, "--budget", "1") as serving:
        assert ask(serving.url, "one").status_code == 200
        refused = ask(serving.url, "two")
    assert refused.status_code == 502
    assert refused.headers["x-should-retry"] == "false"
    assert "Budget: 1 request   spent: 1 request, 7 tokens" in refused.json()["error"]["message"]
    assert "--budget 2 (llmmock)" in serving.err
    assert len(standin.requests) == 1
    assert len(open_cassette(tmp_path / "a.yaml").interactions) == 1


def test_on_a_terminal_record_tells_what_it_asks_and_takes_it_away(llmmock, standin):
    pty = pytest.importorskip("pty", reason="there are no terminals here")
    standin.release.clear()
    command = [sys.executable, "-m", "pytest_llmmock", "record", "--cassette", "a.yaml", "--port", "0"]
    child, terminal = pty.fork()
    if not child:  # in the terminal
        os.chdir(llmmock.folder)
        os.execve(command[0], [*command, "--upstream", standin.base_url], {**llmmock.environment, "TERM": "xterm"})
    written = b""
    with ThreadPoolExecutor(1) as pool, suppress(OSError):  # how Linux tells that the other side has closed
        while b"stop with Ctrl-C" not in written:
            written += os.read(terminal, 1 << 16)
        url = written.split(b" on ")[1].split()[0].decode()
        body = {"model": "m", "messages": [{"role": "user", "content": "hello"}], "stream": True}
        asking = pool.submit(httpx.post, f"{url}/v1/chat/completions", json=body, timeout=60)
        while b"answered by http" not in written:
            written += os.read(terminal, 1 << 16)
        standin.release.set()
        assert asking.result(60).status_code == 200
        while not written.endswith(b"\r\x1b[K\r"):
            written += os.read(terminal, 1 << 16)
        os.write(terminal, b"\x03")
        while chunk := os.read(terminal, 1 << 16):
            written += chunk
    os.close(terminal)
    os.waitpid(child, 0)
    assert b'chat m, streamed  "hello"' in written
    assert b"1 interaction recorded to a.yaml" in written
