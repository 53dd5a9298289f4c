from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from provider import Answer, Asked, Provider, as_json, as_stream
from standin import SECRET
from verifying import calling, chat, request, said, stream, tape

from pytest_llmmock.core.model import Reply, frames_of
from pytest_llmmock.core.sse import write_event

COMMAND = [sys.executable, "-m", "pytest_llmmock"]

PIECES = ({"choices": [{"index": 0, "delta": {"content": "hello"}, "finish_reason": None}]}, "[DONE]")


PIPES = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}


@pytest.fixture
def provider() -> Iterator[Provider]:
    with Provider() as running:
        yield running


def answering(**answers: Answer) -> Callable[[Asked], Answer]:
    """What is answered to which words; to others what was recorded."""
    return lambda asked: answers.get(asked.words, as_json(said()))


def test_the_same_answers_are_told_and_nothing_is_written(llmmock, provider, tmp_path):
    path = tape(tmp_path / "tapes/a.yaml", (chat(), said()), (chat("again"), said()))
    before = path.read_bytes(), path.stat().st_mtime_ns
    provider.answer = answering()
    done = llmmock("verify", "tapes", "--upstream", provider.url + "/v1")
    assert done.stderr == f"llmmock: 2 requests to {provider.url}/v1, about 14 tokens as recorded\n"
    rows = done.stdout.splitlines()
    assert rows[0].split() == ["RECORDING", "ASKED", "CLASS", "FIRST", "DIFFERENCE"]
    assert rows[2].split() == ["tapes/a.yaml", "#2", "chat", "m", "same", "shape"]
    assert rows[-1] == "2 recordings asked again: 2 same shape"
    assert (path.read_bytes(), path.stat().st_mtime_ns) == before
    assert sorted(each.name for each in tmp_path.rglob("*")) == ["a.yaml", "tapes"]
    assert [asked.words for asked in provider.requests] == ["hello", "again"]


def less(name: str) -> dict[str, object]:
    value = said()
    del value[name]
    return value


CASES = {
    "failed": (as_stream(write_event(PIECES[0])), 1),
    "status-differs": (as_json({"error": {"message": "no such model"}}, 404), 1),
    "type-changed": (as_json(said(service_tier=1)), 1),
    "field-removed": (as_json(less("service_tier")), 1),
    "field-added": (as_json(said(new=1)), 0),
    "tools-changed": (as_json(calling(("weather", "{}"), finish="stop")), 0),
    "finish-differs": (as_json({**said(), "choices": [{**said()["choices"][0], "finish_reason": "length"}]}), 0),
    "model-differs": (as_json(said(model="m-2")), 0),
    "text-differs": (as_json(said("good day")), 0),
    "same-shape": (as_json(said(id="chatcmpl-9")), 0),
}


@pytest.mark.parametrize("name", CASES)
def test_each_class_is_told_and_fails_or_not(llmmock, provider, tmp_path, name):
    answer, status = CASES[name]
    recorded = stream(*PIECES) if name == "failed" else said()
    tape(tmp_path / "a.yaml", (chat(stream=name == "failed"), recorded))
    provider.answer = answering(hello=answer)
    told = llmmock("verify", "a.yaml", "--upstream", provider.url + "/v1", "--json", status=status).stdout
    value = json.loads(told)
    assert value["recordings"][0]["class"] == name
    assert value["classes"][name] == 1
    assert value["failed_for"] == ([name] if status else [])
    llmmock("verify", "a.yaml", "--upstream", provider.url + "/v1", "--fail-on", name.replace("-", " "), status=1)


def test_no_class_fails_where_none_is_to(llmmock, provider, tmp_path):
    tape(tmp_path / "a.yaml", (chat(), said()))
    provider.answer = answering(hello=CASES["status-differs"][0])
    out = llmmock("verify", "a.yaml", "--upstream", provider.url + "/v1", "--fail-on", "none").stdout
    assert "status differs  status: 200 -> 404; no such model" in out
    assert "fails for" not in out


