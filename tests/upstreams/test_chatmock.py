"""ChatMock, as it is published, as an upstream: in front of the stand-in for the backend that it asks."""

from __future__ import annotations

import importlib.util
import json
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import httpx
import ollama
import openai
import pytest
from chatgpt_backend import USER, Backend, identifying
from programs import free_port, program

from pytest_llmmock import LLMServer, use_cassette
from pytest_llmmock.cassettes.library import open_cassette

pytestmark = pytest.mark.skipif(importlib.util.find_spec("chatmock") is None, reason="chatmock is not there")

MODEL = "gpt-5.5"
OPENAI = "https://api.openai.com/v1"
TOOL = {"type": "function", "function": {"name": "weather", "description": "?", "parameters": {"type": "object"}}}
THOUGHT = "<think>**Thinking** of it</think>"

STARTED = """
import sys
import chatmock.cli, chatmock.upstream
chatmock.upstream.CHATGPT_RESPONSES_URL = sys.argv.pop(1)
chatmock.cli.main()
"""
"""Its own command line. The address of what it asks is a constant."""


@pytest.fixture
def backend() -> Iterator[Backend]:
    with Backend() as running:
        running.instructs = False
        yield running


@contextmanager
def chatmock(backend: Backend, folder: Path) -> Iterator[str]:
    backend.login(folder)
    port = free_port()
    command = [sys.executable, "-u", "-c", STARTED, f"{backend.base_url}/responses", "serve", "--port", str(port)]
    own = {"CHATGPT_LOCAL_HOME": str(folder), "CHATGPT_LOCAL_ISSUER": backend.issuer, "NO_PROXY": "127.0.0.1,localhost"}
    with program([*command, "--no-model-sync"], "Running on", **own):
        yield f"http://127.0.0.1:{port}/v1"


@contextmanager
def llmmock(upstream: str, cassette: Path) -> Iterator[str]:
    port = free_port()
    options = ["--cassette", str(cassette), "--upstream", upstream, "--port", str(port)]
    with program([sys.executable, "-u", "-m", "pytest_llmmock", "record", *options], "stop with Ctrl-C"):
        yield f"http://127.0.0.1:{port}/v1"


def chat(client: openai.OpenAI, words: str, **more: Any) -> list[Any]:
    turns = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": words}]
    told = client.chat.completions.create(model=MODEL, messages=turns, **more)
    return [each.to_dict() for each in (told if more.get("stream") else [told])]


def answers(base_url: str) -> list[list[Any]]:
    """Plain, streamed and with tools, in three protocols."""
    usage = {"stream": True, "stream_options": {"include_usage": True}}
    with openai.OpenAI(api_key="sk-client-0123456789", base_url=base_url, max_retries=0) as client:
        found = [
            chat(client, "one two"),
            chat(client, "one two", **usage),
            chat(client, "weather?", tools=[TOOL]),
            chat(client, "weather?", tools=[TOOL], **usage),
            [each.to_dict() for each in client.responses.create(model=MODEL, input="three", stream=True)],
        ]
    local = ollama.Client(base_url.removesuffix("/v1"))
    with closing(local._client):
        turns = [{"role": "user", "content": "four"}]
        return [*found, [line.model_dump() for line in local.chat(MODEL, turns, stream=True)]]


def told(answers: list[list[Any]]) -> None:
    """What ChatMock makes of the answers of the backend reaches a client while it is recorded."""
    plain, streamed, called, calls, events, lines = answers
    assert plain[0]["choices"][0]["message"]["content"].startswith(f"{THOUGHT}one two #")
    pieces = [choice["delta"].get("content") or "" for chunk in streamed for choice in chunk["choices"]]
    assert "".join(pieces).startswith(f"{THOUGHT}one two #")
    assert streamed[-1]["usage"]["total_tokens"] == 30
    assert [call["function"]["name"] for call in called[0]["choices"][0]["message"]["tool_calls"]] == ["weather"] * 2
    assert [choice["finish_reason"] for chunk in calls for choice in chunk["choices"]].count("tool_calls") == 1
    assert events[-1]["type"] == "response.completed"
    assert "four #" in "".join(line["message"]["content"] for line in lines)


