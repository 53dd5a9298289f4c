"""Anthropic's messages: what servers send and clients read."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterator
from copy import deepcopy
from typing import Any

import anthropic
import httpx2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_llmmock.core import sse
from pytest_llmmock.core.model import Exchange, Frame, Problem, Reply, Request
from pytest_llmmock.core.prompt import Answer, Delta, Message, Part, Prompt, Tool, ToolCall, Usage
from pytest_llmmock.dialects import anthropic as dialect

STREAM = (("content-type", "text/event-stream; charset=utf-8"), ("request-id", "req_1"))
PLAIN = (("content-type", "application/json"), ("request-id", "req_1"))
ASKED = Prompt("claude", stream=True)
CITATION = {"type": "char_location", "cited_text": "It rains.", "document_index": 0, "document_title": None}
SEARCHED = {
    "type": "web_search_tool_result",
    "tool_use_id": "srvtoolu_1",
    "content": [{"type": "web_search_result", "url": "https://x", "title": "X", "encrypted_content": "EqgF"}],
}
MESSAGE: dict[str, Any] = {
    "id": "msg_1",
    "type": "message",
    "role": "assistant",
    "model": "claude-sonnet-4-6",
    "container": {"id": "container_1", "expires_at": "2026-05-25T08:28:55Z"},
    "content": [
        {"type": "thinking", "thinking": "Rain, in which city? In Rome.", "signature": "ErUBCkYIARgC"},
        {"type": "redacted_thinking", "data": "EmwKAhgB"},
        {"type": "server_tool_use", "id": "srvtoolu_1", "name": "web_search", "input": {"query": "rain in Rome"}},
        SEARCHED,
        {"type": "text", "text": "It rains in Rome, as it did yesterday.", "citations": [CITATION, CITATION]},
        {"type": "text", "text": "  And\n\nhere: 雨が降っています。", "citations": None},
        {"type": "tool_use", "id": "toolu_1", "name": "umbrella", "input": {"size": 1.5, "for": ["me", None, "yöu"]}},
        {"type": "tool_use", "id": "toolu_2", "name": "now", "input": {}, "caller": {"type": "direct"}},
        {"type": "newer_block", "kept": {"as": "it is"}},
    ],
    "stop_reason": "tool_use",
    "stop_sequence": None,
    "stop_details": None,
    "usage": {
        "input_tokens": 12,
        "cache_creation_input_tokens": 3,
        "cache_read_input_tokens": 100,
        "cache_creation": {"ephemeral_5m_input_tokens": 3, "ephemeral_1h_input_tokens": 0},
        "output_tokens": 90,
        "output_tokens_details": {"thinking_tokens": 20},
        "server_tool_use": {"web_search_requests": 1, "web_fetch_requests": 0},
        "service_tier": "standard",
        "inference_geo": "global",
    },
    "newer_field": {"kept": True},
}


def plain(message: object = MESSAGE, status: int = 200) -> Reply:
    return Reply(status, PLAIN, [Frame(json.dumps(message).encode(), 0.5)])


def streamed(*events: Any) -> Reply:
    return Reply(200, STREAM, [Frame(sse.write_event(e, e.get("type", "")), n / 4) for n, e in enumerate(events)])


def told(reply: Reply | None) -> list[Any]:
    """The events of a stream, each of which has its name and is a frame."""
    assert reply is not None
    assert isinstance(reply.frames, list)
    events = [sse.read_event(frame.data) for frame in reply.frames]
    values = [event.json() for event in events if event]
    assert [event.event for event in events if event] == [value["type"] for value in values]
    assert len(values) == len(reply.frames)
    return values


def asked(body: object) -> Prompt:
    return dialect.read_request(Request("POST", "http://x", "/v1/messages", body=json.dumps(body).encode()))


def written(prompt: Prompt) -> Any:
    return json.loads(dialect.write_request(prompt))


def to_stream(message: object = MESSAGE) -> Reply:
    reply = dialect.convert(ASKED, plain(message))
    assert reply is not None
    return reply


def to_whole(reply: Reply) -> Any:
    whole = dialect.convert(Prompt("claude"), reply)
    return None if whole is None else whole.json()


# --- requests -------------------------------------------------------------------------------------------

IMAGE = {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "iVBO"}}
LINKED = {"type": "image", "source": {"type": "url", "url": "https://x/y.png"}}
DOCUMENT = {"type": "document", "source": {"type": "file", "file_id": "file_1"}, "title": "T"}
THOUGHT = {"type": "thinking", "thinking": "Hm", "signature": "Er"}

CONVERSATION = {
    "model": "claude",
    "max_tokens": 9,
    "system": [
        {"type": "text", "text": "Be brief", "cache_control": {"type": "ephemeral"}},
        {"type": "text", "text": "!"},
    ],
    "messages": [
        {"role": "user", "content": [{"type": "text", "text": "a"}, IMAGE, LINKED, {"type": "text", "text": "b"}]},
        {
            "role": "assistant",
            "content": [
                THOUGHT,
                {"type": "text", "text": "Let me see"},
                {"type": "tool_use", "id": "toolu_1", "name": "weather", "input": {"city": "Rome"}},
                {"type": "tool_use", "id": "toolu_2", "name": "now", "input": {}},
            ],
        },
        {
            "role": "user",
            "content": [
                {"type": "tool_result", "tool_use_id": "toolu_1", "content": "rain"},
                {"type": "tool_result", "tool_use_id": "toolu_2", "content": [IMAGE], "is_error": True},
                {"type": "text", "text": "And?"},
                DOCUMENT,
            ],
        },
    ],
    "tools": [
        {"name": "weather", "description": "Looks", "input_schema": {"type": "object", "properties": {}}},
        {"type": "custom", "name": "now", "input_schema": {"type": "object"}},
        {"type": "web_search_20260209", "name": "web_search", "max_uses": 2},
    ],
    "tool_choice": {"type": "auto"},
    "stream": True,
}


def test_a_conversation_with_tools_is_read() -> None:
    prompt = asked(CONVERSATION)
    image = Part("image", "data:image/png;base64,iVBO", IMAGE)
    assert prompt.messages == (
        Message("system", "Be brief\n!"),
        Message("user", "a\nb", (image, Part("image", "https://x/y.png", LINKED))),
        Message(
            "assistant",
            "Let me see",
            (Part("thinking", "", THOUGHT),),
            (ToolCall("weather", '{"city":"Rome"}', "toolu_1"), ToolCall("now", "{}", "toolu_2")),
        ),
        Message("tool", "rain", tool_call_id="toolu_1"),
        Message("tool", "", (image, Part("is_error", data=True)), tool_call_id="toolu_2"),
        Message("user", "And?", (Part("file", "", DOCUMENT),)),
    )
    assert prompt.tools == (
        Tool("weather", "Looks", {"type": "object", "properties": {}}),
        Tool("now"),
        Tool("web_search", "", {"max_uses": 2}, "web_search_20260209"),
    )
    assert (prompt.model, prompt.stream) == ("claude", True)
    assert prompt.options == {"max_tokens": 9, "tool_choice": {"type": "auto"}}


def test_what_was_read_is_written_as_the_api_wants_it() -> None:
    body = written(asked(CONVERSATION))
    assert asked(body) == asked(CONVERSATION)
    assert body["system"] == "Be brief\n!"
    user, assistant, results, more = body["messages"]
    assert user["content"] == [{"type": "text", "text": "a\nb"}, IMAGE, LINKED]
    assert [block["type"] for block in assistant["content"]] == ["thinking", "text", "tool_use", "tool_use"]
    assert assistant["content"][0] == THOUGHT
    assert assistant["content"][2]["input"] == {"city": "Rome"}
    assert (results["role"], [block["tool_use_id"] for block in results["content"]]) == ("user", ["toolu_1", "toolu_2"])
    assert [block.get("is_error") for block in results["content"]] == [None, True]
    assert more["content"] == [{"type": "text", "text": "And?"}, DOCUMENT]
    assert body["tools"][1] == {"name": "now", "input_schema": {"type": "object"}}
    assert body["tools"][2] == CONVERSATION["tools"][2]  # type: ignore[index]


@pytest.mark.parametrize(
    ("part", "block"),
    [
        (
            Part("image", "http://i", {"type": "image_url"}),
            {"type": "image", "source": {"type": "url", "url": "http://i"}},
        ),
        (Part("image", "data:image/png;base64,iVBO"), IMAGE),
        (
            Part("file", "data:application/pdf;base64,JV", {"type": "file"}),
            {"type": "document", "source": {"type": "base64", "media_type": "application/pdf", "data": "JV"}},
        ),
        (Part("newer", data={"type": "newer", "x": 1}), {"type": "newer", "x": 1}),
        (Part("newer"), {"type": "newer"}),
    ],
)
def test_parts_of_other_protocols_are_written_in_this_one(part: Part, block: object) -> None:
    body = written(Prompt("m", (Message("user", "see", (part,)),)))
    assert body["messages"][0]["content"] == [{"type": "text", "text": "see"}, block]


def test_arguments_that_are_no_object_stay_what_the_model_wrote() -> None:
    prompt = Prompt("m", (Message("assistant", tool_calls=(ToolCall("f", '{"broken', "t"),)),))
    assert written(prompt)["messages"][0]["content"][0]["input"] == '{"broken'
    assert asked(written(prompt)) == prompt


def test_counting_is_read_as_an_item_and_written_again() -> None:
    reply = plain({"input_tokens": 14, "context_management": None})
    answer = dialect.read_reply(reply)
    assert (answer.usage, answer.text) == (None, "")
    assert dialect.write_reply(Prompt("m"), answer).json() == reply.json()


# --- replies, in ----------------------------------------------------------------------------------------


def test_an_answer_is_read_the_same_plain_and_streamed() -> None:
    for reply in (plain(), to_stream()):
        answer = dialect.read_reply(reply)
        assert (answer.id, answer.model) == ("msg_1", "claude-sonnet-4-6")
        assert answer.text == "It rains in Rome, as it did yesterday.  And\n\nhere: 雨が降っています。"
        assert answer.reasoning == "Rain, in which city? In Rome."
        assert answer.tool_calls == (
            ToolCall("umbrella", '{"size":1.5,"for":["me",null,"yöu"]}', "toolu_1"),
            ToolCall("now", "{}", "toolu_2"),
        )
        assert answer.finish_reason == "tool_calls"
        items = [delta.data for delta in answer.deltas if delta.kind == "item"]
        content = MESSAGE["content"]
        citations = {"citations": [CITATION, CITATION]}
        assert items == [{"signature": "ErUBCkYIARgC"}, *content[1:4], citations, content[8]]


def test_the_input_counts_what_the_cache_took_and_gave() -> None:
    assert dialect.read_reply(plain()).usage == Usage(input=115, output=90, cached=100, reasoning=20)
    assert dialect.read_reply(plain({"content": [], "usage": {"output_tokens": 2}})).usage == Usage(output=2)
    assert dialect.read_reply(plain({"content": [], "usage": {}})).usage is None


def test_the_arguments_of_a_stream_are_what_the_model_wrote() -> None:
    begun = {"type": "content_block_start", "index": 0, "content_block": {"type": "tool_use", "id": "t", "name": "f"}}
    pieces = ({"type": "input_json_delta", "partial_json": piece} for piece in ("", '{"a":  ', "1"))
    answer = dialect.read_reply(
        streamed(begun, *({"type": "content_block_delta", "index": 0, "delta": piece} for piece in pieces))
    )
    assert answer.tool_calls == (ToolCall("f", '{"a":  1', "t"),)
    assert answer.finish_reason == ""


@pytest.mark.parametrize(
    ("reason", "finish"),
    [
        ("end_turn", "stop"),
        ("stop_sequence", "stop"),
        ("max_tokens", "length"),
        ("model_context_window_exceeded", "length"),
        ("tool_use", "tool_calls"),
        ("refusal", "content_filter"),
        ("pause_turn", "pause_turn"),
    ],
)
def test_reasons_have_the_words_of_chat_completions(reason: str, finish: str) -> None:
    assert dialect.read_reply(plain({"content": [], "stop_reason": reason})).finish_reason == finish


def test_why_a_model_refused_is_its_refusal() -> None:
    details = {"type": "refusal", "category": "cyber", "explanation": "Not this."}
    answer = dialect.read_reply(plain({"content": [], "stop_reason": "refusal", "stop_details": details}))
    assert answer.joined("refusal") == "Not this."
    again = dialect.write_reply(Prompt("m"), answer).json()
    assert (again["stop_reason"], again["stop_details"]["explanation"]) == ("refusal", "Not this.")


OVERLOADED = {"type": "error", "error": {"details": None, "type": "overloaded_error", "message": "Overloaded"}}


def test_an_error_in_the_middle_of_a_stream_is_read() -> None:
    reply = to_stream()
    assert isinstance(reply.frames, list)
    reply.frames[-2:] = [Frame(dialect.write_failure(Problem(529, "Overloaded")))]
    answer = dialect.read_reply(reply)
    assert [(d.text, d.name) for d in answer.deltas if d.kind == "error"] == [("Overloaded", "overloaded_error")]
    assert (answer.text[:8], answer.finish_reason) == ("It rains", "")


# --- streamed and whole ---------------------------------------------------------------------------------


def test_a_stream_has_the_events_that_the_api_sends() -> None:
    events = told(to_stream())
    kinds = [event["type"] for event in events]
    assert kinds[:3] == ["message_start", "content_block_start", "ping"]
    assert kinds[-2:] == ["message_delta", "message_stop"]
    assert [event["index"] for event in events if event["type"] == "content_block_stop"] == list(range(9))
    start = events[0]["message"]
    assert (start["content"], start["stop_reason"], start["newer_field"]) == ([], None, {"kept": True})
    assert (start["usage"]["input_tokens"], start["usage"]["output_tokens"]) == (12, 1)
    assert "server_tool_use" not in start["usage"]
    assert events[-2]["usage"] == {
        name: MESSAGE["usage"][name]
        for name in (
            "input_tokens",
            "cache_creation_input_tokens",
            "cache_read_input_tokens",
            "output_tokens",
            "server_tool_use",
            "output_tokens_details",
        )
    }
    delta = {"stop_reason": "tool_use", "stop_sequence": None, "stop_details": None}
    assert events[-2]["delta"] == {**delta, "container": MESSAGE["container"]}


def test_words_come_in_pieces_and_inputs_as_pieces_of_their_json() -> None:
    deltas: dict[int, list[Any]] = {}
    for event in told(to_stream()):
        if event["type"] == "content_block_delta":
            deltas.setdefault(event["index"], []).append(event["delta"])
    assert [delta["text"] for delta in deltas[4][:3]] == ["It", " rains", " in"]
    assert [delta["type"] for delta in deltas[4][-2:]] == ["citations_delta"] * 2
    assert [delta["type"] for delta in deltas[0]] == ["thinking_delta"] * 6 + ["signature_delta"]
    pieces = [delta["partial_json"] for delta in deltas[6]]
    assert (pieces[0], len(pieces) > 3) == ("", True)
    assert json.loads("".join(pieces)) == MESSAGE["content"][6]["input"]
    assert deltas[7] == [{"type": "input_json_delta", "partial_json": ""}]
    assert not {1, 3, 8} & set(deltas)


def test_only_the_content_type_of_the_headers_changes() -> None:
    stream = to_stream()
    assert stream.headers == STREAM
    whole = dialect.convert(Prompt("claude"), stream)
    assert whole is not None
    assert (whole.headers, whole.status, whole.source) == (PLAIN, 200, "cassette")


def test_a_whole_answer_is_there_when_the_last_event_was() -> None:
    whole = dialect.convert(Prompt("m"), streamed(*told(to_stream())))
    assert whole is not None
    assert isinstance(whole.frames, list)
    assert whole.frames[0].at == (len(told(to_stream())) - 1) / 4


def test_what_is_asked_for_as_it_is_stays_as_it_is() -> None:
    for reply, prompt in ((plain(), Prompt("m")), (to_stream(), ASKED)):
        assert dialect.convert(prompt, reply) is reply
    refused = plain(OVERLOADED, 529)
    assert dialect.convert(ASKED, refused) is refused


def test_a_stream_that_fails_is_a_request_that_fails() -> None:
    events = told(to_stream())
    whole = dialect.convert(Prompt("m"), streamed(*events[:9], OVERLOADED))
    assert whole is not None
    assert (whole.status, whole.json(), whole.content_type) == (529, OVERLOADED, "application/json")
    assert ("x-should-retry", "false") in whole.headers


def without(kind: str) -> list[Any]:
    return [event for event in told(to_stream()) if event["type"] != kind]


def changed(change: Callable[[dict[str, Any]], Any]) -> list[Any]:
    events = deepcopy(told(to_stream()))
    for event in events:
        change(event)
    return events


BROKEN = {
    "no last event": without("message_stop"),
    "no first event": without("message_start"),
    "no reason": without("message_delta"),
    "a block that never began": without("content_block_start"),
    "a newer kind of delta": changed(lambda event: event.get("delta", {}).update(type="newer_delta")),
    "input that is no JSON": changed(lambda event: event.get("delta", {}).update(partial_json="{")),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_stream_that_is_not_whole_makes_no_whole_answer(name: str) -> None:
    assert to_whole(streamed(*BROKEN[name])) is None
    assert dialect.convert(ASKED, streamed(*BROKEN[name])) is None


def test_what_cannot_be_read_is_not_converted() -> None:
    garbled = streamed(*told(to_stream()))
    assert isinstance(garbled.frames, list)
    garbled.frames[4] = Frame(b"event: content_block_delta\ndata: {garbled\n\n")
    assert to_whole(garbled) is None
    for message in ({**MESSAGE, "stop_reason": None}, {**MESSAGE, "content": ["x"]}, {"input_tokens": 3}, [], "x"):
        assert dialect.convert(ASKED, plain(message)) is None
    assert dialect.convert(ASKED, Reply(200, (), [Frame(b"<html>")])) is None
    assert to_whole(Reply(200, STREAM, [])) is None


# --- any message ----------------------------------------------------------------------------------------

json_values: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
NAMES = ["text", "thinking", "signature", "citations", "input", "data", "content", "encrypted_content", "id", "newer"]
KINDS = ["text", "thinking", "redacted_thinking", "tool_use", "server_tool_use", "mcp_tool_use", "compaction", "newer"]
blocks = st.builds(
    lambda kind, fields: {"type": kind, **fields},
    st.sampled_from(KINDS),
    st.dictionaries(st.sampled_from(NAMES), json_values | st.text(), max_size=5),
)
usages = st.dictionaries(
    st.sampled_from([*MESSAGE["usage"], "iterations", "fallback_credit", "newer"]), st.integers(0) | json_values
)
messages = st.builds(
    lambda content, reason, usage, fields: {**fields, **usage, "content": content, "stop_reason": reason},
    st.lists(blocks, max_size=4),
    st.sampled_from(["end_turn", "tool_use", "newer_reason"]),
    st.just({}) | st.builds(lambda usage: {"usage": usage}, usages),
    st.dictionaries(
        st.sampled_from(["id", "model", "container", "context_management", "stop_sequence", "stop_details", "newer"]),
        json_values,
    ),
)


@given(message=messages)
def test_any_message_is_the_same_after_it_was_a_stream(message: dict[str, Any]) -> None:
    assert to_whole(to_stream(message)) == message


@given(message=messages)
def test_any_message_says_the_same_as_a_stream(message: dict[str, Any]) -> None:
    one, other = dialect.read_reply(plain(message)), dialect.read_reply(to_stream(message))
    assert (one.text, one.reasoning, one.finish_reason) == (other.text, other.reasoning, other.finish_reason)
    assert one.usage == other.usage
    assert [(call.name, call.id) for call in one.tool_calls] == [(call.name, call.id) for call in other.tool_calls]


# --- the anthropic package ------------------------------------------------------------------------------

Answering = Callable[[Prompt], Reply]
ASK: Any = {"model": "claude", "max_tokens": 9, "messages": [{"role": "user", "content": "Hi"}]}


def transport(answering: Answering) -> httpx2.MockTransport:
    def respond(http: httpx2.Request) -> httpx2.Response:
        reply = answering(dialect.read_request(Request(http.method, "", http.url.path, body=http.read())))
        return httpx2.Response(reply.status, headers=list(reply.headers), content=reply.body)

    return httpx2.MockTransport(respond)


def client(answering: Answering) -> anthropic.Anthropic:
    http_client = httpx2.Client(transport=transport(answering))
    return anthropic.Anthropic(api_key="k", base_url="http://x", http_client=http_client, max_retries=0)


def converted(reply: Reply) -> Answering:
    """Answers with the recording as each request wants it."""

    def answer(prompt: Prompt) -> Reply:
        found = dialect.convert(prompt, reply)
        assert found is not None
        return found

    return answer


def as_whole(answering: Answering) -> Any:
    with client(answering) as sdk:
        return known(sdk.messages.create(**ASK))


def as_stream(answering: Answering) -> Any:
    with client(answering) as sdk, sdk.messages.stream(**ASK) as stream:
        return known(stream.get_final_message())


def known(message: Any) -> Any:
    """The SDK's message, with what it adds to one of a stream, or without."""
    value = {"stop_details": None, **message.to_dict(mode="json")}
    for block in value["content"]:
        block.pop("parsed_output", None)
    return value


