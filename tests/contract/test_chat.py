from __future__ import annotations

from typing import Any

import pytest
from checking import CALL, told, violations

USER = {"role": "user", "content": "hello"}
ASKS = {"role": "assistant", "tool_calls": [CALL]}
ANSWERS = {"role": "tool", "tool_call_id": "c1", "content": "42"}
TOOL = {"type": "function", "function": {"name": "look", "parameters": {"type": "object", "properties": {}}}}
JSON = {"response_format": {"type": "json_object"}}


def schema(**more: Any) -> dict[str, Any]:
    return {"type": "json_schema", "json_schema": {"name": "plan", **more}}


def picture(url: str) -> dict[str, Any]:
    return {"messages": [{"role": "user", "content": [{"type": "image_url", "image_url": {"url": url}}]}]}


STRICT = {"type": "object", "properties": {"city": {"type": "string"}}}
CLOSED = {**STRICT, "required": ["city"], "additionalProperties": False}

RIGHT: list[dict[str, Any]] = [
    {},
    {"messages": [USER, ASKS, ANSWERS]},
    {"messages": [USER, ASKS, {**ANSWERS, "name": "look"}, {"role": "assistant", "content": "It is 42."}, USER]},
    {
        "messages": [
            {"role": "assistant", "tool_calls": [CALL, {**CALL, "id": "c2"}]},
            {**ANSWERS, "tool_call_id": "c2"},
            ANSWERS,
        ]
    },
    {"messages": [{"role": "assistant", "content": None, "refusal": "No."}, USER]},
    {
        "messages": [
            {"role": "assistant", "content": "Hi", "annotations": [], "audio": None, "function_call": None},
            USER,
        ]
    },
    {"messages": [{"role": "developer", "content": [{"type": "text", "text": "Answer in JSON."}]}], **JSON},
    {"response_format": schema(schema=CLOSED, strict=True)},
    {"response_format": schema(schema=STRICT)},
    {"tools": [TOOL], "tool_choice": {"type": "function", "function": {"name": "look"}}, "parallel_tool_calls": False},
    {"tools": [TOOL], "tool_choice": "required"},
    {"stream": True, "stream_options": {"include_usage": True}},
    {"logprobs": True, "top_logprobs": 3},
    {"max_completion_tokens": 1, "temperature": 2, "stop": ["a", "b", "c", "d"], "seed": 5.0, "user": None},
    picture("data:image/webp;base64,AAAA"),
    picture("https://example.org/a.png"),
]


@pytest.mark.parametrize("body", RIGHT)
def test_what_the_api_takes_is_no_violation(body):
    assert told("chat", **body) == []


