"""Responses: items asked, items answered, and the events that lead to them."""

from __future__ import annotations

import json
from typing import Any

import httpx2
import openai
import pytest
from openai.types.responses import Response, ResponseStreamEvent
from pydantic import TypeAdapter

from pytest_llmmock.core.model import Exchange, Frame, Reply, Request
from pytest_llmmock.core.prompt import Answer, Delta, Message, Part, Prompt, Tool, ToolCall, Usage
from pytest_llmmock.dialects import chat, responses

ANSWER = Answer(
    (
        Delta("reasoning", "Hm, "),
        Delta("reasoning", "rain?"),
        Delta("text", "It "),
        Delta("text", "rains"),
        Delta("tool_call", '{"city":', call=0, id="call_a", name="weather"),
        Delta("tool_call", "{}", call=1, id="call_b", name="time"),
        Delta("tool_call", '"Rome"}', call=0),
        Delta("refusal", "No more"),
        Delta("usage", usage=Usage(3, 4, 7, 2, 1)),
    ),
    model="gpt-5",
    id="resp_1",
    created=1700000000,
)
SEARCH = {"type": "web_search_call", "id": "ws_1", "status": "completed", "action": {"type": "search", "query": "q"}}


def asked(**body: Any) -> Prompt:
    return responses.read_request(Request("POST", "", "/v1/responses", body=json.dumps(body).encode()))


def written(*messages: Message) -> Any:
    return json.loads(responses.write_request(Prompt("m", messages)))


def heard(body: object) -> Answer:
    return responses.read_reply(Reply(200, (), [Frame(json.dumps(body).encode())]))


def streamed(*events: dict[str, Any]) -> Answer:
    body = b"".join(f"event: {e.get('type')}\ndata: {json.dumps(e)}\n\n".encode() for e in events)
    return responses.read_reply(Reply(200, (("content-type", "text/event-stream"),), [Frame(body)]))


def events(reply: Reply) -> list[dict[str, Any]]:
    assert isinstance(reply.frames, list)
    found = []
    for frame in reply.frames:
        name, data = frame.data.decode().rstrip("\n").split("\n")
        found.append(json.loads(data.removeprefix("data: ")))
        assert name == f"event: {found[-1]['type']}"
    return found


# --- requests -------------------------------------------------------------------------------------------


def test_a_text_is_a_message_and_instructions_are_one_of_the_system() -> None:
    prompt = asked(model="m", input="Hi", instructions="Be brief", stream=True, store=False)
    messages = (Message("system", "Be brief"), Message("user", "Hi"))
    assert prompt == Prompt("m", messages, stream=True, options={"store": False})


def test_items_are_read_as_the_turns_they_make() -> None:
    thought = {"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": "x"}
    image = {"type": "input_image", "image_url": "http://i"}
    items = [
        {"role": "user", "content": "Hi"},
        {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "see"}, image]},
        thought,
        {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "Wait"}]},
        {"type": "function_call", "call_id": "c1", "name": "f", "arguments": "{}"},
        {"type": "custom_tool_call", "call_id": "c2", "name": "sh", "input": "ls"},
        {"type": "function_call_output", "call_id": "c1", "output": "one"},
        {"type": "custom_tool_call_output", "call_id": "c2", "output": [{"type": "input_text", "text": "two"}, image]},
        {"id": "msg_1"},
        {"what": "ever"},
        5,
    ]
    assert asked(input=items).messages == (
        Message("user", "Hi"),
        Message("user", "see", (Part("image", "http://i", image),)),
        Message("reasoning", parts=(Part("reasoning", data=thought),)),
        Message("assistant", "Wait", tool_calls=(ToolCall("f", "{}", "c1"), ToolCall("sh", "ls", "c2"))),
        Message("tool", "one", tool_call_id="c1"),
        Message("tool", "two", (Part("image", "http://i", image),), tool_call_id="c2"),
        Message("item_reference", parts=(Part("item_reference", data={"id": "msg_1"}),)),
    )


def test_tools_are_not_nested() -> None:
    function = {"type": "function", "name": "f", "description": "d", "parameters": {}, "strict": True}
    tools = asked(tools=[function, {"type": "web_search", "search_context_size": "low"}]).tools
    assert tools == (Tool("f", "d", {}), Tool("", "", {"search_context_size": "low"}, "web_search"))
    body = json.loads(responses.write_request(Prompt(tools=tools)))
    assert body["tools"] == [
        {"type": "function", "name": "f", "description": "d", "parameters": {}},
        {"type": "web_search", "search_context_size": "low"},
    ]


