"""A miss that nobody can read, because a client made something else of it."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Any

import openai
import pytest

anthropic = pytest.importorskip("anthropic")

ASKED: dict[str, Any] = {"model": "m", "max_tokens": 9, "messages": [{"role": "user", "content": "hello"}]}


def plain(url: str) -> None:
    with anthropic.Anthropic(api_key="k", base_url=url) as client:
        client.messages.create(**ASKED)


def streamed(url: str) -> None:
    with anthropic.Anthropic(api_key="k", base_url=url) as client, client.messages.stream(**ASKED) as stream:
        stream.until_done()


def later(url: str) -> None:
    async def work() -> None:
        async with anthropic.AsyncAnthropic(api_key="k", base_url=url) as client:
            await client.messages.create(**ASKED)

    asyncio.run(work())


@pytest.mark.parametrize("ask", [plain, streamed, later])
def test_anthropic_neither_hides_a_miss_nor_tries_again(missing, ask):
    """An exception inside the client becomes 'Connection error.' after three tries, and the good message is gone."""
    words = "There are no recordings to answer this request from"
    with missing() as (app, told):
        with pytest.raises(anthropic.NotFoundError, match=words):
            ask(app.base_url.removesuffix("/v1"))
        assert len(app.mock.requests) == 1
    assert words in str(told.value)


def test_code_that_swallows_every_error_does_not_make_a_miss_green(missing):
    """A miss that is only an exception in the client is caught by the code under test, and the test is green."""
    reached = []
    with missing() as (app, _):
        with suppress(Exception):
            app.say()
        reached.append("the end")
    assert reached == ["the end"]


def test_a_miss_is_told_with_the_difference_and_what_to_do(run, missing):
    """'No matching interaction for POST …' or a hash does not tell which word changed, nor what to do."""
    with run("once") as app:
        app.say("Plan a day in Rome, on foot, with a lunch near the river.")
    with missing() as (app, told), pytest.raises(openai.NotFoundError):
        app.say("Plan a day in Rome, on foot, with a dinner near the river.")
    assert "messages[0].content" in str(told.value)
    assert "[lunch]" in str(told.value)
    assert "[dinner]" in str(told.value)
    assert "To fix it:" in str(told.value)
