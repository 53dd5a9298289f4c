"""The list of models, and one of them."""

from __future__ import annotations

import json
from typing import Any

import httpx2
import openai
import pytest

from pytest_llmmock.core.model import Exchange, Frame, Reply, Request
from pytest_llmmock.core.prompt import Answer, Delta, Prompt
from pytest_llmmock.dialects import models

ANSWER = Answer(
    (Delta("model", "gpt-5"), Delta("model", "openai/gpt-4o", data={"id": "openai/gpt-4o", "owned_by": "x"}))
)


def heard(body: object) -> list[str]:
    answer = models.read_reply(Reply(200, (), [Frame(json.dumps(body).encode())]))
    return [delta.text for delta in answer.deltas if delta.kind == "model"]


@pytest.mark.parametrize(
    ("path", "model"),
    [
        ("/v1/models", ""),
        ("/v1/models/", ""),
        ("/v1/models/gpt-5", "gpt-5"),
        ("/v1/models/openai/gpt-4o", "openai/gpt-4o"),
        ("/v1/models/openai%2Fgpt-4o", "openai/gpt-4o"),
        ("/v1/models/f/models/x", "f/models/x"),
        ("/v1//models//gpt-5", "gpt-5"),
    ],
)
def test_the_model_stands_in_the_path(path: str, model: str) -> None:
    assert models.read_request(Request("GET", "", path)) == Prompt(model)


def test_the_path_can_be_written_again() -> None:
    for model in ("", "gpt-5", "a/b c"):
        assert models.read_request(Request("GET", "", models.path_of(Prompt(model)))) == Prompt(model)


@pytest.mark.parametrize(
    "body",
    [
        {"object": "list", "data": [{"id": "a"}, {"id": "b"}]},
        {"models": [{"slug": "a"}, {"slug": "b"}]},
        {"models": [{"name": "a"}, {"name": "b"}, {}]},
        [{"id": "a"}, {"id": "b"}, 5],
    ],
)
def test_lists_are_read_in_the_shapes_that_servers_use(body: object) -> None:
    assert heard(body) == ["a", "b"]


def test_one_model_is_read() -> None:
    assert heard({"id": "a", "object": "model"}) == ["a"]
    assert heard({"data": {"id": 5}}) == []


def test_what_is_written_can_be_read_back() -> None:
    reply = models.write_reply(Prompt(), ANSWER)
    assert [delta.text for delta in models.read_reply(reply).deltas] == ["gpt-5", "openai/gpt-4o"]
    one = models.write_reply(Prompt("gpt-5"), ANSWER)
    assert one.json() == {"id": "gpt-5", "object": "model", "created": 0, "owned_by": "llmmock"}


@pytest.fixture
def client() -> openai.OpenAI:
    def respond(http: httpx2.Request) -> httpx2.Response:
        prompt = models.read_request(Request("GET", "", http.url.raw_path.decode()))
        reply = models.write_reply(prompt, ANSWER)
        return httpx2.Response(reply.status, headers=list(reply.headers), content=reply.body)

    http_client = httpx2.Client(transport=httpx2.MockTransport(respond))
    return openai.OpenAI(api_key="k", base_url="http://x/v1", http_client=http_client, max_retries=0)


def test_the_sdk_lists_and_retrieves(client: openai.OpenAI) -> None:
    assert [model.id for model in client.models.list()] == ["gpt-5", "openai/gpt-4o"]
    model: Any = client.models.retrieve("openai/gpt-4o")
    assert (model.id, model.owned_by) == ("openai/gpt-4o", "x")
    with pytest.raises(openai.NotFoundError, match="'gpt-6' does not exist"):
        client.models.retrieve("gpt-6")


def test_every_shared_recording_can_be_read(recorded: list[tuple[str, Exchange, Reply]]) -> None:
    recordings = [item for item in recorded if item[1].operation.startswith("models")]
    assert len(recordings) > 3
    for file, exchange, reply in recordings:
        answer = models.read_reply(reply)
        names = [delta.text for delta in answer.deltas if delta.kind == "model"]
        if reply.status >= 400:
            assert answer.joined("error"), file
        else:
            assert names, file
            assert not exchange.prompt.model or names == [exchange.prompt.model], file
