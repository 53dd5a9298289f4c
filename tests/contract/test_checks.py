from __future__ import annotations

import json
from typing import Any

import pytest
from checking import LEAST, PLACES, sent, told, violations
from hypothesis import given
from hypothesis import strategies as st

from pytest_llmmock.contract import sdk
from pytest_llmmock.contract.checks import body_of, check
from pytest_llmmock.core.prompt import Part
from pytest_llmmock.dialects.forms import write_form

CHAT = "https://api.openai.com/v1/chat/completions"


@pytest.mark.parametrize("operation", LEAST)
def test_the_least_that_an_api_takes_is_no_violation(operation):
    assert told(operation) == []


@pytest.mark.parametrize("operation", PLACES)
def test_the_tables_of_this_test_name_the_operation(operation):
    assert sent(operation, {}).operation == operation


@pytest.mark.parametrize("operation", [*LEAST])
def test_a_parameter_that_nobody_knows_is_told_of_every_api(operation):
    found = violations(operation, frobnicate=1)
    assert [(each.path, each.refused) for each in found] == [("frobnicate", not operation.startswith("ollama"))]


@pytest.mark.parametrize("operation", [*LEAST])
def test_all_that_is_required_is_missed_in_an_empty_body(operation):
    found = check(sent(operation, {}), "", print)
    assert {each.path for each in found if each.refused} <= set(LEAST[operation])
    assert found or operation == "responses"


def test_every_place_is_told_once_and_what_is_refused_comes_before_hints():
    found = violations("chat", model="gpt-5", temperature="warm", max_tokens=5, top_logprobs=30)
    assert [(each.path, each.refused) for each in found] == [
        ("temperature", True),
        ("top_logprobs", True),
        ("max_tokens", False),
    ]


def test_a_body_that_is_no_json_is_told_with_its_beginning():
    found = check(sent("chat", b'{"model": '), "", print)
    assert [each.message for each in found] == [
        "The body of POST /v1/chat/completions is not JSON: Expecting value: line 1 column 11 (char 10). "
        "It begins: '{\"model\": '"
    ]


@pytest.mark.parametrize("body", [b"[]", b"5", b"", b"null"])
def test_a_body_that_is_no_object_is_told(body):
    found = check(sent("chat", body), "", print)
    assert [each.message for each in found] == ["The body of POST /v1/chat/completions has to be a JSON object."]


def test_a_body_without_an_end_to_its_depth_is_told_and_nothing_breaks():
    schema: dict[str, Any] = {"type": "object"}
    for _ in range(400):
        schema = {"type": "object", "properties": {"a": schema}}
    tool = {"type": "function", "function": {"name": "look", "parameters": schema, "strict": True}}
    assert violations("chat", tools=[tool])


def test_what_has_no_name_is_nobodys_concern():
    assert check(sent("", {"frobnicate": 1}, url="https://api.openai.com/v1/assistants"), "", print) == []


ANSWERS_NOTHING = {"messages": [{"role": "tool", "tool_call_id": "c1", "content": "x"}], "model": "m"}


@pytest.mark.parametrize(
    ("url", "refused"),
    [("https://api.mistral.ai/v1/chat/completions", True), ("http://localhost:8000/v1/chat/completions", False)],
)
def test_elsewhere_only_tool_calls_and_their_results_are_checked_and_what_anybody_runs_may_take_all(url, refused):
    assert check(sent("chat", {**LEAST["chat"], "safe_prompt": True, "temperature": 5}, url=url), "", print) == []
    assert [each.refused for each in check(sent("chat", ANSWERS_NOTHING, url=url), "", print)] == [refused]
    assert check(sent("chat", b"[]", url=url), "", print) == []


def test_a_server_that_gives_no_ids_to_calls_is_left_alone():
    call = {"type": "function", "function": {"name": "look", "arguments": "{}"}}
    body = {"model": "m", "messages": [{"role": "assistant", "tool_calls": [call]}, {"role": "tool", "content": "x"}]}
    assert check(sent("chat", body, url="http://localhost:8000/v1/chat/completions"), "", print) == []
    found = {each.path for each in check(sent("chat", body), "", print)}
    assert found == {"messages[0].tool_calls[0].id", "messages[1].tool_call_id"}


def test_a_named_upstream_says_whose_rules_hold_at_our_own_server():
    exchange = sent(
        "chat",
        {**LEAST["chat"], "safe_prompt": True},
        url="http://127.0.0.1:8000/v1/chat/completions",
        base="http://127.0.0.1:8000",
    )
    assert len(check(exchange, "", print)) == 1
    assert len(check(exchange, "openai", print)) == 1
    assert check(exchange, "https://api.mistral.ai/v1", print) == []
    assert check(exchange, "groq", print) == []


