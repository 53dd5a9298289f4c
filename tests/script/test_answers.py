"""What a reply becomes in the protocol of its request."""

from __future__ import annotations

import json
import math
from contextlib import suppress

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel
from scripting import asked, chat, embeddings, replied, said

from pytest_llmmock import ScriptError
from pytest_llmmock.core.model import Exchange
from pytest_llmmock.core.prompt import Answer, ToolCall, Usage
from pytest_llmmock.script.source import Script

USER = [{"role": "user", "content": "hi"}]
CONVERSATIONS = {
    "/v1/chat/completions": {"messages": USER},
    "/v1/responses": {"input": "hi"},
    "/v1/messages": {"messages": USER, "max_tokens": 9},
    "/api/chat": {"messages": USER, "stream": False},
    "/api/generate": {"prompt": "hi", "stream": False},
}


def answered(exchange: Exchange, *given, **arguments) -> Answer:
    script = Script("seed")
    script.when(path="*").reply(*given, **arguments)
    return exchange.dialect.read_reply(replied(script, exchange))


def conversation(path: str, stream: bool, **fields) -> Exchange:
    return asked(path, {"model": "m", **CONVERSATIONS[path], "stream": stream, **fields})


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("path", CONVERSATIONS)
def test_every_protocol_says_the_same(path, stream):
    answer = answered(conversation(path, stream), "Hello, Rome\n  and all", reasoning="Let me think")
    assert (answer.text, answer.reasoning, answer.finish_reason) == ("Hello, Rome\n  and all", "Let me think", "stop")


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("path", [path for path in CONVERSATIONS if path != "/api/generate"])
def test_every_protocol_calls_tools(path, stream):
    calls = [("weather", {"city": "Rome"}), {"name": "time", "arguments": {}, "id": "call_7"}]
    answer = answered(conversation(path, stream), tool_calls=calls)
    assert [(call.name, json.loads(call.arguments)) for call in answer.tool_calls] == [
        ("weather", {"city": "Rome"}),
        ("time", {}),
    ]
    assert answer.tool_calls[1].id == "call_7" or path == "/api/chat"
    assert answer.finish_reason == "tool_calls"


@pytest.mark.parametrize("stream", [False, True])
def test_the_older_completions_say_it_too(stream):
    assert answered(asked("/v1/completions", {"prompt": "a", "stream": stream}), "b c").text == "b c"


@pytest.mark.parametrize("stream", [False, True])
def test_broken_arguments_are_sent_as_they_are(stream):
    assert answered(chat(stream=stream), tool_calls=("f", '{"city": ')).tool_calls[0].arguments == '{"city": '


def test_a_call_from_a_journal_can_be_made_again():
    assert answered(chat(), tool_calls=ToolCall("f", "{}", "call_1")).tool_calls == (ToolCall("f", "{}", "call_1"),)


def test_ids_of_calls_are_made_up_and_differ():
    ids = [call.id for call in answered(chat(), tool_calls=["f", "f"]).tool_calls]
    assert all(ids)
    assert len(set(ids)) == 2


def test_words_and_calls_come_together():
    answer = answered(chat(), "I look it up.", tool_calls="search")
    assert (answer.text, answer.tool_calls[0].name, answer.finish_reason) == ("I look it up.", "search", "tool_calls")


@pytest.mark.parametrize("stream", [False, True])
def test_several_answers_at_once_say_the_same(stream):
    answer = answered(chat(n=3, stream=stream), "Hello", tool_calls="f")
    assert [answer.joined("text", index) for index in answer.choices] == ["Hello"] * 3
    assert [len(answer.calls_of(index)) for index in answer.choices] == [1, 1, 1]


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(
    ("fields", "choices"),
    [
        ({"prompt": ["a", "b"]}, 2),
        ({"prompt": ["a", "b"], "n": 2}, 4),
        ({"prompt": [[1, 2], [3]]}, 2),
        ({"prompt": [1, 2, 3]}, 1),
        ({"prompt": []}, 1),
    ],
)
def test_completions_answer_each_of_several_prompts(stream, fields, choices):
    answer = answered(asked("/v1/completions", {"model": "m", "stream": stream, **fields}), "Hello")
    assert {index: answer.joined("text", index) for index in answer.choices} == dict.fromkeys(range(choices), "Hello")


