"""Faults that come over HTTP."""

from __future__ import annotations

import pytest
from controlled import Controlled, chat

from pytest_llmmock.control.faults import _FAULTS
from pytest_llmmock.faults import Faults

NO_FAULTS = {"on", "clear", "answer", "seeds"}


def test_every_fault_that_there_is_can_be_set() -> None:
    assert set(_FAULTS) == {name for name in vars(Faults) if not name.startswith("_")} - NO_FAULTS


def server() -> Controlled:
    controlled = Controlled()
    controlled.deck.script.when(operation="chat").reply("hi")
    return controlled


def test_a_fault_is_met_where_it_is_said_and_taken_back() -> None:
    controlled = server()
    assert controlled.told("POST", "faults", {"fault": "server_error", "status": 502, "on": {"call": 2}}) == {
        "fault": "server_error"
    }
    assert [controlled.words("x") for _ in range(3)] == ["hi", 502, "hi"]
    controlled.told("POST", "faults", {"fault": "rate_limit", "times": None, "on": {"model": "gpt-*", "call": [2, 3]}})
    assert [controlled.words("x") for _ in range(3)] == ["hi", 429, 429]
    controlled.told("POST", "faults", {"fault": "rate_limit"})
    assert controlled.told("DELETE", "faults") == {"faults": []}
    assert controlled.words("x") == "hi"


def test_faults_of_streams_and_of_chance_are_taken_too() -> None:
    controlled = server()
    controlled.told("POST", "faults", {"fault": "cut", "after_events": 1, "times": 1})
    assert controlled.handle(chat("x", stream=True)).frames
    controlled.told("POST", "faults", {"fault": "random", "rate": 1, "seed": 7, "kinds": ["server_error"]})
    assert controlled.words("x") == 500


@pytest.mark.parametrize(
    ("body", "told"),
    [
        (7, "There is no fault None. Known are: rate_limit, server_error,"),
        ({"fault": "cutt"}, "There is no fault 'cutt'. Did you mean 'cut'?"),
        ({"fault": "clear"}, "There is no fault 'clear'."),
        ({"fault": "cut", "after_event": 1}, "cut.after_event: there is no such key. Did you mean 'after_events'?"),
        ({"fault": "cut", "after_events": "1"}, "cut.after_events: '1' is not possible."),
        ({"fault": "cut", "after_events": -1}, "faults.cut(after_events=-1): this is a whole number, 0 or more."),
        ({"fault": "cut", "times": "many"}, "cut.times: 'many' is not possible."),
        ({"fault": "stall"}, "stall.seconds: this key is missing."),
        ({"fault": "cut", "on": 7}, "on: an object was expected, such as {}, and not 7."),
        ({"fault": "cut", "on": {"cal": 1}}, "on.cal: there is no such key. Did you mean 'call'?"),
        ({"fault": "cut", "on": {"call": 0}}, "faults.on(call=0): a call is a number from 1"),
    ],
)
def test_what_cannot_be_set_is_told(body: object, told: str) -> None:
    assert Controlled().refused("POST", "faults", body).startswith(told)
