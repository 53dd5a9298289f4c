"""Many requests at once: none is lost or mixed up, and replay gives each what it was answered when recorded."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import httpx2
import pytest
from standin import Standin

from pytest_llmmock import LLMServer, use_cassette
from pytest_llmmock.cassettes.library import open_cassette

MANY = 32


@pytest.fixture
def standin():
    with Standin() as running:
        yield running


def body(words: str, *, stream: bool = False) -> dict:
    return {"model": "m", "messages": [{"role": "user", "content": words}], "stream": stream}


def said(answer) -> str:
    return answer.json()["choices"][0]["message"]["content"]


def gathered(library, url: str, words: list[str]) -> list[str]:
    """What is answered to requests that are all made before the first is answered."""

    async def ask_all() -> list[str]:
        limits = library.Limits(max_connections=MANY)
        async with library.AsyncClient(limits=limits, timeout=60) as client:
            asked = (client.post(url + "/chat/completions", json=body(each)) for each in words)
            return [said(answer) for answer in await asyncio.gather(*asked)]

    return asyncio.run(ask_all())


def in_threads(library, url: str, words: list[str]) -> list[str]:
    with library.Client(timeout=60) as client, ThreadPoolExecutor(MANY) as pool:
        ask = lambda each: said(client.post(url + "/chat/completions", json=body(each)))  # noqa: E731
        return list(pool.map(ask, words))


@pytest.mark.parametrize("library", [httpx, httpx2])
def test_the_same_request_made_by_many_tasks_is_answered_as_it_was_recorded(tmp_path, standin, library):
    words = ["same"] * MANY
    with use_cassette(tmp_path / "a.yaml", mode="once"):
        recorded = gathered(library, standin.base_url, words)
    assert len(set(recorded)) == MANY
    with use_cassette(tmp_path / "a.yaml"):
        assert gathered(library, standin.base_url, words) == recorded
    with use_cassette(tmp_path / "a.yaml", mode="new_episodes"):
        assert gathered(library, standin.base_url, words) == recorded
    assert len(standin.requests) == MANY


@pytest.mark.parametrize("ask", [gathered, in_threads])
@pytest.mark.parametrize("way", ["in process", "server"])
def test_different_requests_made_at_once_are_not_mixed_up(tmp_path, standin, ask: Callable, way):
    words = [f"number {number}" for number in range(MANY)] * 2
    path = tmp_path / "a.yaml"

    def opened(mode: str):
        if way == "in process":
            return use_cassette(path, mode=mode)
        return LLMServer(path, mode=mode, upstream=standin.base_url)

    with opened("once") as mock:
        recorded = ask(httpx, getattr(mock, "base_url", standin.base_url), words)
    assert len(set(recorded)) == len(words)
    assert [answer.rpartition(" #")[0] for answer in recorded] == words
    assert len(open_cassette(path)) == len(words)
    with opened("none") as mock:
        replayed = ask(httpx, getattr(mock, "base_url", standin.base_url), words)
    assert [answer.rpartition(" #")[0] for answer in replayed] == words
    assert sorted(replayed) == sorted(recorded)
    assert len(mock.requests.where(source="cassette")) == len(words)


def test_streams_made_at_once_are_whole(tmp_path: Path, standin):
    def ask(number: int) -> str:
        with client.stream("POST", standin.base_url + "/chat/completions", json=body(f"n{number}", stream=True)) as got:
            return "".join(got.iter_text())

    with httpx.Client(timeout=60) as client, ThreadPoolExecutor(MANY) as pool:
        with use_cassette(tmp_path / "a.yaml", mode="once"):
            recorded = list(pool.map(ask, range(MANY)))
        with use_cassette(tmp_path / "a.yaml"):
            assert list(pool.map(ask, range(MANY))) == recorded
    assert all(text.endswith("data: [DONE]\n\n") for text in recorded)
