"""An application as users have them, between a cassette and a provider, by each of the two ways in."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import openai
import pytest
from projects import project, standin  # noqa: F401
from provider import Provider

from pytest_llmmock import LLMMock, LLMServer, UnmatchedError, use_cassette

KEY = "sk-pains-0123456789abcdef0123456789"


@dataclass
class App:
    """Code that asks a model, in its test."""

    mock: LLMMock
    base_url: str

    @contextmanager
    def openai(self, **more: Any) -> Iterator[openai.OpenAI]:
        with openai.OpenAI(api_key=KEY, base_url=self.base_url, **more) as client:
            yield client

    def async_openai(self, **more: Any) -> openai.AsyncOpenAI:
        return openai.AsyncOpenAI(api_key=KEY, base_url=self.base_url, **more)

    def ask(self, words: str = "hello", **more: Any) -> Any:
        """One chat completion."""
        with self.openai(max_retries=0) as client:
            messages = more.pop("messages", [{"role": "user", "content": words}])
            return client.chat.completions.create(**{"model": "m", "messages": messages, **more})

    def say(self, words: str = "hello", **more: Any) -> str:
        """What one chat completion says."""
        return self.ask(words, **more).choices[0].message.content


Run = Callable[..., AbstractContextManager[App]]


@pytest.fixture
def provider(monkeypatch: pytest.MonkeyPatch) -> Iterator[Provider]:
    for name in ("OPENAI_API_KEY", "OPENAI_BASE_URL", "LLMMOCK_RECORD", "LLMMOCK_UPSTREAM"):
        monkeypatch.delenv(name, raising=False)
    with Provider() as running:
        yield running


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """The cassette of `run`."""
    return tmp_path / "tape.yaml"


@pytest.fixture(params=["in process", "server"])
def run(request: pytest.FixtureRequest, path: Path, provider: Provider) -> Run:
    """Runs an application on the cassette: `run("once")` records, `run()` replays. Replay never asks the provider."""

    @contextmanager
    def run(mode: Any = "none", **settings: Any) -> Iterator[App]:
        before = len(provider.requests)
        if request.param == "server":
            opened = LLMServer(path, mode=mode, upstream=provider.url + "/v1", **settings)
        else:
            opened = use_cassette(path, mode=mode, **settings)
        try:
            with opened as mock:
                yield App(mock, getattr(mock, "base_url", provider.url + "/v1"))
        finally:
            assert mode != "none" or len(provider.requests) == before

    return run


@pytest.fixture
def missing(run: Run) -> Callable[..., AbstractContextManager[tuple[App, pytest.ExceptionInfo[UnmatchedError]]]]:
    """Runs an application in replay, and holds it to ending in a miss; what is told of it comes along."""

    @contextmanager
    def missing(**settings: Any) -> Iterator[tuple[App, pytest.ExceptionInfo[UnmatchedError]]]:
        with pytest.raises(UnmatchedError) as told, run(**settings) as app:
            yield app, told

    return missing
