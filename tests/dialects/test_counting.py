"""Estimates of tokens."""

from __future__ import annotations

from pytest_llmmock.core.prompt import Answer, Delta, Message, Part, Prompt, Tool, ToolCall, Usage
from pytest_llmmock.dialects.counting import counted, estimate, of_text

PROMPT = Prompt("m", (Message("user", "a" * 40),))


def test_four_characters_are_a_token() -> None:
    assert [of_text("a" * length) for length in (0, 1, 4, 5, 400)] == [0, 1, 1, 2, 100]


def test_everything_that_is_given_counts() -> None:
    one = estimate(PROMPT)
    more = [
        Prompt("m", (Message("user", "a" * 40, parts=(Part("image"),)),)),
        Prompt("m", (Message("user", "a" * 40, tool_calls=(ToolCall("get_weather", "{}"),)),)),
        Prompt("m", PROMPT.messages, tools=(Tool("get_weather", "of a city", {"type": "object"}),)),
        Prompt("m", PROMPT.messages, inputs=("more words", [1, 2])),
    ]
    assert all(estimate(prompt) > one for prompt in more)


def test_what_was_told_is_no_estimate() -> None:
    assert counted(PROMPT, Answer((Delta("usage", usage=Usage(input=0)),))) == 0
    assert counted(PROMPT, Answer((Delta("usage", usage=Usage(output=3)),))) == estimate(PROMPT)
