"""A response, streamed or whole: the same to its last field, for openai's client too."""

from __future__ import annotations

from typing import Any, cast

import openai
import pytest
from conversions import PLAIN, STREAMED, converted, plain, streamed, there_and_back, values_of
from hypothesis import given
from hypothesis import strategies as st
from openai._models import construct_type
from openai.lib.streaming.responses._responses import ResponseStreamState
from openai.types.responses import Response, ResponseErrorEvent, ResponseStreamEvent
from pydantic import TypeAdapter

from pytest_llmmock.core import sse
from pytest_llmmock.core.model import Dialect, Frame, Problem, Reply
from pytest_llmmock.dialects import responses

RESPONSES = cast(Dialect, responses)


def token(words: str) -> dict[str, Any]:
    return {"token": words, "logprob": -0.5, "bytes": [1], "top_logprobs": []}


CITATION = {"type": "url_citation", "url": "http://x", "title": "x", "start_index": 0, "end_index": 2}
OUTPUT: list[dict[str, Any]] = [
    {
        "id": "rs_1",
        "type": "reasoning",
        "summary": [{"type": "summary_text", "text": "**Rain** or not"}, {"type": "summary_text", "text": "Rain."}],
        "content": [{"type": "reasoning_text", "text": "Let me see."}],
        "encrypted_content": "gAAA",
    },
    {"id": "ws_1", "type": "web_search_call", "status": "completed", "action": {"type": "search", "query": "q"}},
    {
        "id": "fc_1",
        "type": "function_call",
        "status": "completed",
        "call_id": "c1",
        "name": "f",
        "arguments": '{"a": 1}',
    },
    {"id": "ct_1", "type": "custom_tool_call", "status": "completed", "call_id": "c2", "name": "g", "input": "do it"},
    {"id": "ig_1", "type": "image_generation_call", "status": "completed", "result": "iVBOR"},
    {
        "id": "mcp_1",
        "type": "mcp_call",
        "status": "completed",
        "server_label": "s",
        "name": "h",
        "arguments": "{}",
        "output": "42",
        "error": None,
    },
    {
        "id": "msg_1",
        "type": "message",
        "status": "completed",
        "role": "assistant",
        "content": [
            {
                "type": "output_text",
                "text": "It rains.",
                "annotations": [CITATION],
                "logprobs": [token("It"), token(" rains"), token(".")],
            },
            {"type": "refusal", "refusal": "No more of it."},
        ],
    },
]


def response(*output: Any, status: str = "completed", **fields: Any) -> dict[str, Any]:
    return {
        "id": "resp_1",
        "object": "response",
        "created_at": 1700000000,
        "status": status,
        "error": None,
        "incomplete_details": None,
        "model": "gpt-5",
        "output": list(output),
        "parallel_tool_calls": True,
        "tool_choice": "auto",
        "tools": [],
        "usage": {
            "input_tokens": 1,
            "input_tokens_details": {"cached_tokens": 0, "cache_write_tokens": 0},
            "output_tokens": 2,
            "output_tokens_details": {"reasoning_tokens": 0},
            "total_tokens": 3,
        },
        "provider": "somebody",
        **fields,
    }


RICH = response(*OUTPUT)


def events_of(value: object) -> list[dict[str, Any]]:
    return values_of(converted(RESPONSES, STREAMED, plain(value)))


def accumulated(events: list[Any]) -> dict[str, Any]:
    """What openai's client makes of events."""
    state: ResponseStreamState[Any] = ResponseStreamState(input_tools=openai.omit, text_format=openai.omit)
    for event in events:
        state.handle_event(cast(Any, construct_type(type_=cast(Any, ResponseStreamEvent), value=event)))
    assert state._completed_response is not None
    return without_what_was_parsed(state._completed_response.model_dump())


def without_what_was_parsed(dumped: dict[str, Any]) -> dict[str, Any]:
    for item in dumped["output"]:
        item.pop("parsed_arguments", None)
        for part in item.get("content") or []:
            part.pop("parsed", None)
    return dumped


def read(value: object) -> dict[str, Any]:
    return cast(Response, construct_type(type_=Response, value=value)).model_dump()


def test_openais_client_makes_the_whole_response_of_the_stream() -> None:
    assert accumulated(events_of(RICH)) == read(RICH)
    assert there_and_back(RESPONSES, RICH) == RICH