def without_user(answers: list[list[Any]]) -> list[list[Any]]:
    """A recording does not tell who asked."""
    found: list[list[Any]] = json.loads(json.dumps(answers).replace(USER, "redacted-user"))
    return found


@contextmanager
def in_process(upstream: str, cassette: Path) -> Iterator[str]:
    with use_cassette(cassette, mode="new_episodes", upstream=upstream):
        yield OPENAI


@contextmanager
def over_http(upstream: str, cassette: Path) -> Iterator[str]:
    with LLMServer(cassette, mode="new_episodes", upstream=upstream) as server:
        yield server.base_url


@pytest.mark.parametrize("recording", [in_process, over_http, llmmock])
def test_what_is_recorded_through_chatmock_is_replayed_without_it(backend, tmp_path, recording):
    path, home = tmp_path / "a.yaml", tmp_path / "home"
    with chatmock(backend, home) as upstream, recording(upstream, path) as base_url:
        recorded = answers(base_url)
    told(recorded)
    asked = len(backend.requests)
    with use_cassette(path):
        assert answers(OPENAI) == without_user(recorded)
    with LLMServer(path) as server:
        assert answers(server.base_url) == without_user(recorded)
    assert len(backend.requests) == asked == 6
    written = path.read_text()
    known = {secret for secret in identifying(backend, home / "auth.json") if secret not in backend.sealed}
    assert not [secret for secret in known if secret in written]
    assert "sk-client" not in written


def test_plain_and_streamed_stand_for_each_other(backend, tmp_path):
    path = tmp_path / "a.yaml"
    with (
        chatmock(backend, tmp_path / "home") as upstream,
        in_process(upstream, path),
        openai.OpenAI(api_key="k", base_url=OPENAI, max_retries=0) as client,
    ):
        recorded = chat(client, "weather?", tools=[TOOL], stream=True)
        events = list(client.responses.create(model=MODEL, input="four", stream=True))
    assert events[-1].type == "response.completed"
    with use_cassette(path), openai.OpenAI(api_key="k", base_url=OPENAI, max_retries=0) as client:
        (plain,) = chat(client, "weather?", tools=[TOOL])
        whole = client.responses.create(model=MODEL, input="four")
    message = plain["choices"][0]["message"]
    assert message["content"] == THOUGHT
    assert len(message["tool_calls"]) == 2
    assert recorded[-1]["choices"][0]["finish_reason"] == plain["choices"][0]["finish_reason"] == "tool_calls"
    assert whole.output_text.startswith("four #")  # its last event holds no output


def test_what_it_refuses_passes_and_what_it_leaves_half_is_told(backend, tmp_path):
    path = tmp_path / "a.yaml"
    with (
        chatmock(backend, tmp_path / "home") as upstream,
        use_cassette(path, mode="new_episodes", upstream=upstream) as mock,
        openai.OpenAI(api_key="k", base_url=OPENAI, max_retries=0) as client,
    ):
        with pytest.raises(openai.RateLimitError, match="The usage limit has been reached"):
            chat(client, "limit", stream=True)
        chunks = chat(client, "ends early", stream=True)
        half = mock.requests.last
    assert all(choice["finish_reason"] is None for chunk in chunks for choice in chunk["choices"])
    assert "ended a stream without its last event" in half.warnings[0]
    (interaction,) = open_cassette(path).interactions
    assert interaction.meta["notes"] == ["the stream ended without its last event: the answer may have been cut off"]


def test_its_other_routes_are_recorded_as_they_are(backend, tmp_path):
    path = tmp_path / "a.yaml"
    with chatmock(backend, tmp_path / "home") as upstream, over_http(upstream, path) as base_url:
        root = base_url.removesuffix("/v1")
        routes = [f"{base_url}/models", f"{root}/api/tags", f"{root}/api/version"]
        recorded = [httpx.get(route).json() for route in routes]
    with LLMServer(path) as server:
        root = server.base_url.removesuffix("/v1")
        routes = [f"{server.base_url}/models", f"{root}/api/tags", f"{root}/api/version"]
        assert [httpx.get(route).json() for route in routes] == recorded