def test_a_chat_conversation_is_written_as_items() -> None:
    call = {"id": "c1", "type": "function", "function": {"name": "f", "arguments": "{}"}}
    image = {"type": "image_url", "image_url": {"url": "http://i", "detail": "low"}}
    file = {"type": "file", "file": {"file_data": "data:application/pdf;base64,JV", "filename": "a.pdf"}}
    sound = {"type": "input_audio", "input_audio": {"data": "AA", "format": "wav"}}
    talk = [
        {"role": "system", "content": "Be brief"},
        {"role": "user", "content": [{"type": "text", "text": "see"}, image, file, sound]},
        {"role": "assistant", "content": "Wait", "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "c1", "content": "done"},
        {"role": "assistant", "content": "Done"},
    ]
    prompt = chat.read_request(Request("POST", "", "/", body=json.dumps({"messages": talk}).encode()))
    body = json.loads(responses.write_request(prompt))
    content = [
        {"type": "input_text", "text": "see"},
        {"type": "input_image", "image_url": "http://i", "detail": "low"},
        {"type": "input_file", "filename": "a.pdf", "file_data": "data:application/pdf;base64,JV"},
        sound,
    ]
    assert body["instructions"] == "Be brief"
    assert body["input"] == [
        {"type": "message", "role": "user", "content": content},
        {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "Wait"}]},
        {"type": "function_call", "call_id": "c1", "name": "f", "arguments": "{}"},
        {"type": "function_call_output", "call_id": "c1", "output": "done"},
        {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "Done"}]},
    ]


def test_a_file_by_address_and_unknown_parts_are_written_as_far_as_known() -> None:
    parts = (Part("file", "http://f"), Part("image", "http://i"), Part("newer"))
    assert written(Message("user", parts=parts))["input"][0]["content"] == [
        {"type": "input_file", "file_url": "http://f"},
        {"type": "input_image", "image_url": "http://i", "detail": "auto"},
        {"type": "newer"},
    ]


# --- replies, in ----------------------------------------------------------------------------------------


def message(*content: dict[str, Any]) -> dict[str, Any]:
    return {"type": "message", "role": "assistant", "id": "msg_1", "content": list(content)}


HI = {"type": "output_text", "text": "Hi"}
CALL = {"type": "function_call", "id": "fc_1", "call_id": "c1", "name": "f", "arguments": "{}"}


def test_a_whole_response_is_read() -> None:
    thought = {"type": "reasoning", "summary": [{"text": "a"}, {"text": "b"}], "content": [{"text": "c"}]}
    usage = {"input_tokens": 1, "input_tokens_details": {"cached_tokens": 1}, "output_tokens": 2, "total_tokens": 3}
    output = [thought, SEARCH, message(HI, {"type": "refusal", "refusal": "No"}), CALL]
    answer = heard(
        {
            "id": "resp_1",
            "created_at": 17.0,
            "model": "gpt-5",
            "status": "completed",
            "error": None,
            "output": output,
            "usage": usage,
        }
    )
    assert answer == Answer(
        (
            Delta("reasoning", "a\n\nb\n\nc"),
            Delta("item", data=SEARCH),
            Delta("text", "Hi"),
            Delta("refusal", "No"),
            Delta("tool_call", "{}", id="c1", name="f"),
            Delta("finish", finish="tool_calls"),
            Delta("usage", usage=Usage(1, 2, 3, 1)),
        ),
        "gpt-5",
        "resp_1",
        17,
    )


@pytest.mark.parametrize(
    ("ending", "finish"),
    [
        ({"status": "completed"}, "stop"),
        ({"status": "incomplete", "incomplete_details": {"reason": "max_output_tokens"}}, "length"),
        ({"status": "incomplete", "incomplete_details": {"reason": "content_filter"}}, "content_filter"),
        ({"status": "incomplete"}, "length"),
        ({"status": "in_progress"}, ""),
        ({}, ""),
    ],
)
def test_the_status_says_how_it_ended(ending: dict[str, Any], finish: str) -> None:
    response = {"output": [message(HI)], **ending}
    assert heard(response).finish_reason == finish
    assert streamed({"type": "response.completed", "response": response}).finish_reason == finish


def test_a_failed_response_is_an_error_and_an_error_event_is_not_told_twice() -> None:
    failed = {"status": "failed", "output": [], "error": {"code": "server_error", "message": "gone"}}
    event = {"type": "error", "code": "server_error", "message": "gone", "param": None}
    for answer in (heard(failed), streamed(event, {"type": "response.failed", "response": failed}), streamed(event)):
        assert [(d.kind, d.text, d.name) for d in answer.deltas] == [("error", "gone", "server_error")]
    assert streamed({"type": "error", "error": {"message": "gone"}}).joined("error") == "gone"


