"""Who answers a client in this process: the cassette of one of the tools, or httpx2's own mock."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import httpx2
import openai
import vcr
from harness import Absent
from traffic import HEADERS, REQUEST_HEADERS, URL, answer, ask
from vcr.persisters.filesystem import FilesystemPersister

import pytest_llmmock

Replaying = Callable[[], AbstractContextManager[Any]]
"""Opens what answers; until it is closed, clients of this process get their answers there."""

Post = Callable[[bytes], object]

MATCH_ON = ("method", "uri", "body")
"""What we match on: vcrpy's and cassetter's default leaves out the body, and so cannot tell chat calls apart."""


def ours(cassette: Path, *, repeat: bool = True) -> Replaying:
    return lambda: pytest_llmmock.use_cassette(cassette, repeat=repeat)


def vcrpy(cassette: Path, *, repeat: bool = True, kept: bool = False) -> Replaying:
    """`kept`: the file is read once for all openings, where only what comes after is measured."""
    matcher = vcr.VCR(record_mode="none", match_on=MATCH_ON)
    if kept:
        matcher.register_persister(_Kept)
    return lambda: matcher.use_cassette(str(cassette), allow_playback_repeats=repeat)


class _Kept:
    """A persister of vcrpy that keeps what it has read."""

    @staticmethod
    @cache
    def load_cassette(path: str, serializer: object) -> Any:
        return FilesystemPersister.load_cassette(path, serializer)


def cassetter(cassette: Path) -> Replaying:
    @contextmanager
    def replaying() -> Iterator[None]:
        try:
            from cassetter import use_cassette
        except ImportError:
            raise Absent("cassetter") from None
        with use_cassette(cassette, record_mode="none", match_on=list(MATCH_ON)):
            yield

    return replaying


def ready(number: int) -> httpx2.MockTransport:
    """The floor: a transport whose answer is there before it is asked."""
    body = answer(number)
    return httpx2.MockTransport(lambda request: httpx2.Response(200, headers=HEADERS, content=body))


def poster(client: httpx2.Client) -> Post:
    """Sends a chat request and reads its answer."""

    def post(body: bytes) -> object:
        response = client.post(URL, content=body, headers=REQUEST_HEADERS)
        if response.status_code != 200:
            raise RuntimeError(f"not replayed: {response.text[:500]}")
        return response

    return post


def sdk(**options: Any) -> openai.OpenAI:
    """A client of openai's SDK that asks once."""
    return openai.OpenAI(api_key="sk-none", base_url="https://api.openai.com/v1", **{"max_retries": 0, **options})


def sdk_caller(client: openai.OpenAI) -> Callable[[int], object]:
    return lambda number: client.chat.completions.create(**ask(number))