KNOWN = {**MESSAGE, "content": MESSAGE["content"][:-1]}
"""Of newer blocks the SDK makes a text, and warns."""


@pytest.fixture(params=["plain", "streamed"])
def recording(request: pytest.FixtureRequest) -> Reply:
    return plain(KNOWN) if request.param == "plain" else to_stream(KNOWN)


def test_the_sdk_reads_the_same_message_both_ways(recording: Reply) -> None:
    whole = as_whole(converted(recording))
    assert whole == as_stream(converted(recording)) == KNOWN


def test_the_async_sdk_reads_the_same_message_both_ways(recording: Reply) -> None:
    async def ask() -> None:
        http_client = httpx2.AsyncClient(transport=transport(converted(recording)))
        async with anthropic.AsyncAnthropic(api_key="k", base_url="http://x", http_client=http_client) as sdk:
            whole = await sdk.messages.create(**ASK)
            async with sdk.messages.stream(**ASK) as stream:
                assert known(await stream.get_final_message()) == known(whole) == KNOWN

    asyncio.run(ask())


def test_the_beta_sdk_reads_the_same_message_both_ways() -> None:
    called = {"type": "mcp_tool_use", "id": "m", "name": "f", "server_name": "s", "input": {"a": [1, "two"]}}
    compacted = {"type": "compaction", "content": "So far: rain.", "encrypted_content": "Eq"}
    message = {
        **KNOWN,
        "content": [compacted, *KNOWN["content"], called],
        "context_management": {"applied_edits": []},
    }
    with client(converted(plain(message))) as sdk:
        whole = sdk.beta.messages.create(**ASK)
        with sdk.beta.messages.stream(**ASK) as stream:
            final = stream.get_final_message()
    assert known(final) == known(whole) == message


