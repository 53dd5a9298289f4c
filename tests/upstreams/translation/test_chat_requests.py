"""Requests of Chat Completions, asked in Responses."""

from __future__ import annotations

from typing import Any

import pytest
from responding import asked

from pytest_llmmock.errors import TranslationError
from pytest_llmmock.upstreams.translation import Translated, as_responses


def translated(**fields: Any) -> Translated:
    return as_responses(asked("chat", **fields))


def body(**fields: Any) -> dict[str, Any]:
    """What is asked, where nothing is to be told of it."""
    found = translated(**fields)
    assert found.notes == []
    return found.body


def items(*messages: dict[str, Any]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = body(messages=list(messages))["input"]
    return found


def user(*content: dict[str, Any]) -> dict[str, Any]:
    return {"type": "message", "role": "user", "content": list(content)}


def words(said: str) -> dict[str, Any]:
    return {"type": "input_text", "text": said}


HI = user(words("Hi"))

# --- messages -------------------------------------------------------------------------------------------


def test_a_message_becomes_an_item_and_nothing_is_kept_there() -> None:
    assert body() == {"model": "gpt-5", "input": [HI], "stream": True, "store": False}


def test_what_the_system_says_first_is_the_instructions() -> None:
    system = [
        {"role": "system", "content": "Be brief"},
        {"role": "developer", "content": [{"type": "text", "text": "b"}]},
    ]
    found = body(messages=[*system, {"role": "user", "content": "Hi"}])
    assert (found["instructions"], found["input"]) == ("Be brief\n\nb", [HI])


def test_what_the_system_says_later_stays_in_its_place() -> None:
    found = body(messages=[{"role": "user", "content": "Hi"}, {"role": "system", "content": "Now in French"}])
    assert "instructions" not in found
    assert found["input"][1] == {"type": "message", "role": "developer", "content": [words("Now in French")]}


PNG = "iVBORw0KGgo="


def test_parts_of_a_message_keep_what_they_say() -> None:
    sound = {"type": "input_audio", "input_audio": {"data": "AA==", "format": "wav"}}
    content = [
        {"type": "text", "text": "see"},
        {"type": "image_url", "image_url": {"url": "https://a/b.png", "detail": "low"}},
        {"type": "image_url", "image_url": f"data:image/png;base64,{PNG}"},
        sound,
        {"type": "file", "file": {"filename": "a.pdf", "file_data": "data:application/pdf;base64,JV"}},
        {"type": "file", "file": {"file_id": "file_1"}},
        {"type": "text", "text": ""},
    ]
    assert items({"role": "user", "content": content}) == [
        user(
            words("see"),
            {"type": "input_image", "image_url": "https://a/b.png", "detail": "low"},
            {"type": "input_image", "image_url": f"data:image/png;base64,{PNG}", "detail": "auto"},
            sound,
            {"type": "input_file", "filename": "a.pdf", "file_data": "data:application/pdf;base64,JV"},
            {"type": "input_file", "file_id": "file_1"},
        )
    ]


@pytest.mark.parametrize("packed", ["iVBO\nRw0K Ggo=", "iVBORw0KGgo", "iVBORw0KGgo%3D"])
def test_a_picture_in_base64_is_written_straight(packed: str) -> None:
    content = [{"type": "image_url", "image_url": {"url": f"data:image/png;base64,{packed}"}}]
    assert items({"role": "user", "content": content})[0]["content"][0]["image_url"] == f"data:image/png;base64,{PNG}"


def test_base64_for_addresses_becomes_the_standard_one() -> None:
    content = [{"type": "image_url", "image_url": {"url": "data:image/png;base64,-_-_"}}]
    assert items({"role": "user", "content": content})[0]["content"][0]["image_url"].endswith(",+/+/")


def test_an_unknown_part_is_handed_on_and_noted() -> None:
    found = translated(messages=[{"role": "user", "content": [{"type": "hologram", "x": 1}]}])
    assert found.body["input"] == [user({"type": "hologram", "x": 1})]
    assert found.notes == ["a part of the type 'hologram' was handed on as it is"]


def test_parts_stay_in_their_order_also_where_some_are_bare_texts() -> None:
    content = [{"type": "text", "text": "one"}, "two", {"type": "image_url", "image_url": {"url": "https://a"}}, "four"]
    (item,) = as_responses(asked(messages=[{"role": "user", "content": content}])).body["input"]
    assert [part.get("text", part["type"]) for part in item["content"]] == ["one", "two", "input_image", "four"]


def test_calls_stand_behind_the_words_and_results_name_their_calls() -> None:
    calls = [
        {"id": "c1", "type": "function", "function": {"name": "f", "arguments": '{"a": 1}'}},
        {"id": "c2", "type": "custom", "custom": {"name": "sh", "input": "ls"}},
    ]
    found = items(
        {"role": "assistant", "content": "Wait", "tool_calls": calls},
        {"role": "tool", "tool_call_id": "c1", "content": "one"},
        {
            "role": "tool",
            "tool_call_id": "c2",
            "content": [{"type": "text", "text": "two"}, {"type": "text", "text": "3"}],
        },
        {"role": "assistant", "content": [{"type": "text", "text": "Well"}, {"type": "refusal", "refusal": "no"}]},
    )
    assert found == [
        {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "Wait"}]},
        {"type": "function_call", "call_id": "c1", "name": "f", "arguments": '{"a": 1}'},
        {"type": "custom_tool_call", "call_id": "c2", "name": "sh", "input": "ls"},
        {"type": "function_call_output", "call_id": "c1", "output": "one"},
        {"type": "custom_tool_call_output", "call_id": "c2", "output": "two\n3"},
        {
            "type": "message",
            "role": "assistant",
            "content": [{"type": "output_text", "text": "Well"}, {"type": "refusal", "refusal": "no"}],
        },
    ]


