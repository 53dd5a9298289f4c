"""Who answers a client in this process: the cassette of one of the tools, or httpx2's own mock."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import httpx2
import vcr
from traffic import HEADERS, REQUEST_HEADERS, URL, answer

import pytest_llmmock

Replaying = Callable[[], AbstractContextManager[Any]]
"""Opens what answers; until it is closed, clients of this process get their answers there."""

Post = Callable[[bytes], object]


def ours(cassette: Path) -> Replaying:
    return lambda: pytest_llmmock.use_cassette(cassette, repeat=True)


def vcrpy(cassette: Path) -> Replaying:
    """Matched on what we match on: vcrpy's default leaves out the body, and so cannot tell chat calls apart."""
    matcher = vcr.VCR(record_mode="none", match_on=("method", "uri", "body"))
    return lambda: matcher.use_cassette(str(cassette), allow_playback_repeats=True)


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
