from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_llmmock.cassettes.draft import Draft
from pytest_llmmock.cassettes.scrubber import Scrubber
from pytest_llmmock.cassettes.secrets import Secrets
from pytest_llmmock.core.model import Frame

VALUE = 'p4ss/W0rd"12'
KEY = "sk-proj-" + "aB3dE5gH7j" * 6
SCRUBBER = Scrubber(Secrets([VALUE]))
SSE = "text/event-stream"


def rewritten(body: bytes, content_type: str) -> bytes:
    draft = Draft([Frame(body)])
    SCRUBBER.draft(draft, content_type)
    return draft.body


@pytest.mark.parametrize(
    ("path", "clean"),
    [
        ("/v1/models", "/v1/models"),
        ("/v1/%41/b", "/v1/%41/b"),
        (f"/v1/{KEY}/x", "/v1/redacted-secret/x"),
        ("/v1/p4ss%2FW0rd%2212/x", "/v1/redacted-secret/x"),
        ("/v1/%704ss%2FW0rd%2212,a/x", "/v1/redacted-secret,a/x"),
    ],
)
def test_a_path_is_read_as_it_is_meant(path, clean):
    assert SCRUBBER.address(path) == clean


@pytest.mark.parametrize(
    ("query", "clean"),
    [
        ("", ""),
        ("a=%2f&b", "a=%2f&b"),
        (f"a={KEY}&b=c+d", "a=redacted-secret&b=c+d"),
        ("a=x%20%704ss%2FW0rd%2212&b=c+d", "a=x+redacted-secret&b=c+d"),
        (f"{KEY}=1", "redacted-secret=1"),
    ],
)
def test_a_query_is_read_as_it_is_meant(query, clean):
    assert SCRUBBER.query(query) == clean


def test_all_texts_of_a_value_are_looked_at():
    value = {"upstream": f"https://h.example/{KEY}/v1", KEY: [KEY, 1, None]}
    assert SCRUBBER.values(value) == {
        "upstream": "https://h.example/redacted-secret/v1",
        "redacted-secret": ["redacted-secret", 1, None],
    }


def test_letters_that_are_written_as_escapes_hide_nothing():
    escaped = "".join(f"\\u{ord(letter):04x}" for letter in VALUE)
    assert (
        SCRUBBER.body(f'{{"a": "é {escaped}", "b": "\\u0041"}}'.encode())
        == '{"a": "é redacted-secret", "b": "\\u0041"}'.encode()
    )
    assert rewritten(f'{{"a": "{escaped}"}}'.encode(), "application/json") == b'{"a": "redacted-secret"}'
    assert [place for place, *_ in SCRUBBER.found(f'{{"a": "{escaped}"}}'.encode(), "", pieces=False)] == ["a"]


@given(st.binary())
def test_a_body_without_a_secret_stays_the_same_object(body):
    scrubber = Scrubber(Secrets())
    assert scrubber.body(body) is body


@given(st.lists(st.integers(1, 9), max_size=9), st.text(max_size=5), st.text(max_size=5), st.sampled_from([VALUE, KEY]))
def test_what_is_said_in_pieces_is_found_and_all_else_of_the_events_stays(cuts, before, after, secret):
    said = f"{before} {secret} {after}"
    ends = sorted({min(sum(cuts[: count + 1]), len(said)) for count in range(len(cuts))} | {len(said)})
    pieces = [said[start:end] for start, end in zip([0, *ends], ends, strict=False)]
    body = "".join(f'data: {{ "n":1e-05, "delta": {json.dumps(piece)}}}\r\n\r\n' for piece in pieces).encode()
    lines = rewritten(body, SSE).decode().split("\r\n\r\n")
    assert len(lines) == len(pieces) + 1
    assert all(line.startswith('data: { "n":1e-05, "delta": ') for line in lines[:-1])
    joined = "".join(json.loads(line.removeprefix("data: "))["delta"] for line in lines[:-1])
    assert joined == f"{before} redacted-secret {after}"


def test_two_texts_that_come_by_turns_are_each_put_together():
    halves = [(0, KEY[:20]), (1, "He said "), (0, KEY[20:] + " it is"), (1, "nothing")]
    body = "".join(
        f"data: {json.dumps({'id': f'event-{number}', 'choices': [{'delta': {'content': text}, 'index': index}]})}\n\n"
        for number, (index, text) in enumerate(halves)
    )
    events = [json.loads(line[6:]) for line in rewritten(body.encode(), SSE).decode().splitlines() if line]
    assert [event["choices"][0]["delta"]["content"] for event in events] == [
        *("redacted-secret", "He said ", " it is", "nothing")
    ]


def test_an_id_that_each_event_repeats_is_not_put_together():
    body = b'data: {"id": "sk-abcdefgh", "delta": "a"}\n\n' * 20
    assert rewritten(body, SSE) == body


def test_tokens_of_a_plain_answer_are_put_together():
    tokens = [{"token": KEY[at : at + 7], "logprob": -0.5} for at in range(0, len(KEY), 7)]
    body = json.dumps({"logprobs": {"content": tokens}}).encode()
    said = json.loads(rewritten(body, "application/json"))["logprobs"]["content"]
    assert "".join(token["token"] for token in said) == "redacted-secret"
    assert len(said) == len(tokens)


def test_a_placeholder_that_makes_a_secret_of_its_neighbours_is_looked_at_again():
    scrubber = Scrubber(Secrets(["a1b2c3d4"]))
    once = scrubber.content(b"sk-proj-a1b2c3d4xyz0xyz")
    assert once == scrubber.content(once) == b"redacted-secret"
