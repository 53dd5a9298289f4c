"""Requests and recordings for the tests of cassettes."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any

import pytest

from pytest_llmmock.cassettes.cassette import Interaction, Recorded
from pytest_llmmock.core.model import Frame, Reply, Request, frames_of

JSON = (("content-type", "application/json"),)
TEXT = (("content-type", "text/plain"),)


@pytest.fixture(scope="session")
def chat() -> Callable[..., Request]:
    """A chat request that says `words`; further fields go into its body, None takes one out."""

    def chat(words: str = "Hello", *, path: str = "/v1/chat/completions", **fields: Any) -> Request:
        asked = {"model": "gpt-5", "messages": [{"role": "user", "content": words}], **fields}
        body = json.dumps({name: value for name, value in asked.items() if value is not None})
        return Request("POST", "https://api.openai.com", path, headers=JSON, body=body.encode())

    return chat


@pytest.fixture(scope="session")
def tape(chat: Callable[..., Request]) -> Callable[..., Interaction]:
    """A recording of a request (a chat that says it, if it is a text) and of the reply to it."""

    def tape(
        request: Request | str = "Hello",
        said: bytes = b"Hi",
        *,
        key: str = "",
        frames: Sequence[Frame] = (),
        **meta: Any,
    ) -> Interaction:
        asked = chat(request) if isinstance(request, str) else request
        return Interaction.of(Recorded(asked, Reply(200, TEXT, list(frames) or frames_of(said), "OK"), meta), key)

    return tape
