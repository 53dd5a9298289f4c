"""What single providers do in their own way, recorded and replayed, as far as it is documented."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import openai
import pytest
from openai import OpenAI
from provider import Provider, as_json, as_stream, completion

from pytest_llmmock import use_cassette
from pytest_llmmock.cassettes.library import open_cassette

ASKED = {"model": "m", "messages": [{"role": "user", "content": "hello"}]}
PROCESSING = b": OPENROUTER PROCESSING\n\n"


@pytest.fixture
def provider() -> Iterator[Provider]:
    with Provider() as provider:
        yield provider


@pytest.fixture
def client() -> Iterator[OpenAI]:
    with OpenAI(api_key="sk-client", base_url="https://api.openai.com/v1", max_retries=0) as client:
        yield client


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "it.yaml"


@pytest.fixture
def recording(provider, path, monkeypatch):
    """Records from a provider of this name."""

    def recording(name: str, key: str):
        monkeypatch.setenv(key, f"key-of-{name}-0123")
        monkeypatch.setenv(f"LLMMOCK_{name.upper()}_URL", provider.url + "/v1")
        return use_cassette(path, mode="new_episodes", upstream=name)

    return recording


def event(delta: dict, **more: object) -> bytes:
    choice = {"index": 0, "delta": delta, "finish_reason": more.pop("finish_reason", None)}
    chunk = {"id": "gen-1", "object": "chat.completion.chunk", "created": 1, "model": "m", "choices": [choice], **more}
    return b"data: " + json.dumps(chunk).encode() + b"\n\n"


DONE = b"data: [DONE]\n\n"


def words(stream) -> str:
    return "".join(chunk.choices[0].delta.content or "" for chunk in stream if chunk.choices)


def test_openrouters_comments_pass_and_are_kept_and_no_reader_sees_them(provider, client, path, recording):
    provider.answer = lambda asked: as_stream(
        PROCESSING, PROCESSING, event({"content": "Hel"}), PROCESSING, event({"content": "lo"}), DONE
    )
    with recording("openrouter", "OPENROUTER_API_KEY"):
        assert words(client.chat.completions.create(**ASKED, stream=True)) == "Hello"
    [kept] = open_cassette(path).interactions
    assert kept.reply.body.count(PROCESSING) == 3
    with use_cassette(path):
        assert words(client.chat.completions.create(**ASKED, stream=True)) == "Hello"
    with use_cassette(path):
        assert client.chat.completions.create(**ASKED).choices[0].message.content == "Hello"


def test_openrouters_error_in_a_stream_under_status_200_is_recorded_and_is_an_error_again(
    provider, client, path, recording
):
    error = {"code": 502, "message": "Provider disconnected", "metadata": {"provider_name": "p"}}
    provider.answer = lambda asked: as_stream(
        PROCESSING, event({"content": "Hel"}), event({"content": ""}, finish_reason="error", error=error)
    )
    with recording("openrouter", "OPENROUTER_API_KEY"):
        stream = client.chat.completions.create(**ASKED, stream=True)
        assert next(stream).choices[0].delta.content == "Hel"
        with pytest.raises(openai.APIError, match="Provider disconnected"):
            next(stream)
    with use_cassette(path), pytest.raises(openai.APIError, match="Provider disconnected"):
        words(client.chat.completions.create(**ASKED, stream=True))
    with use_cassette(path):
        with pytest.raises(openai.InternalServerError, match="Provider disconnected") as caught:
            client.chat.completions.create(**ASKED)
        assert caught.value.status_code == 502


def test_openrouters_answer_that_names_its_user_is_kept_without(provider, client, path, recording):
    provider.answer = lambda asked: as_json({**completion("hello"), "user_id": "user_2abcDEFghiJKL", "provider": "p"})
    with recording("openrouter", "OPENROUTER_API_KEY"):
        client.chat.completions.create(**ASKED)
    assert "user_2abcDEFghiJKL" not in path.read_text()
    assert "key-of-openrouter" not in path.read_text()
    [kept] = open_cassette(path).interactions
    assert (kept.meta["upstream"], kept.meta["model"]) == ("openrouter", "m")


def test_dashscopes_usage_comes_in_a_last_event_without_choices_where_it_is_asked_for(
    provider, client, path, recording
):
    usage = {"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5}
    last = json.dumps({"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "m", "choices": []})
    provider.answer = lambda asked: as_stream(
        event({"content": "Hello"}), f'data: {last[:-1]}, "usage": {json.dumps(usage)}}}\n\n'.encode(), DONE
    )
    asked = {**ASKED, "stream": True, "stream_options": {"include_usage": True}}
    with recording("qwen", "DASHSCOPE_API_KEY") as mock:
        list(client.chat.completions.create(**asked))
        assert mock.requests.last.usage.total == 5
    with use_cassette(path):
        assert list(client.chat.completions.create(**asked))[-1].usage.total_tokens == 5
    assert provider.requests[0].headers["authorization"] == "Bearer key-of-qwen-0123"


def test_what_xai_is_asked_in_responses_goes_to_it_as_it_is(provider, client, path, recording):
    answer = {"id": "resp_1", "object": "response", "created_at": 1, "model": "grok-4-0709", "output": [], "tools": []}
    provider.answer = lambda asked: as_json(answer)
    with recording("xai", "XAI_API_KEY"):
        client.responses.create(model="grok-4", input="hi", tools=[{"type": "web_search"}])
    assert provider.requests[0].path == "/v1/responses"
    assert provider.requests[0].json()["tools"] == [{"type": "web_search"}]
    [kept] = open_cassette(path).interactions
    assert kept.meta["model"] == "grok-4-0709"