def test_what_the_dialect_writes_of_an_answer_is_read_by_the_sdk() -> None:
    answer = Answer(
        (
            Delta("reasoning", "Hm"),
            Delta("text", "It "),
            Delta("text", "rains"),
            Delta("tool_call", '{"city":', call=0, id="toolu_a", name="weather"),
            Delta("tool_call", "", call=1, name="time"),
            Delta("tool_call", '"Rome"}', call=0),
            Delta("usage", usage=Usage(10, 4, cached=7)),
        ),
        "claude",
    )

    def write(prompt: Prompt) -> Reply:
        return dialect.write_reply(Prompt(stream=prompt.stream), answer)

    streamed = as_stream(write)
    assert [block["type"] for block in streamed["content"]] == ["thinking", "text", "tool_use", "tool_use"]
    assert streamed["content"][1]["text"] == "It rains"
    assert streamed["content"][2]["input"] == {"city": "Rome"}
    assert streamed["content"][3]["id"].startswith("toolu_")
    assert (streamed["stop_reason"], streamed["usage"]["input_tokens"]) == ("tool_use", 3)
    whole = as_whole(write)
    assert nameless(whole) == nameless(streamed)


def nameless(message: Any) -> Any:
    """The message without the names that nobody gave: they are others for another prompt."""
    given = [{name: item for name, item in block.items() if name != "id"} for block in message["content"]]
    return {**message, "id": "", "content": given}