def test_a_refusal_is_one():
    answer = answered(chat(), refusal="I cannot.")
    assert (answer.joined("refusal"), answer.text) == ("I cannot.", "")


def test_another_finish_reason():
    assert answered(chat(), "So far", finish_reason="length").finish_reason == "length"


def test_nothing_is_an_empty_answer():
    reply = replied(_any(), chat())
    assert reply.json()["choices"][0]["message"]["content"] == ""


def _any(**arguments) -> Script:
    script = Script()
    script.for_any().reply(**arguments)
    return script


# --- streams --------------------------------------------------------------------------------------------


def texts(exchange: Exchange, **arguments) -> list[str]:
    reply = replied(_any(**arguments), exchange)
    events = (json.loads(frame.data.removeprefix(b"data: ")) for frame in reply.frames[:-1])
    deltas = (event["choices"][0]["delta"] for event in events if event["choices"])
    return [delta["content"] for delta in deltas if delta.get("content")]


@pytest.mark.parametrize(
    ("arguments", "pieces"),
    [
        ({"text": "one two"}, ["one ", "two"]),
        ({"text": "abcde", "chunks": 2}, ["ab", "cd", "e"]),
        ({"chunks": ["a", "b c", "\n"]}, ["a", "b c", "\n"]),
        ({"text": "ab", "chunks": ["a", "b"]}, ["a", "b"]),
    ],
)
def test_a_stream_comes_in_these_pieces(arguments, pieces):
    assert texts(chat(stream=True), **arguments) == pieces


def test_usage_is_told_in_a_stream_that_asks_for_it():
    exchange = chat(stream=True, stream_options={"include_usage": True})
    assert answered(exchange, "x", usage={"input_tokens": 3, "output_tokens": 4}).usage == Usage(3, 4, 7)


# --- usage ----------------------------------------------------------------------------------------------


def test_usage_is_what_was_given():
    exchange = chat()
    given = {"prompt_tokens": 3, "completion_tokens": 4, "cached": 2, "reasoning_tokens": 1}
    assert answered(exchange, "x", usage=given).usage == Usage(3, 4, 7, 2, 1)
    assert exchange.notes == []


def test_usage_is_an_estimate_else_and_the_journal_says_so():
    exchange = chat("x" * 40)
    assert answered(exchange, "y" * 9).usage == Usage(10, 3, 13)
    assert exchange.notes == ["usage is an estimate: four characters are a token"]


# --- structured output ----------------------------------------------------------------------------------

SCHEMA = {
    "type": "object",
    "properties": {"city": {"type": "string"}, "degrees": {"type": "integer", "minimum": 5}},
    "required": ["city", "degrees"],
    "additionalProperties": False,
}

STRUCTURED = {
    "/v1/chat/completions": {
        "response_format": {"type": "json_schema", "json_schema": {"name": "w", "schema": SCHEMA}}
    },
    "/v1/responses": {"text": {"format": {"type": "json_schema", "name": "w", "schema": SCHEMA}}},
    "/v1/messages": {"output_config": {"format": {"type": "json_schema", "schema": SCHEMA}}},
    "/api/chat": {"format": SCHEMA},
    "/api/generate": {"format": SCHEMA},
}


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("path", STRUCTURED)
def test_a_value_is_made_up_that_satisfies_the_schema_of_the_request(path, stream):
    answer = answered(conversation(path, stream, **STRUCTURED[path]), json=True)
    jsonschema.validate(json.loads(answer.text), SCHEMA)


