"""Requests of Ollama, asked in Responses."""

from __future__ import annotations

from typing import Any

import pytest
from responding import asked

from pytest_llmmock.errors import TranslationError
from pytest_llmmock.upstreams.translation import Translated, as_responses


def chat(*messages: dict[str, Any], **fields: Any) -> Translated:
    return as_responses(asked("ollama.chat", **({"messages": list(messages)} if messages else {}), **fields))


def words(said: str) -> dict[str, Any]:
    return {"type": "input_text", "text": said}


def image(url: str) -> dict[str, Any]:
    return {"type": "input_image", "image_url": url, "detail": "auto"}


# --- conversations --------------------------------------------------------------------------------------


def test_a_conversation_becomes_items() -> None:
    call = {"function": {"name": "f", "arguments": {"city": "Rome"}}}
    found = chat(
        {"role": "system", "content": "Be brief"},
        {"role": "user", "content": "Hi"},
        {"role": "assistant", "content": "Wait", "tool_calls": [call]},
        {"role": "tool", "tool_name": "f", "content": "done"},
    )
    assert found.notes == []
    assert found.body == {
        "model": "gpt-5",
        "instructions": "Be brief",
        "input": [
            {"type": "message", "role": "user", "content": [words("Hi")]},
            {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "Wait"}]},
            {"type": "function_call", "call_id": "ollama_call_1", "name": "f", "arguments": '{"city":"Rome"}'},
            {"type": "function_call_output", "call_id": "ollama_call_1", "output": "done"},
        ],
        "stream": True,
        "store": False,
    }


def outputs(*results: dict[str, Any]) -> list[tuple[str, str]]:
    """Which call each result answers, of two calls of f and one of g."""
    calls = [{"function": {"name": name, "arguments": {}}} for name in ("f", "g", "f")]
    asked_for = [{"role": "tool", **result} for result in results]
    items = chat({"role": "assistant", "tool_calls": calls}, *asked_for).body["input"]
    return [(item["call_id"], item["output"]) for item in items if item["type"] == "function_call_output"]


def test_results_without_ids_are_matched_in_order() -> None:
    assert outputs({"content": "a"}, {"content": "b"}, {"content": "c"}) == [
        ("ollama_call_1", "a"),
        ("ollama_call_2", "b"),
        ("ollama_call_3", "c"),
    ]


def test_results_that_name_their_tool_find_its_first_call() -> None:
    assert outputs({"content": "b", "tool_name": "g"}, {"content": "a", "tool_name": "f"}, {"content": "c"}) == [
        ("ollama_call_2", "b"),
        ("ollama_call_1", "a"),
        ("ollama_call_3", "c"),
    ]


def test_ids_count_more_than_the_order() -> None:
    call = {"id": "x", "function": {"name": "f", "arguments": {}}}
    items = chat({"role": "assistant", "tool_calls": [call]}, {"role": "tool", "tool_call_id": "x", "content": "a"})
    assert [item["call_id"] for item in items.body["input"]] == ["x", "x"]


def test_a_result_that_nobody_asked_for_becomes_words() -> None:
    found = chat({"role": "tool", "content": "a"})
    assert found.body["input"] == [{"type": "message", "role": "user", "content": [words("a")]}]
    assert found.notes == ["the result of a tool that nobody called became a message of the user"]


def test_pictures_are_told_by_how_they_begin() -> None:
    (said,) = chat(
        {"role": "user", "content": "see", "images": ["/9j/AA==", "iVBORAA=", "R0lGODAA", "AAAA", "https://a"]}
    ).body["input"]
    assert said["content"] == [
        words("see"),
        image("https://a"),
        image("data:image/jpeg;base64,/9j/AA=="),
        image("data:image/png;base64,iVBORAA="),
        image("data:image/gif;base64,R0lGODAA"),
        image("data:image/png;base64,AAAA"),
    ]


def test_pictures_beside_the_conversation_belong_to_the_users_last_message() -> None:
    users = [{"role": "user", "content": "a"}, {"role": "user", "content": "b"}, {"role": "assistant", "content": "c"}]
    found = chat(*users, images=["/9j/AA=="]).body["input"]
    assert [len(item["content"]) for item in found] == [1, 2, 1]


def test_what_are_no_pictures_is_passed_over() -> None:
    assert chat({"role": "user", "content": "a", "images": "iVBOR"}, images=[5]).body["input"][0]["content"] == [
        words("a")
    ]


def test_a_developer_instructs_as_the_system_does() -> None:
    assert chat({"role": "developer", "content": "Be brief"}, {"role": "user", "content": "Hi"}).body[
        "instructions"
    ] == ("Be brief")


def test_tools_are_those_of_chat_completions() -> None:
    tools = [{"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}]
    found = chat(
        tools=tools, tool_choice="required", parallel_tool_calls=False, responses_tools=[{"type": "web_search"}]
    )
    assert found.body["tools"] == [
        {"type": "function", "name": "f", "description": "", "strict": False, "parameters": {"type": "object"}},
        {"type": "web_search"},
    ]
    assert (found.body["tool_choice"], found.body["parallel_tool_calls"]) == ("required", False)
    assert found.notes == []


def test_options_have_other_names_or_none() -> None:
    found = chat(options={"num_predict": 5, "temperature": 0.5, "top_p": 0.9, "num_ctx": 8, "seed": 1}, keep_alive="5m")
    assert {name: found.body[name] for name in ("max_output_tokens", "temperature", "top_p")} == {
        "max_output_tokens": 5,
        "temperature": 0.5,
        "top_p": 0.9,
    }
    assert found.notes == ["left out, for Responses has no place for it: num_ctx, seed"]
    assert "max_output_tokens" not in chat(options={"num_predict": -1}).body


@pytest.mark.parametrize(
    ("think", "reasoning"),
    [(True, {"summary": "auto"}), ("high", {"effort": "high", "summary": "auto"}), (False, None), (None, None)],
)
def test_thoughts_are_asked_for_as_a_summary(think: object, reasoning: object) -> None:
    assert chat(think=think).body.get("reasoning") == reasoning


def test_a_format_is_one_of_the_text() -> None:
    schema = {"type": "object"}
    form = {"type": "json_schema", "name": "answer", "schema": schema, "strict": False}
    assert chat(format=schema).body["text"] == {"format": form}
    assert chat(format="json").body["text"] == {"format": {"type": "json_object"}}
    assert "text" not in chat(format="").body


def test_thoughts_of_before_have_no_place() -> None:
    found = chat({"role": "assistant", "content": "a", "thinking": "hm"})
    assert found.notes == ["left out, for Responses has no place for it: thinking in a message of the assistant"]


def test_a_conversation_without_messages_is_refused() -> None:
    with pytest.raises(TranslationError, match="that is not empty"):
        chat(messages=[])


# --- prompts --------------------------------------------------------------------------------------------


def test_a_prompt_is_what_a_user_says() -> None:
    found = as_responses(
        asked("ollama.generate", prompt="see", system="Be brief", images=["/9j/AA=="], suffix="x", raw=True)
    )
    assert found.body["instructions"] == "Be brief"
    (said,) = found.body["input"]
    assert said["content"] == [words("see"), image("data:image/jpeg;base64,/9j/AA==")]
    assert found.notes == ["left out, for Responses has no place for it: suffix, raw"]


def test_a_prompt_that_asks_for_nothing_is_refused() -> None:
    with pytest.raises(TranslationError, match="has a text 'prompt'"):
        as_responses(asked("ollama.generate", prompt=""))