def test_the_table_names_the_first_difference_and_full_names_all(llmmock, provider, tmp_path):
    tape(tmp_path / "a.yaml", (chat(), said("Start at the Forum")))
    changed = {**less("service_tier"), "choices": said("Start at noon")["choices"]}
    provider.answer = answering(hello=as_json(changed))
    out = llmmock("verify", "a.yaml", "--upstream", provider.url + "/v1", "--full", status=1).stdout
    assert "a.yaml #1  chat m  field removed  service_tier: string -> (nothing)" in out
    assert "  field removed: service_tier\n    - string\n    + (nothing)\n" in out
    assert "  text differs: answer.text\n    - Start at the Forum\n    + Start at noon\n" in out
    assert out.endswith("1 recording asked again: 1 field removed\nfails for: field removed\n")


def test_the_whole_as_json(llmmock, provider, tmp_path):
    tape(tmp_path / "a.yaml", (chat(), said()), (request("/v1/batches", {"model": "m"}), {"id": "batch_1"}))
    provider.answer = answering(hello=as_json(said("good day")))
    value = json.loads(llmmock("verify", "a.yaml", "--upstream", provider.url + "/v1", "--json").stdout)
    one, two = value["recordings"]
    assert one["differences"] == [
        {"class": "text-differs", "path": "answer.text", "recorded": "hello", "now": "good day"}
    ]
    assert (one["text"], one["recorded_from"], one["status"]) == ("good day", "openai", 200)
    assert (two["class"], two["skipped"]) == (None, "is done hours later, and costs more than one request")
    assert (value["skipped"], value["interrupted"], value["upstream"]) == (1, False, provider.url + "/v1")


def test_streams_of_several_protocols_are_asked_for_as_they_were_recorded(llmmock, provider, tmp_path):
    message = {"id": "msg_1", "type": "message", "role": "assistant", "model": "m", "content": []}
    anthropic = (
        {"type": "message_start", "message": {**message, "usage": {"input_tokens": 1, "output_tokens": 1}}},
        {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
        {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "Hi"}},
        {"type": "content_block_stop", "index": 0},
        {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 1}},
        {"type": "message_stop"},
    )
    line = b'{"model":"m","created_at":"2026","message":{"role":"assistant","content":"Hi"},"done":true}\n'
    ollama = Reply(200, (("content-type", "application/x-ndjson"),), frames_of(line))
    asked = {"model": "m", "messages": [{"role": "user", "content": "hi"}], "stream": True}
    tape(
        tmp_path / "a.yaml",
        (chat(stream=True), stream(*PIECES)),
        (
            request("/v1/messages", {**asked, "max_tokens": 9}, **{"anthropic-version": "2023-06-01"}),
            stream(*anthropic),
        ),
        (request("/api/chat", asked), ollama),
    )

    def answer(asked: Asked) -> Answer:
        if asked.path == "/v1/messages":
            assert asked.headers["anthropic-version"] == "2023-06-01"
            return as_stream(*(write_event(event, str(event["type"])) for event in anthropic))
        if asked.path == "/api/chat":
            return Answer(headers={"content-type": "application/x-ndjson"}, pieces=[line])
        return as_stream(*map(write_event, PIECES))

    provider.answer = answer
    out = llmmock("verify", "a.yaml", "--upstream", provider.url).stdout
    assert out.endswith("3 recordings asked again: 3 same shape\n")


def test_only_what_is_selected_is_asked_and_at_most_so_many(llmmock, provider, tmp_path):
    tape(tmp_path / "a.yaml", *[(chat(words), said()) for words in ("one", "two", "three")])
    tape(tmp_path / "b.yaml", (request("/v1/models"), {"object": "list", "data": []}))
    provider.answer = answering()
    upstream = ("--upstream", provider.url + "/v1")
    done = llmmock("verify", "a.yaml", "b.yaml", *upstream, "--select", "operation=chat", "--max", "2")
    assert done.stdout.endswith("2 recordings asked again: 2 same shape\n1 recording not asked (--max)\n")
    llmmock("verify", "a.yaml", *upstream, "--select", "number=3", "--select", "model=m*")
    assert [asked.words for asked in provider.requests] == ["one", "two", "three"]
    done = llmmock("verify", "a.yaml", *upstream, "--select", "model=gpt-5*")
    assert done.stdout == "\n0 recordings asked again\n"