def test_items_without_pieces_and_an_empty_last_output_still_say_everything() -> None:
    def done(index: int, item: object) -> dict[str, Any]:
        return {"type": "response.output_item.done", "output_index": index, "item": item}

    ended = {"type": "response.completed", "response": {"status": "completed", "output": [], "id": "r", "model": "m"}}
    answer = streamed(done(0, message(HI)), done(1, CALL), done(2, SEARCH), ended)
    assert (answer.text, answer.tool_calls, answer.finish_reason) == ("Hi", (ToolCall("f", "{}", "c1"),), "tool_calls")
    assert answer.deltas[2] == Delta("item", data=SEARCH)
    assert (answer.id, answer.model) == ("r", "m")


def test_pieces_are_not_told_again_by_what_is_done() -> None:
    at = {"output_index": 0, "item_id": "fc_1"}
    answer = streamed(
        {"type": "response.output_item.added", "output_index": 0, "item": {**CALL, "arguments": ""}},
        {"type": "response.function_call_arguments.delta", **at, "delta": "{"},
        {"type": "response.function_call_arguments.delta", **at, "delta": "}"},
        {"type": "response.output_item.done", "output_index": 0, "item": CALL},
        {"type": "response.output_text.delta", "output_index": 1, "delta": "Hi"},
        {"type": "response.output_item.done", "output_index": 1, "item": message(HI)},
    )
    assert (answer.tool_calls, answer.text) == ((ToolCall("f", "{}", "c1"),), "Hi")


def test_what_is_told_when_it_is_done_adds_what_its_pieces_left_out() -> None:
    at = {"output_index": 0, "content_index": 0}
    answer = streamed(
        {"type": "response.output_text.delta", **at, "delta": "H"},
        {"type": "response.output_text.done", **at, "text": "Hi"},
        {"type": "response.refusal.done", "output_index": 0, "content_index": 1, "refusal": "No"},
        {
            "type": "response.output_item.done",
            "output_index": 0,
            "item": message(HI, {"type": "refusal", "refusal": "No"}),
        },
        {"type": "response.output_item.added", "output_index": 1, "item": {**CALL, "arguments": ""}},
        {"type": "response.function_call_arguments.done", "output_index": 1, "arguments": "{}"},
        {"type": "response.output_item.done", "output_index": 1, "item": CALL},
        {"type": "response.output_item.done", "output_index": 1, "item": CALL},
    )
    assert [delta.text for delta in answer.deltas] == ["H", "i", "No", "", "{}"]


def test_what_is_told_otherwise_when_it_is_done_is_not_told_twice() -> None:
    answer = streamed(
        {"type": "response.output_text.delta", "output_index": 0, "delta": "Hello"},
        {"type": "response.output_text.done", "output_index": 0, "text": "Hallo"},
        {
            "type": "response.output_item.done",
            "output_index": 0,
            "item": message({"type": "output_text", "text": "Hallo"}),
        },
    )
    assert answer.text == "Hello"


def test_without_numbers_items_are_told_apart_by_their_ids() -> None:
    done = [{"type": "response.output_item.done", "item": {**CALL, "id": i, "call_id": i}} for i in "ab"]
    assert [call.id for call in streamed(*done).tool_calls] == ["a", "b"]


def test_parts_of_a_summary_have_a_blank_line_between_them() -> None:
    pieces = [(0, "a"), (0, "b"), (1, "c")]
    kind = "response.reasoning_summary_text.delta"
    said = [{"type": kind, "output_index": 0, "summary_index": part, "delta": words} for part, words in pieces]
    assert streamed(*said).reasoning == "ab\n\nc"


# --- replies, out ---------------------------------------------------------------------------------------


def test_a_plain_reply_holds_the_items_in_the_order_of_their_beginning() -> None:
    body = responses.write_reply(Prompt("gpt-5", options={"temperature": 0.5}), ANSWER).json()
    assert [item["type"] for item in body["output"]] == [
        "reasoning",
        "message",
        "function_call",
        "function_call",
        "message",
    ]
    assert body["output"][2]["arguments"] == '{"city":"Rome"}'
    assert (body["status"], body["temperature"], body["tool_choice"]) == ("completed", 0.5, "auto")


def test_text_is_streamed_in_the_full_sequence_of_events() -> None:
    answer = Answer((Delta("text", "H"), Delta("text", "i")), "m", "resp_1")
    said = events(responses.write_reply(Prompt(stream=True), answer))
    assert [event["type"] for event in said] == [
        "response.created",
        "response.in_progress",
        "response.output_item.added",
        "response.content_part.added",
        "response.output_text.delta",
        "response.output_text.delta",
        "response.output_text.done",
        "response.content_part.done",
        "response.output_item.done",
        "response.completed",
    ]
    assert [event["sequence_number"] for event in said] == list(range(10))
    assert said[2]["item"] | {"content": 0} == said[8]["item"] | {"content": 0, "status": "in_progress"}


