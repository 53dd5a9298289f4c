"""`llmmock replay --workers N`, in processes as users start them."""

from __future__ import annotations

import multiprocessing
import os
import signal
import socket
import subprocess
import sys
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import httpx
import pytest
from controlled import chat
from openai import OpenAI
from prometheus_client.parser import text_string_to_metric_families

from pytest_llmmock.cassettes.cassette import Interaction, Recorded
from pytest_llmmock.cassettes.library import save
from pytest_llmmock.cli import workers
from pytest_llmmock.cli.workers import by_itself
from pytest_llmmock.core.model import json_reply
from pytest_llmmock.errors import ServerError
from pytest_llmmock.inbound.binding import bind
from pytest_llmmock.settings import combine

pytestmark = pytest.mark.skipif(os.name == "nt", reason="processes cannot share a port there")

ANSWER = {
    "id": "c",
    "object": "chat.completion",
    "created": 1,
    "model": "gpt-5",
    "choices": [{"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": "Hello"}}],
    "usage": {"prompt_tokens": 3, "completion_tokens": 4, "total_tokens": 7},
}


@pytest.fixture
def cassette(tmp_path: Path) -> Path:
    save(tmp_path / "a.yaml", [Interaction.of(Recorded(chat("hello"), json_reply(ANSWER)))])
    return tmp_path / "a.yaml"


def ask(url: str, words: str = "hello", **headers: str) -> httpx.Response:
    sent = {"content-type": "application/json"} | headers
    return httpx.post(f"{url}/v1/chat/completions", content=chat(words).body, headers=sent, timeout=30)


def processes() -> list[list[str]]:
    """Number, parent and state of every process."""
    told = subprocess.run(["ps", "-A", "-o", "pid=,ppid=,stat="], capture_output=True, text=True, check=True)
    return [line.split() for line in told.stdout.splitlines()]


def workers_of(process: subprocess.Popen[str]) -> set[int]:
    """Its child processes."""
    return {int(number) for number, parent, _ in processes() if parent == str(process.pid)}


def gone(workers: set[int]) -> bool:
    """Whether they have ended; who has nobody left to ask about it is a zombie."""
    return not workers & {int(number) for number, _, state in processes() if not state.startswith("Z")}


def journal(url: str) -> list[dict[str, Any]]:
    entries: list[dict[str, Any]] = httpx.get(f"{url}/__llmmock__/journal").json()["entries"]
    return entries


def test_workers_answer_as_one_server(llmmock, cassette):
    with llmmock.serving("replay", cassette, "--workers", 2) as serving:
        assert "  2 workers\n" in serving.out
        with OpenAI(base_url=f"{serving.url}/v1", api_key="test", max_retries=0) as client:
            for _ in range(3):
                answer = client.chat.completions.create(model="gpt-5", messages=[{"role": "user", "content": "hello"}])
                assert answer.choices[0].message.content == "Hello"
        while len({entry["worker"] for entry in journal(serving.url)}) < 2:  # the system chooses who is asked
            assert ask(serving.url).status_code == 200
        entries = journal(serving.url)
        figures = {family.name: family for family in _figures(serving.url)}
        (answered,) = figures["llmmock_requests"].samples
        assert answered.value == len(entries)
        assert {int(entry["worker"]) for entry in entries} == workers_of(serving.process)
    assert serving.err == "llmmock: stopped\n"


def _figures(url: str) -> Any:
    return text_string_to_metric_families(httpx.get(f"{url}/metrics").text)


def test_rules_that_are_put_hold_for_all(llmmock, cassette):
    with llmmock.serving("replay", cassette, "--workers", 2) as serving:
        rule = {"when": {"contains": "hi"}, "reply": {"text": "by rule"}}
        assert httpx.post(f"{serving.url}/v1/__llmmock__/rules", json=rule).json()["added"] == 1
        while len({entry["worker"] for entry in journal(serving.url)}) < 2:
            assert ask(serving.url, "hi").json()["choices"][0]["message"]["content"] == "by rule"


