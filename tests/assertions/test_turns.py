"""Which request goes on from which. Whether that raises alarms is in test_prefixes.py."""

from __future__ import annotations

from typing import Any

import pytest
from asserting import call, chat, exchange, journal, system

from pytest_llmmock.assertions.requests import Requests
from pytest_llmmock.assertions.turns import followed, turns

AGENT = system("You are a travel agent. Answer briefly.")


def links(requests: Requests) -> dict[int, int | None]:
    """The number of each request, and of the one that it goes on from."""
    found = turns(tuple(enumerate(requests, 1)))
    before = {turn.number: followed(turn, found[:at]) for at, turn in enumerate(found)}
    return {number: None if turn is None else turn.number for number, turn in before.items()}


def test_what_is_no_conversation_has_no_turn() -> None:
    requests = journal((chat(), "Hello"), (exchange("chat", {"messages": 5}), "Hello"), (chat("Hi"), "Hello"))
    assert links(requests) == {3: None}


def test_a_conversation_is_followed_from_answer_to_answer() -> None:
    requests = journal(
        (chat("Rome?"), "Start early."),
        (chat("Rome?", "Start early.", "And then?"), "Sleep."),
        (chat("Rome?", "Start early.", "And then?", "Sleep.", "Thanks"), "Bye."),
    )
    assert links(requests) == {1: None, 2: 1, 3: 2}


def test_branches_go_on_from_the_same_request() -> None:
    requests = journal(
        (chat("Rome?"), "Start early."), *((chat("Rome?", "Start early.", f"And {n}?"), f"{n}") for n in range(3))
    )
    assert links(requests) == {1: None, 2: 1, 3: 1, 4: 1}


def test_of_two_that_were_answered_the_same_it_is_the_one_whose_whole_is_there() -> None:
    requests = journal(
        (chat("What is there to see in Rome?"), "A lot."),
        (chat("What is there to see in Oslo?"), "A lot."),
        (chat("What is there to see in Rome?", "A lot.", "Namely?"), "Churches."),
    )
    assert links(requests) == {1: None, 2: None, 3: 1}


def test_an_answer_is_known_by_the_ids_of_its_calls_or_by_what_they_ask() -> None:
    def step(id: str, **arguments: Any) -> dict[str, Any]:
        function = {"name": "look", "arguments": str(arguments).replace("'", '"')}
        return {"role": "assistant", "tool_calls": [{"id": id, "type": "function", "function": function}]}

    asked = chat(AGENT, "Rain?")
    answered = {"role": "tool", "tool_call_id": "c1", "content": "no"}
    named = journal(
        (asked, call("look", {"at": 1}, id="c1")), (chat(AGENT, "Rain?", step("c1", at=2), answered), "No.")
    )
    assert links(named) == {1: None, 2: 1}
    other = journal(
        (asked, call("look", {"at": 1}, id="c1")), (chat(AGENT, "Rain?", step("c2", at=1), answered), "No.")
    )
    assert links(other) == {1: None, 2: None}


@pytest.mark.parametrize(
    ("prompt", "goes_on"),
    [
        ("You are a travel agent. Answer briefly.", True),
        ("You are a travel agent. Answer briefly. It is 10:30.", True),
        ("You are a pirate who knows nothing but gold and rum.", False),
    ],
)
def test_an_agent_that_takes_over_begins_anew(prompt: str, goes_on: bool) -> None:
    requests = journal(
        (chat(AGENT, "Rome?"), "Start early."), (chat(system(prompt), "Rome?", "Start early.", "And then?"), "Sleep.")
    )
    assert links(requests)[2] == (1 if goes_on else None)


@pytest.mark.parametrize(
    ("before", "now", "goes_on"),
    [
        ("It is 2026-11-21 10:00. Rome?", "It is 2026-11-22 11:00. Rome?", True),
        ("Plan a day", "It rains. Plan a day in Rome", True),
        ("Rome?", "Context. Rome?", False),
        ("Summarise document 17", "Summarise document 18", False),
    ],
)
def test_a_question_is_the_same_but_for_what_changes_on_every_run(before: str, now: str, goes_on: bool) -> None:
    requests = journal((chat(before), "Start early."), (chat(now, "Start early.", "And then?"), "Sleep."))
    assert links(requests)[2] == (1 if goes_on else None)


def test_short_answers_found_elsewhere_mean_nothing() -> None:
    window = (chat("And so on, please"), "OK"), (chat("One", "Two", "And so on, please", "OK", "Go on"), "Fine")
    assert links(journal(*window))[2] is None
    telling = (
        (chat("And so on, please"), "That is all there is."),
        (chat("One", "Two", "And so on, please", "That is all there is.", "Go on"), "Fine"),
    )
    assert links(journal(*telling))[2] == 1