def form(**fields: str) -> Any:
    picture = Part("image", "data:image/png;base64,AAAA", {"name": "image[]", "filename": "a.png"})
    return sent(
        "",
        write_form(fields, (picture,)),
        url="https://api.openai.com/v1/images/edits",
        headers=(("content-type", "multipart/form-data; boundary=x"),),
    )


def test_a_form_is_checked_with_its_files():
    assert check(form(prompt="a cat", n="2", stream="false"), "", print) == []
    assert [each.path for each in check(form(prompt="a cat", n="two", sise="1"), "", print)] == ["sise", "n"]
    assert [each.path for each in check(form(), "", print)] == ["prompt"]
    assert [each.message for each in check(form(prompt="5", n="11"), "", print)] == [
        "'n' has to be at most 10, and is 11."
    ]


def test_fields_that_are_written_apart_are_one():
    body = body_of(form(**{"prompt": "a", "chunking[type]": "x", "image[0]": "y"}))
    assert body is not None
    assert set(body) == {"prompt", "chunking", "image"}


def test_where_an_sdk_is_not_installed_the_rules_that_are_ours_hold_and_it_is_said_why(monkeypatch):
    monkeypatch.setattr(sdk, "load", lambda place: "the package openai is not installed")
    notes: list[str] = []
    body = {"messages": [{"role": "tool", "tool_call_id": "c1", "content": "x"}], "frobnicate": 1, "temperature": 3}
    found = check(sent("chat", body), "", notes.append)
    assert [each.path for each in found] == ["model", "temperature", "messages[0]"]
    assert notes == [
        "Names and types of parameters (openai.types.chat.completion_create_params) are not checked, "
        "because the package openai is not installed."
    ]


def test_a_type_that_cannot_be_read_is_noted_and_the_rest_is_checked(monkeypatch):
    def unreadable(*arguments: object) -> Any:
        raise NameError("name 'Later' is not defined")

    monkeypatch.setattr("pytest_llmmock.contract.shapes.check_body", unreadable)
    notes: list[str] = []
    found = check(sent("chat", {**LEAST["chat"], "temperature": 3}), "", notes.append)
    assert [each.path for each in found] == ["temperature"]
    assert notes[0].endswith(" can be read, and are checked: name 'Later' is not defined.")


def test_without_jsonschema_it_is_said_that_schemas_are_not_checked(monkeypatch):
    from pytest_llmmock.contract import schemas

    monkeypatch.setattr(schemas, "has_jsonschema", lambda: False)
    notes: list[str] = []
    tool = {
        "type": "function",
        "function": {"name": "look", "parameters": {"type": "object", "properties": {"a": {"type": "int"}}}},
    }
    assert check(sent("chat", LEAST["chat"]), "", notes.append) == []
    assert notes == []
    assert check(sent("chat", {**LEAST["chat"], "tools": [tool]}), "", notes.append) == []
    assert notes == [
        "Whether schemas of tools are valid is not checked, because the package jsonschema is not installed."
    ]


def test_a_beta_of_anthropics_has_more_parameters():
    body = {**LEAST["messages"], "mcp_servers": []}
    assert [each.path for each in check(sent("messages", body), "", print)] == ["mcp_servers"]
    beta = (("anthropic-beta", "mcp-client-2025-11-20"),)
    assert check(sent("messages", body, headers=beta), "", print) == []


def test_a_request_is_read_as_it_was_before_its_client_compressed_it():
    import gzip

    packed = gzip.compress(json.dumps({**LEAST["chat"], "frobnicate": 1}).encode())
    exchange = sent("chat", packed, headers=(("content-encoding", "gzip"),))
    assert [each.path for each in check(exchange, "", print)] == ["frobnicate"]


LEAVES = st.none() | st.booleans() | st.integers(-5, 5) | st.floats(allow_nan=False) | st.text(max_size=5)
WORDS = [
    "type",
    "role",
    "content",
    "text",
    "function",
    "name",
    "parameters",
    "tool_calls",
    "id",
    "x",
    "strict",
    "schema",
]
NAMES = st.sampled_from([*WORDS, "properties", "items", "required", "anyOf", "$defs", "enum", "input_schema", "format"])
VALUES = st.recursive(LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3))


@given(operation=st.sampled_from([*LEAST]), data=st.data())
def test_whatever_is_sent_is_judged_and_nothing_breaks(operation, data):
    names = ["messages", "input", "tools", "tool_choice", "response_format", "text", "thinking", "system", "options"]
    names += ["prompt", "metadata", "stop", "logit_bias", "images", "stop_sequences", "output_config", "format"]
    body = {**LEAST[operation], **data.draw(st.dictionaries(st.sampled_from(names), VALUES, max_size=4))}
    for each in check(sent(operation, body), "", print):
        assert each.message
        assert each.refused in (True, False)