def test_the_options_of_one_worker_are_those_of_several(llmmock, cassette):
    options = ["--auth-token", "sk-1", "--cors-origin", "http://page.example", "--on-miss", "error"]
    with llmmock.serving("replay", cassette, "--workers", 2, "--host", "localhost", *options) as serving:
        assert ask(serving.url).status_code == 401
        answered = ask(serving.url, **{"x-api-key": "sk-1", "origin": "http://page.example"})
        assert answered.status_code == 200
        assert answered.headers["access-control-allow-origin"] == "http://page.example"
        missed = ask(serving.url, "unknown", **{"x-api-key": "sk-1"})
        assert missed.json()["error"]["code"] == "no_recording"
    assert "No recording matches this request" in serving.err


def test_what_each_worker_has_for_itself_is_told_at_the_start(llmmock, tmp_path):
    recorded = [Interaction.of(Recorded(chat("hello"), json_reply({**ANSWER, "id": each}))) for each in "ab"]
    save(tmp_path / "a.yaml", recorded)
    with llmmock.serving("replay", "a.yaml", "--workers", 2, "--limits", "rpm=1000") as serving:
        told = "  2 workers, each with its own: the order of 1 request recorded more than once, limits\n"
        assert told in serving.out


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_it_as_it_ends_one(llmmock, cassette, number):
    with llmmock.serving("replay", cassette, "--workers", 2) as serving:
        workers = workers_of(serving.process)
        serving.process.send_signal(number)
        serving.process.wait(30)
    assert serving.err == "llmmock: stopped\n"
    assert gone(workers)


def interrupted(*_: Any) -> Any:
    raise KeyboardInterrupt


def test_a_signal_while_workers_begin_ends_it_as_well(monkeypatch, capsys):
    monkeypatch.setattr(workers, "_interrupted_by_signals", nullcontext)
    monkeypatch.setattr(workers, "_start", interrupted)
    workers.serve_with_workers((), combine([]), ("127.0.0.1", 0), 2, str)
    assert capsys.readouterr() == ("", "llmmock: stopped\n")


def test_a_worker_that_still_reads_its_cassettes_ends_without_a_word(monkeypatch, tmp_path):
    monkeypatch.setattr(workers.signal, "signal", lambda *_: None)
    monkeypatch.setattr(workers, "named", interrupted)
    ready, tell = multiprocessing.Pipe(duplex=False)
    with ready, tell:
        workers._Worker((), combine([]), ("127.0.0.1", 0), str(tmp_path))(tell)
        assert not ready.poll()


@pytest.mark.skipif(not socket.has_dualstack_ipv6(), reason="IPv6 is not here")
def test_all_addresses_of_ipv6_leave_those_of_ipv4_alone():
    with socket.create_server(("0.0.0.0", 0)) as other:
        port = other.getsockname()[1]
        with workers._reserved("::", port) as reserved:
            assert reserved == port


def test_a_stream_that_still_comes_does_not_hold_the_end(llmmock, cassette):
    with llmmock.serving("replay", cassette, "--workers", 2, "--speed", "ttft=600") as serving:
        body = chat("hello", stream=True).body
        with httpx.stream("POST", f"{serving.url}/v1/chat/completions", content=body, timeout=30) as response:
            assert response.status_code == 200
            serving.process.terminate()
            serving.process.wait(30)


def test_a_worker_that_dies_is_told_and_ends_the_server(llmmock, cassette):
    with llmmock.serving("replay", cassette, "--workers", 2, ends_with=1) as serving:
        workers = workers_of(serving.process)
        os.kill(min(workers), signal.SIGKILL)
        serving.process.wait(30)
    assert "llmmock: A worker has ended by itself, so the others were stopped. Start it again.\n" in serving.err
    assert "Traceback" not in serving.err
    assert gone(workers)


def test_workers_do_not_outlive_a_server_that_is_killed(llmmock, cassette, tmp_path):
    (tmp_path / "tmp").mkdir()
    llmmock.environment["TMPDIR"] = str(tmp_path / "tmp")
    with llmmock.serving("replay", cassette, "--workers", 2, ends_with=-9) as serving:
        workers = workers_of(serving.process)
        serving.process.kill()
        serving.process.wait(30)
        while not gone(workers):
            pass
    assert not list((tmp_path / "tmp").iterdir())


