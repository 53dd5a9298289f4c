"""A recording answers plain and streamed requests alike: openai's client cannot tell which way it was recorded."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import openai
import pytest
from conversions import JSON, WITH_USAGE, converted, plain, streamed
from provider import Answer, Asked, Provider, as_json, as_stream

from pytest_llmmock import LLMServer, UnmatchedError, dialects, use_cassette
from pytest_llmmock.cassettes.cassette import Interaction, Recorded
from pytest_llmmock.cassettes.library import save
from pytest_llmmock.core.model import Request

# --- answers of a provider ------------------------------------------------------------------------------

USAGE = {"prompt_tokens": 9, "completion_tokens": 7, "total_tokens": 16}
MESSAGE = {
    "role": "assistant",
    "content": "It rains in “Rome” — bring 🌂.",
    "refusal": None,
    "annotations": [
        {"type": "url_citation", "url_citation": {"url": "http://x", "title": "x", "start_index": 0, "end_index": 2}}
    ],
    "tool_calls": [
        {"id": "call_1", "type": "function", "function": {"name": "weather", "arguments": '{"city": "Rome"}'}},
        {"id": "call_2", "type": "function", "function": {"name": "time", "arguments": "{}"}},
    ],
    "reasoning_content": "Where is Rome?",
}
CHAT = {
    "id": "chatcmpl-1",
    "object": "chat.completion",
    "created": 1700000000,
    "model": "gpt-5",
    "choices": [{"index": 0, "message": MESSAGE, "logprobs": None, "finish_reason": "tool_calls"}],
    "usage": {**USAGE, "prompt_tokens_details": {"cached_tokens": 2}},
    "service_tier": "default",
    "system_fingerprint": "fp_1",
    "provider": "somebody",
}
COMPLETION = {
    "id": "cmpl-1",
    "object": "text_completion",
    "created": 1700000000,
    "model": "davinci-002",
    "choices": [{"text": " upon a time.", "index": 0, "logprobs": None, "finish_reason": "length"}],
    "usage": USAGE,
}
RESPONSE = {
    "id": "resp_1",
    "object": "response",
    "created_at": 1700000000,
    "status": "completed",
    "error": None,
    "incomplete_details": None,
    "instructions": None,
    "metadata": {},
    "model": "gpt-5",
    "output": [
        {"id": "rs_1", "type": "reasoning", "summary": [{"type": "summary_text", "text": "Where is Rome?"}]},
        {
            "id": "fc_1",
            "type": "function_call",
            "status": "completed",
            "call_id": "c",
            "name": "f",
            "arguments": '{"a": 1}',
        },
        {
            "id": "msg_1",
            "type": "message",
            "status": "completed",
            "role": "assistant",
            "content": [{"type": "output_text", "text": "It rains.", "annotations": [], "logprobs": []}],
        },
    ],
    "parallel_tool_calls": True,
    "temperature": 1.0,
    "tool_choice": "auto",
    "tools": [],
    "top_p": 1.0,
    "usage": {
        "input_tokens": 9,
        "input_tokens_details": {"cached_tokens": 0, "cache_write_tokens": 0},
        "output_tokens": 7,
        "output_tokens_details": {"reasoning_tokens": 0},
        "total_tokens": 16,
    },
}
WHOLE = {"/v1/chat/completions": CHAT, "/v1/completions": COMPLETION, "/v1/responses": RESPONSE}


def answer(asked: Asked) -> Answer:
    """As it is asked for."""
    value = WHOLE[asked.path]
    if not asked.json().get("stream"):
        return as_json(value)
    dialect = dialects.read(Request("POST", "http://x", asked.path)).dialect
    return as_stream(converted(dialect, WITH_USAGE, plain(value)).body)


@pytest.fixture
def provider() -> Iterator[Provider]:
    with Provider() as running:
        running.answer = answer
        yield running


# --- the same question, asked either way ----------------------------------------------------------------

Ask = Callable[[openai.OpenAI], dict[str, Any]]
MESSAGES: Any = [{"role": "user", "content": "Does it rain?"}]
INCLUDED: Any = {"include_usage": True}


def chat_plain(client: openai.OpenAI) -> dict[str, Any]:
    return client.chat.completions.parse(model="gpt-5", messages=MESSAGES).model_dump()


def chat_streamed(client: openai.OpenAI) -> dict[str, Any]:
    with client.chat.completions.stream(model="gpt-5", messages=MESSAGES, stream_options=INCLUDED) as stream:
        found = stream.get_final_completion().model_dump()
    for call in found["choices"][0]["message"]["tool_calls"]:
        call.pop("index")  # openai's client leaves the numbers of a stream's calls in
    return found


def completion_plain(client: openai.OpenAI) -> dict[str, Any]:
    return client.completions.create(model="davinci-002", prompt="Once").model_dump()


def completion_streamed(client: openai.OpenAI) -> dict[str, Any]:
    chunks = list(client.completions.create(model="davinci-002", prompt="Once", stream=True, stream_options=INCLUDED))
    first, last = chunks[0].model_dump(), chunks[-1].model_dump()
    choices = [choice for chunk in chunks for choice in chunk.choices]
    first["choices"][0]["text"] = "".join(choice.text for choice in choices)
    first["choices"][0]["finish_reason"] = choices[-1].finish_reason
    return {**first, "usage": last["usage"]}


def response_plain(client: openai.OpenAI) -> dict[str, Any]:
    return client.responses.parse(model="gpt-5", input="Does it rain?").model_dump()


def response_streamed(client: openai.OpenAI) -> dict[str, Any]:
    with client.responses.stream(model="gpt-5", input="Does it rain?") as stream:
        return stream.get_final_response().model_dump()


BOTH_WAYS = {
    "chat": (chat_plain, chat_streamed),
    "completions": (completion_plain, completion_streamed),
    "responses": (response_plain, response_streamed),
}

Opened = Callable[..., AbstractContextManager[tuple[openai.OpenAI, Any]]]


@contextmanager
def in_process(path: Path, provider: Provider, **settings: Any) -> Iterator[tuple[openai.OpenAI, Any]]:
    client = openai.OpenAI(api_key="test", base_url=provider.url + "/v1", max_retries=0)
    with use_cassette(path, **settings) as mock, client:
        yield client, mock


@contextmanager
def over_http(path: Path, provider: Provider, **settings: Any) -> Iterator[tuple[openai.OpenAI, Any]]:
    with (
        LLMServer(path, upstream=provider.url + "/v1", **settings) as server,
        openai.OpenAI(api_key="test", base_url=server.base_url, max_retries=0) as client,
    ):
        yield client, server


@pytest.fixture(params=[in_process, over_http])
def opened(request: pytest.FixtureRequest, tmp_path: Path, provider: Provider) -> Opened:
    return lambda **settings: request.param(tmp_path / "a.yaml", provider, **settings)


@pytest.mark.parametrize("operation", BOTH_WAYS)
@pytest.mark.parametrize("streamed_first", [False, True])
def test_the_answer_is_the_same_whichever_way_it_was_recorded(
    opened: Opened, provider: Provider, operation: str, streamed_first: bool
) -> None:
    recorded, other = reversed(BOTH_WAYS[operation]) if streamed_first else BOTH_WAYS[operation]
    with opened(mode="once") as (client, _):
        live = recorded(client)
    with opened() as (client, mock):
        assert other(client) == live
        note = "converted from a recorded stream" if streamed_first else "converted from a recording without a stream"
        [entry] = mock.requests
        assert (entry.source, entry.status, entry.interaction, entry.notes) == ("cassette", 200, 1, (note,))
    with opened() as (client, mock):
        assert recorded(client) == live
        assert mock.requests.last.notes == ()
    assert len(provider.requests) == 1


def test_a_converted_answer_is_an_answer_when_new_ones_may_be_recorded(opened: Opened, provider: Provider) -> None:
    with opened(mode="once") as (client, _):
        chat_plain(client)
    with opened(mode="new_episodes") as (client, mock):
        chat_streamed(client)
        assert len(provider.requests) == 1
        chat_streamed(client)  # what was recorded is used up
        assert [entry.source for entry in mock.requests] == ["cassette", "upstream"]
    assert len(provider.requests) == 2


def test_usage_that_nobody_asked_for_is_not_in_a_stream(opened: Opened) -> None:
    with opened(mode="once") as (client, _):
        chat_plain(client)
    with opened() as (client, _):
        chunks = list(client.chat.completions.create(model="gpt-5", messages=MESSAGES, stream=True))
    assert not any(chunk.usage for chunk in chunks)
    assert all(len(chunk.choices) == 1 for chunk in chunks)


def test_an_async_client_is_answered_as_well(opened: Opened) -> None:
    async def ask(url: Any) -> str:
        async with openai.AsyncOpenAI(api_key="test", base_url=url, max_retries=0) as client:
            stream = await client.chat.completions.create(model="gpt-5", messages=MESSAGES, stream=True)
            return "".join([chunk.choices[0].delta.content or "" async for chunk in stream])

    with opened(mode="once") as (client, _):
        chat_plain(client)
    with opened() as (client, _):
        assert asyncio.run(ask(client.base_url)) == MESSAGE["content"]


CHUNK = {**CHAT, "object": "chat.completion.chunk", "choices": [{"index": 0, "delta": {"content": "It"}}]}


def put(path: Path, *events: object) -> None:
    """A cassette with a stream of these events and nothing behind them."""
    body = {"model": "gpt-5", "messages": MESSAGES, "stream": True}
    asked = Request("POST", "http://x", "/v1/chat/completions", headers=JSON, body=json.dumps(body).encode())
    save(path, [Interaction.of(Recorded(asked, streamed(*events, done=False)))])


def test_a_stream_that_failed_fails_a_plain_request_as_well(opened: Opened, tmp_path: Path) -> None:
    error = {"message": "slow down", "type": "rate_limit_error", "param": None, "code": "rate_limit_exceeded"}
    put(tmp_path / "a.yaml", CHUNK, {"error": error})
    with opened() as (client, mock):
        with pytest.raises(openai.RateLimitError, match="slow down"):
            client.with_options(max_retries=2).chat.completions.create(model="gpt-5", messages=MESSAGES)
        assert len(mock.requests) == 1


def test_a_miss_says_why_a_recording_was_not_converted(opened: Opened, tmp_path: Path) -> None:
    put(tmp_path / "a.yaml", CHUNK)
    missed = pytest.raises(UnmatchedError, match="breaks off before its end, so it cannot be converted")
    with missed, opened() as (client, _), pytest.raises(openai.NotFoundError, match="was recorded as a stream"):
        chat_plain(client)