@pytest.mark.parametrize(
    ("status", "kind", "exception"),
    [
        (400, "invalid_request_error", anthropic.BadRequestError),
        (401, "authentication_error", anthropic.AuthenticationError),
        (403, "permission_error", anthropic.PermissionDeniedError),
        (404, "not_found_error", anthropic.NotFoundError),
        (413, "request_too_large", anthropic.APIStatusError),
        (418, "invalid_request_error", anthropic.APIStatusError),
        (429, "rate_limit_error", anthropic.RateLimitError),
        (500, "api_error", anthropic.InternalServerError),
        (503, "api_error", anthropic.InternalServerError),
        (529, "overloaded_error", anthropic.APIStatusError),
    ],
)
def test_the_sdk_raises_what_an_error_is(status: int, kind: str, exception: type[anthropic.APIStatusError]) -> None:
    problem = Problem(status, "There is no recording", "no_recording", "llmmock_error")
    with pytest.raises(exception) as caught, client(lambda prompt: dialect.write_error(problem)) as sdk:
        sdk.messages.create(**ASK)
    assert (caught.value.type, caught.value.error_code) == (kind, "no_recording")
    assert caught.value.api_message == "There is no recording"
    assert "There is no recording" in str(caught.value)


def test_the_sdk_raises_the_failure_of_a_stream() -> None:
    whole = streamed(*told(to_stream())[:9])
    assert isinstance(whole.frames, list)
    whole.frames.append(Frame(dialect.write_failure(Problem(529, "No more today", "tired"))))
    with pytest.raises(anthropic.APIStatusError, match="No more today") as caught:
        as_stream(lambda prompt: whole)
    assert (caught.value.type, caught.value.error_code) == ("overloaded_error", "tired")


# --- real traffic ---------------------------------------------------------------------------------------


def of(recorded: list[tuple[str, Exchange, Reply]], streams: bool) -> Iterator[tuple[str, Reply]]:
    for file, exchange, reply in recorded:
        if exchange.operation == "messages" and reply.status == 200 and sse.is_sse(reply.content_type) is streams:
            yield file, reply


def test_recorded_streams_make_the_message_that_the_sdk_makes_of_them(recorded: list[Any]) -> None:
    streams = list(of(recorded, streams=True))
    assert len(streams) >= 4
    for file, reply in streams:
        with client(lambda prompt, reply=reply: reply) as sdk, sdk.beta.messages.stream(**ASK) as stream:
            accumulated = known(stream.get_final_message())
        whole = to_whole(reply)
        assert known(anthropic.types.beta.BetaMessage.construct(**whole)) == accumulated, file
        assert to_whole(to_stream(whole)) == whole, file


def test_recorded_messages_are_the_same_after_they_were_streams(recorded: list[Any]) -> None:
    found = list(of(recorded, streams=False))
    assert len(found) >= 10
    for file, reply in found:
        stream = dialect.convert(ASKED, reply)
        assert stream is not None, file
        assert to_whole(stream) == reply.json(), file
