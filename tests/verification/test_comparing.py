from __future__ import annotations

from copy import deepcopy
from typing import Any

import pytest
from verifying import RESPONSES, calling, chat, request, said, stream

from pytest_llmmock import dialects
from pytest_llmmock.core.model import Reply, Request, frames_of, json_reply
from pytest_llmmock.verification.comparing import compare


def found(asked: Request, old: Any, new: Any) -> list[tuple[str, str]]:
    replies = [value if isinstance(value, Reply) else json_reply(value) for value in (old, new)]
    return [(each.name, each.difference.path) for each in compare(dialects.read(asked), *replies)]


def changed(value: dict[str, Any], path: str, new: Any = ...) -> dict[str, Any]:
    """A copy with another value at a place, or without it."""
    value = deepcopy(value)
    *steps, last = [int(step) if step.isdigit() else step for step in path.split(".")]
    inner: Any = value
    for step in steps:
        inner = inner[step]
    if new is ...:
        del inner[last]
    else:
        inner[last] = new
    return value


def test_ids_times_counts_and_fingerprints_are_no_difference():
    new = said(id="chatcmpl-other", created=99, usage={"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2})
    del new["system_fingerprint"]
    assert found(chat(), said(), new) == []


@pytest.mark.parametrize(
    ("path", "new", "told"),
    [
        ("service_tier", ..., ("field-removed", "service_tier")),
        ("usage.total_tokens", ..., ("field-removed", "usage.total_tokens")),
        ("choices.0.message.refusal", ..., ("field-removed", "choices[].message.refusal")),
        ("usage", None, ("field-removed", "usage")),
        ("service_tier", None, ("field-removed", "service_tier")),
        ("choices.0.message.annotations", [], ("field-added", "choices[].message.annotations")),
        ("choices.0.logprobs", {"content": []}, ("field-added", "choices[].logprobs")),
        ("usage.total_tokens", "7", ("type-changed", "usage.total_tokens")),
        ("created", "2026-11-20", ("type-changed", "created")),
        (
            "choices.0.message.content",
            [{"type": "text", "text": "hello"}],
            ("type-changed", "choices[].message.content"),
        ),
        ("choices.0.message.content", "good day", ("text-differs", "answer.text")),
        ("choices.0.finish_reason", "length", ("finish-differs", "answer.finish")),
        ("model", "m-2", ("model-differs", "answer.model")),
        ("service_tier", "flex", ("text-differs", "answer.service_tier")),
    ],
)
def test_each_difference_has_its_class_and_place(path, new, told):
    assert told in found(chat(), said(), changed(said(), path, new))


@pytest.mark.parametrize("path", ["service_tier", "usage.total_tokens", "choices.0.message.refusal"])
def test_a_field_that_is_gone_is_told_once(path):
    assert len(found(chat(), said(), changed(said(), path))) == 1


def test_whole_numbers_and_others_are_of_one_type():
    assert found(chat(), said(created=1), said(created=1.5)) == []


@pytest.mark.parametrize(
    ("old", "new", "names"),
    [
        ([("weather", '{"city":"Rome"}')], [("weather", '{ "city": "Rome" }')], []),
        ([("weather", '{"city":"Rome"}')], [("weather", '{"city":"Paris"}')], ["text-differs"]),
        ([("weather", '{"city":"Rome"}')], [("weather", '{"town":"Rome"}')], ["tools-changed", "tools-changed"]),
        ([("weather", '{"city":"Rome"}')], [("weather", '{"city":"Rome","unit":"C"}')], ["tools-changed"]),
        ([("weather", '{"city":"Rome"}')], [("map", '{"city":"Rome"}')], ["tools-changed"]),
        ([("weather", "{}")], [("weather", "{}"), ("map", "{}")], ["tools-changed"]),
        ([("weather", '{"days":[1,2]}')], [("weather", '{"days":[1,2,3]}')], ["text-differs"]),
    ],
)
def test_other_tools_and_names_of_arguments_are_a_class_of_their_own(old, new, names):
    assert [name for name, _ in found(chat(), calling(*old), calling(*new))] == names


def test_words_in_place_of_a_call_are_other_tools_and_no_other_shape():
    names = [name for name, _ in found(chat(), calling(("weather", "{}")), said("It is sunny."))]
    assert sorted(set(names)) == ["finish-differs", "text-differs", "tools-changed"]


def test_what_goes_although_the_same_is_said_is_a_change_of_shape():
    old = changed(said(), "choices.0.message.reasoning_content", "Hm.")
    new = changed(said(), "choices.0.message.reasoning", "Hm.")
    assert ("field-removed", "choices[].message.reasoning_content") in found(chat(), old, new)


def test_another_status_says_all():
    told = found(chat(), said(), json_reply({"error": {"message": "no"}}, 500))
    assert told == [("status-differs", "status")]


def test_another_kind_of_content_is_another_type():
    page = Reply(200, (("content-type", "text/plain"),), frames_of(b"hello"))
    assert found(chat(), said(), page) == [("type-changed", "content-type")]


def test_vectors_of_another_length_are_another_type_and_other_numbers_another_answer():
    asked = request("/v1/embeddings", {"model": "e", "input": "hello"})

    def vector(*numbers: float) -> dict[str, Any]:
        return {
            "object": "list",
            "data": [{"object": "embedding", "index": 0, "embedding": list(numbers)}],
            "model": "e",
        }

    assert found(asked, vector(1, 2.5, 3), vector(1, 2.5000001, 3)) == []
    assert found(asked, vector(1, 2.5, 3), vector(1, 2.5)) == [("type-changed", "answer.vectors[0]")]
    assert found(asked, vector(1, 2.5), vector(-3, 1)) == [("text-differs", "answer.vectors[0]")]


# --- streams --------------------------------------------------------------------------------------------


def chunk(finish: str | None = None, **delta: Any) -> dict[str, Any]:
    choice = {"index": 0, "delta": delta, "finish_reason": finish}
    return {"id": "c1", "object": "chat.completion.chunk", "created": 1, "model": "m", "choices": [choice]}


WORDS = (chunk(role="assistant", content=""), chunk(content="Hel"), chunk(content="lo"), chunk("stop"), "[DONE]")


def test_how_a_stream_is_cut_is_no_difference():
    new = (chunk(role="assistant", content="Hello"), chunk("stop"), "[DONE]")
    assert found(chat(stream=True), stream(*WORDS), stream(*new)) == []


def test_streams_are_compared_as_answers():
    new = (WORDS[0], chunk(content="Bye"), chunk("length"), "[DONE]")
    told = found(chat(stream=True), stream(*WORDS), stream(*new))
    assert [name for name, _ in told] == ["text-differs", "finish-differs"]


def test_a_stream_with_a_field_less_in_each_event_is_told_once():
    without = [event if isinstance(event, str) else changed(event, "object") for event in WORDS]
    assert found(chat(stream=True), stream(*WORDS), stream(*without)) == [("field-removed", "events[].object")]


def test_a_stream_without_its_end_has_failed():
    assert found(chat(stream=True), stream(*WORDS), stream(*WORDS[:-1])) == [("failed", "answer")]


def test_a_stream_that_tells_of_an_error_has_failed():
    new = (WORDS[0], {"error": {"message": "overloaded", "type": "server_error"}})
    told = compare(dialects.read(chat(stream=True)), stream(*WORDS), stream(*new))
    assert [(each.name, each.difference.asked) for each in told] == [("failed", "overloaded")]


def responses(*kinds: str) -> Reply:
    """The events of one message; each says no more than what kind it is of, but those that carry the answer."""
    item = {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "Hello"}]}
    response = {"id": "resp_1", "model": "m", "status": "completed", "output": [{"id": "msg_1", **item}]}
    held = {
        "response.output_text.delta": {"item_id": "msg_1", "output_index": 0, "content_index": 0, "delta": "Hello"},
        "response.completed": {"response": response},
    }
    return stream(*({"type": kind, **held.get(kind, {})} for kind in kinds))


