from __future__ import annotations

import re
from dataclasses import replace
from typing import Any
from unittest.mock import ANY

import pytest
from asserting import call, chat, exchange, failed, journal, tool

from pytest_llmmock.assertions.requests import Requests

ARGUMENTS = {"city": "Rome", "days": [1, 2], "place": {"lat": 41.9, "near": "Termini"}, "now": True, "count": 1}


def called() -> Requests:
    return journal((chat("Rain?", tools=[tool("weather")]), call("weather", ARGUMENTS)))


@pytest.mark.parametrize(
    "arguments",
    [
        {},
        {"city": "Rome"},
        {"city": "Rome", "days": [1, 2], "count": 1, "now": True},
        {"days": (1, 2)},
        {"city": ANY, "place": {"lat": ANY, "near": "Termini"}},
        {"city": re.compile("^R")},
        {"place": {"lat": lambda lat: 40 < lat < 45, "near": re.compile("min")}},
        {"days": [1, lambda day: day == 2]},
        {"count": 1.0},
    ],
)
def test_a_call_has_these_arguments_at_least(arguments: dict[str, Any]) -> None:
    called().assert_tool_called("weather", **arguments)


@pytest.mark.parametrize(
    ("arguments", "lines"),
    [
        ({"city": "Paris"}, ["city", "- Paris", "+ Rome"]),
        ({"unit": "C"}, ["unit", '- "C"', "+ (nothing)"]),
        ({"days": [1, 3]}, ["days[1]", "- 3", "+ 2"]),
        ({"days": [1]}, ["days", "- [1]", "+ [1, 2]"]),
        ({"place": {"lat": 41.9}}, ["place.near", "- (nothing)", '+ "Termini"']),
        ({"place": {"lat": ANY, "near": re.compile("x")}}, ["place.near", "- re.compile('x')", "+ Termini"]),
        ({"city": str.isdigit}, ["city", "- isdigit", "+ Rome"]),
        ({"city": abs}, ["city", "- abs", "+ Rome"]),
        ({"now": 1}, ["now", "- 1", "+ true"]),
        ({"count": True}, ["count", "- true", "+ 1"]),
        ({"count": "1"}, ["count", '- "1"', "+ 1"]),
        ({"place": 5}, ["place", "- 5", '+ {"lat": 41.9, "near": "Termini"}']),
        ({"city": re.compile("x"), "days": re.compile("1")}, ["city", "- re.compile('x')", "+ Rome", "days"]),
    ],
)
def test_the_argument_that_differs_is_shown(arguments: dict[str, Any], lines: list[str]) -> None:
    text = failed(lambda: called().assert_tool_called("weather", **arguments))
    _, _, shown = text.partition("(- expected, + called):\n")
    assert [line.strip() for line in shown.splitlines()[1:]][: len(lines)] == lines


def test_many_wrong_arguments_are_counted() -> None:
    text = failed(lambda: called().assert_tool_called("weather", a=1, b=1, c=1, d=1, e=1, f=1))
    assert text.endswith("      and 2 arguments more")


def test_a_tool_may_have_any_argument() -> None:
    requests = journal((chat("x"), call("f", {"name": "a", "self": "b", "times": 3})))
    requests.assert_tool_called("f", name="a", self="b", times=3)


def test_a_name_may_be_a_pattern() -> None:
    called().assert_tool_called("wea*", city="Rome")
    assert "was not called" in failed(lambda: called().assert_tool_called("*x*"))


def test_a_call_without_arguments_has_none() -> None:
    requests = journal((chat("x"), call("now", "")))
    requests.assert_tool_called("now")
    assert "(nothing)" in failed(lambda: requests.assert_tool_called("now", zone="UTC"))


def test_the_text_of_a_custom_tool_is_its_input() -> None:
    requests = journal((chat("x"), call("shell", "ls -l", custom=True)))
    requests.assert_tool_called("shell", input=re.compile("^ls"))
    assert "+ ls -l" in failed(lambda: requests.assert_tool_called("shell", input="rm"))


def test_every_choice_and_every_call_of_it_is_looked_at() -> None:
    several = (call("a"), call("b", number=1))
    requests = journal((chat("x", n=2), (*several, replace(call("c"), index=1))))
    for name in "abc":
        requests.assert_tool_called(name)


@pytest.mark.parametrize("operation", ["chat", "responses", "messages", "ollama.chat"])
@pytest.mark.parametrize("stream", [False, True])
def test_a_call_is_found_in_every_protocol(operation: str, stream: bool) -> None:
    asked = exchange(operation, {"messages": [], "input": "x", "stream": stream})
    requests = journal((asked, (call("weather", {"city": "Rome"}), call("look", {"deep": {"er": [1]}}, number=1))))
    requests.assert_tool_called("weather", city="Rome")
    requests.assert_tool_called("look", deep={"er": [1]})


def test_a_long_call_is_cut() -> None:
    requests = journal((chat("x"), call("f", {"words": "word " * 100})))
    line = next(line for line in failed(lambda: requests.assert_tool_called("g")).splitlines() if "#1" in line)
    assert len(line) <= 90
    assert line.endswith("…)")


def test_functions_of_the_time_before_tools_were_offered_too() -> None:
    asked = chat("x", functions=[{"name": "weather", "parameters": {}}])
    assert "No request offered a tool of this name. Offered: weather." in failed(
        lambda: journal((asked, "no")).assert_tool_called("look")
    )
