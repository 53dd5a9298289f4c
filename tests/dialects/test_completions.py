"""The older Completions: what is asked, what is answered, streamed and whole."""

from __future__ import annotations

import json
from typing import Any, cast

import pytest
from conversions import PLAIN, STREAMED, WITH_USAGE, converted, plain, streamed, there_and_back, values_of
from hypothesis import given
from hypothesis import strategies as st
from openai.types import Completion

from pytest_llmmock import dialects
from pytest_llmmock.core.model import Dialect, Frame, Reply, Request
from pytest_llmmock.core.prompt import Answer, Delta, Message, Part, Prompt, Usage
from pytest_llmmock.dialects import completions

COMPLETIONS = cast(Dialect, completions)
ANSWER = Answer(
    (
        Delta("text", "It "),
        Delta("text", "rains"),
        Delta("text", "No", index=1),
        Delta("finish", finish="length"),
        Delta("usage", usage=Usage(1, 2, 3)),
    ),
    model="davinci-002",
    id="cmpl-1",
    created=5,
)


def asked(**body: Any) -> Prompt:
    return completions.read_request(Request("POST", "", "/v1/completions", body=json.dumps(body).encode()))


def test_the_route_is_served_by_this_module() -> None:
    exchange = dialects.read(Request("POST", "http://x", "/v1/completions", body=b'{"prompt": "Once"}'))
    assert (exchange.operation, exchange.dialect) == ("completions", completions)
    assert exchange.prompt.messages == (Message("user", "Once"),)


@pytest.mark.parametrize(
    ("prompt", "messages"),
    [
        ("Once", (Message("user", "Once"),)),
        (["Once", "Twice"], (Message("user", "Once"), Message("user", "Twice"))),
        ([1, 2], (Message("user", parts=(Part("tokens", data=[1, 2]),)),)),
        ([[1], [2, 3]], tuple(Message("user", parts=(Part("tokens", data=each),)) for each in ([1], [2, 3]))),
        (None, ()),
        ([], ()),
    ],
)
def test_texts_and_token_numbers_are_messages(prompt: Any, messages: Any) -> None:
    read = asked(model="m", prompt=prompt, suffix="end", stream=True)
    assert read == Prompt("m", messages, stream=True, options={"suffix": "end"})
    again = json.loads(completions.write_request(read))
    assert again.get("prompt", []) == (prompt or [])
    assert (again["suffix"], again["stream"]) == ("end", True)


def test_a_whole_answer_has_the_protocols_shape() -> None:
    value = completions.write_reply(Prompt("m"), ANSWER).json()
    assert Completion.model_validate(value, strict=True).model_dump(exclude_unset=True) == value
    assert [(c["index"], c["text"], c["finish_reason"]) for c in value["choices"]] == [
        (0, "It rains", "length"),
        (1, "No", "stop"),
    ]
    assert completions.read_reply(completions.write_reply(Prompt("m"), ANSWER)).usage == Usage(1, 2, 3)


def test_a_streamed_answer_says_the_same_piece_by_piece() -> None:
    values = values_of(completions.write_reply(WITH_USAGE, ANSWER))
    assert {value["object"] for value in values} == {"text_completion"}
    assert [c["text"] for value in values for c in value["choices"]] == ["It ", "rains", "No", "", ""]
    assert (values[-1]["choices"], values[-1]["usage"]["total_tokens"]) == ([], 3)
    heard = completions.read_reply(completions.write_reply(WITH_USAGE, ANSWER))
    assert [(heard.joined("text", n), heard.finish_of(n)) for n in heard.choices] == [
        ("It rains", "length"),
        ("No", "stop"),
    ]
    assert (heard.id, heard.model, heard.created, heard.usage) == ("cmpl-1", "davinci-002", 5, Usage(1, 2, 3))


@pytest.mark.parametrize("prompt", [PLAIN, STREAMED])
def test_an_answer_that_fails_says_so_and_never_ends_well(prompt: Prompt) -> None:
    failed = Answer((Delta("text", "so f"), Delta("error", "out of coal", name="no_coal")))
    heard = completions.read_reply(completions.write_reply(prompt, failed))
    assert [(d.text, d.name) for d in heard.deltas if d.kind == "error"] == [("out of coal", "no_coal")]
    assert heard.finish_reason == ""


def test_an_error_is_read() -> None:
    reply = Reply(429, (), [Frame(b'{"error": {"message": "slow down", "code": "rate"}}')])
    assert completions.read_reply(reply).deltas[0].text == "slow down"


# --- streamed and whole ---------------------------------------------------------------------------------

some_words = st.text(min_size=1, max_size=12)


@st.composite
def choices(draw: st.DrawFn, number: int) -> dict[str, Any]:
    tokens = draw(st.lists(some_words, min_size=1, max_size=4))
    words = draw(st.sampled_from(["".join(tokens), "other words", ""]))
    told = {
        "tokens": tokens,
        "token_logprobs": [-0.5] * len(tokens),
        "top_logprobs": draw(st.none() | st.just([{token: -0.5} for token in tokens])),
        "text_offset": list(range(len(tokens))),
    }
    logprobs = draw(st.sampled_from([{}, {"logprobs": None}, {"logprobs": {}}, {"logprobs": told}]))
    return {
        "text": words,
        "index": number,
        **logprobs,
        "finish_reason": "stop",
        "stop_reason": draw(st.none() | some_words),
    }


@st.composite
def wholes(draw: st.DrawFn) -> dict[str, Any]:
    head = {"id": "cmpl-1", "object": "text_completion", "created": 5, "model": "m", "kv": draw(st.none() | some_words)}
    found = [draw(choices(number)) for number in range(draw(st.integers(1, 3)))]
    return {**head, "choices": found, **draw(st.sampled_from([{}, {"usage": None}, {"usage": {"total_tokens": 3}}]))}


@given(wholes())
def test_a_whole_answer_that_was_streamed_is_the_same_when_it_is_whole_again(value: Any) -> None:
    assert there_and_back(COMPLETIONS, value) == value


def test_tokens_come_one_by_one_with_their_probabilities() -> None:
    logprobs = {"tokens": ["a", " b"], "token_logprobs": [-1, -2], "top_logprobs": None, "text_offset": [0, 1]}
    choice = {"text": "a b", "index": 0, "logprobs": logprobs, "finish_reason": "stop"}
    values = values_of(converted(COMPLETIONS, STREAMED, plain({"id": "c", "choices": [choice]})))
    assert [(c["text"], c["logprobs"] and c["logprobs"]["token_logprobs"]) for v in values for c in v["choices"]] == [
        ("a", [-1]),
        (" b", [-2]),
        ("", None),
    ]


def test_a_stream_that_breaks_off_is_not_converted() -> None:
    piece = {"id": "c", "choices": [{"text": "a", "index": 0, "finish_reason": None}]}
    assert completions.convert(PLAIN, streamed(piece, done=False)) is None


def test_every_shared_recording_is_the_same_after_a_conversion_there_and_back(recorded: list[Any]) -> None:
    found = [(reply, exchange) for _, exchange, reply in recorded if exchange.operation == "completions"]
    assert len(found) == 3
    for reply, _ in found:
        whole = converted(COMPLETIONS, PLAIN, reply)
        assert converted(COMPLETIONS, PLAIN, converted(COMPLETIONS, WITH_USAGE, whole)).json() == whole.json()
        assert Completion.model_validate(whole.json()).choices[0].text == completions.read_reply(reply).text