EVENTS = ("response.created", "response.in_progress", "response.output_text.delta", "response.completed")


def test_kinds_of_events_come_and_go_as_fields_do():
    asked = request(RESPONSES, {"model": "m", "input": "hi", "stream": True})
    less = responses(*(kind for kind in EVENTS if kind != "response.in_progress"))
    old = responses(*EVENTS)
    assert found(asked, old, less) == [("field-removed", "events")]
    assert found(asked, less, old) == [("field-added", "events")]
    assert found(asked, old, responses(EVENTS[0], "keepalive", *EVENTS[1:])) == []
    assert found(asked, old, responses(EVENTS[0], *EVENTS[1:3], EVENTS[2], EVENTS[3]))[0][0] == "text-differs"


def test_another_order_of_events_is_told():
    asked = request(RESPONSES, {"model": "m", "input": "hi", "stream": True})
    turned = responses(EVENTS[0], EVENTS[2], EVENTS[1], EVENTS[3])
    assert found(asked, responses(*EVENTS), turned) == [("type-changed", "order of events")]


def test_lines_of_ollama_are_compared_like_events():
    asked = request("/api/chat", {"model": "m", "messages": [{"role": "user", "content": "hi"}]})

    def lines(*values: str) -> Reply:
        return Reply(200, (("content-type", "application/x-ndjson"),), frames_of("\n".join(values).encode() + b"\n"))

    first = '{"model":"m","created_at":"2026","message":{"role":"assistant","content":"Hi"},"done":false}'
    last = (
        '{"model":"m","created_at":"2026","message":{"role":"assistant","content":""},"done":true,"done_reason":"stop"}'
    )
    assert found(asked, lines(first, last), lines(first, first.replace("Hi", " you"), last)) == [
        ("text-differs", "answer.text")
    ]
    less = last.replace(',"done_reason":"stop"', "")
    told = found(asked, lines(first, last), lines(first, less))
    assert ("field-removed", "events[].done_reason") in told


