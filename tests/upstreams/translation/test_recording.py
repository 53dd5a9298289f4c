"""From an SDK through an upstream that speaks Responses only into a cassette, and back out of it."""

from __future__ import annotations

import asyncio
import json
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import ollama
import openai
import pytest
import responding as upstream
from holding import PATIENCE

from pytest_llmmock import LLMServer, UnmatchedError, use_cassette
from pytest_llmmock.cassettes.library import open_cassette
from pytest_llmmock.core.live import Live
from pytest_llmmock.core.model import Exchange, Reply, Request, Send
from pytest_llmmock.errors import CutConnection
from pytest_llmmock.inbound.server import Server
from pytest_llmmock.upstreams import UPSTREAMS
from pytest_llmmock.upstreams.translation import as_asked, as_responses


class Provider:
    """Speaks Responses, streamed, and nothing else."""

    def __init__(self) -> None:
        self.bodies: list[Any] = []
        self.release = threading.Event()
        self.release.set()
        self.breaks = False
        self.server = Server(self.handle)

    def handle(self, request: Request) -> Reply:
        body = json.loads(request.body)
        assert (request.path, body["stream"], body["store"]) == ("/v1/responses", True, False)
        assert isinstance(body["input"], list)
        self.bodies.append(body)
        return Reply(200, upstream.EVENTS, Live(self.events(), lambda: None, since=0), live=True)

    def events(self) -> Iterator[bytes]:
        yield upstream.created()
        *begun, end, part, item = upstream.message(0, "It ", "rains")
        yield from begun
        assert self.release.wait(PATIENCE)
        if self.breaks:
            raise CutConnection("the provider breaks off")
        yield from (end, part, item)
        yield from upstream.call(1, "weather", '{"city":', '"Rome"}')
        yield upstream.ended()


@dataclass(frozen=True)
class ResponsesOnly:
    BASE_URL: str
    NAME: str = "responses-only"
    headers: Any = field(default=(("content-type", "application/json"),))

    def forward(self, exchange: Exchange, send: Send) -> Reply:
        asked = as_responses(exchange)
        exchange.notes += asked.notes
        body = json.dumps(asked.body).encode()
        return as_asked(exchange, send(Request("POST", self.BASE_URL, "/v1/responses", "", self.headers, body)))


@pytest.fixture
def provider(monkeypatch: pytest.MonkeyPatch) -> Iterator[Provider]:
    running = Provider()
    running.server.start()
    module = SimpleNamespace(upstream=lambda environ: ResponsesOnly(running.server.url))
    monkeypatch.setitem(sys.modules, "pytest_llmmock.upstreams.responses_only", module)  # type: ignore[arg-type]
    monkeypatch.setitem(UPSTREAMS, "responses-only", "responses_only")
    yield running
    running.release.set()
    running.server.stop()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "tapes" / "a.yaml"


RECORDING: dict[str, Any] = {"mode": "new_episodes", "upstream": "responses-only"}
TOOL = {"type": "function", "function": {"name": "weather", "parameters": {"type": "object"}}}
ASKED: dict[str, Any] = {"model": "gpt-5", "messages": [{"role": "user", "content": "Rome?"}], "tools": [TOOL]}


def chunks(**more: Any) -> list[Any]:
    with openai.OpenAI(api_key="k", max_retries=0) as client:
        return [chunk.to_dict() for chunk in client.chat.completions.create(**ASKED, stream=True, **more)]


def plain() -> Any:
    with openai.OpenAI(api_key="k", max_retries=0) as client:
        return client.chat.completions.create(**ASKED).to_dict()