def test_a_result_may_hold_a_picture() -> None:
    call = {"id": "c1", "type": "function", "function": {"name": "f", "arguments": "{}"}}
    shown = [{"type": "text", "text": "see"}, {"type": "image_url", "image_url": {"url": "https://a"}}]
    found = items({"role": "assistant", "tool_calls": [call]}, {"role": "tool", "tool_call_id": "c1", "content": shown})
    assert found[1]["output"] == [words("see"), {"type": "input_image", "image_url": "https://a", "detail": "auto"}]


def test_the_call_of_the_time_before_tools_is_one() -> None:
    found = items(
        {"role": "assistant", "content": None, "function_call": {"name": "f", "arguments": "{}"}},
        {"role": "function", "name": "f", "content": "done"},
    )
    assert [item["call_id"] for item in found] == ["call_1", "call_1"]
    assert found[1]["output"] == "done"


def test_a_message_that_says_nothing_is_dropped() -> None:
    assert items({"role": "assistant", "content": ""}, {"role": "user", "content": "Hi"}) == [HI]


def test_ids_that_are_too_long_are_shortened_alike() -> None:
    call = {"id": "c" * 65, "type": "function", "function": {"name": "f", "arguments": "{}"}}
    messages = [{"role": "assistant", "tool_calls": [call]}, {"role": "tool", "tool_call_id": "c" * 65, "content": "x"}]
    found = translated(messages=messages)
    one, other = (item["call_id"] for item in found.body["input"])
    assert one == other
    assert len(one) <= 64
    assert found.notes == ["ids of calls that are longer than 64 characters were shortened"]


def test_thoughts_and_names_have_no_place() -> None:
    said = {"role": "assistant", "content": "a", "reasoning_content": "hm", "name": "x", "audio": {"id": "a"}}
    assert translated(messages=[said]).notes == [
        "left out, for Responses has no place for it: name of a message, reasoning_content in a message of the "
        "assistant, audio in a message of the assistant"
    ]


def test_a_text_in_place_of_messages_is_what_the_user_says() -> None:
    assert body(messages=None, prompt="Hi")["input"] == [HI]
    assert body(messages=None, input="Hi")["input"] == [HI]


@pytest.mark.parametrize("fields", [{"messages": None}, {"messages": "Hi"}, {"messages": {}, "prompt": "Hi"}])
def test_a_request_without_messages_is_refused(fields: dict[str, Any]) -> None:
    with pytest.raises(TranslationError, match="has a list 'messages'"):
        translated(**fields)