def test_every_event_has_a_known_shape_and_its_number() -> None:
    events = events_of(RICH)
    for event in events:
        TypeAdapter(ResponseStreamEvent).validate_python(event)
    assert [event["sequence_number"] for event in events] == list(range(len(events)))
    names = [event.event for event in sse.read_events(converted(RESPONSES, STREAMED, plain(RICH)).body)]
    assert names == [event["type"] for event in events]


def test_the_events_tell_what_was_said_piece_by_piece() -> None:
    def told(kind: str) -> list[str]:
        return [event["delta"] for event in events_of(RICH) if event["type"] == f"response.{kind}.delta"]

    assert told("output_text") == ["It", " rains", "."]
    assert told("refusal") == ["No", " more", " of", " it."]
    assert told("reasoning_summary_text") == ["**Rain**", " or", " not", "Rain."]
    assert told("reasoning_text") == ["Let", " me", " see."]
    assert told("function_call_arguments") == ['{"a":', " 1}"]
    assert told("custom_tool_call_input") == ["do", " it"]


def test_an_item_begins_empty_and_is_done_whole() -> None:
    events = events_of(RICH)
    begun = [event["item"] for event in events if event["type"] == "response.output_item.added"]
    assert [item["id"] for item in begun] == [item["id"] for item in OUTPUT]
    assert (begun[0]["summary"], begun[2]["arguments"], begun[3]["input"], begun[6]["content"]) == ([], "", "", [])
    assert (begun[4]["result"], begun[5]["output"], begun[6]["status"]) == (None, None, "in_progress")
    assert [event["item"] for event in events if event["type"] == "response.output_item.done"] == OUTPUT


def test_hosted_tools_tell_how_far_they_are() -> None:
    kinds = [event["type"] for event in events_of(response(OUTPUT[1]))]
    phases = [f"response.web_search_call.{phase}" for phase in ("in_progress", "searching", "completed")]
    assert kinds[2:-1] == ["response.output_item.added", *phases, "response.output_item.done"]
    failed = {"id": "m", "type": "mcp_list_tools", "server_label": "s", "tools": [], "error": {"x": 1}}
    assert "response.mcp_list_tools.failed" in [event["type"] for event in events_of(response(failed))]


def test_a_response_begins_without_what_is_known_later() -> None:
    first = events_of(RICH)[0]["response"]
    assert (first["status"], first["output"], first["usage"]) == ("in_progress", [], None)
    assert {name: first[name] for name in ("id", "model", "provider")} == {
        "id": "resp_1",
        "model": "gpt-5",
        "provider": "somebody",
    }


@pytest.mark.parametrize("status", ["completed", "incomplete", "failed"])
def test_the_last_event_says_how_it_ended(status: str) -> None:
    value = response(OUTPUT[-1], status=status, error={"code": "server_error", "message": "m"})
    assert events_of(value)[-1]["type"] == f"response.{status}"
    assert there_and_back(RESPONSES, value) == value


@pytest.mark.parametrize("status", ["queued", "in_progress", "cancelled", None])
def test_a_response_that_has_no_end_is_not_streamed(status: Any) -> None:
    assert responses.convert(STREAMED, plain(response(status=status))) is None


def test_a_stream_that_breaks_off_is_not_converted() -> None:
    events = events_of(RICH)
    for count in (1, 5, len(events) - 1):
        assert responses.convert(PLAIN, streamed(*events[:count], done=False)) is None


def test_an_output_that_the_last_event_leaves_empty_is_that_of_the_finished_items() -> None:
    *events, last = events_of(RICH)
    for output in ({"output": []}, {"output": OUTPUT[:2]}):
        ended = {**last, "response": {**last["response"], **output}}
        assert converted(RESPONSES, PLAIN, streamed(*events, ended)).json() == RICH


def test_a_last_event_that_says_next_to_nothing_is_completed_from_the_first() -> None:
    *events, last = events_of(RICH)
    bare = {name: RICH[name] for name in ("id", "usage", "error", "incomplete_details")}
    found = converted(RESPONSES, PLAIN, streamed(*events, {**last, "response": bare})).json()
    assert found == RICH


