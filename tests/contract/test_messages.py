from __future__ import annotations

from importlib.metadata import version
from typing import Any

import pytest
from checking import GONE, told, violations

USER = {"role": "user", "content": "hello"}
TEXT = {"type": "text", "text": "hello"}
USE = {"type": "tool_use", "id": "t1", "name": "look", "input": {}}
RESULT = {"type": "tool_result", "tool_use_id": "t1", "content": "42"}
CACHED = {**TEXT, "cache_control": {"type": "ephemeral"}}


def user(*blocks: dict[str, Any]) -> dict[str, Any]:
    return {"role": "user", "content": list(blocks)}


def assistant(*blocks: dict[str, Any]) -> dict[str, Any]:
    return {"role": "assistant", "content": list(blocks)}


def messages(*each: dict[str, Any]) -> dict[str, Any]:
    return {"messages": list(each)}


def picture(kind: str) -> dict[str, Any]:
    return {"type": "image", "source": {"type": "base64", "media_type": kind, "data": "AA"}}


RIGHT: list[dict[str, Any]] = [
    {},
    messages(USER, assistant(TEXT, USE), user(RESULT)),
    messages(USER, assistant(USE), user(RESULT, TEXT)),
    messages(USER, assistant(USE, {**USE, "id": "t2"}), user(RESULT), user({**RESULT, "tool_use_id": "t2"})),
    messages(USER, assistant(USE), assistant(TEXT)) | messages(USER, assistant(TEXT), assistant(USE), user(RESULT)),
    messages(USER, {"role": "assistant", "content": "Here is"}),
    messages(USER, {"role": "assistant", "content": ""}),
    messages(USER, USER),
    {"thinking": {"type": "enabled", "budget_tokens": 1024}, "max_tokens": 2000},
    {"system": [CACHED], **messages(user(CACHED, CACHED, CACHED))},
    {"stop_sequences": ["\n\nEnd"]},
]


@pytest.mark.parametrize("body", RIGHT)
def test_what_the_api_takes_is_no_violation(body):
    assert told("messages", **body) == []


WRONG: list[tuple[dict[str, Any], str]] = [
    ({"max_tokens": GONE}, "max_tokens: is required, and is missing."),
    (messages(), "messages: has to have at least 1 item, and has 0."),
    (
        messages(assistant(TEXT), USER),
        "messages.0.role: is 'assistant', and the first turn has to be the user's.",
    ),
    (
        messages(USER, assistant(USE), USER),
        "messages.1: tool_use 't1' has no tool_result at the head of the next message: results come first there.",
    ),
    (
        messages(USER, assistant(USE), user(TEXT, RESULT)),
        "messages.1: tool_use 't1' has no tool_result at the head of the next message: results come first there.",
    ),
    (
        messages(USER, assistant(USE)),
        "messages.1: tool_use 't1' has no tool_result at the head of the next message: results come first there.",
    ),
    (
        messages(USER, assistant(TEXT), user(RESULT)),
        "messages.2.content.0.tool_use_id: answers 't1', and the message before has no tool_use of this id.",
    ),
    (
        messages(USER, assistant(USE), user(RESULT, RESULT)),
        "messages.2.content.1.tool_use_id: answers 't1' a second time: each tool_use has one tool_result.",
    ),
    (
        messages({"role": "user", "content": ""}),
        "messages.0.content: is empty: only the last message can be, where it is the assistant's.",
    ),
    (
        messages(user({"type": "text", "text": ""})),
        "messages.0.content.0.text: is empty: a text block has to say something.",
    ),
    (
        messages(USER, {"role": "assistant", "content": "Here is "}),
        "messages.1.content: ends with white space, and the model cannot go on from there.",
    ),
    (
        {"thinking": {"type": "enabled", "budget_tokens": 1024}, "max_tokens": 1000},
        "thinking.budget_tokens: has to be less than max_tokens, which is 1000, and is 1024.",
    ),
    (
        {"thinking": {"type": "enabled", "budget_tokens": 1024}, "max_tokens": 2000, "temperature": 0.5},
        "temperature: can only be 1 while thinking is enabled, and is 0.5.",
    ),
    (
        {"thinking": {"type": "enabled", "budget_tokens": 5}, "max_tokens": 2000},
        "thinking.budget_tokens: has to be at least 1024, and is 5.",
    ),
    (
        {"system": [CACHED], **messages(user(CACHED, CACHED, CACHED, CACHED))},
        "messages: and what stands before them mark 5 blocks with cache_control. 4 are allowed.",
    ),
    ({"stop_sequences": ["a", "\n"]}, "stop_sequences.1: has to hold something other than white space."),
    ({"temperature": 1.5}, "temperature: has to be at most 1, and is 1.5."),
    (
        {"max_token": 5},
        "max_token: is not known here: {anthropic} has no such parameter. Did you mean 'max_tokens'? What is added by "
        "extra_body is unknown to the API too.",
    ),
    (
        messages({"role": "bot", "content": "x"}),
        "messages.0.role: cannot be 'bot'. It can be 'assistant', 'system' or 'user'.",
    ),
    (
        messages(user(picture("image/bmp"))),
        "messages.0.content.0.source.media_type: cannot be 'image/bmp'. It can be 'image/jpeg', 'image/png', "
        "'image/gif' or 'image/webp'. Did you mean 'image/webp'?",
    ),
]


@pytest.mark.parametrize(("body", "message"), WRONG, ids=lambda value: None)
def test_what_the_api_refuses_is_told_as_anthropic_names_places(body, message):
    first = violations("messages", **body)[0]
    assert first.message == message.replace("{anthropic}", f"anthropic {version('anthropic')}")
    assert (first.param, first.code, first.refused) == (None, None, True)


def test_what_an_sdk_has_no_more_is_a_hint_for_older_models_take_it():
    words = "is no parameter of the SDK that is installed, and models differ in whether they take it."
    assert told("messages", top_k=5) == [f"hint: top_k: {words}"]


def test_tokens_are_counted_of_a_conversation_that_holds():
    assert told("messages.count_tokens", **messages(USER, assistant(USE), user(RESULT))) == []
    assert told("messages.count_tokens", **messages(USER, user(RESULT)))
    assert told("messages.count_tokens", max_tokens=5) != []


@pytest.mark.parametrize("body", [{"messages": 5}, messages({"role": 5}), {"tools": 7}, {"thinking": []}])
def test_a_body_of_another_shape_is_told_and_nothing_breaks(body):
    assert told("messages", **body)
