"""Chat Completions: what servers send and clients read."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import httpx2
import openai
import pytest

from pytest_llmmock.core.model import Exchange, Frame, Reply, Request
from pytest_llmmock.core.prompt import Answer, Delta, Message, Part, Prompt, Tool, ToolCall, Usage
from pytest_llmmock.dialects import chat

ANSWER = Answer(
    (
        Delta("reasoning", "Hm"),
        Delta("text", "It "),
        Delta("text", "rains"),
        Delta("tool_call", '{"city":', call=0, id="call_a", name="weather"),
        Delta("tool_call", "{}", call=1, id="call_b", name="time"),
        Delta("tool_call", '"Rome"}', call=0),
        Delta("finish", finish="tool_calls"),
        Delta("text", "Two", index=1),
        Delta("refusal", "No", index=1),
        Delta("usage", usage=Usage(3, 4, 7, 2, 1)),
    ),
    model="gpt-5",
    id="chatcmpl-1",
    created=1700000000,
)


def asked(body: object) -> Prompt:
    return chat.read_request(Request("POST", "http://x", "/v1/chat/completions", body=json.dumps(body).encode()))


def heard(body: object, status: int = 200) -> Answer:
    return chat.read_reply(Reply(status, (), [Frame(json.dumps(body).encode())]))


def streamed(*chunks: object) -> Answer:
    frames = [Frame(f"data: {json.dumps(chunk)}\n\n".encode()) for chunk in chunks]
    return chat.read_reply(Reply(200, (("content-type", "text/event-stream"),), [*frames, Frame(b"data: [DONE]\n\n")]))


def delta(index: int = 0, **said: Any) -> dict[str, Any]:
    return {"id": "c", "choices": [{"index": index, "delta": said}]}


def events(reply: Reply) -> list[Any]:
    assert isinstance(reply.frames, list)
    data = [frame.data.decode().removeprefix("data: ").strip() for frame in reply.frames]
    return [line if line == "[DONE]" else json.loads(line) for line in data]


# --- requests -------------------------------------------------------------------------------------------


def test_a_conversation_with_tools_is_read() -> None:
    function = {"name": "weather", "description": "Looks", "parameters": {"type": "object"}}
    image = {"type": "image_url", "image_url": {"url": "https://x/y.png", "detail": "low"}}
    called = {"id": "call_1", "type": "function", "function": {"name": "weather", "arguments": "{}"}}
    prompt = asked(
        {
            "model": "gpt-5",
            "messages": [
                {"role": "system", "content": "Be brief"},
                {"role": "user", "name": "ann", "content": [{"type": "text", "text": "a"}, image, "b"]},
                {"role": "assistant", "content": None, "tool_calls": [called]},
                {"role": "tool", "tool_call_id": "call_1", "content": "rain"},
            ],
            "tools": [{"type": "function", "function": function}, {"type": "web_search", "filters": 1}],
            "stream": True,
            "temperature": 0,
        }
    )
    assert prompt.messages == (
        Message("system", "Be brief"),
        Message("user", "a\nb", (Part("image", "https://x/y.png", image),), name="ann"),
        Message("assistant", tool_calls=(ToolCall("weather", "{}", "call_1"),)),
        Message("tool", "rain", tool_call_id="call_1"),
    )
    web = Tool("", "", {"filters": 1}, "web_search")
    assert prompt.tools == (Tool("weather", "Looks", {"type": "object"}), web)
    assert (prompt.model, prompt.stream, prompt.options) == ("gpt-5", True, {"temperature": 0})


def test_sounds_and_files_have_their_data_as_url() -> None:
    sound = {"type": "input_audio", "input_audio": {"data": "UklG", "format": "wav"}}
    file = {"type": "file", "file": {"file_data": "data:application/pdf;base64,JV", "filename": "a.pdf"}}
    parts = asked({"messages": [{"role": "user", "content": [sound, file]}]}).messages[0].parts
    assert parts == (
        Part("audio", "data:audio/wav;base64,UklG", sound),
        Part("file", "data:application/pdf;base64,JV", file),
    )


def test_custom_and_legacy_calls_are_read_as_calls() -> None:
    custom = {"id": "c1", "type": "custom", "custom": {"name": "sh", "input": "ls"}}
    legacy = {"name": "f", "arguments": {"a": 1}}
    messages = asked({"messages": [{"role": "assistant", "tool_calls": [custom]}, {"function_call": legacy}]}).messages
    assert messages[0].tool_calls == (ToolCall("sh", "ls", "c1"),)
    assert messages[1].tool_calls == (ToolCall("f", '{"a":1}', ""),)


@pytest.mark.parametrize(
    ("part", "written"),
    [
        (Part("image", "http://i"), {"type": "image_url", "image_url": {"url": "http://i"}}),
        (
            Part("image", "http://i", {"type": "input_image", "image_url": "http://i"}),
            {"type": "image_url", "image_url": {"url": "http://i"}},
        ),
        (
            Part("audio", "data:audio/mp3;base64,AA"),
            {"type": "input_audio", "input_audio": {"data": "AA", "format": "mp3"}},
        ),
        (
            Part("file", "data:x;base64,AA", {"type": "input_file", "filename": "a"}),
            {"type": "file", "file": {"filename": "a", "file_data": "data:x;base64,AA"}},
        ),
        (Part("newer", data={"type": "newer", "x": 1}), {"type": "newer", "x": 1}),
        (Part("newer"), {"type": "newer"}),
    ],
)
def test_parts_of_other_protocols_are_written_in_this_one(part: Part, written: object) -> None:
    body = json.loads(chat.write_request(Prompt("m", (Message("user", "see", (part,)),))))
    assert body["messages"][0]["content"] == [{"type": "text", "text": "see"}, written]


# --- replies, in ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "said",
    [
        {"reasoning_content": "Hm", "content": "x"},
        {"reasoning": "Hm", "content": "x"},
        {"reasoning": {"content": [{"type": "text", "text": "Hm"}]}, "content": "x"},
        {
            "content": [
                {"type": "thinking", "thinking": [{"type": "text", "text": "Hm"}]},
                {"type": "text", "text": "x"},
            ]
        },
    ],
)
def test_reasoning_is_read_in_every_known_spelling(said: dict[str, Any]) -> None:
    for answer in (heard({"choices": [{"message": said}]}), streamed(delta(**said))):
        assert (answer.reasoning, answer.text) == ("Hm", "x")


def test_pieces_of_interleaved_calls_are_put_together() -> None:
    first = {"index": 0, "id": "a", "function": {"name": "f", "arguments": ""}}
    second = {"index": 1, "id": "b", "function": {"name": "g", "arguments": "{"}}
    rest = [{"index": 0, "function": {"arguments": "{}"}}, {"index": 1, "function": {"arguments": "}"}}]
    answer = streamed(delta(tool_calls=[first]), delta(tool_calls=[second]), delta(tool_calls=rest))
    assert answer.tool_calls == (ToolCall("f", "{}", "a"), ToolCall("g", "{}", "b"))


@pytest.mark.parametrize("index", [{"index": 0}, {}])
def test_a_new_id_with_a_name_is_a_new_call_even_at_the_same_index(index: dict[str, int]) -> None:
    calls = [{**index, "id": name, "function": {"name": name, "arguments": "{}"}} for name in "ab"]
    answer = streamed(delta(tool_calls=calls[:1]), delta(tool_calls=calls[1:]))
    assert answer.tool_calls == (ToolCall("a", "{}", "a"), ToolCall("b", "{}", "b"))


def test_usage_is_the_last_that_was_said_with_its_details() -> None:
    usage = {
        "prompt_tokens": 5,
        "completion_tokens": 6,
        "total_tokens": 11,
        "prompt_tokens_details": {"cached_tokens": 4},
        "completion_tokens_details": {"reasoning_tokens": 3},
    }
    answer = streamed(delta(content="x") | {"usage": {"prompt_tokens": 5}}, {"choices": [], "usage": usage})
    assert answer.usage == Usage(5, 6, 11, 4, 3)
    assert streamed({"choices": [], "x_groq": {"usage": {"total_tokens": 2}}}).usage == Usage(total=2)


@pytest.mark.parametrize(
    ("body", "words", "code"),
    [
        ({"error": {"message": "slow down", "type": "t", "code": "rate_limit"}}, "slow down", "rate_limit"),
        ({"error": {"message": "slow down", "code": 429}}, "slow down", "429"),
        ({"error": "slow down"}, "slow down", ""),
        ({"detail": "slow down"}, "slow down", ""),
        ({"object": "error", "message": "slow down", "type": "t"}, "slow down", "t"),
    ],
)
def test_errors_are_read_in_the_shapes_that_servers_use(body: object, words: str, code: str) -> None:
    assert [(d.kind, d.text, d.name) for d in heard(body, 429).deltas] == [("error", words, code)]


def test_an_error_that_is_not_json_is_its_text() -> None:
    reply = Reply(502, (("content-type", "text/html"),), [Frame(b"<h1>Bad gateway</h1>\n")])
    assert chat.read_reply(reply).joined("error") == "<h1>Bad gateway</h1>"


def test_an_error_in_the_middle_of_a_stream_is_read() -> None:
    answer = streamed(delta(content="so f"), {"error": {"message": "gone", "code": "x"}})
    assert (answer.text, answer.joined("error"), answer.finish_reason) == ("so f", "gone", "")


def test_a_stream_is_known_by_its_body_when_no_header_says_so() -> None:
    body = b': comment\n\ndata: {"model":"m","choices":[{"delta":{"content":"x"}}]}\n\n'
    assert chat.read_reply(Reply(200, (), [Frame(body)])).text == "x"


def test_citations_and_images_are_kept_as_items() -> None:
    said = {"content": "x", "annotations": [{"type": "url_citation"}], "images": []}
    answer = heard({"choices": [{"message": said}]})
    reply = chat.write_reply(Prompt(), answer).json()
    assert reply["choices"][0]["message"]["annotations"] == [{"type": "url_citation"}]
    assert events(chat.write_reply(Prompt(stream=True), answer))[2]["choices"][0]["delta"] == {
        "annotations": [{"type": "url_citation"}]
    }


# --- replies, out ---------------------------------------------------------------------------------------


def test_a_stream_names_the_role_first_and_ends_with_done() -> None:
    answer = Answer((Delta("text", "Hi"), Delta("usage", usage=Usage(1, 2))), "m", "c")
    said = events(chat.write_reply(Prompt(stream=True), answer))
    assert [event["choices"][0]["delta"] for event in said[:-1]] == [
        {"role": "assistant", "content": ""},
        {"content": "Hi"},
        {},
    ]
    assert said[-2]["choices"][0]["finish_reason"] == "stop"
    assert said[-1] == "[DONE]"
    assert all("usage" not in event for event in said[:-1])


def test_usage_is_a_chunk_without_choices_when_it_was_asked_for() -> None:
    answer = Answer((Delta("text", "Hi"), Delta("usage", usage=Usage(1, 2))), "m", "c")
    said = events(chat.write_reply(Prompt(stream=True, options={"stream_options": {"include_usage": True}}), answer))
    assert said[-2]["choices"] == []
    assert said[-2]["usage"] == {"prompt_tokens": 1, "completion_tokens": 2, "total_tokens": 3}
    assert all(event["usage"] is None for event in said[:-2])


def test_only_the_first_piece_of_a_call_says_whose_it_is() -> None:
    said = events(chat.write_reply(Prompt(stream=True), ANSWER))
    pieces = [c["delta"]["tool_calls"][0] for e in said[:-1] for c in e["choices"] if "tool_calls" in c["delta"]]
    assert pieces == [
        {"index": 0, "id": "call_a", "type": "function", "function": {"name": "weather", "arguments": '{"city":'}},
        {"index": 1, "id": "call_b", "type": "function", "function": {"name": "time", "arguments": "{}"}},
        {"index": 0, "function": {"arguments": '"Rome"}'}},
    ]


def test_a_failed_stream_ends_with_the_error() -> None:
    answer = Answer((Delta("text", "so f"), Delta("error", "gone", name="x")))
    assert events(chat.write_reply(Prompt(stream=True), answer))[-1] == {
        "error": {"message": "gone", "type": "server_error", "param": None, "code": "x"}
    }


# --- the openai package ---------------------------------------------------------------------------------


@pytest.fixture
def client() -> Any:
    """Makes a client that is answered with what the dialect writes."""

    def make(answer: Answer | Callable[[Prompt], Reply]) -> openai.OpenAI:
        def respond(http: httpx2.Request) -> httpx2.Response:
            prompt = chat.read_request(Request(http.method, "", http.url.path, body=http.read()))
            reply = chat.write_reply(prompt, answer) if isinstance(answer, Answer) else answer(prompt)
            return httpx2.Response(reply.status, headers=list(reply.headers), content=reply.body)

        http_client = httpx2.Client(transport=httpx2.MockTransport(respond))
        return openai.OpenAI(api_key="k", base_url="http://x/v1", http_client=http_client, max_retries=0)

    return make


MESSAGES: Any = [{"role": "user", "content": "Hi"}]


def test_the_sdk_reads_a_plain_reply(client: Any) -> None:
    completion = client(ANSWER).chat.completions.create(model="gpt-5", messages=MESSAGES)
    first, second = completion.choices
    assert (completion.id, completion.model, completion.created) == ("chatcmpl-1", "gpt-5", 1700000000)
    assert (first.message.role, first.message.content, first.finish_reason) == ("assistant", "It rains", "tool_calls")
    assert first.message.reasoning_content == "Hm"
    calls = [(call.id, call.function.name, call.function.arguments) for call in first.message.tool_calls]
    assert calls == [("call_a", "weather", '{"city":"Rome"}'), ("call_b", "time", "{}")]
    assert (second.message.content, second.message.refusal, second.finish_reason) == ("Two", "No", "stop")
    assert completion.usage.prompt_tokens_details.cached_tokens == 2
    assert completion.usage.completion_tokens_details.reasoning_tokens == 1
    type(completion).model_validate(completion.model_dump(), strict=True)


def test_the_sdk_puts_a_stream_together_to_the_same_completion(client: Any) -> None:
    options = {"include_usage": True}
    create = client(ANSWER).chat.completions
    with create.stream(model="gpt-5", messages=MESSAGES, stream_options=options) as stream:
        chunks = [event.chunk for event in stream if event.type == "chunk"]
        final = stream.get_final_completion()
    plain = client(ANSWER).chat.completions.create(model="gpt-5", messages=MESSAGES)
    for chunk in chunks:
        type(chunk).model_validate(chunk.model_dump(), strict=True)
    for got, want in zip(final.choices, plain.choices, strict=True):
        assert (got.message.content, got.message.refusal) == (want.message.content, want.message.refusal)
        assert got.finish_reason == want.finish_reason
        calls = [
            [(c.id, c.function.name, c.function.arguments) for c in x.message.tool_calls or ()] for x in (got, want)
        ]
        assert calls[0] == calls[1]
    assert (final.usage.total_tokens, final.id, final.model) == (7, plain.id, plain.model)


def test_the_sdk_raises_what_an_error_says(client: Any) -> None:
    from pytest_llmmock.core.model import Problem

    refused = client(lambda _: chat.write_error(Problem(429, "slow", "rate_limit", "requests", "model")))
    with pytest.raises(openai.RateLimitError, match="slow") as raised:
        refused.chat.completions.create(model="m", messages=MESSAGES)
    assert (raised.value.code, raised.value.type, raised.value.param) == ("rate_limit", "requests", "model")
    failing = client(Answer((Delta("text", "x"), Delta("error", "gone"))))
    with pytest.raises(openai.APIError, match="gone"):
        list(failing.chat.completions.create(model="m", messages=MESSAGES, stream=True))


# --- real traffic ---------------------------------------------------------------------------------------


def test_every_shared_recording_can_be_read(recorded: list[tuple[str, Exchange, Reply]]) -> None:
    recordings = [item for item in recorded if item[1].operation == "chat" and item[1].request.body]
    assert len(recordings) > 50
    for file, exchange, reply in recordings:
        assert exchange.prompt.model or "azure" in exchange.request.host, file
        assert exchange.prompt.messages, file
        answer = chat.read_reply(reply)
        body = reply.body
        if reply.status >= 400 or b'"error":' in body:
            assert answer.joined("error") or not reply.body, file
        elif b"tool_calls" in body or b"function_call" in body or b"content" in body:
            said = [answer.joined(kind, i) for i in answer.choices for kind in ("text", "reasoning", "refusal")]
            assert any(said) or answer.tool_calls or answer.finish_reason == "length", file
        if b'"finish_reason":"' in body.replace(b" ", b""):
            assert answer.finish_reason, file
        if b'"prompt_tokens":' in body:
            assert answer.usage, file


def test_a_custom_tool_is_called_as_such() -> None:
    tools = (Tool("sh", kind="custom"), Tool("f"))
    answer = Answer((Delta("tool_call", "ls", id="c1", name="sh"), Delta("tool_call", "{}", call=1, id="c2", name="f")))
    calls = chat.write_reply(Prompt("m", tools=tools), answer).json()["choices"][0]["message"]["tool_calls"]
    assert calls == [
        {"id": "c1", "type": "custom", "custom": {"name": "sh", "input": "ls"}},
        {"id": "c2", "type": "function", "function": {"name": "f", "arguments": "{}"}},
    ]
    assert (
        chat.read_reply(chat.write_reply(Prompt("m", tools=tools, stream=True), answer)).tool_calls == answer.tool_calls
    )
