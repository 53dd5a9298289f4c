from __future__ import annotations

from typing import Any

import pytest
from asserting import chat, failed, journal

from pytest_llmmock import UsageError
from pytest_llmmock.assertions.counts import split
from pytest_llmmock.assertions.requests import Requests


def asked(*models: str) -> Requests:
    return journal(*((chat("Hi", model=model), "Hello") for model in models))


@pytest.mark.parametrize(
    ("count", "times", "holds"),
    [(0, None, False), (1, None, True), (3, None, True), (0, 0, True), (1, 0, False), (2, 2, True), (3, 2, False)],
)
def test_requests_are_counted(count: int, times: int | None, holds: bool) -> None:
    requests = asked(*["a"] * count, "b")
    if holds:
        requests.assert_called(times=times, model="a")
    else:
        failed(lambda: requests.assert_called(times=times, model="a"))


def test_a_number_in_the_first_place_is_how_often() -> None:
    asked("a", "a").assert_called(2)
    assert failed(lambda: asked("a").assert_called(2)).startswith("One request was made, and 2 were expected:\n")
    assert split((2, len), None) == ((len,), 2)
    assert split((len,), 1) == ((len,), 1)


@pytest.mark.parametrize("times", [-1, True, "2", 1.5])
def test_how_often_is_a_number(times: Any) -> None:
    with pytest.raises(UsageError, match=r"^assert_called\(times=.*\): a number of requests was expected"):
        asked("a").assert_called(times=times)


def test_the_nearest_request_is_the_one_with_the_fewest_misfits_then_the_most_words() -> None:
    requests = journal(
        (chat("Nothing at all", model="a"), ""),
        (chat("Plan a day in Rome", model="gpt-5"), ""),
        (chat("Plan a day", model="gpt-5"), ""),
    )
    text = failed(lambda: requests.assert_called(model="gpt-5", contains="a day in Paris"))
    assert [line[:4].strip() for line in text.splitlines() if line.startswith("  #")] == ["#2", "#3", "#1"]


def test_not_called_without_conditions_is_for_any_request() -> None:
    Requests().assert_not_called()
    asked("a").assert_not_called(model="b")
    assert failed(asked("a").assert_not_called).startswith("One request was made, and none was expected:\n")
