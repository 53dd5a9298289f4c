"""How clients are told of thoughts."""

from __future__ import annotations

from typing import Any

import pytest
import responding as upstream
from responding import answered, asked, values_of

from pytest_llmmock.errors import UsageError
from pytest_llmmock.upstreams.translation import as_asked

THINKING = [
    upstream.created(),
    upstream.added(0, type="reasoning", id="rs_1", summary=[]),
    upstream.thought(0, "One "),
    upstream.thought(0, "two"),
    upstream.thought(0, "three", part=1),
    upstream.deep_thought(0, "deep"),
    upstream.done(
        0,
        type="reasoning",
        summary=[{"type": "summary_text", "text": "One two"}, {"type": "summary_text", "text": "three"}],
        content=[{"type": "reasoning_text", "text": "deep"}],
    ),
    *upstream.message(1, "It ", "rains"),
    upstream.ended(),
]
AFTERWARDS = [upstream.created(), upstream.thought(0, "Hm"), *upstream.call(1, "f", "{}"), upstream.ended()]


def deltas(mode: str, events: list[bytes] = THINKING) -> list[Any]:
    """What the chunks say, behind the one that names the role."""
    values = values_of(as_asked(asked(stream=True), answered(*events), reasoning=mode).body)
    said = [value["choices"][0]["delta"] for value in values if value != "[DONE]" and value["choices"]]
    return [delta for delta in said[1:] if delta]


def message(mode: str, events: list[bytes] = THINKING) -> dict[str, Any]:
    found = as_asked(asked(), answered(*events), reasoning=mode).json()["choices"][0]["message"]
    return {name: value for name, value in found.items() if value is not None and name != "role"}


def in_field(words: str) -> dict[str, Any]:
    return {"reasoning": {"content": [{"type": "text", "text": words}]}}


def test_plain_chat_completions_do_not_tell_of_thoughts() -> None:
    assert deltas("off") == [{"content": "It "}, {"content": "rains"}]
    assert message("off") == {"content": "It rains"}


def test_think_tags_stand_before_the_words() -> None:
    said = ["<think>", "One ", "two", "\n", "three", "\n\n", "deep", "</think>", "It ", "rains"]
    assert deltas("think-tags") == [{"content": words} for words in said]
    assert message("think-tags") == {"content": "<think>One two\nthree\n\ndeep</think>It rains"}


def test_think_tags_are_closed_at_the_end_when_nothing_comes() -> None:
    only = [upstream.created(), upstream.thought(0, "Hm"), upstream.ended()]
    assert [delta["content"] for delta in deltas("think-tags", only)] == ["<think>", "Hm", "</think>"]


def test_think_tags_are_closed_before_a_call() -> None:
    said = [delta.get("content") for delta in deltas("think-tags", AFTERWARDS)]
    assert said == ["<think>", "Hm", "</think>", None, None]
    assert message("think-tags", AFTERWARDS)["content"] == "<think>Hm</think>"
    values = values_of(as_asked(asked(stream=True), answered(*AFTERWARDS), reasoning="think-tags").body)
    assert [choice["finish_reason"] for v in values[-2:-1] for choice in v["choices"]] == ["tool_calls"]


@pytest.mark.parametrize("stream", [True, False])
def test_the_blocks_of_anthropic_are_the_thoughts_and_then_the_call(stream: bool) -> None:
    exchange = asked("messages", stream=stream)
    reply = as_asked(exchange, answered(*AFTERWARDS), reasoning="think-tags")
    whole = reply if not stream else exchange.dialect.convert(asked("messages").prompt, reply)
    assert whole is not None
    assert [block.get("text", block["type"]) for block in whole.json()["content"]] == ["<think>Hm</think>", "tool_use"]


SCHEMA = {"type": "object", "properties": {}}


@pytest.mark.parametrize("stream", [True, False])
@pytest.mark.parametrize(
    ("operation", "fields"),
    [
        ("chat", {"response_format": {"type": "json_object"}}),
        ("chat", {"response_format": {"type": "json_schema", "json_schema": {"name": "a", "schema": SCHEMA}}}),
        ("ollama.chat", {"format": "json"}),
        ("ollama.generate", {"format": SCHEMA}),
        ("messages", {"output_format": {"type": "json_schema", "schema": SCHEMA}}),
        ("messages", {"output_config": {"format": {"type": "json_schema", "schema": SCHEMA}}}),
    ],
)
def test_words_that_are_to_be_json_have_no_tags_among_them(operation: str, fields: Any, stream: bool) -> None:
    exchange = asked(operation, stream=stream, **fields)
    events = [upstream.created(), upstream.thought(0, "Hm"), *upstream.message(1, "{}"), upstream.ended()]
    answer = exchange.dialect.read_reply(as_asked(exchange, answered(*events), reasoning="think-tags"))
    assert (answer.text, answer.reasoning) == ("{}", "" if operation == "chat" else "Hm")