RULES = """
rules:
  - when: {contains: weather}
    reply: {tool_calls: [{name: get_weather, arguments: {city: Rome}}]}
default:
  reply: {text: It is sunny.}
"""

CONVERSATION = """
from openai import OpenAI
with OpenAI(max_retries=0) as client:
    tools = [{"type": "function", "name": "get_weather", "parameters": {}, "strict": False}]
    one = client.responses.create(model="gpt-5", input="How is the weather?", tools=tools)
    output = {"type": "function_call_output", "call_id": one.output[0].call_id, "output": "sunny"}
    two = client.responses.create(model="gpt-5", previous_response_id=one.id, input=[output])
    for event in client.responses.create(model="gpt-5", previous_response_id=two.id, input="And now?", stream=True):
        pass
    file = client.files.create(file=("a.txt", b"hello"), purpose="assistants")
    client.files.content(file.id)
    client.files.delete(file.id)
    client.responses.retrieve(two.id)
"""


def test_conversations_and_files_are_asked_again_of_a_provider_that_knows_none_of_their_ids(llmmock, tmp_path):
    (tmp_path / "rules.yaml").write_text(RULES)
    (tmp_path / "app.py").write_text(CONVERSATION)
    provider = ["replay", "--simulate", "--rules", "rules.yaml"]
    with llmmock.serving(*provider) as first:
        record = ["record", "--cassette", "a.yaml", "--upstream", first.url + "/v1"]
        llmmock(*record, "--", sys.executable, "app.py")
    with llmmock.serving(*provider) as second:
        out = llmmock("verify", "a.yaml", "--upstream", second.url + "/v1").stdout
    assert out.endswith("7 recordings asked again: 7 same shape\n")


def test_what_is_skipped_is_none_of_the_most_that_are_asked_and_costs_nothing(llmmock, provider, tmp_path):
    batch = (request("/v1/batches", {"model": "m"}), {"id": "batch_1"})
    tape(tmp_path / "a.yaml", batch, (chat("one"), said()), (chat("two"), said()))
    provider.answer = answering()
    done = llmmock("verify", "a.yaml", "--upstream", provider.url + "/v1", "--max", "1")
    assert done.stderr.startswith("llmmock: 1 request to ")
    assert "about 7 tokens" in done.stderr
    assert "1 recording asked again: 1 same shape; 1 skipped\n1 recording not asked (--max)\n" in done.stdout


def test_an_upstream_that_is_down_is_told_for_each_and_soon_given_up(llmmock, tmp_path):
    tape(tmp_path / "a.yaml", *[(chat(str(number)), said()) for number in range(5)])
    out = llmmock("verify", "a.yaml", "--upstream", "http://127.0.0.1:9/v1", status=1).stdout
    assert out.count("did not answer POST /v1/chat/completions") == 3
    assert out.count("  skipped  the upstream did not answer, or refused, the 3 requests before it") == 2
    assert "3 recordings asked again: 3 failed; 2 skipped\nfails for: failed\n" in out


def test_an_answer_that_breaks_off_has_failed(llmmock, standin, tmp_path):
    tape(tmp_path / "a.yaml", (chat("break off", stream=True), stream(*PIECES)))
    out = llmmock("verify", "a.yaml", "--upstream", standin.base_url, status=1).stdout
    assert "failed  The answer of http://127.0.0.1" in out
    assert "broke off" in out


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--fail-on", "field gone"], "There is no class 'field-gone'"),
        (["--select", "colour=red"], "--select 'colour=red' is not possible"),
        (["--max", "0"], "--max"),
        (["--upstream", "nowhere"], "There is no upstream 'nowhere'"),
        (["--upstream", "original"], "The upstream 'original' has no key"),
        ([], "--upstream"),
    ],
)
def test_usage_errors_are_told_before_anything_is_asked(llmmock, tmp_path, arguments, told):
    tape(tmp_path / "a.yaml", (chat(), said()))
    done = llmmock("verify", "a.yaml", *arguments, status=2)
    assert told in done.stderr
    assert not done.stdout


