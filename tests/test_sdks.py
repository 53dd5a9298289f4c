"""Every method of the SDKs that belongs to a protocol we speak: sync, async, raw, in process and over HTTP."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from fnmatch import fnmatchcase
from operator import attrgetter
from pathlib import Path
from typing import Any

import anthropic
import ollama
import openai
import pytest
from sdks import ANTHROPIC, BATCH, ELSEWHERE, LINES, OLLAMA, OPENAI, methods

from pytest_llmmock import LLMMock, LLMServer, use_cassette

pytestmark = pytest.mark.filterwarnings("ignore:deprecated:DeprecationWarning")  # the SDK's own, of old methods

TABLES = {"openai": OPENAI, "anthropic": ANTHROPIC, "ollama": OLLAMA}
HELLO = "Hello, wide world."
WAYS: dict[str, Callable[..., Any]] = {"in process": use_cassette, "over HTTP": LLMServer}


def client_of(name: str) -> Any:
    clients: dict[str, Callable[[], Any]] = {
        "openai": lambda: openai.OpenAI(api_key="test", max_retries=0),
        "anthropic": lambda: anthropic.Anthropic(api_key="test", max_retries=0),
        "ollama": ollama.Client,
    }
    return clients[name]()


def later_of(name: str) -> Any:
    clients: dict[str, Callable[[], Any]] = {
        "openai": lambda: openai.AsyncOpenAI(api_key="test", max_retries=0),
        "anthropic": lambda: anthropic.AsyncAnthropic(api_key="test", max_retries=0),
        "ollama": ollama.AsyncClient,
    }
    return clients[name]()


@pytest.mark.parametrize("name", TABLES)
def test_every_method_is_answered_or_has_a_reason(name: str) -> None:
    """A new method of an SDK fails this test until somebody decides about it."""
    client = client_of(name)
    there = set(methods(client))
    client.close()
    patterns = ELSEWHERE[name]
    nobody = {each for each in there - {*TABLES[name]} if not any(fnmatchcase(each, pattern) for pattern in patterns)}
    assert nobody == set(), "neither in a table of sdks.py nor with a reason why not"
    assert set(TABLES[name]) <= there


@pytest.mark.parametrize("name", TABLES)
@pytest.mark.skipif(openai.__version__ < "3", reason="older SDKs have fewer methods")
def test_no_reason_is_for_what_is_gone(name: str) -> None:
    client = client_of(name)
    there = set(methods(client))
    client.close()
    stale = [pattern for pattern in ELSEWHERE[name] if not any(fnmatchcase(each, pattern) for each in there)]
    assert stale == []


@pytest.fixture
def opened(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A played provider that has a file, a batch and a response, as often as it is wanted."""
    for name in ("OPENAI_BASE_URL", "ANTHROPIC_BASE_URL", "OLLAMA_HOST"):
        monkeypatch.delenv(name, raising=False)

    @contextmanager
    def opened(way: str) -> Iterator[LLMMock]:
        with WAYS[way](tmp_path / "none.yaml", simulate=True, model_list=["m", "e", "claude-x", "*-1"]) as mock:
            mock.when(operation="images*").reply(image=True)
            mock.when(operation="audio.speech").reply(audio=True)
            for operation in ("embeddings", "ollama.embed", "ollama.embeddings"):
                mock.when(operation=operation).reply(embedding={"dimensions": 8})
            for operation in SAYING:
                mock.when(operation=operation).reply(HELLO)
            yield mock

    return opened


SAYING = (
    "chat", "completions", "responses", "messages", "ollama.chat", "ollama.generate", "audio.transcriptions",
    "audio.translations", "moderations", "responses.compact",
)  # fmt: skip


def things() -> dict[str, str]:
    """What is there before a method is called."""
    with openai.OpenAI(api_key="test", max_retries=0) as client:
        file = client.files.create(file=LINES, purpose="batch").id
        batch = client.batches.create(**{**BATCH, "input_file_id": file}).id
        response = client.responses.create(model="m", input="hi", background=True).id
    return {"{file}": file, "{batch}": batch, "{response}": response}


def filled(asked: dict[str, Any]) -> dict[str, Any]:
    """With the ids of what is there, where one is asked for."""
    there = things() if any(str(value).startswith("{") for value in asked.values()) else {}
    return {name: there.get(value, value) if isinstance(value, str) else value for name, value in asked.items()}


def looked_at(answer: Any) -> None:
    """What a conversation was answered; the dialects' tests look at the rest."""
    assert HELLO in repr(answer) or not hasattr(answer, "choices")


def call(client: Any, method: str, asked: dict[str, Any]) -> None:
    """The method by itself, raw, and as a response that is still to be read."""
    answer = attrgetter(method)(client)(**asked)
    if hasattr(answer, "__enter__") and method.endswith(".stream"):
        with answer as stream:
            assert list(stream)
    else:
        looked_at(answer)


async def call_later(client: Any, method: str, asked: dict[str, Any]) -> None:
    answer = attrgetter(method)(client)(**asked)
    if method.endswith(".stream"):
        async with answer as stream:
            assert [event async for event in stream]
        return
    answer = await answer if inspect.isawaitable(answer) else answer
    looked_at([each async for each in answer] if hasattr(answer, "__aiter__") and method.endswith(".list") else answer)


ROWS = [(name, method) for name, table in TABLES.items() for method in table]


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(("name", "method"), ROWS)
def test_each_is_answered_sync_and_async(opened: Any, way: str, name: str, method: str) -> None:
    with opened(way) as mock:
        client = client_of(name)
        call(client, method, filled(TABLES[name][method]))
        client.close()
        assert mock.requests.last.status < 300
    with opened(way) as mock:

        async def main() -> None:
            client = later_of(name)
            await call_later(client, method, filled(TABLES[name][method]))
            await client.close()

        asyncio.run(main())
        assert mock.requests.last.status < 300


NOT_RAW = (".stream", "wait_for_processing", "messages.parse", "responses.parse")
RAW = [(name, method) for name, method in ROWS if name != "ollama" and not method.endswith(NOT_RAW)]


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(("name", "method"), RAW)
def test_each_has_its_raw_response(opened: Any, way: str, name: str, method: str) -> None:
    resource, _, action = method.rpartition(".")
    with opened(way) as mock, client_of(name) as client:
        raw = getattr(attrgetter(resource)(client).with_raw_response, action)
        answer = raw(**filled(TABLES[name][method]))
        assert answer.status_code == mock.requests.last.status < 300
        looked_at(answer.parse())
    with opened(way) as mock, client_of(name) as client:
        streaming = getattr(attrgetter(resource)(client).with_streaming_response, action)
        with streaming(**filled(TABLES[name][method])) as response:
            assert response.status_code == mock.requests.last.status < 300
            assert response.read() is not None