def test_an_item_that_is_not_known_whole_is_never_left_out_silently() -> None:
    *events, last = events_of(response(OUTPUT[-1]))
    empty = {**last, "response": {**last["response"], "output": []}}
    without_done = [event for event in events if event["type"] != "response.output_item.done"]
    assert responses.convert(PLAIN, streamed(*without_done, empty)) is None
    words_only = [event for event in events if event["type"].endswith(".delta")]
    assert responses.convert(PLAIN, streamed(*words_only, empty)) is None
    assert responses.convert(PLAIN, streamed(*events[:2], empty)) is not None  # nothing was said


@pytest.mark.parametrize(
    "event",
    [
        {"type": "error", "code": "rate_limit_exceeded", "message": "slow down", "param": None, "sequence_number": 2},
        {"type": "error", "error": {"type": "rate_limit_error", "code": "rate_limit_exceeded", "message": "slow down"}},
    ],
)
def test_a_stream_that_failed_is_an_error_to_who_asks_without_a_stream(event: Any) -> None:
    reply = converted(RESPONSES, PLAIN, streamed(*events_of(RICH)[:2], event, done=False))
    assert reply.status == 429
    assert (reply.json()["error"]["message"], reply.json()["error"]["code"]) == ("slow down", "rate_limit_exceeded")
    assert ("x-should-retry", "false") in reply.headers


def test_a_failure_is_an_event_of_the_protocol() -> None:
    written = responses.write_failure(Problem(500, "out of coal", "no_coal", "server_error"))
    [event] = sse.read_events(written)
    assert event.event == "error"
    parsed = ResponseErrorEvent.model_validate(event.json(), strict=True)
    assert (parsed.code, parsed.message, parsed.param) == ("no_coal", "out of coal", None)
    heard = responses.read_reply(Reply(200, (("content-type", "text/event-stream"),), [Frame(written)]))
    assert heard.joined("error") == "out of coal"


# --- generated and recorded responses -------------------------------------------------------------------

json_values: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
more = st.dictionaries(
    st.sampled_from(["phase", "content", "summary", "arguments", "input", "x"]), json_values, max_size=2
)
kinds = st.sampled_from(
    ["message", "reasoning", "function_call", "custom_tool_call", "mcp_call", "web_search_call", "new"]
)
parts = st.builds(
    lambda kind, words, rest: {"type": kind, "text": words, "refusal": words, **rest},
    st.sampled_from(["output_text", "refusal", "summary_text", "reasoning_text", "new"]),
    st.text(max_size=20),
    st.dictionaries(st.sampled_from(["annotations", "logprobs", "x"]), json_values, max_size=2),
)
items = st.builds(
    lambda kind, content, words, rest: {
        "type": kind,
        "id": "i",
        "status": "completed",
        "content": content,
        "arguments": words,
        "input": words,
        **rest,
    },
    kinds,
    st.lists(parts, max_size=3),
    st.text(max_size=20),
    more,
)
endings = st.sampled_from(["completed", "incomplete", "failed"])


@given(st.lists(items, max_size=4), endings, json_values)
def test_a_whole_response_that_was_streamed_is_the_same_when_it_is_whole_again(
    output: list[Any], status: str, usage: Any
) -> None:
    value = response(*output, status=status, usage=usage, x=usage)
    assert there_and_back(RESPONSES, value) == value
    *events, last = events_of(value)
    empty = {**last, "response": {**last["response"], "output": []}}
    assert converted(RESPONSES, PLAIN, streamed(*events, empty)).json() == value


@pytest.mark.filterwarnings("ignore:Pydantic serializer warnings")  # newer items than openai's types know
def test_every_shared_recording_is_the_same_after_a_conversion_there_and_back(recorded: list[Any]) -> None:
    done = 0
    for file, exchange, reply in recorded:
        if exchange.operation != "responses" or reply.status >= 400 or b'"queued"' in reply.body[:2000]:
            continue
        whole = converted(RESPONSES, PLAIN, reply).json()
        assert there_and_back(RESPONSES, whole) == whole, file
        assert accumulated(events_of(whole)) == read(whole), file
        if sse.is_sse(reply.content_type):
            events = [event.json() for event in sse.read_events(reply.body)]
            assert accumulated([event for event in events if event]) == read(whole), file
        done += 1
    assert done > 35