def test_an_unknown_role_is_refused_with_its_place() -> None:
    with pytest.raises(TranslationError) as caught:
        translated(messages=[{"role": "user", "content": "Hi"}, {"role": "alien", "content": "Hi"}])
    assert str(caught.value) == (
        "The role of messages[1] is 'alien'. It has to be system, developer, user, assistant or tool."
    )


# --- tools ----------------------------------------------------------------------------------------------

SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}}}


def test_tools_are_not_nested_and_not_strict_unless_they_say_so() -> None:
    tools = [
        {"type": "function", "function": {"name": "f", "description": "d", "parameters": SCHEMA, "strict": True}},
        {"type": "function", "function": {"name": "g"}},
        {"type": "web_search"},
    ]
    assert body(tools=tools)["tools"] == [
        {"type": "function", "name": "f", "description": "d", "strict": True, "parameters": SCHEMA},
        {
            "type": "function",
            "name": "g",
            "description": "",
            "strict": False,
            "parameters": {"type": "object", "properties": {}},
        },
        {"type": "web_search"},
    ]


def test_custom_tools_keep_their_grammar() -> None:
    grammar = {"type": "grammar", "grammar": {"syntax": "lark", "definition": "start: x"}}
    tools = [{"type": "custom", "custom": {"name": "sh", "description": "d", "format": grammar}}]
    flat = {"type": "grammar", "syntax": "lark", "definition": "start: x"}
    assert body(tools=tools)["tools"] == [{"type": "custom", "name": "sh", "description": "d", "format": flat}]
    plain = [{"type": "custom", "custom": {"name": "sh", "format": {"type": "text"}}}]
    assert body(tools=plain)["tools"] == [{"type": "custom", "name": "sh", "format": {"type": "text"}}]


def test_the_functions_of_the_time_before_tools_are_tools() -> None:
    found = body(functions=[{"name": "f", "parameters": SCHEMA}], function_call={"name": "f"})
    assert found["tools"] == [
        {"type": "function", "name": "f", "description": "", "strict": False, "parameters": SCHEMA}
    ]
    assert found["tool_choice"] == {"type": "function", "name": "f"}
    assert body(functions=[{"name": "f"}], function_call="auto")["tool_choice"] == "auto"


@pytest.mark.parametrize(
    ("choice", "expected"),
    [
        ("auto", "auto"),
        ("none", "none"),
        ("required", "required"),
        ({"type": "function", "function": {"name": "f"}}, {"type": "function", "name": "f"}),
        ({"type": "custom", "custom": {"name": "sh"}}, {"type": "custom", "name": "sh"}),
        ({"type": "web_search"}, {"type": "web_search"}),
        (
            {
                "type": "allowed_tools",
                "allowed_tools": {"mode": "required", "tools": [{"type": "function", "function": {"name": "f"}}]},
            },
            {"type": "allowed_tools", "mode": "required", "tools": [{"type": "function", "name": "f"}]},
        ),
    ],
)
def test_which_tool_is_to_be_called(choice: object, expected: object) -> None:
    assert body(tool_choice=choice)["tool_choice"] == expected


def test_a_search_is_asked_for_in_either_way() -> None:
    near = {"type": "approximate", "approximate": {"city": "Rome"}}
    assert body(web_search_options={"search_context_size": "low", "user_location": near})["tools"] == [
        {"type": "web_search", "search_context_size": "low", "user_location": {"type": "approximate", "city": "Rome"}}
    ]
    assert body(web_search_options={})["tools"] == [{"type": "web_search"}]
    found = body(responses_tools=[{"type": "web_search_preview"}], responses_tool_choice="none", tool_choice="auto")
    assert (found["tools"], found["tool_choice"]) == ([{"type": "web_search_preview"}], "none")
    assert body(responses_tool_choice="required", tool_choice="auto")["tool_choice"] == "auto"