WRONG: list[tuple[dict[str, Any], str, str | None, str | None]] = [
    (
        {"messages": [USER, ANSWERS]},
        "'messages[1]' is of role 'tool', and no assistant message with tool calls stands before it.",
        "messages.[1].role",
        None,
    ),
    (
        {"messages": [ASKS, {**ANSWERS, "tool_call_id": "c9"}, ANSWERS]},
        "'messages[1].tool_call_id' answers the tool call 'c9', and the assistant message before it asks for 'c1'.",
        "messages.[1].role",
        None,
    ),
    (
        {"messages": [ASKS, ANSWERS, USER, ANSWERS]},
        "'messages[3]' is of role 'tool', and no assistant message with tool calls stands before it.",
        "messages.[3].role",
        None,
    ),
    (
        {"messages": [USER, ASKS, USER]},
        "'messages[1].tool_calls' asks for tool calls that no tool message right behind it answers: 'c1'.",
        "messages.[2].role",
        None,
    ),
    (
        {"messages": [USER, ASKS]},
        "'messages[1].tool_calls' asks for tool calls that no tool message right behind it answers: 'c1'.",
        "messages.[2].role",
        None,
    ),
    (
        {"messages": [{"role": "assistant", "content": None}]},
        "'messages[0].content' is required where an assistant message has no tool calls, and is null or missing.",
        "messages.[0].content",
        None,
    ),
    (
        JSON,
        "'messages' have to say the word 'json' somewhere, because response_format is 'json_object'.",
        "messages",
        None,
    ),
    (
        {"response_format": schema(schema=STRICT, strict=True)},
        "'response_format.json_schema.schema.additionalProperties' has to be there and to be false, because the schema "
        "is strict.",
        "response_format.json_schema.schema",
        None,
    ),
    (
        {"response_format": schema(schema={"type": "text"})},
        "'response_format.json_schema.schema.type' is no valid JSON schema: 'text' is not valid under any of the given "
        "schemas.",
        "response_format.json_schema.schema",
        None,
    ),
    (
        {"response_format": {"type": "json_schema", "json_schema": {"name": "my plan", "schema": {}}}},
        "'response_format.json_schema.name' is 'my plan', and a name has 1 to 64 letters, digits, underscores and "
        "dashes.",
        "response_format.json_schema.name",
        "invalid_value",
    ),
    (
        {"tools": [TOOL], "tool_choice": {"type": "function", "function": {"name": "lok"}}},
        "'tool_choice' names the tool 'lok', and the tools that are offered are 'look'. Did you mean 'look'?",
        "tool_choice",
        None,
    ),
    (
        {"tool_choice": "auto"},
        "'tool_choice' is there, and 'tools' is not: without tools there is nothing to choose.",
        "tool_choice",
        None,
    ),
    (
        {"stream_options": {"include_usage": True}},
        "'stream_options' is for streams only, and 'stream' is not true.",
        "stream_options",
        None,
    ),
    (
        {"top_logprobs": 2},
        "'top_logprobs' is for log probabilities only, and 'logprobs' is not true.",
        "top_logprobs",
        None,
    ),
    (
        {"max_tokens": 5, "max_completion_tokens": 5},
        "'max_tokens' says the same as 'max_completion_tokens': only one of them can be there.",
        "max_tokens",
        "invalid_parameter_combination",
    ),
    (
        picture("data:image/bmp;base64,AAAA"),
        "'messages[0].content[0].image_url.url' is a picture of type 'image/bmp'. The API reads 'image/png', "
        "'image/jpeg', 'image/gif' and 'image/webp'.",
        "messages[0].content[0].image_url.url",
        "invalid_image_format",
    ),
    (
        picture("cat.png"),
        "'messages[0].content[0].image_url.url' has to be an http address or a data URL in Base64, and begins "
        "'cat.png'.",
        "messages[0].content[0].image_url.url",
        "invalid_value",
    ),
]


@pytest.mark.parametrize(("body", "message", "param", "code"), WRONG, ids=lambda value: None)
def test_what_the_api_refuses_is_told_with_the_providers_param_and_code(body, message, param, code):
    first = violations("chat", **body)[0]
    assert (first.message, first.param, first.code, first.refused) == (message, param, code, True)


FUNCTIONS: list[tuple[dict[str, Any], str, str]] = [
    ({"name": "a b"}, "tools[0].function.name", "invalid_value"),
    ({"parameters": {"type": "array"}}, "tools[0].function.parameters.type", "invalid_function_parameters"),
    (
        {"parameters": {"type": "object", "properties": {"a": {"type": "int"}}}},
        "tools[0].function.parameters.properties.a.type",
        "invalid_function_parameters",
    ),
    (
        {"parameters": {"type": "object", "properties": {"a": {"type": "array"}}}},
        "tools[0].function.parameters.properties.a",
        "invalid_function_parameters",
    ),
    (
        {"parameters": STRICT, "strict": True},
        "tools[0].function.parameters.additionalProperties",
        "invalid_function_parameters",
    ),
]


@pytest.mark.parametrize(("function", "path", "code"), FUNCTIONS)
def test_a_function_is_checked_with_its_schema(function, path, code):
    found = violations("chat", tools=[{"type": "function", "function": {"name": "look", **function}}])
    assert [(each.path, each.code) for each in found][:1] == [(path, code)]


def test_functions_as_they_were_before_tools_are_checked_too():
    assert told("chat", functions=[{"name": "look", "parameters": {"type": "array"}}])
    assert told("chat", functions=[{"name": "look", "parameters": {"type": "object", "properties": {}}}]) == []


@pytest.mark.parametrize(
    "body",
    [
        {"messages": 5},
        {"messages": [5, None, "x"]},
        {"tools": {"a": 1}, "functions": [3]},
        {"messages": [{"role": "tool", "tool_call_id": []}]},
    ],
)
def test_a_body_of_another_shape_is_told_and_nothing_breaks(body):
    assert told("chat", **body)