def test_what_cannot_be_read_is_told_and_the_rest_is_asked(llmmock, provider, tmp_path):
    tape(tmp_path / "tapes/a.yaml", (chat(), said()))
    (tmp_path / "tapes/b.yaml").write_text("version: 1\ninteractions:\n- request:\n    method: PO")
    provider.answer = answering()
    done = llmmock("verify", "tapes", "--upstream", provider.url + "/v1", status=1)
    assert "1 recording asked again: 1 same shape" in done.stdout
    assert "is not a cassette that can be read" in done.stderr


def test_the_key_is_that_of_the_environment_and_is_not_told_where_it_is_echoed(llmmock, provider, tmp_path):
    tape(tmp_path / "a.yaml", (chat(), said("Hello, redacted-secret.")))
    llmmock.environment["LLMMOCK_UPSTREAM_API_KEY"] = SECRET
    llmmock.environment["LLMMOCK_UPSTREAM"] = provider.url + "/v1"
    provider.answer = lambda asked: as_json(said(f"Hello, {asked.headers['authorization'].split()[1]}."))
    done = llmmock("verify", "a.yaml", "--json")
    assert provider.requests[0].headers["authorization"] == f"Bearer {SECRET}"
    assert SECRET not in done.stdout + done.stderr
    assert json.loads(done.stdout)["recordings"][0]["class"] == "same-shape"


class Held(threading.Event):
    """Says when somebody waits for it."""

    def __init__(self) -> None:
        super().__init__()
        self.waited_for = threading.Event()

    def wait(self, timeout: float | None = None) -> bool:
        self.waited_for.set()
        return super().wait(timeout)


@pytest.mark.skipif(os.name == "nt", reason="sends SIGINT")
def test_ctrl_c_tells_what_was_found_so_far(llmmock, standin, tmp_path):
    asked = (chat("one"), chat("two", stream=True), chat("three"))
    tape(tmp_path / "a.yaml", *[(each, said()) for each in asked])
    standin.release = held = Held()
    command = [*COMMAND, "verify", "a.yaml", "--upstream", standin.base_url]
    with subprocess.Popen(command, cwd=tmp_path, env=llmmock.environment, **PIPES) as process:
        assert held.waited_for.wait(30)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=30)
    assert process.returncode == 130, err
    assert "Traceback" not in err
    assert "a.yaml #1  chat m  field removed" in out
    assert "#2" not in out
    assert "1 recording asked again: 1 field removed\n" in out
    assert out.endswith("2 recordings not asked: stopped by Ctrl-C\n")


def on_a_terminal(command: list[str], folder: Path, environment: dict[str, str], say: str) -> tuple[int, str]:
    """Run a command on a terminal of its own, and answer its question."""
    pty = pytest.importorskip("pty")
    ours, theirs = pty.openpty()
    with subprocess.Popen(command, cwd=folder, env=environment, stdin=theirs, stdout=theirs, stderr=theirs) as process:
        os.close(theirs)
        seen = b""
        while select.select([ours], [], [], 30)[0]:
            try:
                piece = os.read(ours, 4096)
            except OSError:  # the other end is closed
                break
            if b"Go on?" in seen + piece and b"Go on?" not in seen:
                os.write(ours, say.encode())
            seen += piece
        os.close(ours)
    return process.returncode, seen.decode()


@pytest.mark.parametrize(("say", "arguments", "asked"), [("y\n", [], 1), ("n\n", [], 0), ("", ["--yes"], 1)])
def test_on_a_terminal_the_cost_is_agreed_to_before(llmmock, provider, tmp_path, say, arguments, asked):
    tape(tmp_path / "a.yaml", (chat(), said()))
    provider.answer = answering()
    command = [*COMMAND, "verify", "a.yaml", "--upstream", provider.url + "/v1", *arguments]
    status, seen = on_a_terminal(command, tmp_path, llmmock.environment, say)
    assert "1 request to" in seen
    assert ("Go on? [y/N]" in seen) is (not arguments)
    assert len(provider.requests) == asked
    assert status == (0 if asked else 1)
