"""What people read when an assertion about requests fails: whole texts, one for each reason.

They are kept in `tests/snapshots`. After a wanted change they are written anew, and the diff is for review:
`LLMMOCK_SNAPSHOTS=renew python -m pytest tests/test_assertion_texts.py`
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from asserting import call, chat, exchange, failed, journal, system, tool

from pytest_llmmock.assertions.requests import Requests
from pytest_llmmock.core.prompt import Delta

SNAPSHOTS = Path(__file__).parent / "snapshots"
LINES, COLUMNS = 40, 120
"""A screenful."""

TOOLS = [tool("get_weather"), tool("look_up")]
TRAVEL = "You are a travel agent. It is {}. Answer briefly, and name sights that are open."
NOON = system(TRAVEL.format("2026-11-21 12:00"))
PROPERTIES: dict[str, Any] = {"city": {"type": "string"}, "day": {"type": "string"}}


def three() -> Requests:
    return journal(
        (chat("Plan a day in Rome", tools=TOOLS), call("get_weather", {"city": "Rome", "unit": "C"})),
        (chat("Plan a day in Rome", model="gpt-5-mini", stream=True), "Start early."),
        (chat("Hello"), 429),
    )


def many() -> Requests:
    return journal(*((chat(f"Question {number}"), f"Answer {number}") for number in range(9)))


def talk(*second: Any, **fields: Any) -> Requests:
    first = chat(NOON, "Plan a day in Rome", tools=TOOLS)
    return journal((first, "Start early."), (chat(*second, **{"tools": TOOLS, **fields}), "Sleep well and long."))


def shapeless() -> Requests:
    calls: tuple[Delta, ...] = (call("get_weather", {"city": 1}), call("get_wether", number=1))
    broken = (call("get_weather", '{"city": "Ro'), call("look_up", "[1]", number=1), call("shop", {"a": 1}, number=2))
    schemas = [tool("get_weather"), tool("look_up"), tool("shop", {"$ref": "https://example.com/schema.json"})]
    return journal(
        (chat("Rain?", tools=TOOLS), calls),
        (chat("Snow?", tools=schemas), broken),
        (chat("Hail?"), call("get_weather", {"city": "Rome"})),
        (chat("Hot?", tools=TOOLS), call("get_weather", {"city": "Rome"})),
    )


ON = ("Start early.", "And then?")
HISTORY = (NOON, "Plan a day in Rome", *ON)
RETOLD = [tool("get_weather", {"type": "object", "properties": dict(reversed(PROPERTIES.items()))}), tool("look_up")]

FAILURES: dict[str, Callable[[], None]] = {
    "called, nothing asked": lambda: Requests().assert_called(model="gpt-5"),
    "called, other words": lambda: three().assert_called(contains="Paris"),
    "called, too few": lambda: three().assert_called(2, model="gpt-5", contains="Rome"),
    "called, too many": lambda: three().assert_called(1, model="gpt-*"),
    "called, other values": lambda: three().assert_called(status=200, stream=True, json={"model": "gpt-5"}),
    "called, another text": lambda: three().assert_called(text="Start late, have breakfast, and then see the Forum."),
    "called, many requests": lambda: many().assert_called(contains="Question 11"),
    "called, of a selection": lambda: three().where(model="gpt-5").assert_called(lambda request: request.turn > 2),
    "called, function raises": lambda: three().assert_called(lambda request: request.messages[3]),
    "not called": lambda: three().assert_not_called(contains="Rome"),
    "not called, many requests": lambda: many().assert_not_called(),
    "tool, other arguments": lambda: three().assert_tool_called("get_weather", city="Paris", unit="C", days=[1, 2]),
    "tool, another one": lambda: three().assert_tool_called("get_wether", city="Rome"),
    "tool, a function says no": lambda: three().assert_tool_called("get_weather", city=str.isdigit),
    "tool, none called": lambda: three().where(model="gpt-5-mini").assert_tool_called("get_weather"),
    "tool, broken arguments": lambda: shapeless().assert_tool_called("look_up", words="Rome"),
    "tool, nothing asked": lambda: Requests().assert_tool_called("get_weather"),
    "arguments, several wrong": lambda: shapeless().assert_tool_arguments_valid(),
    "arguments, the only call": lambda: journal(
        (chat("Rain?", tools=TOOLS), call("look_up"))
    ).assert_tool_arguments_valid(),
    "cache, time in the system prompt": lambda: talk(
        system(TRAVEL.format("2026-11-21 12:01")), *HISTORY[1:]
    ).assert_prompt_cache_stable(),
    "cache, another system prompt": lambda: talk(
        system(TRAVEL.format("raining")), *HISTORY[1:]
    ).assert_prompt_cache_stable(),
    "cache, tools in another order": lambda: talk(*HISTORY, tools=TOOLS[::-1]).assert_prompt_cache_stable(),
    "cache, another tool": lambda: talk(*HISTORY, tools=[*TOOLS, tool("shop")]).assert_prompt_cache_stable(),
    "cache, another schema": lambda: talk(*HISTORY, tools=[TOOLS[0], tool("look_up", {})]).assert_prompt_cache_stable(),
    "cache, keys of a tool in another order": lambda: journal(
        (
            chat(NOON, "Rain?", tools=[tool("get_weather", {"type": "object", "properties": PROPERTIES}), TOOLS[1]]),
            "No.",
        ),
        (chat(NOON, "Rain?", "No.", "Snow?", tools=RETOLD), "No."),
    ).assert_prompt_cache_stable(),
    "cache, a message was changed": lambda: talk(
        NOON, "It rains. Plan a day in Rome", *ON
    ).assert_prompt_cache_stable(),
    "cache, several requests": lambda: journal(
        (chat(NOON, "Plan a day in Rome"), "Start early."),
        (chat(system(TRAVEL.format("2026-11-21 12:01")), *HISTORY[1:]), "Sleep well and long."),
        (chat(system(TRAVEL.format("2026-11-21 12:02")), *HISTORY[1:], "Sleep well and long.", "Thanks"), "Welcome."),
    ).assert_prompt_cache_stable(),
    "cache, instructions": lambda: journal(
        (exchange("responses", {"input": "Rome?", "instructions": "Be brief. Today is 2026-11-21."}), "Start early."),
        (
            exchange(
                "responses",
                {
                    "input": [
                        {"role": "user", "content": "Rome?"},
                        {
                            "type": "message",
                            "role": "assistant",
                            "content": [{"type": "output_text", "text": "Start early."}],
                        },
                        {"role": "user", "content": "And then?"},
                    ],
                    "instructions": "Be brief. Today is 2026-11-22.",
                },
            ),
            "Sleep.",
        ),
    ).assert_prompt_cache_stable(),
}


@pytest.mark.parametrize("name", FAILURES)
def test_the_text_of_a_failure(name: str) -> None:
    text = failed(FAILURES[name])
    path = SNAPSHOTS / f"assertion, {name}.txt"
    if os.environ.get("LLMMOCK_SNAPSHOTS") == "renew":
        path.write_text(text + "\n")
    assert text + "\n" == path.read_text()
    lines = text.splitlines()
    assert len(lines) <= LINES
    assert all(len(line) <= COLUMNS for line in lines if not line.startswith("  * "))


def test_every_text_has_its_failure() -> None:
    kept = {path.stem.removeprefix("assertion, ") for path in SNAPSHOTS.glob("assertion, *.txt")}
    assert kept == set(FAILURES)
