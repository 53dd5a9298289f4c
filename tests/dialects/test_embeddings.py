"""Embeddings, as numbers and as base64."""

from __future__ import annotations

import json
from array import array
from base64 import b64encode
from typing import Any

import httpx2
import openai
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_llmmock.core.model import Exchange, Frame, Reply, Request
from pytest_llmmock.core.prompt import Answer, Delta, Prompt, Usage
from pytest_llmmock.dialects import embeddings

ANSWER = Answer(
    (
        Delta("vector", index=0, vector=(0.5, -1.25)),
        Delta("vector", index=1, vector=(2.0, 0.0)),
        Delta("usage", usage=Usage(input=8, total=8)),
    ),
    model="text-embedding-3-small",
)


def asked(**body: Any) -> Prompt:
    return embeddings.read_request(Request("POST", "", "/v1/embeddings", body=json.dumps(body).encode()))


def heard(body: object) -> Answer:
    return embeddings.read_reply(Reply(200, (), [Frame(json.dumps(body).encode())]))


@pytest.mark.parametrize(
    ("value", "inputs"),
    [
        ("a", ("a",)),
        (["a", "b"], ("a", "b")),
        ([1, 2, 3], ([1, 2, 3],)),
        ([[1, 2], [3]], ([1, 2], [3])),
        ([], ()),
        (None, ()),
        (5, ()),
    ],
)
def test_texts_and_tokens_are_told_apart(value: object, inputs: tuple[Any, ...]) -> None:
    assert asked(model="m", input=value, dimensions=3) == Prompt("m", inputs=inputs, options={"dimensions": 3})


@pytest.mark.parametrize("encoding", ["float", "base64", None])
def test_vectors_come_back_in_the_encoding_that_was_asked_for(encoding: str | None) -> None:
    reply = embeddings.write_reply(Prompt("m", options={"encoding_format": encoding}), ANSWER)
    held = reply.json()["data"][0]["embedding"]
    assert held == (b64encode(array("f", [0.5, -1.25]).tobytes()).decode() if encoding == "base64" else [0.5, -1.25])
    assert embeddings.read_reply(reply) == ANSWER


@given(st.lists(st.floats(width=32, allow_nan=False), max_size=5).map(tuple), st.sampled_from(["float", "base64"]))
def test_every_vector_comes_back_the_same(vector: tuple[float, ...], encoding: str) -> None:
    answer = Answer((Delta("vector", vector=vector), ANSWER.deltas[-1]), "m")
    assert embeddings.read_reply(embeddings.write_reply(asked(encoding_format=encoding), answer)) == answer


def test_numbers_too_large_for_base64_do_not_raise() -> None:
    answer = Answer((Delta("vector", vector=(1e300,)),))
    assert embeddings.write_reply(asked(encoding_format="base64"), answer).status == 200


@pytest.mark.parametrize("vector", ["====", "AAA=", [1, "x"], [None], 7, {"a": 1}, [10**400]])
def test_what_is_no_vector_is_empty(vector: object) -> None:
    assert heard({"data": [{"embedding": vector}]}).deltas == (Delta("vector"),)


@pytest.mark.parametrize("encoding", ["float", "base64", openai.omit])
def test_the_sdk_reads_the_vectors(encoding: Any) -> None:
    def respond(http: httpx2.Request) -> httpx2.Response:
        prompt = embeddings.read_request(Request("POST", "", http.url.path, body=http.read()))
        assert prompt.inputs == ("a", "b")
        reply = embeddings.write_reply(prompt, ANSWER)
        return httpx2.Response(reply.status, headers=list(reply.headers), content=reply.body)

    http_client = httpx2.Client(transport=httpx2.MockTransport(respond))
    client = openai.OpenAI(api_key="k", base_url="http://x/v1", http_client=http_client)
    response = client.embeddings.create(model="m", input=["a", "b"], encoding_format=encoding)
    vectors = [entry.embedding for entry in response.data]
    if encoding == "base64":
        vectors = [list(embeddings.read_vector(vector)) for vector in vectors]
    assert vectors == [[0.5, -1.25], [2.0, 0.0]]
    assert (response.usage.prompt_tokens, response.model) == (8, "text-embedding-3-small")


def test_every_shared_recording_can_be_read(recorded: list[tuple[str, Exchange, Reply]]) -> None:
    recordings = [item for item in recorded if item[1].operation == "embeddings"]
    assert len(recordings) > 5
    for file, exchange, reply in recordings:
        assert exchange.prompt.inputs, file
        answer = embeddings.read_reply(reply)
        vectors = [delta.vector for delta in answer.deltas if delta.kind == "vector"]
        if reply.status == 200:
            assert vectors, file
            assert all(vectors), file
            assert answer.usage, file
        else:
            assert answer.joined("error"), file
