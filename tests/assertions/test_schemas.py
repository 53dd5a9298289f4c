from __future__ import annotations

import json
from typing import Any

import pytest
from asserting import WEATHER, call, chat, exchange, failed, journal, tool

from pytest_llmmock.assertions.requests import Requests

OFFERS: dict[str, Any] = {
    "chat": [tool("weather")],
    "responses": [{"type": "function", "name": "weather", "parameters": WEATHER}],
    "messages": [{"name": "weather", "input_schema": WEATHER}],
    "ollama.chat": [tool("weather")],
}


def told(schema: Any, arguments: Any) -> str:
    """What is said of a call, without its head."""
    requests = journal((chat("x", tools=[tool("f", schema)]), call("f", arguments)))
    return "\n".join(line.strip() for line in failed(requests.assert_tool_arguments_valid).splitlines()[3:])


def holds(schema: Any, arguments: Any) -> None:
    journal((chat("x", tools=[tool("f", schema)]), call("f", arguments))).assert_tool_arguments_valid()


@pytest.mark.parametrize("operation", OFFERS)
@pytest.mark.parametrize("stream", [False, True])
def test_arguments_are_held_against_the_schema_in_every_protocol(operation: str, stream: bool) -> None:
    body = {"messages": [], "input": "x", "tools": OFFERS[operation], "stream": stream}
    journal((exchange(operation, body), call("weather", {"city": "Rome"}))).assert_tool_arguments_valid()
    wrong = journal((exchange(operation, body), call("weather", {"city": 5})))
    assert "city: 5 is not of type 'string'" in failed(wrong.assert_tool_arguments_valid)
    other = journal((exchange(operation, body), call("wether", {"city": "Rome"})))
    assert "no such tool was offered; the nearest is weather. Offered: weather" in failed(
        other.assert_tool_arguments_valid
    )


def test_the_one_function_of_the_time_before_tools_is_looked_at() -> None:
    asked = chat("x", functions=[{"name": "weather", "parameters": WEATHER}])
    journal((asked, call("weather", {"city": "Rome"}))).assert_tool_arguments_valid()
    assert "is a required property" in failed(journal((asked, call("weather"))).assert_tool_arguments_valid)


def test_what_has_no_schema_takes_any_object() -> None:
    holds(None, {"any": ["thing"]})
    holds(None, "")
    assert told(None, "[1]") == "the arguments are JSON, and no object"
    assert told(None, '{"a": ').startswith("the arguments are not JSON: ")


def test_custom_tools_take_any_text() -> None:
    asked = chat("x", tools=[{"type": "custom", "custom": {"name": "shell"}}])
    journal((asked, call("shell", "ls {", custom=True))).assert_tool_arguments_valid()


def test_tools_that_the_provider_has_made_have_no_schema() -> None:
    asked = exchange("messages", {"messages": [], "tools": [{"type": "bash_20250124", "name": "bash"}]})
    journal((asked, call("bash", {"command": "ls"}))).assert_tool_arguments_valid()


def test_no_calls_no_requests_and_errors_are_fine() -> None:
    Requests().assert_tool_arguments_valid()
    journal((chat("x"), "Hello"), (chat("y"), 500)).assert_tool_arguments_valid()


def test_the_deepest_reason_is_told_and_few_of_them() -> None:
    either = {"anyOf": [{"type": "string"}, {"type": "object", "required": ["k"]}]}
    assert told({"properties": {"a": either}}, {"a": {}}) == "a: 'k' is a required property"
    schema = {"properties": {name: {"type": "string"} for name in "abcde"}}
    assert told(schema, dict.fromkeys("abcde", 1)).splitlines() == [
        "a: 1 is not of type 'string'",
        "b: 1 is not of type 'string'",
        "c: 1 is not of type 'string'",
        "and 2 more",
    ]


def test_references_are_looked_up_in_the_schema_and_never_fetched() -> None:
    city = {"$defs": {"city": {"type": "string"}}, "properties": {"city": {"$ref": "#/$defs/city"}}}
    holds(city, {"city": "Rome"})
    assert told(city, {"city": 1}) == "city: 1 is not of type 'string'"
    away = "the schema that was offered refers to {!r}, which it does not hold"
    assert told({"$ref": "http://127.0.0.1:9/schema.json"}, {}) == away.format("http://127.0.0.1:9/schema.json")
    assert told({"$ref": "#/$defs/none"}, {}) == away.format("/$defs/none")


@pytest.mark.parametrize(
    ("schema", "start"),
    [
        ({"type": "objekt"}, "the schema that was offered is none: $.type: 'objekt' is not valid under any"),
        (["a"], "the schema that was offered is none: $: ['a'] is not of type 'object', 'boolean'"),
        (5, "the schema that was offered is none: $: 5 is not of type"),
        ({"properties": {"a": {"pattern": "\\p{L}"}}}, "the schema that was offered cannot be followed: bad escape"),
        ({"$ref": "#"}, "the schema that was offered cannot be followed: maximum recursion"),
    ],
)
def test_a_schema_that_is_none_is_told(schema: Any, start: str) -> None:
    assert told(schema, {"a": "x"}).startswith(start)


def test_the_draft_that_a_schema_names_is_the_one_that_counts() -> None:
    older = {
        "$schema": "http://json-schema.org/draft-04/schema#",
        "properties": {"a": {"minimum": 1, "exclusiveMinimum": True}},
    }
    holds(older, {"a": 2})
    assert told(older, {"a": 1}).startswith("a: 1 is less than or equal to")


def test_arguments_that_come_as_an_object_are_read_as_one() -> None:
    asked = exchange("ollama.chat", {"messages": [], "tools": [tool("weather")], "stream": False})
    requests = journal((asked, call("weather", {"city": 1})))
    assert json.loads(requests[0].tool_calls[0].arguments) == {"city": 1}
    assert "1 of 1" not in failed(requests.assert_tool_arguments_valid)
