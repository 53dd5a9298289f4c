"""What a provider refuses, and what clients make of it."""

from __future__ import annotations

import asyncio

import openai
import pytest
from provider import refused


def test_a_refusal_reaches_the_client_as_it_is_while_recording_and_in_replay(run, provider):
    """A tool that answers 502 for a 400, without the parameter that was wrong, tests another program."""
    provider.answer = lambda asked: refused(400, "n is too large", param="n", code="too_large")
    told = []
    for mode in ("once", "none"):
        with run(mode, record_errors=True) as app, pytest.raises(openai.BadRequestError) as caught:
            app.say(n=1000)
        told.append((caught.value.param, caught.value.code, caught.value.type, caught.value.body, str(caught.value)))
    assert told[0] == told[1]
    assert told[0][:3] == ("n", "too_large", "provider")


def test_a_limit_of_the_provider_reaches_the_client_as_itself_and_no_file(run, provider, path):
    """A tool that answers 502 for 429 tests other retries, and one that records it makes every later run fail."""
    provider.answer = lambda asked: refused(429, "slow down")
    with run("once") as app, pytest.raises(openai.RateLimitError, match="slow down"):
        app.say()
    assert not path.exists()


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """How long the SDK chose to sleep, each time; nobody sleeps."""
    waits: list[float] = []

    async def sleep(seconds: float) -> None:
        waits.append(seconds)

    monkeypatch.setattr("openai._base_client.time.sleep", waits.append)
    monkeypatch.setattr("openai._base_client.anyio.sleep", sleep)
    return waits


@pytest.mark.parametrize("wait", [{"retry-after": "7"}, {"retry-after-ms": "7000"}], ids=lambda wait: next(iter(wait)))
@pytest.mark.parametrize("kind", ["sync", "async"])
def test_a_retry_is_seen_again_in_replay_and_nobody_sleeps(run, provider, waits, kind, wait):
    """A recorded 429 makes the SDK sleep in every replay as long as it did for the provider."""

    def answer(asked):
        return provider.say_back(asked) if len(provider.requests) > 2 else refused(429, "slow down", **wait)

    async def say_later(app):
        async with app.async_openai() as client:
            answer = await client.chat.completions.create(model="m", messages=[{"role": "user", "content": "hello"}])
            return answer.choices[0].message.content

    def say(app):
        if kind == "async":
            return asyncio.run(say_later(app))
        with app.openai() as client:
            answer = client.chat.completions.create(model="m", messages=[{"role": "user", "content": "hello"}])
            return answer.choices[0].message.content

    provider.answer = answer
    for mode, chosen in (("once", [7.0, 7.0]), ("none", [0.001, 0.001])):
        waits.clear()
        with run(mode, record_errors=True) as app:
            assert say(app) == "hello #3"
            assert [entry.status for entry in app.mock.requests] == [429, 429, 200]
        assert waits == chosen
