"""Both ways in, for what people build on the SDKs. Each is tried where it is installed: `tox -e clients` has all."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from pytest_llmmock import LLMMock, LLMServer, use_cassette


@pytest.fixture(params=["in process", "over HTTP"])
def mock(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[LLMMock]:
    """Both ways in; where clients look for addresses and keys, they find what each way gives them."""
    for name in ("OPENAI_BASE_URL", "OPENAI_API_BASE", "ANTHROPIC_BASE_URL", "ANTHROPIC_API_BASE"):
        monkeypatch.delenv(name, raising=False)
    for name in ("OLLAMA_HOST", "OLLAMA_API_BASE"):
        monkeypatch.delenv(name, raising=False)
    for name in ("OPENAI_API_KEY", "ANTHROPIC_API_KEY"):
        monkeypatch.setenv(name, "test")
    opened = LLMServer if request.param == "over HTTP" else use_cassette
    with opened(tmp_path / "none.yaml") as mock:
        yield mock


@pytest.fixture
def loop() -> Iterator[asyncio.Runner]:
    """One loop for a whole test: clients that keep connections belong to the loop that made them."""
    with asyncio.Runner() as runner:
        yield runner


@pytest.fixture
def answered(mock: LLMMock) -> Iterator[LLMMock]:
    """The same; nobody asked in vain, and nobody asked something else."""
    yield mock
    assert mock.requests, "the client has asked nothing"
    assert {entry.source for entry in mock.requests} == {"script"}
