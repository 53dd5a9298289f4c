"""Fixtures of aimock as its users have them, written by hand or recorded."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pytest
from scripting import asked, chat, embeddings, replied, said

from pytest_llmmock import UsageError
from pytest_llmmock.script.files import load
from pytest_llmmock.script.source import Script


@pytest.fixture
def script(tmp_path: Path) -> Any:
    def made(*fixtures: Any) -> Script:
        path = tmp_path / "fixtures.json"
        path.write_text(json.dumps({"$comment": "ours", "fixtures": fixtures}, indent=1))
        script = Script("aimock")
        script.extend(load(path, {})[0])
        return script

    return made


def fixture(response: dict[str, Any] | str, /, **match: Any) -> dict[str, Any]:
    return {"match": match, "response": {"content": response} if isinstance(response, str) else response}


USER = ("user", "go")
CALLED = {
    "role": "assistant",
    "tool_calls": [{"id": "c1", "type": "function", "function": {"name": "look", "arguments": "{}"}}],
}
ANSWERED = [
    {"role": "user", "content": "go"},
    CALLED,
    {"role": "tool", "tool_call_id": "c1", "content": "rain, 9 degrees"},
]


def after_tool(**more: Any) -> Any:
    return asked("/v1/chat/completions", {"model": "gpt-5", "messages": ANSWERED, **more})


@pytest.mark.parametrize(
    ("match", "exchange", "fits"),
    [
        ({"userMessage": "wea"}, chat("the weather"), True),
        ({"userMessage": "wea"}, chat("rain"), False),
        ({"userMessage": ""}, chat("rain"), True),
        ({"systemMessage": "pirate"}, chat(before=(("system", "a pirate"),)), True),
        ({"systemMessage": ["pirate", "ship"]}, chat(before=(("system", "a pirate"),)), False),
        ({"systemMessage": []}, chat(), True),
        ({"model": "gpt-4o"}, chat(model="gpt-4o-2024-08-06"), True),
        ({"model": "gpt-4o"}, chat(model="gpt-4o-mini"), False),
        ({"toolName": "look"}, chat(tools=[{"type": "function", "function": {"name": "look"}}]), True),
        ({"toolName": "look"}, chat(), False),
        ({"toolCallId": "c1"}, after_tool(), True),
        ({"toolCallId": "c2"}, after_tool(), False),
        ({"toolCallId": "c1"}, chat(), False),
        ({"toolResultContains": "rain"}, after_tool(), True),
        ({"toolResultContains": "sun"}, after_tool(), False),
        ({"toolResultContains": "hi"}, chat("hi"), False),
        ({"hasToolResult": True}, after_tool(), True),
        ({"hasToolResult": False}, after_tool(), False),
        ({"hasToolResult": False}, chat(before=(USER, ("assistant", "well"))), True),
        ({"turnIndex": 1}, chat(), False),
        ({"turnIndex": 1}, chat(before=(USER, ("assistant", "well"))), True),
        ({"responseFormat": "json_object"}, chat(response_format={"type": "json_object"}), True),
        ({"responseFormat": "json_object"}, chat(), False),
        ({"context": "blue"}, chat(headers={"x-aimock-context": "blue"}), True),
        ({"context": "blue"}, chat(headers={"x-aimock-context": "red"}), False),
        ({"endpoint": "chat"}, chat(), True),
        ({"endpoint": "embedding"}, chat(), False),
    ],
)
def test_all_keys_of_a_match_have_to_hold(script, match, exchange, fits):
    assert said(script(fixture("yes", **match)), exchange) == ("yes" if fits else None)


def test_the_first_that_fits_answers_and_of_several_turns_the_latest(script):
    mock = script(fixture("first", userMessage="hi", turnIndex=0), fixture("second", userMessage="hi", turnIndex=1))
    assert said(mock, chat("hi")) == "first"
    assert said(mock, chat("hi", before=(("user", "hi"), ("assistant", "first")))) == "second"


def test_a_sequence_is_given_in_its_order_and_then_leaves_its_requests_to_the_next(script):
    mock = script(
        fixture("two", userMessage="joke", sequenceIndex=1),
        fixture("one", userMessage="joke", sequenceIndex=0),
        fixture("other", userMessage="jok"),
    )
    assert [said(mock, chat("a joke")) for _ in range(3)] == ["one", "two", "other"]


def test_calls_of_tools_keep_arguments_as_they_are_written(script):
    calls = [{"name": "a", "arguments": '{"x":  1}', "id": "c9"}, {"name": "b", "arguments": {"y": [2]}}]
    mock = script(fixture({"content": "Look:", "toolCalls": calls, "reasoning": "hm", "finishReason": "length"}))
    choice = replied(mock, chat()).json()["choices"][0]
    first, second = choice["message"]["tool_calls"]
    assert (first["id"], first["function"]) == ("c9", {"name": "a", "arguments": '{"x":  1}'})
    assert json.loads(second["function"]["arguments"]) == {"y": [2]}
    assert (choice["message"]["content"], choice["finish_reason"]) == ("Look:", "length")


def test_blocks_go_over_the_rest(script):
    blocks = [{"type": "toolCall", "name": "a", "arguments": "{}"}, {"type": "text", "text": "On it."}]
    message = replied(script(fixture({"blocks": blocks, "content": "no"})), chat()).json()["choices"][0]["message"]
    assert message["content"] == "On it."
    assert [call["function"]["name"] for call in message["tool_calls"]] == ["a"]


def test_an_object_is_the_text_of_the_answer(script):
    assert json.loads(said(script(fixture({"content": {"a": [1]}})), chat())) == {"a": [1]}


def test_errors_come_as_they_are_described(script):
    told = {
        "error": {"message": "Slow down", "type": "rate_limit_error", "code": "rate"},
        "status": 429,
        "retryAfter": 7,
    }
    reply = replied(script(fixture(told)), chat())
    assert (reply.status, dict(reply.headers)["retry-after"]) == (429, "7")
    assert reply.json()["error"] | {"message": "Slow down", "code": "rate"} == reply.json()["error"]
    assert replied(script(fixture({"error": {"message": "Oh"}})), chat()).status == 500


def test_vectors_words_and_pictures_each_where_they_belong(script):
    picture = base64.b64encode(b"\x89PNG").decode()
    mock = script(
        fixture({"embedding": [0.5, -1]}, inputText="hello"),
        fixture({"images": [{"b64Json": picture}]}, endpoint="image"),
        fixture("words"),
    )
    assert replied(mock, embeddings("hello world")).json()["data"][0]["embedding"] == [0.5, -1]
    assert replied(mock, embeddings("bye")) is None
    drawn = asked("/v1/images/generations", {"model": "gpt-image-1", "prompt": "a cat"})
    assert replied(mock, drawn).json()["data"][0]["b64_json"] == picture
    assert said(mock, chat()) == "words"


def test_tokens_are_counted_as_it_says(script):
    mock = script(fixture({"content": "a", "usage": {"prompt_tokens": 3, "completion_tokens": 4, "cost": 0.1}}))
    usage = replied(mock, chat()).json()["usage"]
    assert (usage["prompt_tokens"], usage["completion_tokens"], usage["total_tokens"]) == (3, 4, 7)


def test_tokens_that_nobody_counted_are_left_out(script):
    mock = script(fixture({"content": "a", "usage": {"prompt_tokens": 3, "completion_tokens": None}}))
    assert replied(mock, chat()).json()["usage"]["prompt_tokens"] == 3


def test_pieces_have_the_size_that_it_says(script):
    mock = script({**fixture("abcdef"), "chunkSize": 2, "latency": 5, "recordedTimings": {"ttftMs": 1}})
    events = [json.loads(frame.data[6:]) for frame in replied(mock, chat(stream=True)).frames[:-1]]
    assert [text for each in events if (text := each["choices"][0]["delta"].get("content"))] == ["ab", "cd", "ef"]


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        (fixture("a", userMesage="x"), r"fixtures\.json, line \d+, fixtures\[0\]\.match\.userMesage: .* 'userMessage'"),
        (fixture("a", endpoint="video"), "there is no endpoint 'video' here"),
        (fixture({}), "it says nothing that rules know"),
        ({"match": {}}, r"fixtures\[0\]\.response: this key is missing"),
        ({**fixture("a"), "chaos": {"dropRate": 1}}, r"fixtures\[0\]\.chaos: rules have no place for this"),
        (fixture({"error": {"message": "x"}, "status": 200}), "an error has a status from 400"),
        (fixture({"image": {}}), "a picture has a `url` or `b64Json`"),
        (fixture({"audio": "?"}), "this is not Base64"),
        (fixture({"toolCalls": [{"arguments": "{}"}]}), r"toolCalls\[0\]\.name: this key is missing"),
        (fixture({"content": "a", "usage": {"prompt_tokens": "many"}}), r"prompt_tokens: 'many' is no count of tokens"),
        (5, "stands where keys were expected"),
    ],
)
def test_what_cannot_be_said_is_told_with_its_place(script, wrong, told):
    with pytest.raises(UsageError, match=told):
        script(wrong)
