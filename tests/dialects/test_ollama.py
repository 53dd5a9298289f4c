"""Ollama's conversations and prompts: what servers send and clients read."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import ollama
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pytest_llmmock import dialects
from pytest_llmmock.core import sse
from pytest_llmmock.core.model import Dialect, Exchange, Frame, Problem, Reply, Request
from pytest_llmmock.core.prompt import Answer, Delta, Message, Part, Prompt, Tool, ToolCall, Usage

CHAT = dialects.dialect_of("ollama.chat")
GENERATE = dialects.dialect_of("ollama.generate")
PLAIN = (("content-type", "application/json; charset=utf-8"), ("date", "today"))
STREAM = (("content-type", "application/x-ndjson"), ("date", "today"))
ASKED = Prompt("m", stream=True)
CALLS = [
    {"id": "call_a", "function": {"index": 0, "name": "weather", "arguments": {"city": "Rome", "days": [1, 2.5]}}},
    {"function": {"name": "now", "arguments": {}}},
]
ENDING: dict[str, Any] = {
    "done": True,
    "done_reason": "stop",
    "total_duration": 6037504209,
    "load_duration": 28126292,
    "prompt_eval_count": 44,
    "prompt_eval_duration": 182953000,
    "eval_count": 113,
    "eval_duration": 5825102000,
}
HEAD = {"model": "llama3.1", "created_at": "2024-09-16T02:41:57.128675123Z"}
WORDS = "It rains in Rome.\n\n  雨が降っています。"
SAID = {"thinking": "Rain, in which city?", "tool_calls": CALLS}
CHATTED: dict[str, Any] = {
    **HEAD,
    "message": {
        "role": "assistant",
        "content": "It rains in Rome.\n\n  雨が降っています。",
        **SAID,
        "newer": {"kept": 1},
    },
    **ENDING,
    "newer": [1],
}
GENERATED: dict[str, Any] = {
    **HEAD,
    "response": WORDS,
    **SAID,
    **ENDING,
    "context": [128006, 882, 128007],
    "newer": [1],
}
both = pytest.mark.parametrize(("module", "value"), [(CHAT, CHATTED), (GENERATE, GENERATED)], ids=["chat", "generate"])


def plain(value: object, status: int = 200) -> Reply:
    return Reply(status, PLAIN, [Frame(json.dumps(value).encode(), 0.5)])


def streamed(*lines: object) -> Reply:
    return Reply(200, STREAM, [Frame(json.dumps(line).encode() + b"\n", n / 4) for n, line in enumerate(lines)])


def told(reply: Reply | None) -> list[Any]:
    """The lines of a stream, each a frame."""
    assert reply is not None
    assert isinstance(reply.frames, list)
    assert all(frame.data.count(b"\n") == 1 and frame.data.endswith(b"\n") for frame in reply.frames)
    return [json.loads(frame.data) for frame in reply.frames]


def to_stream(value: object) -> Reply:
    reply = CHAT.convert(ASKED, plain(value))
    assert reply is not None
    return reply


def to_whole(reply: Reply) -> Any:
    whole = CHAT.convert(Prompt("m"), reply)
    return None if whole is None else whole.json()


def asked(module: Dialect, body: object) -> Prompt:
    return module.read_request(Request("POST", "http://x", "/", body=json.dumps(body).encode()))


# --- requests -------------------------------------------------------------------------------------------


def test_a_conversation_with_tools_is_read_and_written_as_it_was() -> None:
    function = {"name": "weather", "description": "Looks", "parameters": {"type": "object"}}
    body = {
        "model": "llama3.1",
        "messages": [
            {"role": "system", "content": "Be brief"},
            {"role": "user", "content": "see", "images": ["iVBORw0", "/9j/4", "????"]},
            {"role": "assistant", "content": "", "thinking": "Hm", "tool_calls": CALLS},
            {"role": "tool", "content": "rain", "tool_name": "weather", "tool_call_id": "call_a"},
        ],
        "tools": [{"type": "function", "function": function}],
        "stream": False,
        "think": True,
        "options": {"temperature": 0},
    }
    prompt = asked(CHAT, body)
    pictures = tuple(
        Part("image", f"data:image/{kind};base64,{data}", data)
        for kind, data in (("png", "iVBORw0"), ("jpeg", "/9j/4"), ("*", "????"))
    )
    calls = (ToolCall("weather", '{"city":"Rome","days":[1,2.5]}', "call_a"), ToolCall("now", "{}"))
    assert prompt.messages == (
        Message("system", "Be brief"),
        Message("user", "see", pictures),
        Message("assistant", "", (Part("thinking", data={"type": "thinking", "thinking": "Hm"}),), calls),
        Message("tool", "rain", tool_call_id="call_a", name="weather"),
    )
    assert prompt.tools == (Tool("weather", "Looks", {"type": "object"}),)
    assert prompt.options == {"think": True, "options": {"temperature": 0}}
    del body["messages"][2]["tool_calls"][0]["function"]["index"]  # type: ignore[index]
    assert json.loads(CHAT.write_request(prompt)) == body


def test_a_prompt_is_a_message_of_the_user() -> None:
    body = {"model": "m", "prompt": "see", "system": "Be brief", "images": ["iVBORw0"], "stream": False, "raw": True}
    prompt = asked(GENERATE, body)
    picture = Part("image", "data:image/png;base64,iVBORw0", "iVBORw0")
    assert prompt.messages == (Message("system", "Be brief"), Message("user", "see", (picture,)))
    assert prompt.options == {"raw": True}
    assert json.loads(GENERATE.write_request(prompt)) == body


def test_a_conversation_is_written_as_one_prompt() -> None:
    prompt = Prompt("m", (Message("user", "One"), Message("assistant", "Two"), Message("user", "Three")))
    assert json.loads(GENERATE.write_request(prompt))["prompt"] == "One\n\nTwo\n\nThree"


@pytest.mark.parametrize("module", [CHAT, GENERATE])
@pytest.mark.parametrize(("body", "stream"), [({}, True), ({"stream": True}, True), ({"stream": False}, False)])
def test_an_answer_is_streamed_unless_the_request_says_otherwise(module: Dialect, body: Any, stream: bool) -> None:
    prompt = asked(module, body)
    assert prompt.stream is stream
    assert json.loads(module.write_request(prompt))["stream"] is stream


# --- replies, in ----------------------------------------------------------------------------------------


@both
def test_an_answer_is_read_the_same_plain_and_streamed(module: Dialect, value: Any) -> None:
    for reply in (plain(value), to_stream(value)):
        answer = module.read_reply(reply)
        assert (answer.model, answer.created) == ("llama3.1", 1726454517)
        assert (answer.text, answer.reasoning) == (WORDS, "Rain, in which city?")
        weather = ToolCall("weather", '{"city":"Rome","days":[1,2.5]}', "call_a")
        assert answer.tool_calls == (weather, ToolCall("now", "{}"))
        assert (answer.finish_reason, answer.usage) == ("tool_calls", Usage(44, 113))


def test_reasons_are_those_that_the_server_gives() -> None:
    for reason, finish in (("stop", "stop"), ("length", "length"), ("load", "load"), (None, "stop")):
        value = {"message": {"content": "x"}, "done": True, "done_reason": reason}
        assert CHAT.read_reply(plain(value)).finish_reason == finish
    assert CHAT.read_reply(streamed({"message": {"content": "x"}, "done": False})).finish_reason == ""


def test_pictures_that_a_model_made_are_kept_as_items() -> None:
    for module, value in (
        (CHAT, {"message": {"images": ["iVBO"]}, "done": True}),
        (GENERATE, {"image": "iVBO", "done": True}),
    ):
        answer = module.read_reply(plain(value))
        again = module.read_reply(module.write_reply(Prompt("m"), answer))
        items = [delta.data for delta in again.deltas if delta.kind == "item"]
        assert items == [delta.data for delta in answer.deltas if delta.kind == "item"] != []


def test_a_time_that_is_none_is_not_told() -> None:
    assert CHAT.read_reply(plain({**CHATTED, "created_at": "yesterday"})).created is None
    for seconds in (10**18, -(10**18)):
        written = CHAT.write_reply(Prompt("m"), Answer((Delta("text", "x"),), created=seconds)).json()
        assert written["created_at"] == "1970-01-01T00:00:00Z"


# --- streamed and whole ---------------------------------------------------------------------------------


def test_a_stream_has_the_lines_that_the_server_sends() -> None:
    lines = told(to_stream(CHATTED))
    assert lines[0] == {
        **HEAD,
        "message": {"role": "assistant", "content": "", "thinking": "Rain,"},
        "done": False,
    }
    assert [line["message"]["content"] for line in lines[4:8]] == ["It", " rains", " in", " Rome."]
    assert [line["message"]["tool_calls"] for line in lines[-3:-1]] == [[call] for call in CALLS]
    assert lines[-1] == {**CHATTED, "message": {"role": "assistant", "content": "", "newer": {"kept": 1}}}
    last = told(to_stream(GENERATED))[-1]
    assert last == {**HEAD, "response": "", **ENDING, "context": [128006, 882, 128007], "newer": [1]}


def test_tokens_that_are_told_of_are_the_pieces() -> None:
    tokens = [{"token": token, "logprob": -0.5} for token in ("It r", "ains", "!")]
    for value in (
        {"message": {"content": "It rains!"}, "logprobs": tokens, "done": True},
        {"response": "It rains!", "logprobs": tokens, "done": True},
    ):
        lines = told(to_stream(value))
        assert [line.get("logprobs") for line in lines] == [*([token] for token in tokens), None]
        assert to_whole(to_stream(value)) == value
    other = {"message": {"content": "It snows"}, "logprobs": tokens, "done": True}
    assert [line.get("logprobs") for line in told(to_stream(other))] == [None, None, tokens]


def test_only_the_content_type_of_the_headers_changes() -> None:
    stream = to_stream(CHATTED)
    assert stream.headers == STREAM
    whole = CHAT.convert(Prompt("m"), stream)
    assert whole is not None
    assert whole.headers == (("content-type", "application/json"), ("date", "today"))


def test_a_whole_answer_is_there_when_the_last_line_was() -> None:
    lines = told(to_stream(CHATTED))
    whole = CHAT.convert(Prompt("m"), streamed(*lines))
    assert whole is not None
    assert isinstance(whole.frames, list)
    assert [frame.at for frame in whole.frames] == [(len(lines) - 1) / 4]


def test_what_is_asked_for_as_it_is_stays_as_it_is() -> None:
    for reply, prompt in (
        (plain(CHATTED), Prompt("m")),
        (to_stream(CHATTED), ASKED),
        (plain({"error": "x"}, 404), ASKED),
    ):
        assert CHAT.convert(prompt, reply) is reply


def test_a_stream_of_one_line_is_a_stream() -> None:
    one = streamed({**CHATTED, "message": {"role": "assistant", "content": ""}})
    assert CHAT.convert(ASKED, one) is one
    whole = CHAT.convert(Prompt("m"), one)
    assert whole is not None
    assert whole.content_type == "application/json"


def test_a_stream_that_fails_is_a_request_that_fails() -> None:
    failing = streamed(*told(to_stream(CHATTED))[:3], {"error": "out of memory"})
    assert CHAT.convert(ASKED, failing) is failing
    whole = CHAT.convert(Prompt("m"), failing)
    assert whole is not None
    assert (whole.status, whole.json()) == (500, {"error": "out of memory"})


@pytest.mark.parametrize("prompt", [ASKED, Prompt("m")])
def test_what_is_not_whole_is_not_converted(prompt: Prompt) -> None:
    lines = told(to_stream(CHATTED))
    cut = Reply(200, STREAM, [Frame(to_stream(CHATTED).body[:-5])])
    for reply in (
        streamed(*lines[:-1]),
        streamed(*lines[:2], "garbled", *lines[2:]),
        cut,
        plain({**CHATTED, "done": False}),
        plain({"models": [], "done": True}),
        plain([]),
        Reply(200, STREAM, []),
        Reply(200, (), [Frame(b"<html>")]),
    ):
        assert CHAT.convert(prompt, reply) is None


json_values: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
tokens = st.lists(st.builds(lambda token: {"token": token}, st.text(max_size=4)), max_size=3)
lists = json_values | st.lists(json_values, max_size=3) | tokens
parts = st.fixed_dictionaries(
    {},
    optional={"thinking": st.text() | json_values, "tool_calls": lists, "images": lists, "newer": json_values},
)
fields = st.fixed_dictionaries(
    {"done": st.just(True)},
    optional={"model": json_values, "created_at": json_values, "logprobs": lists, "context": lists, "x": json_values},
)
chatted = st.builds(
    lambda value, part, content: {**value, "message": {**part, **content}},
    fields,
    parts,
    st.just({}) | (st.text() | json_values).map(lambda words: {"role": "assistant", "content": words}),
)
generated = st.builds(lambda value, part, words: {**value, **part, "response": words}, fields, parts, st.text())


@example({"done": True, "logprobs": [{}], "response": ""})
@given(value=chatted | generated)
def test_any_answer_is_the_same_after_it_was_a_stream(value: dict[str, Any]) -> None:
    assert to_whole(to_stream(value)) == value


# --- the ollama package ---------------------------------------------------------------------------------

Answering = Callable[[Prompt], Reply]
ASK: Any = {"model": "m", "messages": [{"role": "user", "content": "Hi"}]}


def transport(module: Dialect, answering: Answering) -> httpx.MockTransport:
    def respond(http: httpx.Request) -> httpx.Response:
        reply = answering(module.read_request(Request(http.method, "", http.url.path, body=http.read())))
        return httpx.Response(reply.status, headers=list(reply.headers), content=reply.body)

    return httpx.MockTransport(respond)


def client(module: Dialect, answering: Answering) -> ollama.Client:
    return ollama.Client(host="http://x", transport=transport(module, answering))


def converted(reply: Reply) -> Answering:
    """Answers with the recording as each request wants it."""

    def answer(prompt: Prompt) -> Reply:
        found = CHAT.convert(prompt, reply)
        assert found is not None
        return found

    return answer


def accumulated(chunks: list[Any]) -> Any:
    """The last of what a client was given, with the words and calls of all, as its users put it together."""
    values = [chunk.model_dump(exclude_none=True) for chunk in chunks]
    whole = values[-1]
    for name in ("content", "thinking", "response"):
        for holder, parts in ((whole.get("message"), [v.get("message") for v in values]), (whole, values)):
            if holder and (words := "".join(part.get(name, "") for part in parts)):
                holder[name] = words
    holder, parts = (whole["message"], [v["message"] for v in values]) if "message" in whole else (whole, values)
    if calls := [call for part in parts for call in part.get("tool_calls", [])]:
        holder["tool_calls"] = calls
    return whole


@pytest.fixture(params=["plain", "streamed"])
def recorded_as(request: pytest.FixtureRequest) -> Callable[[Any], Reply]:
    return plain if request.param == "plain" else to_stream


def test_the_client_reads_the_same_chat_both_ways(recorded_as: Callable[[Any], Reply]) -> None:
    with client(CHAT, converted(recorded_as(CHATTED))) as sdk:
        whole = sdk.chat(**ASK)
        chunks = list(sdk.chat(**ASK, stream=True))
    assert len(chunks) > 8
    assert accumulated(chunks) == accumulated([whole])
    assert whole.message.content == CHATTED["message"]["content"]
    assert whole.message.thinking == "Rain, in which city?"
    assert [call.function.name for call in whole.message.tool_calls or ()] == ["weather", "now"]
    assert (whole.eval_count, whole.total_duration) == (113, 6037504209)


def test_the_client_reads_the_same_answer_to_a_prompt_both_ways(recorded_as: Callable[[Any], Reply]) -> None:
    with client(GENERATE, converted(recorded_as(GENERATED))) as sdk:
        whole = sdk.generate("m", "Hi")
        chunks = list(sdk.generate("m", "Hi", stream=True))
    assert accumulated(chunks) == accumulated([whole])
    assert (whole.response, whole.context) == (GENERATED["response"], GENERATED["context"])


def test_the_async_client_reads_the_same_chat_both_ways(recorded_as: Callable[[Any], Reply]) -> None:
    async def ask() -> None:
        answering = transport(CHAT, converted(recorded_as(CHATTED)))
        async with ollama.AsyncClient(host="http://x", transport=answering) as sdk:
            whole = await sdk.chat(**ASK)
            chunks = [chunk async for chunk in await sdk.chat(**ASK, stream=True)]
        assert accumulated(chunks) == accumulated([whole])

    asyncio.run(ask())


@pytest.mark.parametrize("module", [CHAT, GENERATE])
def test_what_the_dialect_writes_of_an_answer_is_read_by_the_client(module: Dialect) -> None:
    answer = Answer(
        (
            Delta("reasoning", "Hm"),
            Delta("text", "It "),
            Delta("text", "rains"),
            Delta("tool_call", '{"city":', call=0, id="call_a", name="weather"),
            Delta("tool_call", "", call=1, name="time"),
            Delta("tool_call", '"Rome"}', call=0),
            Delta("usage", usage=Usage(10, 4)),
        ),
        "llama3",
        created=1726454517,
    )

    with client(module, lambda prompt: module.write_reply(prompt, answer)) as sdk:
        ask: Any = (
            (lambda **how: sdk.chat(**ASK, **how)) if module is CHAT else (lambda **how: sdk.generate("m", "Hi", **how))
        )
        whole, chunks = ask(), list(ask(stream=True))
    assert accumulated(chunks) == accumulated([whole])
    said = whole.message if module is CHAT else whole
    assert (said.thinking, said.content if module is CHAT else said.response) == ("Hm", "It rains")
    assert (whole.model, whole.created_at, whole.done_reason) == ("llama3", "2024-09-16T02:41:57Z", "stop")
    assert (whole.prompt_eval_count, whole.eval_count, whole.eval_duration) == (10, 4, None)
    if module is CHAT:
        calls = [(call.function.name, call.function.arguments) for call in said.tool_calls]
        assert calls == [("weather", {"city": "Rome"}), ("time", {})]


@pytest.mark.parametrize("stream", [False, True])
def test_the_client_prints_an_error_as_it_is(stream: bool) -> None:
    problem = Problem(404, "There is no recording", "no_recording", "llmmock_error")
    with (
        pytest.raises(ollama.ResponseError, match=r"^There is no recording \(status code: 404\)$"),
        client(CHAT, lambda prompt: CHAT.write_error(problem)) as sdk,
    ):
        list(sdk.chat(**ASK, stream=stream))


def test_the_client_prints_an_error_of_any_route_as_it_is() -> None:
    module = dialects.dialect_of("ollama.tags")
    refused = module.write_error(Problem(404, "There is no recording", "no_recording"))
    failed = module.write_reply(Prompt(), Answer((Delta("error", "There is no recording"),)))
    for reply in (refused, failed):
        with (
            pytest.raises(ollama.ResponseError, match=r"^There is no recording "),
            client(module, lambda prompt, reply=reply: reply) as sdk,
        ):
            sdk.list()
    assert module.convert(ASKED, plain({"models": []})) is None


def test_the_client_raises_the_failure_of_a_stream() -> None:
    reply = streamed(*told(to_stream(CHATTED))[:3])
    assert isinstance(reply.frames, list)
    reply.frames.append(Frame(CHAT.write_failure(Problem(500, "out of memory"))))
    with pytest.raises(ollama.ResponseError, match="out of memory"), client(CHAT, lambda prompt: reply) as sdk:
        list(sdk.chat(**ASK, stream=True))


# --- real traffic ---------------------------------------------------------------------------------------


def of(recorded: list[tuple[str, Exchange, Reply]], streams: bool) -> Iterator[tuple[str, Exchange, Reply]]:
    talk = ("ollama.chat", "ollama.generate")
    for file, exchange, reply in recorded:
        if exchange.operation in talk and reply.status == 200 and sse.is_ndjson(reply.content_type) is streams:
            yield file, exchange, reply


def test_recorded_streams_make_the_answer_that_a_user_of_the_client_makes(recorded: list[Any]) -> None:
    streams = list(of(recorded, streams=True))
    assert len(streams) >= 3
    for file, exchange, reply in streams:
        whole = to_whole(reply)
        assert whole is not None, file
        with client(exchange.dialect, converted(reply)) as sdk:
            ask: Any = sdk.chat if exchange.operation == "ollama.chat" else sdk.generate
            given = ASK if exchange.operation == "ollama.chat" else {"model": "m", "prompt": "Hi"}
            assert accumulated(list(ask(**given, stream=True))) == accumulated([ask(**given)]), file
        assert to_whole(to_stream(whole)) == whole, file


def test_recorded_answers_are_the_same_after_they_were_streams(recorded: list[Any]) -> None:
    found = list(of(recorded, streams=False))
    assert len(found) >= 3
    for file, exchange, reply in found:
        stream = exchange.dialect.convert(ASKED, reply)
        assert stream is not None, file
        assert to_whole(stream) == reply.json(), file
