"""Ollama's embeddings, in both of its ways."""

from __future__ import annotations

import ollama
import pytest
from answering import Answering, ollama_client

from pytest_llmmock.core.model import Exchange, Reply
from pytest_llmmock.core.prompt import Answer, Delta, Usage
from pytest_llmmock.dialects import ollama_embed

ANSWER = Answer((Delta("vector", vector=(0.5, -1.0)), Delta("vector", index=1, vector=(2.0, 0.25))), "minilm")


def test_the_sdk_reads_vectors() -> None:
    answering = Answering(Answer((*ANSWER.deltas, Delta("usage", usage=Usage(input=3)))))
    with ollama_client(answering) as client:
        found = client.embed(model="minilm", input=["a", "b"], dimensions=2)
        older = client.embeddings(model="minilm", prompt="a")
    assert (found.embeddings, found.model, found.prompt_eval_count) == ([[0.5, -1.0], [2.0, 0.25]], "minilm", 3)
    assert older.embedding == [0.5, -1.0]
    assert [exchange.prompt.inputs for exchange in answering.asked] == [("a", "b"), ("a",)]


def test_an_error_is_ollamas() -> None:
    failed = Answering(Answer((Delta("error", "gone"),)))
    with ollama_client(failed) as client, pytest.raises(ollama.ResponseError, match="gone"):
        client.embed(model="m", input="a")


def test_what_is_written_is_read_again() -> None:
    with ollama_client(answering := Answering(ANSWER)) as client:
        client.embed(model="minilm", input="a")
    prompt = answering.asked[0].prompt
    assert ollama_embed.read_reply(ollama_embed.write_reply(prompt, ANSWER)) == ANSWER


def test_shared_recordings_are_read(recorded: list[tuple[str, Exchange, Reply]]) -> None:
    found = [each for each in recorded if each[1].operation == "ollama.embeddings"]
    assert found
    for file, exchange, reply in found:
        assert exchange.prompt.inputs, file
        assert len(ollama_embed.read_reply(reply).deltas[0].vector) > 100, file
