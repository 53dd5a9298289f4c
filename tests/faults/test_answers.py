from __future__ import annotations

import json
from typing import Any

import pytest

from pytest_llmmock import dialects
from pytest_llmmock.core.model import Frame, Reply
from pytest_llmmock.core.prompt import Answer, Delta, Prompt, Usage
from pytest_llmmock.core.sse import read_events, write_event
from pytest_llmmock.faults.answers import with_bad_tool_json, with_finish

CALLS = Answer(
    (
        Delta("text", "I look "),
        Delta("tool_call", '{"city": ', call=0, id="c0", name="weather"),
        Delta("tool_call", '{"n"', call=1, id="c1", name="count"),
        Delta("tool_call", '"Rome"}', call=0),
        Delta("tool_call", ": 1}", call=1),
        Delta("finish", finish="tool_calls"),
        Delta("usage", usage=Usage(1, 2, 3)),
    ),
    "m",
)


def reply_of(operation: str, *, stream: bool) -> Reply:
    return dialects.dialect_of(operation).write_reply(Prompt("m", stream=stream), CALLS)


def events(*values: Any) -> Reply:
    body = b"".join(write_event(value, value.get("type", "")) for value in values)
    return Reply(200, (("content-type", "text/event-stream"),), [Frame(body)])


@pytest.mark.parametrize("operation", ["chat", "responses"])
@pytest.mark.parametrize("stream", [False, True])
def test_no_tool_call_has_arguments_that_can_be_read(operation: str, stream: bool) -> None:
    answer = dialects.dialect_of(operation).read_reply(with_bad_tool_json(reply_of(operation, stream=stream)))
    assert [call.arguments for call in answer.tool_calls] == ['{"city": "Rome"', '{"n": 1']
    assert (answer.text, answer.finish_reason) == ("I look ", "tool_calls")


def test_responses_spoils_each_place_that_repeats_the_arguments() -> None:
    told = json.dumps(
        [event.json() for event in read_events(with_bad_tool_json(reply_of("responses", stream=True)).body)]
    )
    assert '\\"Rome\\"}"' not in told
    assert told.count('{\\"city\\": \\"Rome\\""') == 3, "arguments.done, output_item.done, response.completed"


def test_white_space_at_the_end_hides_nothing() -> None:
    call = {"function": {"name": "f", "arguments": '{"a": 1}\n'}}
    plain = {"choices": [{"message": {"tool_calls": [call]}}]}
    reply = Reply(200, (("content-type", "application/json"),), [Frame(json.dumps(plain).encode())])
    told = with_bad_tool_json(reply).json()
    assert told["choices"][0]["message"]["tool_calls"][0]["function"]["arguments"] == '{"a": 1'


def test_anthropics_pieces_are_spoilt_at_the_end() -> None:
    piece = {"type": "content_block_delta", "index": 1, "delta": {"type": "input_json_delta", "partial_json": '{"a"'}}
    last = {"type": "content_block_delta", "index": 1, "delta": {"type": "input_json_delta", "partial_json": ": 1}"}}
    told = [event.json() for event in read_events(with_bad_tool_json(events(piece, last)).body)]
    assert [value["delta"]["partial_json"] for value in told] == ['{"a"', ": 1"]


def test_an_answer_without_tool_calls_keeps_every_byte() -> None:
    body = b': hello\r\ndata:{"text" : "x"}\r\n\r\ndata: [DONE]\r\n\r\n'
    reply = Reply(200, (("content-type", "text/event-stream"),), [Frame(body)])
    assert with_bad_tool_json(reply) is reply
    assert with_finish(reply, "length") is reply


@pytest.mark.parametrize("operation", ["chat", "responses"])
@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("reason", ["length", "content_filter"])
def test_the_answer_ends_for_another_reason(operation: str, stream: bool, reason: str) -> None:
    answer = dialects.dialect_of(operation).read_reply(with_finish(reply_of(operation, stream=stream), reason))
    assert answer.finish_reason == reason
    assert answer.text == "I look "


def test_the_event_is_called_by_its_new_type() -> None:
    told = read_events(with_finish(reply_of("responses", stream=True), "length").body)
    assert told[-1].event == told[-1].json()["type"] == "response.incomplete"
    back = with_finish(with_finish(reply_of("responses", stream=True), "length"), "stop")
    assert read_events(back.body)[-1].event == "response.completed"


def test_anthropic_and_ollama_have_words_of_their_own() -> None:
    ending = {"type": "message_delta", "delta": {"stop_reason": "end_turn", "stop_sequence": None}}
    told = read_events(with_finish(events(ending), "length").body)
    assert told[0].json()["delta"] == {"stop_reason": "max_tokens", "stop_sequence": None}
    lines = Reply(
        200,
        (("content-type", "application/x-ndjson"),),
        [Frame(b'{"done": false}\n{"done":true,"done_reason":"stop"}\n')],
    )
    assert with_finish(lines, "length").body == b'{"done": false}\n{"done":true,"done_reason":"length"}\n'


def test_the_other_lines_of_an_event_stay() -> None:
    body = b': note\nid: 7\ndata: {"choices":[{"finish_reason":"stop"}]}\nretry: 5\n\n'
    reply = Reply(200, (("content-type", "text/event-stream"),), [Frame(body, 0.5)])
    told = with_finish(reply, "length")
    assert told.body == b': note\nid: 7\nretry: 5\ndata: {"choices":[{"finish_reason":"length"}]}\n\n'
    assert told.frames[0].at == 0.5  # type: ignore[index]
