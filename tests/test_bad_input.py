"""Whatever a client sends, it is answered in the shape of its protocol: never a traceback, never an error of ours."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from simulating import Playing

from pytest_llmmock import dialects
from pytest_llmmock.cassettes.advice import Advice
from pytest_llmmock.core.model import Exchange, Reply, Request
from pytest_llmmock.core.prompt import Answer, Delta, Usage
from pytest_llmmock.deck import Deck
from pytest_llmmock.settings import Settings

ROUTES = sorted(dialects.ROUTES)
NAMES = [
    "model", "messages", "input", "prompt", "role", "content", "type", "text", "tools", "stream", "stream_options", "n",
    "size", "response_format", "previous_response_id", "file", "purpose", "input_file_id", "metadata", "system",
    "images", "mask", "voice", "speed", "quality", "background", "output_format", "partial_images",
    "timestamp_granularities", "dimensions", "encoding_format", "name", "instructions", "tool_calls",
    "tool_call_id", "options", "stream_format",
]  # fmt: skip
VALUES = [
    "",
    "system",
    "wizard",
    "user",
    "text",
    "png",
    "url",
    "b64_json",
    "9x9",
    "auto",
    "0x0",
    "verbose_json",
    "sse",
    "\ud800",
]

values: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.sampled_from(VALUES),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(NAMES), inner, max_size=4),
    max_leaves=10,
)
bodies = st.dictionaries(st.sampled_from(NAMES), values, max_size=6) | values
forms = st.dictionaries(st.sampled_from(NAMES), st.binary(max_size=12), max_size=3).map(
    lambda fields: (
        b"".join(
            b'--b\r\nContent-Disposition: form-data; name="%b"; filename="%b"\r\n\r\n%b\r\n'
            % (name.encode(), name.encode(), value)
            for name, value in fields.items()
        )
        + b"--b--\r\n"
    )
)
sent = st.one_of(
    bodies.map(lambda value: (json.dumps(value).encode(), "application/json")),
    bodies.map(lambda value: (json.dumps(value).encode(), "")),
    st.tuples(bodies, st.integers(0, 20)).map(lambda cut: (json.dumps(cut[0]).encode()[: cut[1]], "application/json")),
    st.tuples(st.binary(max_size=40), st.sampled_from(["application/json", "text/plain", "multipart/form-data", ""])),
    forms.map(lambda body: (body, "multipart/form-data; boundary=b")),
    st.tuples(forms, st.integers(0, 80)).map(lambda cut: (cut[0][: cut[1]], "multipart/form-data; boundary=b")),
)
ids = st.sampled_from(["file-1", "x", "%00", "..", "é", "resp_1", "a%2Fb"])
deltas = st.sampled_from(
    [
        Delta("text", "Hello"),
        Delta("text", '{"a": 1}'),
        Delta("reasoning", "hm"),
        Delta("tool_call", "{", id="call_1", name="look"),
        Delta("vector", vector=(0.5, 1.0)),
        Delta("image", data=b"\x89PNG"),
        Delta("audio", data=b"RIFF"),
        Delta("item", data={"id": "x"}),
        Delta("item", data=[1]),
        Delta("model", "gpt-5"),
        Delta("usage", usage=Usage(1, 2)),
        Delta("finish", finish="length"),
    ]
)


def request_of(route: str, id: str, body: tuple[bytes, str], query: str) -> Request:
    method, _, path = route.partition(" ")
    path = path.replace("*", "").replace("{id...}", id).replace("{id}", id) or "/v1/nowhere"
    headers = (("content-type", body[1]),) if body[1] else ()
    return Request("PATCH" if method == "*" else method, "http://x", path, query, headers, body[0])


def is_in_shape(reply: Reply, route: str) -> bool:
    """Whether an error is one of the protocol's own."""
    error = reply.json().get("error")
    return isinstance(error, str) if "/api/" in route else isinstance(error["message"], str) and "type" in error


queries = st.sampled_from(["", "limit=x&after=y", "stream=true", "order=asc&limit=0", "%00=%ff&&="])


@pytest.mark.parametrize("route", ROUTES)
@settings(max_examples=150)
@given(id=ids, body=sent, query=queries, answer=st.none() | st.lists(deltas, max_size=3), models=st.booleans())
def test_a_played_provider_answers_anything(
    route: str, id: str, body: tuple[bytes, str], query: str, answer: list[Delta] | None, models: bool
) -> None:
    def rule(exchange: Exchange) -> Answer | None:
        return None if answer is None else Answer(tuple(answer))

    playing = Playing(rule, models=("gpt-*",) if models else ())
    reply = playing.handle(request_of(route, id, body, query))
    assert reply.status < 500, reply.body
    assert reply.status < 400 or is_in_shape(reply, route), reply.body
    entry = playing.engine.journal.last
    assert (entry.status, bool(repr(entry))) == (reply.status, True)
    assert entry.text is not None
    assert entry.messages is not None


@pytest.mark.parametrize("route", ROUTES)
@settings(max_examples=100)
@given(id=ids, body=sent, query=queries)
def test_an_empty_cassette_explains_anything(route: str, id: str, body: tuple[bytes, str], query: str) -> None:
    advice = Advice(record="r", ignore="i", normalise="n", repeat="again")
    deck = Deck.open(Path("nowhere.yaml"), Settings(), advice=advice)
    request = request_of(route, id, body, query)
    reply = deck.engine(str).handle(request)
    assert reply.status in (400, 404), reply.body
    assert is_in_shape(reply, route), reply.body
    assert deck.report()