def test_a_value_that_is_given_is_the_text():
    assert json.loads(answered(chat(), json={"city": "Rom", "a": [1, None]}).text) == {"city": "Rom", "a": [1, None]}
    assert answered(chat(), json=None).text == "null"


def test_a_model_of_pydantic_is_the_value_that_it_stands_for():
    class City(BaseModel):
        name: str

    assert json.loads(answered(chat(), json=City(name="Rome")).text) == {"name": "Rome"}


FORCED = {
    "/v1/chat/completions": {
        "tools": [{"type": "function", "function": {"name": "w", "parameters": SCHEMA}}],
        "tool_choice": {"type": "function", "function": {"name": "w"}},
    },
    "/v1/responses": {
        "tools": [{"type": "function", "name": "w", "parameters": SCHEMA}],
        "tool_choice": {"type": "function", "name": "w"},
    },
    "/v1/messages": {"tools": [{"name": "w", "input_schema": SCHEMA}], "tool_choice": {"type": "tool", "name": "w"}},
}


@pytest.mark.parametrize("path", FORCED)
def test_where_a_tool_has_to_be_called_the_value_is_its_arguments(path):
    (call,) = answered(conversation(path, False, **FORCED[path]), json=True).tool_calls
    assert call.name == "w"
    jsonschema.validate(json.loads(call.arguments), SCHEMA)
    (call,) = answered(conversation(path, False, **FORCED[path]), json={"city": "Rome"}).tool_calls
    assert json.loads(call.arguments) == {"city": "Rome"}


def test_where_some_tool_has_to_be_called_the_only_one_is():
    fields = {**FORCED["/v1/chat/completions"], "tool_choice": "required"}
    assert answered(chat(**fields), json=True).tool_calls[0].name == "w"


def test_arguments_are_made_up_by_the_schema_of_the_tool():
    fields = {"tools": FORCED["/v1/chat/completions"]["tools"]}
    (call,) = answered(chat(**fields), tool_calls=("w", True)).tool_calls
    jsonschema.validate(json.loads(call.arguments), SCHEMA)


def test_what_cannot_be_made_up_says_why():
    with pytest.raises(ScriptError, match="names none: no response format with a schema"):
        answered(chat(), json=True)
    with pytest.raises(ScriptError, match=r"'nope' are to be made up, and no such tool is offered: w\."):
        answered(chat(tools=FORCED["/v1/chat/completions"]["tools"]), tool_calls=("nope", True))


# --- vectors --------------------------------------------------------------------------------------------


def vectors(exchange: Exchange, embedding) -> list[tuple[float, ...]]:
    return [delta.vector for delta in answered(exchange, embedding=embedding).deltas if delta.kind == "vector"]


def test_the_same_text_has_the_same_vector_of_length_1():
    one, two, again = vectors(embeddings("a", "b", "a"), {"dimensions": 64})
    assert one == again != two
    assert math.hypot(*one) == pytest.approx(1, abs=1e-6)
    assert vectors(embeddings("a"), 64) == [one]


def test_base64_holds_the_same_numbers():
    assert vectors(embeddings("a", encoding_format="base64"), 8) == vectors(embeddings("a"), 8)


def test_vectors_are_as_long_as_the_request_wants_them():
    assert [len(vector) for vector in vectors(embeddings("a", dimensions=5), 64)] == [5]
    assert [len(vector) for vector in vectors(embeddings("a"), {})] == [1536]


def test_a_vector_has_an_end():
    with pytest.raises(ScriptError, match="none is longer than 65536"):
        vectors(embeddings("a", dimensions=1 << 40), {})


def test_vectors_can_be_given_the_last_one_for_all_further_texts():
    assert vectors(embeddings("a", "b", "c"), [[1, 0], [0, 1]]) == [(1, 0), (0, 1), (0, 1)]
    assert vectors(embeddings("a", "b"), [1, 0]) == [(1, 0), (1, 0)]


# --- status, headers, bodies ----------------------------------------------------------------------------


