"""Requests made at once."""

from __future__ import annotations

import asyncio
import threading

from provider import as_json, completion

from pytest_llmmock import use_cassette
from pytest_llmmock.cassettes.library import open_cassette

MANY = 5


async def gathered(url: str) -> list[str]:
    from openai import AsyncOpenAI

    async with AsyncOpenAI(api_key="k", base_url=url + "/v1") as client:
        messages = [{"role": "user", "content": "same"}]
        answers = await asyncio.gather(
            *(client.chat.completions.create(model="m", messages=messages) for _ in range(MANY))
        )
    return [answer.choices[0].message.content for answer in answers]


def test_the_same_question_gathered_is_answered_in_the_order_of_asking(provider, path):
    """Answers stand in the file as they came in, so in replay 12, 13, 14, 15, 16 comes back as 12, 13, 16, 14, 15.

    The provider answers in the reverse order of what it was asked.
    """
    arrived = threading.Barrier(MANY)
    places = iter(range(MANY))
    done = [threading.Event() for _ in range(MANY + 1)]
    done[MANY].set()
    lock = threading.Lock()

    def answer(asked):
        with lock:
            number = next(places)
        arrived.wait(30)
        assert done[number + 1].wait(30)
        done[number].set()
        return as_json(completion(f"arrived as {number}"))

    provider.answer = answer
    with use_cassette(path, mode="once"):
        recorded = asyncio.run(gathered(provider.url))
    assert len(set(recorded)) == MANY
    in_file = [each.reply.json()["choices"][0]["message"]["content"] for each in open_cassette(path).interactions]
    assert in_file == recorded
    with use_cassette(path):
        assert asyncio.run(gathered(provider.url)) == recorded