def test_a_protocol_that_is_read_in_part_only_is_compared_by_its_values():
    asked = request("/v1beta/models/gemini:generateContent", {"contents": [{"parts": [{"text": "hi"}]}]})
    old = {"candidates": [{"content": {"parts": [{"text": "Hi"}], "role": "model"}, "finishReason": "STOP"}]}
    assert found(asked, old, changed(old, "candidates.0.content.parts.0.text", "Ho")) == [
        ("text-differs", "answer.body.candidates[0].content.parts[0].text")
    ]
    assert found(asked, old, changed(old, "candidates.0.finishReason")) == [
        ("field-removed", "candidates[].finishReason")
    ]


def test_a_search_that_was_made_and_is_not_any_more_is_another_tool():
    asked = request(RESPONSES, {"model": "m", "input": "hi"})
    message = {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "Hi"}]}
    search = {"type": "web_search_call", "id": "ws_1", "status": "completed", "action": {"query": "news"}}
    old = {"id": "resp_1", "model": "m", "status": "completed", "output": [search, message]}
    told = found(asked, old, {**old, "output": [message]})
    assert [name for name, _ in told] == ["tools-changed"]


def test_members_that_a_model_names_are_no_shape():
    asked = request("/v1/messages", {"model": "m", "max_tokens": 5, "messages": []}, **{"anthropic-version": "x"})
    call = {"type": "tool_use", "id": "toolu_1", "name": "weather", "input": {"city": "Rome"}}
    old = {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "model": "m",
        "content": [call],
        "stop_reason": "tool_use",
    }
    told = found(asked, old, changed(old, "content.0.input", {"town": "Rome"}))
    assert {name for name, _ in told} == {"tools-changed"}


@pytest.mark.parametrize("name", ["stop_sequence", "incomplete_details"])
@pytest.mark.parametrize("gone", [None, ...])
def test_what_is_told_only_when_there_is_something_to_tell_may_go(name, gone):
    assert found(chat(), said(**{name: "END"}), changed(said(**{name: "END"}), name, gone)) == []


def test_an_empty_field_that_is_gone_is_told():
    assert found(chat(), said(annotations=[]), said()) == [("field-removed", "annotations")]
    assert found(chat(), said(annotations=[{"type": "url"}]), said()) == []


def test_ids_that_are_said_back_and_times_are_no_difference():
    asked = request(RESPONSES, {"model": "m", "input": "hi", "previous_response_id": "resp_1"})
    old = {"id": "resp_2", "model": "m", "status": "completed", "output": [], "previous_response_id": "resp_1"}
    assert found(asked, old, {**old, "previous_response_id": "resp_today"}) == []
    assert found(asked, {**old, "expires_at": 1}, {**old, "expires_at": 2}) == []