def test_chat_is_recorded_and_replayed_chunk_by_chunk_in_process_and_over_http(
    provider: Provider, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("OPENAI_BASE_URL", raising=False)
    with use_cassette(path, **RECORDING):
        recorded, whole = chunks(), plain()
    assert provider.bodies[0]["tools"] == [
        {"type": "function", "name": "weather", "description": "", "strict": False, "parameters": {"type": "object"}}
    ]
    assert "".join(chunk["choices"][0]["delta"].get("content") or "" for chunk in recorded) == "It rains"
    assert whole["choices"][0]["message"]["tool_calls"][0]["function"]["arguments"] == '{"city":"Rome"}'
    with use_cassette(path):
        assert (chunks(), plain()) == (recorded, whole)
    with LLMServer(path):
        assert (chunks(), plain()) == (recorded, whole)
    assert len(provider.bodies) == 2
    text = path.read_text()
    assert "upstream: responses-only" in text
    assert "chat/completions" in text
    assert "response.created" not in text


def test_ollama_is_recorded_in_its_own_protocol(provider: Provider, path: Path) -> None:
    def lines() -> list[Any]:
        client = ollama.Client("http://127.0.0.1:1")
        with client._client:
            return [line.model_dump() for line in client.chat("gpt-5", ASKED["messages"], stream=True)]

    with use_cassette(path, **RECORDING):
        recorded = lines()
    assert recorded[2]["message"]["tool_calls"][0]["function"] == {"name": "weather", "arguments": {"city": "Rome"}}
    with use_cassette(path):
        assert lines() == recorded


def test_the_client_has_the_first_words_while_the_provider_still_speaks(provider: Provider, path: Path) -> None:
    provider.release.clear()
    with use_cassette(path, **RECORDING), openai.OpenAI(api_key="k", max_retries=0) as client:
        stream = client.chat.completions.create(**ASKED, stream=True)
        heard = ""
        while heard != "It rains":
            heard += next(stream).choices[0].delta.content or ""
        assert not provider.release.is_set()
        provider.release.set()
        assert [chunk.choices[0].finish_reason for chunk in stream][-1] == "tool_calls"


def test_an_async_client_reads_it_without_blocking_its_loop(provider: Provider, path: Path) -> None:
    async def ask() -> list[str]:
        provider.release.clear()
        heard: list[str] = []
        async with openai.AsyncOpenAI(api_key="k", max_retries=0) as client:
            async for chunk in await client.chat.completions.create(**ASKED, stream=True):
                heard.append(chunk.choices[0].delta.content or "")
                if "".join(heard) == "It rains":
                    asyncio.get_running_loop().call_soon(provider.release.set)
        return heard

    with use_cassette(path, **RECORDING) as mock:
        assert "".join(asyncio.run(ask())) == "It rains"
    assert mock.requests.last.tool_calls[0].arguments == '{"city":"Rome"}'


def test_what_breaks_off_is_told_and_not_recorded(provider: Provider, path: Path) -> None:
    provider.breaks = True
    with pytest.raises(UnmatchedError, match=r"broke off.* It was not recorded"):
        hear_of_the_break(path)
    assert not path.exists()


def hear_of_the_break(path: Path) -> None:
    with use_cassette(path, **RECORDING), pytest.raises(openai.APIError, match="broke off"):
        chunks()


def test_what_cannot_be_asked_is_refused_before_anybody_is_asked(provider: Provider, path: Path) -> None:
    with pytest.raises(UnmatchedError, match="gives one answer"):
        refuse(path)
    assert provider.bodies == []


def refuse(path: Path) -> None:
    words = "gives one answer to a request, and 'n' asks for 2"
    with use_cassette(path, **RECORDING), pytest.raises(openai.BadRequestError, match=words):
        chunks(n=2)


@pytest.mark.parametrize("stream", [True, False])
def test_tokens_count_in_a_budget_also_where_the_client_is_not_told_of_them(
    provider: Provider, path: Path, stream: bool
) -> None:
    with pytest.raises(UnmatchedError, match="spent: 1 request, 7 tokens"):
        ask_until_it_is_spent(path, chunks if stream else plain)
    assert len(provider.bodies) == 1


def ask_until_it_is_spent(path: Path, ask: Callable[[], object]) -> None:
    with use_cassette(path, **RECORDING, budget="5 tokens"):
        ask()
        with pytest.raises(openai.APIStatusError):
            ask()


@pytest.mark.parametrize("stream", [True, False])
def test_what_the_answer_lost_stands_in_the_cassette_as_well(provider: Provider, path: Path, stream: bool) -> None:
    def ask() -> None:
        with openai.OpenAI(api_key="k", max_retries=0) as client:
            for _ in client.completions.create(model="gpt-5", prompt="Rome?", seed=1, stream=stream):
                pass

    with use_cassette(path, **RECORDING) as mock:
        ask()
        lost = [
            "left out, for Responses has no place for it: seed",
            "left out, for Completions has no place for it: tool_call",
        ]
        assert list(mock.requests.last.notes) == lost
    (interaction,) = open_cassette(path).interactions
    assert interaction.meta["notes"] == lost


def test_what_was_left_out_stands_in_the_journal(provider: Provider, path: Path) -> None:
    with use_cassette(path, **RECORDING) as mock:
        chunks(seed=7)
    assert mock.requests.last.notes == ("left out, for Responses has no place for it: seed",)