def test_a_port_in_use_is_one_readable_error(llmmock, cassette):
    with llmmock.serving("replay", cassette, "--workers", 2) as serving:
        port = serving.url.rpartition(":")[2]
        told = llmmock("replay", cassette, "--workers", 2, "--port", port, status=1).stderr
    assert told.startswith(f"llmmock: The server cannot listen on 127.0.0.1, port {port}")


def test_a_played_provider_has_one_worker(llmmock):
    told = llmmock("replay", "--simulate", "--workers", 2, "--port", 0, status=2).stderr
    assert told.startswith("llmmock: --simulate and --workers do not go together")


def test_what_is_wrong_with_cassettes_is_told_before_there_are_workers(llmmock):
    assert "There is no cassette and no folder at" in llmmock("replay", "a.yaml", "--workers", 2, status=1).stderr


def test_workers_that_begin_as_new_programs_serve_as_well(llmmock, cassette):
    """So Python 3.14 has it, and macOS has had it for long: what they are to serve is sent to them."""
    program = cassette.parent / "program.py"
    program.write_text(
        "import multiprocessing, sys\n"
        "if __name__ == '__main__':\n"
        "    multiprocessing.set_start_method('spawn')\n"
        "    from pytest_llmmock.cli import main\n"
        "    sys.argv = ['llmmock', 'replay', 'a.yaml', '--workers', '2', '--port', '0']\n"
        "    main()\n"
    )
    process = subprocess.Popen(
        [sys.executable, "-u", program], cwd=cassette.parent, env=llmmock.environment, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    try:
        url = process.stdout.readline().strip().rpartition(" on ")[2]
        assert ask(url).status_code == 200
    finally:
        process.terminate()
        process.communicate(timeout=30)
    assert process.returncode == 0


def test_one_worker_is_the_server_that_needs_nothing_more(llmmock, cassette):
    code = (
        "import sys, threading, pytest_llmmock.cli as cli, pytest_llmmock.cli.serving as serving\n"
        "serving.Server.serve_forever = lambda server: print(*sorted({m.split('.')[0] for m in sys.modules}))\n"
        "sys.argv = ['llmmock', 'replay', 'a.yaml', '--workers', '1', '--port', '0']\n"
        "cli.main()"
    )
    told = subprocess.run(
        [sys.executable, "-c", code],
        cwd=cassette.parent,
        env=llmmock.environment,
        capture_output=True,
        text=True,
        check=True,
    )
    assert "pytest_llmmock" in told.stdout.split()
    assert "granian" not in told.stdout.split()


@pytest.mark.parametrize(
    ("repeated", "given", "told"),
    [
        (0, {}, ""),
        (1, {}, ", each with its own: the order of 1 request recorded more than once"),
        (0, {"repeat": False}, ", each with its own: recordings that are played once"),
        (0, {"rules": "rules.yaml"}, ", each with its own: sequences of rules"),
        (0, {"lock_out": "5/60s", "auth_token": "sk-1"}, ", each with its own: limits"),
        (2, {"limits": "rpm=3"}, ", each with its own: the order of 2 requests recorded more than once, limits"),
    ],
)
def test_what_is_told_is_what_makes_a_difference(repeated, given, told):
    assert by_itself(repeated, combine([("test", {"repeat": True, **given})])) == told


def test_nobody_can_connect_before_a_worker_listens():
    """A client that got in would be hung up on."""
    with bind("127.0.0.1", 0, listens=False) as free, pytest.raises(ConnectionRefusedError):
        socket.create_connection(free.getsockname())


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
def test_a_port_at_which_somebody_listens_is_found_out_without_listening(host):
    with bind(host, 0, shared=True) as taken, pytest.raises(ServerError, match="Address already in use"):
        bind(host, taken.getsockname()[1], listens=False)