@pytest.mark.parametrize(
    ("deltas", "last"),
    [
        ([Delta("finish", finish="length")], "response.incomplete"),
        ([Delta("finish", finish="content_filter")], "response.incomplete"),
        ([Delta("error", "gone")], "response.failed"),
        ([], "response.completed"),
    ],
)
def test_the_last_event_says_how_it_ended(deltas: list[Delta], last: str) -> None:
    said = events(responses.write_reply(Prompt(stream=True), Answer((Delta("text", "Hi"), *deltas))))
    assert said[-1]["type"] == last
    assert said[-1]["response"]["status"] == last.removeprefix("response.")
    assert said[-1]["response"]["output"][0]["content"][0]["text"] == "Hi"


def test_items_of_other_protocols_and_other_choices_are_left_out() -> None:
    answer = Answer((Delta("item", data={"annotations": []}), Delta("item", data=SEARCH), Delta("text", "2", index=1)))
    assert responses.write_reply(Prompt(), answer).json()["output"] == [SEARCH]
    assert responses.read_reply(responses.write_reply(Prompt(stream=True), answer)).deltas[0].data == SEARCH


# --- the openai package ---------------------------------------------------------------------------------


@pytest.fixture
def client() -> openai.OpenAI:
    def respond(http: httpx2.Request) -> httpx2.Response:
        prompt = responses.read_request(Request("POST", "", http.url.path, body=http.read()))
        reply = responses.write_reply(prompt, ANSWER)
        return httpx2.Response(reply.status, headers=list(reply.headers), content=reply.body)

    http_client = httpx2.Client(transport=httpx2.MockTransport(respond))
    return openai.OpenAI(api_key="k", base_url="http://x/v1", http_client=http_client, max_retries=0)


def test_the_sdk_reads_a_plain_reply(client: openai.OpenAI) -> None:
    response = client.responses.create(model="gpt-5", input="Hi")
    assert (response.id, response.model, response.output_text) == ("resp_1", "gpt-5", "It rains")
    calls = [(item.call_id, item.name, item.arguments) for item in response.output if item.type == "function_call"]
    assert calls == [("call_a", "weather", '{"city":"Rome"}'), ("call_b", "time", "{}")]
    assert response.usage is not None
    assert response.usage.input_tokens_details.cached_tokens == 2
    assert response.usage.output_tokens_details.reasoning_tokens == 1


def test_the_sdk_puts_a_stream_together_to_the_same_response(client: openai.OpenAI) -> None:
    with client.responses.stream(model="gpt-5", input="Hi") as stream:
        deltas = [event.delta for event in stream if event.type == "response.output_text.delta"]
        final = stream.get_final_response()
    plain = client.responses.create(model="gpt-5", input="Hi")
    assert "".join(deltas) == final.output_text == plain.output_text
    streamed, whole = ([item.to_dict(exclude_unset=False) for item in r.output] for r in (final, plain))
    assert [[item["type"], item.get("arguments")] for item in streamed] == [
        [item["type"], item.get("arguments")] for item in whole
    ]
    assert final.usage == plain.usage


def test_everything_written_is_valid_by_the_types_of_the_sdk() -> None:
    Response.model_validate(responses.write_reply(Prompt("gpt-5"), ANSWER).json())
    event_type: TypeAdapter[Any] = TypeAdapter(ResponseStreamEvent)
    for answer in (ANSWER, Answer((Delta("item", data=SEARCH), Delta("error", "gone")), "m")):
        for event in events(responses.write_reply(Prompt("gpt-5", stream=True), answer)):
            parsed = event_type.validate_python(event)
            assert parsed.type == event["type"]


# --- real traffic ---------------------------------------------------------------------------------------


def test_every_shared_recording_can_be_read(recorded: list[tuple[str, Exchange, Reply]]) -> None:
    recordings = [item for item in recorded if item[1].operation == "responses"]
    assert len(recordings) > 20
    for file, exchange, reply in recordings:
        assert exchange.prompt.model, file
        assert exchange.prompt.messages or "conversation" in exchange.prompt.options, file
        answer = responses.read_reply(reply)
        kinds = {delta.kind for delta in answer.deltas}
        if reply.status >= 400:
            assert answer.joined("error"), file
            continue
        ended = b'"status":"completed"' in reply.body.replace(b" ", b"")
        assert kinds & {"text", "tool_call", "item", "reasoning", "error"} or not ended, file
        assert bool(answer.text) == (b'"output_text"' in reply.body), file
        assert bool(answer.tool_calls) == (b'"function_call"' in reply.body), file
        assert answer.usage or not ended, file
