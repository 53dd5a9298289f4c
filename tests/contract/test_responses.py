from __future__ import annotations

from typing import Any

import pytest
from checking import told, violations

CALL = {"type": "function_call", "call_id": "c1", "name": "look", "arguments": "{}"}
ANSWER = {"type": "function_call_output", "call_id": "c1", "output": "42"}
USER = {"role": "user", "content": "hello"}
TOOL = {"type": "function", "name": "look", "parameters": {"type": "object", "properties": {}}}
STRICT = {"type": "object", "properties": {"city": {"type": "string"}}}
CLOSED = {**STRICT, "required": ["city"], "additionalProperties": False}


def form(**more: Any) -> dict[str, Any]:
    return {"text": {"format": {"type": "json_schema", "name": "plan", **more}}}


def picture(url: str) -> dict[str, Any]:
    return {"input": [{"role": "user", "content": [{"type": "input_image", "image_url": url}]}]}


RIGHT: list[dict[str, Any]] = [
    {},
    {"input": [USER, CALL, ANSWER]},
    {"input": [ANSWER], "previous_response_id": "resp_1"},
    {"input": [ANSWER], "conversation": "conv_1"},
    {"input": [{"type": "item_reference", "id": "fc_1"}, ANSWER]},
    {"input": [{"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "Hi"}]}, USER]},
    {"input": [{"type": "reasoning", "summary": [], "encrypted_content": "x"}, USER]},
    {
        "input": [
            {"type": "custom_tool_call", "call_id": "c", "name": "run", "input": "x"},
            {"type": "custom_tool_call_output", "call_id": "c", "output": "y"},
        ]
    },
    {"tools": [TOOL], "tool_choice": {"type": "function", "name": "look"}},
    {"tools": [{"type": "web_search_preview"}], "tool_choice": {"type": "web_search_preview"}},
    {"tools": []},
    form(schema=CLOSED, strict=True),
    form(schema=STRICT),
    {"input": "Answer in JSON", "text": {"format": {"type": "json_object"}}},
    {"stream": True, "stream_options": {"include_obfuscation": False}},
    {
        "max_output_tokens": 16,
        "reasoning": {"effort": "low"},
        "store": False,
        "include": ["reasoning.encrypted_content"],
    },
    picture("https://example.org/a.png"),
]


@pytest.mark.parametrize("body", RIGHT)
def test_what_the_api_takes_is_no_violation(body):
    assert told("responses", **body) == []


WRONG: list[tuple[dict[str, Any], str, str, str | None]] = [
    (
        {"input": [USER, ANSWER]},
        "'input[1].call_id' answers the call 'c1', and no 'function_call' in the input has this call_id.",
        "input",
        None,
    ),
    (
        {"input": [USER, CALL, USER]},
        "'input[1]' asks for the call 'c1', and no 'function_call_output' in the input answers it.",
        "input",
        None,
    ),
    (
        {"input": [CALL], "previous_response_id": "resp_1"},
        "'input[0]' asks for the call 'c1', and no 'function_call_output' in the input answers it.",
        "input",
        None,
    ),
    (
        {"text": {"format": {"type": "json_object"}}},
        "'input' has to say the word 'json' somewhere, because text.format is 'json_object'.",
        "input",
        None,
    ),
    (
        form(schema=STRICT, strict=True),
        "'text.format.schema.additionalProperties' has to be there and to be false, because the schema is strict.",
        "text.format.schema",
        "invalid_json_schema",
    ),
    (
        {"tools": [{**TOOL, "name": "a b"}]},
        "'tools[0].name' is 'a b', and a name has 1 to 64 letters, digits, underscores and dashes.",
        "tools[0].name",
        "invalid_value",
    ),
    (
        {"tools": [{**TOOL, "strict": True, "parameters": STRICT}]},
        "'tools[0].parameters.additionalProperties' has to be there and to be false, because the schema is strict.",
        "tools[0].parameters",
        "invalid_function_parameters",
    ),
    (
        {"tools": [TOOL], "tool_choice": {"type": "function", "name": "lok"}},
        "'tool_choice' names the tool 'lok', and the tools that are offered are 'look'. Did you mean 'look'?",
        "tool_choice",
        None,
    ),
    (
        {"stream_options": {"include_obfuscation": False}},
        "'stream_options' is for streams only, and 'stream' is not true.",
        "stream_options",
        None,
    ),
    (
        {"previous_response_id": "resp_1", "conversation": "conv_1"},
        "'previous_response_id' says the same as 'conversation': only one of them can be there.",
        "previous_response_id",
        "mutually_exclusive_parameters",
    ),
    (
        picture("cat.png"),
        "'input[0].content[0].image_url' has to be an http address or a data URL in Base64, and begins 'cat.png'.",
        "input[0].content[0].image_url",
        "invalid_value",
    ),
    (
        {"input": [{**CALL, "parsed_arguments": {}}, ANSWER]},
        "'input[0].parsed_arguments' is not known here: {openai} has no such parameter. Did you mean 'arguments'?",
        "input[0].parsed_arguments",
        "unknown_parameter",
    ),
    (
        {"input": [{"type": "function_call", "name": "look", "arguments": "{}"}]},
        "'input[0].call_id' is required, and is missing.",
        "input[0].call_id",
        "missing_required_parameter",
    ),
    (
        {"input": [{"type": "functioncall"}]},
        "'input[0].type' cannot be 'functioncall'. ",
        "input[0].type",
        "invalid_value",
    ),
]


@pytest.mark.parametrize(("body", "message", "param", "code"), WRONG, ids=lambda value: None)
def test_what_the_api_refuses_is_told_with_the_providers_param_and_code(body, message, param, code, openai):
    first = violations("responses", **body)[0]
    wording = message.format(openai=openai) if "{openai}" in message else message
    assert first.message.startswith(wording) if wording.endswith(" ") else first.message == wording
    assert (first.param, first.code, first.refused) == (param, code, True)


@pytest.mark.parametrize(
    "body",
    [
        {"input": 5},
        {"input": [5, None]},
        {"input": [{"type": [], "call_id": {}}]},
        {"tools": [3, {"type": "function", "name": []}]},
    ],
)
def test_a_body_of_another_shape_is_told_and_nothing_breaks(body):
    assert told("responses", **body)