@pytest.mark.parametrize(
    ("given", "code", "words"),
    [
        ([{"type": "shell"}], "RESPONSES_TOOL_UNSUPPORTED", 'It holds {"type":"shell"}.'),
        ({"type": "web_search"}, "RESPONSES_TOOL_UNSUPPORTED", 'It holds {"type":"web_search"}.'),
        ([{"type": "web_search", "x": "y" * 32_768}], "RESPONSES_TOOLS_TOO_LARGE", "It holds 32798."),
    ],
)
def test_other_tools_beside_the_protocol_are_refused(given: object, code: str, words: str) -> None:
    with pytest.raises(TranslationError) as caught:
        translated(responses_tools=given)
    assert caught.value.code == code
    assert str(caught.value).endswith(words)


# --- settings -------------------------------------------------------------------------------------------


def test_what_is_called_the_same_is_kept() -> None:
    kept = {
        "temperature": 0,
        "top_p": 0.5,
        "parallel_tool_calls": False,
        "service_tier": "flex",
        "metadata": {"a": "b"},
        "user": "u",
        "safety_identifier": "s",
        "prompt_cache_key": "k",
        "prompt_cache_retention": "24h",
    }
    found = body(**kept)
    assert {name: found[name] for name in kept} == kept


def test_how_likely_the_tokens_were_is_asked_for_by_name() -> None:
    found = body(logprobs=True, top_logprobs=2)
    assert (found["include"], found["top_logprobs"]) == (["message.output_text.logprobs"], 2)
    assert "include" not in body(logprobs=False)


@pytest.mark.parametrize("fast", [True, "on", "1"])
def test_fast_mode_is_a_service_tier(fast: object) -> None:
    assert body(fast_mode=fast, service_tier="flex")["service_tier"] == "priority"


def test_slow_mode_is_none() -> None:
    assert body(fast_mode=False, service_tier="flex")["service_tier"] == "flex"


def test_the_length_of_an_answer_and_how_much_is_thought_have_other_names() -> None:
    assert body(max_tokens=5)["max_output_tokens"] == 5
    assert body(max_tokens=5, max_completion_tokens=7)["max_output_tokens"] == 7
    assert body(reasoning_effort="low")["reasoning"] == {"effort": "low"}
    said = body(reasoning_effort="low", reasoning={"effort": "high", "summary": "auto"})
    assert said["reasoning"] == {"effort": "high", "summary": "auto"}


FORMAT = {"type": "json_schema", "json_schema": {"name": "city", "schema": SCHEMA, "strict": True, "description": "d"}}


def test_structured_output_is_a_format_of_the_text() -> None:
    expected = {"type": "json_schema", "name": "city", "description": "d", "schema": SCHEMA, "strict": True}
    assert body(response_format=FORMAT, verbosity="low")["text"] == {"format": expected, "verbosity": "low"}
    assert body(response_format={"type": "json_object"})["text"] == {"format": {"type": "json_object"}}
    assert body(response_format={"type": "text"})["text"] == {"format": {"type": "text"}}
    assert body(verbosity="high")["text"] == {"verbosity": "high"}


@pytest.mark.parametrize(
    "asked_for",
    [{"type": "xml"}, "json", {"type": "json_schema"}, {"type": "json_schema", "json_schema": {"name": "x"}}],
)
def test_an_unknown_format_is_refused(asked_for: object) -> None:
    with pytest.raises(TranslationError, match="'response_format' takes") as caught:
        translated(response_format=asked_for)
    assert caught.value.code == "INVALID_RESPONSE_FORMAT"


def test_what_responses_has_no_place_for_is_left_out_and_noted() -> None:
    found = translated(seed=0, stop=["x"], modalities=["audio"], logit_bias={"1": 2})
    assert found.notes == ["left out, for Responses has no place for it: seed, stop, modalities, logit_bias"]
    assert set(found.body) == {"model", "input", "stream", "store"}


def test_what_says_nothing_is_not_worth_a_note() -> None:
    quiet = {"frequency_penalty": 0, "presence_penalty": 0.0, "logit_bias": {}, "logprobs": False, "n": 1, "stop": None}
    body(**quiet, modalities=["text"], stream=True, stream_options={"include_usage": True})


def test_several_answers_are_refused() -> None:
    with pytest.raises(TranslationError) as caught:
        translated(n=3)
    assert str(caught.value) == (
        "This upstream gives one answer to a request, and 'n' asks for 3. Ask 3 times, or record this with another "
        "upstream."
    )