def test_headers_and_status_are_set():
    reply = replied(
        _any(text="x", headers={"X-Request-ID": "7", "content-type": "application/json+x"}, status=201), chat()
    )
    assert (reply.status, reply.source) == (201, "script")
    assert dict(reply.headers) == {"x-request-id": "7", "content-type": "application/json+x"}


def test_a_status_of_an_error_makes_the_text_its_message():
    reply = replied(_any(text="No more.", status=402), chat())
    assert (reply.status, reply.json()["error"]["message"]) == (402, "No more.")


def test_json_is_the_body_where_nobody_converses():
    listed = {"object": "list", "data": []}
    assert replied(_any(json=listed), asked("/v1/models", {}, method="GET")).json() == listed
    assert replied(_any(json={"a": 1}), asked("/v1/rerank", {})).json() == {"a": 1}
    assert replied(_any(json={"input_tokens": 7}), asked("/v1/messages/count_tokens", {})).json() == {"input_tokens": 7}


def test_usage_alone_is_an_empty_answer_that_costs_something():
    answer = answered(chat(), usage={"input": 3, "output": 0})
    assert (answer.text, answer.usage) == ("", Usage(3, 0, 3))


def test_a_template_is_one_only_when_it_is_said():
    assert answered(chat("Rome"), "{{ last_word }}").text == "{{ last_word }}"
    assert answered(chat("Rome"), "{{ last_word }}!", template=True).text == "Rome!"


def test_templates_stand_in_arguments_json_pieces_and_headers():
    exchange = chat("Rome", n=2)
    answer = answered(exchange, tool_calls=("f", {"n": "{{ json.n }}", "in": ["{{ last_word }}"]}), template=True)
    assert json.loads(answer.tool_calls[0].arguments) == {"n": 2, "in": ["Rome"]}
    assert (
        answered(exchange, tool_calls=("f", '{"n": {{ json.n }}'), template=True).tool_calls[0].arguments == '{"n": 2'
    )
    assert json.loads(answered(exchange, json={"n": "{{ json.n }}"}, template=True).text) == {"n": 2}
    assert texts(chat("Rome", stream=True), chunks=["{{ last_word }}", " x"], template=True) == ["Rome", " x"]
    reply = replied(_any(text="x", headers={"x-word": "{{ last_word }}"}, template=True), exchange)
    assert ("x-word", "Rome") in reply.headers


def test_templates_name_the_groups_of_the_rules_regex():
    script = Script()
    script.when(regex=r"from (?P<a>\w+) to (\w+)").reply("{{ regex.a }}-{{ regex.2 }}", template=True)
    assert said(script, chat("from Rome to Bern")) == "Rome-Bern"


# --- requests of any shape ------------------------------------------------------------------------------

_ODD = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 3) | st.text("ab{} ", max_size=4),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["type", "name", "schema"]), inner),
    max_leaves=6,
)
_FIELDS = (
    *("model", "messages", "input", "prompt", "system", "instructions", "tools", "tool_choice", "stream", "n"),
    *("response_format", "text", "format", "output_config", "dimensions", "encoding_format", "stream_options"),
)


@given(st.sampled_from([*CONVERSATIONS, "/v1/completions"]), st.dictionaries(st.sampled_from(_FIELDS), _ODD) | _ODD)
def test_whatever_is_asked_a_rule_answers_or_says_why_not(path, body):
    script = Script()
    named = {"contains": "zz", "regex": "zz", "system": "zz", "tool": "zz", "turn": 9, "json__a__0": 1}
    for name, value in named.items():
        script.when(**{name: value}).reply("never")
    script.for_any().reply("{{ last_word }} {{ turn }}", template=True, times=1).reply("x", tool_calls="f", times=1)
    script.for_any().reply(json=True)
    exchange = asked(path, body)
    assert [replied(script, exchange).status for _ in range(2)] == [200, 200]
    with suppress(ScriptError):  # the schema may be none: anything else that is raised fails
        assert replied(script, exchange).status == 200
