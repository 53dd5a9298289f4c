"""Requests of Anthropic's Messages, asked in Responses."""

from __future__ import annotations

from typing import Any

import pytest
from responding import asked

from pytest_llmmock.upstreams.translation import Translated, as_responses


def translated(*messages: dict[str, Any], **fields: Any) -> Translated:
    return as_responses(asked("messages", **({"messages": list(messages)} if messages else {}), **fields))


def words(said: str) -> dict[str, Any]:
    return {"type": "input_text", "text": said}


def test_a_conversation_becomes_items() -> None:
    use = {"type": "tool_use", "id": "toolu_1", "name": "f", "input": {"city": "Rome"}}
    result = {"type": "tool_result", "tool_use_id": "toolu_1", "content": [{"type": "text", "text": "sun"}]}
    found = translated(
        {"role": "user", "content": "Hi"},
        {"role": "assistant", "content": [{"type": "text", "text": "Wait"}, use]},
        {"role": "user", "content": [result, {"type": "text", "text": "And now?"}]},
        system=[{"type": "text", "text": "Be brief", "cache_control": {"type": "ephemeral"}}],
    )
    assert found.notes == []
    assert found.body == {
        "model": "gpt-5",
        "instructions": "Be brief",
        "input": [
            {"type": "message", "role": "user", "content": [words("Hi")]},
            {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "Wait"}]},
            {"type": "function_call", "call_id": "toolu_1", "name": "f", "arguments": '{"city":"Rome"}'},
            {"type": "function_call_output", "call_id": "toolu_1", "output": "sun"},
            {"type": "message", "role": "user", "content": [words("And now?")]},
        ],
        "max_output_tokens": 100,
        "stream": True,
        "store": False,
    }


def test_pictures_and_documents_are_parts() -> None:
    def source(kind: str, **more: Any) -> dict[str, Any]:
        return {"source": {"type": kind, **more}}

    content = [
        {"type": "image", **source("base64", media_type="image/png", data="AAAA")},
        {"type": "image", **source("url", url="https://a")},
        {"type": "document", "title": "a.pdf", **source("base64", media_type="application/pdf", data="JV==")},
        {"type": "document", **source("url", url="https://b")},
        {"type": "document", **source("text", data="plain")},
    ]
    (said,) = translated({"role": "user", "content": content}).body["input"]
    assert said["content"] == [
        {"type": "input_image", "image_url": "data:image/png;base64,AAAA", "detail": "auto"},
        {"type": "input_image", "image_url": "https://a", "detail": "auto"},
        {"type": "input_file", "filename": "a.pdf", "file_data": "data:application/pdf;base64,JV=="},
        {"type": "input_file", "file_url": "https://b"},
        words("plain"),
    ]


def test_tools_and_settings_have_other_names() -> None:
    schema = {"type": "object"}
    found = translated(
        tools=[{"name": "f", "input_schema": schema}, {"type": "web_search_20250305", "name": "web_search"}],
        tool_choice={"type": "tool", "name": "f", "disable_parallel_tool_use": True},
        thinking={"type": "enabled", "budget_tokens": 1024},
        output_config={"effort": "low", "format": {"type": "json_schema", "schema": schema}},
        temperature=0,
    )
    assert found.notes == []
    assert found.body["tools"] == [
        {"type": "function", "name": "f", "description": "", "strict": False, "parameters": schema},
        {"type": "web_search"},
    ]
    assert (found.body["tool_choice"], found.body["parallel_tool_calls"]) == ({"type": "function", "name": "f"}, False)
    assert found.body["reasoning"] == {"effort": "low", "summary": "auto"}
    form = {"type": "json_schema", "name": "answer", "schema": schema, "strict": True}
    assert (found.body["text"], found.body["temperature"]) == ({"format": form}, 0)


@pytest.mark.parametrize(("choice", "expected"), [("auto", "auto"), ("any", "required"), ("none", "none")])
def test_whether_a_tool_is_to_be_called(choice: str, expected: str) -> None:
    assert translated(tool_choice={"type": choice}).body["tool_choice"] == expected


def test_what_has_no_place_is_noted() -> None:
    said = [{"type": "thinking", "thinking": "hm", "signature": "x"}, {"type": "text", "text": "a"}]
    failed = {"type": "tool_result", "tool_use_id": "t", "content": "No", "is_error": True}
    found = translated(
        {"role": "assistant", "content": said},
        {"role": "user", "content": [failed]},
        tools=[{"type": "bash_20250124", "name": "bash"}],
        stop_sequences=["x"],
        top_k=5,
        metadata={"user_id": "u"},
    )
    assert found.notes == [
        "left out, for Responses has no place for it: thinking in a message of the assistant, is_error, "
        "stop_sequences, top_k, metadata, bash_20250124"
    ]


def test_a_search_keeps_its_place_and_its_hosts() -> None:
    rome = {"type": "approximate", "city": "Rome"}
    search = {"type": "web_search_20250305", "name": "web_search", "user_location": rome, "max_uses": 2}
    found = translated(tools=[{**search, "allowed_domains": ["a.example"], "blocked_domains": []}])
    filters = {"allowed_domains": ["a.example"]}
    assert found.body["tools"] == [{"type": "web_search", "user_location": rome, "filters": filters}]
    lost = "left out, for Responses has no place for it: max_uses of web_search_20250305"
    assert found.notes == [lost]
