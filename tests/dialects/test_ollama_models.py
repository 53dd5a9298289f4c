"""What an Ollama server tells of itself and of its models."""

from __future__ import annotations

import httpx
import ollama
import pytest
from answering import Answering, ollama_client

from pytest_llmmock.core.model import Exchange, Reply, Request
from pytest_llmmock.core.prompt import Answer, Delta
from pytest_llmmock.dialects import ollama_models

MODELS = Answer((Delta("model", "llama3.2:3b"), Delta("model", "minilm", data={"size": 5})))


def test_the_sdk_reads_lists() -> None:
    with ollama_client(Answering(MODELS)) as client:
        there = client.list().models
        runs = client.ps().models
    assert [(model.model, len(model.digest or "")) for model in there] == [("llama3.2:3b", 64), ("minilm", 64)]
    assert there[1].size == 5
    assert there[0].modified_at is not None
    assert there[0].details is not None
    assert [model.model for model in runs] == ["llama3.2:3b", "minilm"]
    assert runs[0].size_vram
    assert runs[0].expires_at is not None


def test_the_sdk_reads_what_a_model_is() -> None:
    told = Answer((Delta("item", data={"capabilities": ["embedding"]}),))
    with ollama_client(answering := Answering(told)) as client:
        shown = client.show("minilm")
    assert answering.asked[0].prompt.model == "minilm"
    assert (shown.capabilities, shown.modelinfo["general.architecture"]) == (["embedding"], "llama")
    assert shown.details is not None


def test_a_version_is_told_or_the_one_that_is_played() -> None:
    prompt = ollama_models.read_request(Request("GET", "", "/api/version"))
    assert ollama_models.write_reply(prompt, Answer()).json() == {"version": ollama_models.VERSION}
    told = ollama_models.write_reply(prompt, Answer((Delta("text", "0.12.10"),)))
    assert told.json() == {"version": "0.12.10"}
    assert ollama_models.read_reply(told).text == "0.12.10"


def test_an_error_is_ollamas() -> None:
    failed = Answering(Answer((Delta("error", "gone"),)))
    with ollama_client(failed) as client, pytest.raises(ollama.ResponseError, match="gone"):
        client.show("m")


def test_what_is_written_is_read_again() -> None:
    prompt = ollama_models.read_request(Request("GET", "", "/api/tags"))
    read = ollama_models.read_reply(ollama_models.write_reply(prompt, MODELS))
    assert [delta.text for delta in read.deltas] == ["llama3.2:3b", "minilm"]
    assert ollama_models.read_reply(ollama_models.write_reply(prompt, read)) == read


def test_older_clients_name_the_model_in_another_field(recorded: list[tuple[str, Exchange, Reply]]) -> None:
    found = [each for each in recorded if each[1].operation == "ollama.show"]
    assert found
    for file, exchange, reply in found:
        assert exchange.prompt.model == "llama3.1", file
        written = ollama_models.write_reply(exchange.prompt, Answer()).json()
        assert set(written) - {"capabilities", "parameters"} <= set(reply.json()) | {"parameters"}, file
        assert ollama_models.read_reply(reply).deltas[0].data == reply.json(), file


def test_the_answer_is_json() -> None:
    answering = Answering(MODELS)
    status, headers, _ = answering.reply(httpx.Request("GET", "http://x/api/tags"))
    assert (status, headers) == (200, [("content-type", "application/json")])