@pytest.mark.parametrize("asked_for", [{"type": "text"}, None])
def test_words_that_may_be_anything_have_tags(asked_for: Any) -> None:
    events = [upstream.created(), upstream.thought(0, "Hm"), *upstream.message(1, "Hi"), upstream.ended()]
    reply = as_asked(asked(response_format=asked_for), answered(*events), reasoning="think-tags")
    assert reply.json()["choices"][0]["message"]["content"] == "<think>Hm</think>Hi"


def test_a_refusal_is_no_thought() -> None:
    refused = upstream.done(1, type="message", role="assistant", content=[{"type": "refusal", "refusal": "No."}])
    events = [upstream.created(), upstream.thought(0, "Hm"), refused, upstream.ended()]
    message = as_asked(asked("ollama.chat", stream=False), answered(*events), reasoning="think-tags").json()["message"]
    assert message["content"] == "<think>Hm</think>No."


def test_thoughts_behind_words_open_the_tags_again() -> None:
    events = [upstream.thought(0, "a"), upstream.text(1, "b"), upstream.thought(2, "c"), upstream.text(3, "d")]
    assert message("think-tags", [*events, upstream.ended()])["content"] == "<think>a</think>b<think>c</think>d"


def test_o3_has_an_object_beside_the_words() -> None:
    said = ["One ", "two", "\n", "three", "\n\n", "deep"]
    assert deltas("o3") == [*map(in_field, said), {"content": "It "}, {"content": "rains"}]
    assert message("o3") == {"content": "It rains", **in_field("One two\nthree\n\ndeep")}


@pytest.mark.parametrize("mode", ["legacy", "current"])
def test_legacy_tells_the_summary_twice(mode: str) -> None:
    said = [{"reasoning_summary": words, "reasoning": words} for words in ("One ", "two", "three")]
    assert deltas(mode) == [*said, {"reasoning": "deep"}, {"content": "It "}, {"content": "rains"}]
    assert message(mode) == {
        "content": "It rains",
        "reasoning_summary": "One twothree",
        "reasoning": "One twothreedeep",
    }


@pytest.mark.parametrize("operation", ["ollama.chat", "ollama.generate"])
def test_ollama_has_a_place_for_thoughts(operation: str) -> None:
    for stream in (True, False):
        exchange = asked(operation, stream=stream)
        answer = exchange.dialect.read_reply(as_asked(exchange, answered(*THINKING)))
        assert (answer.reasoning, answer.text) == ("One two\n\nthree\n\ndeep", "It rains")
        exchange = asked(operation, stream=stream, think=False)
        assert (
            exchange.dialect.read_reply(as_asked(exchange, answered(*THINKING), reasoning="think-tags")).text
            == "It rains"
        )
        exchange = asked(operation, stream=stream)
        answer = exchange.dialect.read_reply(as_asked(exchange, answered(*THINKING), reasoning="think-tags"))
        assert answer.text == "<think>One two\nthree\n\ndeep</think>It rains"


@pytest.mark.parametrize("mode", ["off", "think-tags", "o3", "legacy"])
def test_completions_never_tell_of_thoughts(mode: str) -> None:
    reply = as_asked(asked("completions"), answered(*THINKING), reasoning=mode)
    assert reply.json()["choices"][0]["text"] == "It rains"


def test_a_thought_without_words_is_nothing_to_tell_of() -> None:
    exchange = asked()
    sealed = upstream.done(0, type="reasoning", id="rs_1", summary=[], encrypted_content="x")
    assert as_asked(exchange, answered(sealed, *upstream.message(1, "Hi"), upstream.ended())).status == 200
    assert exchange.notes == []


def test_an_unknown_way_is_refused_with_those_there_are() -> None:
    with pytest.raises(UsageError) as caught:
        as_asked(asked(), answered(*THINKING), reasoning="loud")
    assert str(caught.value) == (
        "There is no way 'loud' to tell of reasoning. It takes one of: off, think-tags, o3, legacy, current."
    )
