"""The gate before a deck, and the clients that come to it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import anthropic
import httpx
import ollama
import openai
import pytest
from controlled import Controlled, chat
from standin import Standin

from pytest_llmmock import LLMServer, UsageError, use_cassette
from pytest_llmmock.core.model import Request
from pytest_llmmock.settings import Settings, combine

KEY = "sk-right-0123456789-abcdefgh"
HI: Any = [{"role": "user", "content": "hi"}]


@pytest.fixture
def server(tmp_path: Path) -> Iterator[LLMServer]:
    with LLMServer(tmp_path / "a.yaml", auth_token=KEY, simulate=True, model_list=["m"]) as server:
        server.reply("Hello")
        yield server


def test_each_client_is_refused_in_the_words_of_its_protocol(server: LLMServer) -> None:
    with openai.OpenAI(api_key="wrong", max_retries=0) as client:
        with pytest.raises(openai.AuthenticationError) as refused:
            client.chat.completions.create(model="m", messages=HI)
        assert (refused.value.code, refused.value.status_code) == ("invalid_api_key", 401)
        with pytest.raises(openai.AuthenticationError):
            client.models.list()
    with (
        anthropic.Anthropic(api_key="wrong", base_url=server.url, max_retries=0) as client2,
        pytest.raises(anthropic.AuthenticationError) as anthropics,
    ):
        client2.messages.create(model="m", max_tokens=9, messages=HI)
    assert anthropics.value.body["error"]["type"] == "authentication_error"  # type: ignore[index]
    client3 = ollama.Client(server.url, headers={"authorization": "Bearer wrong"})
    with pytest.raises(ollama.ResponseError, match="Incorrect API key") as ollamas:
        client3.chat("m", HI)
    assert ollamas.value.status_code == 401
    client3._client.close()


def test_each_client_finds_the_right_key_in_its_environment(server: LLMServer) -> None:
    with openai.OpenAI() as client:
        assert client.chat.completions.create(model="m", messages=HI).choices[0].message.content == "Hello"
    with anthropic.Anthropic() as client2:
        assert client2.messages.create(model="m", max_tokens=9, messages=HI).content[0].text == "Hello"  # type: ignore
    client3 = ollama.Client(server.url)
    assert client3.chat("m", HI).message.content == "Hello"
    client3._client.close()
    shown = repr([entry.headers for entry in server.requests]) + repr(server.requests)
    assert KEY not in shown
    assert "Bearer llmmock" in shown


def test_in_process_a_key_is_asked_for_as_well(tmp_path: Path) -> None:
    with use_cassette(tmp_path / "a.yaml", auth_token=(KEY, "sk-other"), limits="rpm=1") as mock:
        mock.reply("Hello")
        for key, error in (("wrong", openai.AuthenticationError), ("sk-other", None), (KEY, openai.RateLimitError)):
            expected = pytest.raises(error) if error else nullcontext()
            with openai.OpenAI(api_key=key, max_retries=0) as client, expected:
                client.chat.completions.create(model="m", messages=HI)
        assert [entry.status for entry in mock.requests] == [401, 200, 429]
        assert [entry.source for entry in mock.requests] == ["script", "script", "script"]


def test_limits_are_told_to_clients(tmp_path: Path) -> None:
    with LLMServer(tmp_path / "a.yaml", limits="rpm=2,tpm=1000") as server:
        server.reply("Hello")
        with openai.OpenAI(max_retries=0) as client:
            raw = client.chat.completions.with_raw_response.create(model="m", messages=HI)
            assert raw.headers["x-ratelimit-remaining-requests"] == "1"
            for chunk in client.chat.completions.create(model="m", messages=HI, stream=True):
                assert chunk.model == "m"
            with pytest.raises(openai.RateLimitError) as refused:
                client.chat.completions.create(model="m", messages=HI)
            assert refused.value.response.headers["retry-after"] == "30"
            assert refused.value.code == "rate_limit_exceeded"
        with (
            anthropic.Anthropic(max_retries=0) as client2,
            pytest.raises(anthropic.RateLimitError) as refused2,
        ):
            client2.messages.create(model="m", max_tokens=9, messages=HI)
        assert refused2.value.response.headers["anthropic-ratelimit-requests-remaining"] == "0"


def test_a_page_reads_streams_errors_and_refusals(tmp_path: Path) -> None:
    page = "http://localhost:5173"
    with LLMServer(tmp_path / "a.yaml", auth_token=KEY, cors_origin=page) as server:
        server.when(contains="hi").reply("Hello")
        server.when(contains="bad").error(500)
        for words, key, status in (("hi", KEY, 200), ("bad", KEY, 500), ("hi", "wrong", 401)):
            body = {"model": "m", "messages": [{"role": "user", "content": words}], "stream": True}
            headers = {"origin": page, "authorization": f"Bearer {key}"}
            answer = httpx.post(server.base_url + "/chat/completions", json=body, headers=headers)
            assert (answer.status_code, answer.headers["access-control-allow-origin"]) == (status, page)
        told = httpx.get(server.url + "/__llmmock__/journal", headers={"origin": page})
        assert (told.status_code, told.headers["access-control-allow-origin"]) == (401, page)


def test_lines_of_a_batch_have_come_through_the_gate_with_it(tmp_path: Path) -> None:
    line = {"custom_id": "1", "method": "POST", "url": "/v1/chat/completions", "body": {"model": "m", "messages": HI}}
    lines = "\n".join(json.dumps({**line, "custom_id": str(n)}) for n in range(5)).encode()
    with LLMServer(tmp_path / "a.yaml", auth_token=KEY, limits="rpm=2", simulate=True) as server:
        server.reply("Hello")
        with openai.OpenAI(max_retries=0) as client:
            file = client.files.create(file=("a.jsonl", lines), purpose="batch")
            batch = client.batches.create(
                input_file_id=file.id, endpoint="/v1/chat/completions", completion_window="24h"
            )
            done = client.batches.retrieve(batch.id)
            assert done.request_counts is not None
            assert done.request_counts.completed == 5


def test_the_key_is_neither_recorded_nor_sent_on(tmp_path: Path) -> None:
    file = tmp_path / "a.yaml"
    with (
        Standin() as standin,
        LLMServer(file, mode="new_episodes", upstream=standin.base_url, auth_token=KEY) as server,
    ):
        with openai.OpenAI(max_retries=0) as client:
            client.chat.completions.create(model="m", messages=HI)
        with openai.OpenAI(api_key="wrong", max_retries=0) as client, pytest.raises(openai.AuthenticationError):
            client.chat.completions.create(model="m", messages=HI)
        assert len(standin.requests) == 1
        assert standin.requests[0].header("authorization") is None
        assert len(server.requests) == 2
    assert KEY not in file.read_text()
    assert "hi #1" in file.read_text()


def test_a_miss_does_not_show_the_key() -> None:
    server = Controlled(auth_token=KEY)
    request = chat(f"my key is {KEY}")
    server.handle(Request("POST", request.origin, request.path, "", (("api-key", KEY),), request.body))
    assert server.deck.failed
    assert KEY not in server.deck.report()


def test_without_a_gate_there_is_none() -> None:
    assert not Controlled().deck.gate.stands
    assert not Controlled(cors_origin="*").deck.gate.stands
    assert Controlled(limits="rpm=1").deck.gate.stands


# --- settings -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"auth_token": ""}, "test: auth_token is not possible. The token is empty."),
        ({"auth_token": [KEY, 7]}, "test: auth_token is not possible. Input should be a valid string."),
        ({"auth_token": [KEY, "a b"]}, "test: auth_token is not possible. Token 2 of 2 holds a space"),
        ({"limits": "rmp=3"}, "test: limits='rmp=3' is not possible. There is no limit 'rmp'. Did you mean"),
        ({"lock_out": "5"}, "test: lock_out='5' is not possible. There is no lock-out '5'."),
        ({"cors_origin": ["x"]}, "test: cors_origin=('x',) is not possible. 'x' is not an origin."),
    ],
)
def test_a_wrong_setting_is_told_without_a_key(given: dict[str, Any], told: str) -> None:
    with pytest.raises(UsageError) as caught:
        combine([("test", given)])
    assert str(caught.value).startswith(told)
    assert KEY not in str(caught.value)


def test_a_lock_out_without_a_key_is_refused() -> None:
    with pytest.raises(UsageError, match="is for wrong keys, and none is asked for: say auth_token as well"):
        Controlled(lock_out="5/60s")


def test_settings_that_are_printed_show_no_key() -> None:
    assert KEY not in repr(Settings(auth_token=KEY))
