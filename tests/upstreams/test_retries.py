"""When a busy upstream is asked again."""

from __future__ import annotations

import pytest

from pytest_llmmock.core.model import Headers, Reply, json_reply
from pytest_llmmock.upstreams.retries import Retries, told_pause

NOW = 1_700_000_000.0
"""Tue, 14 Nov 2023 22:13:20 GMT."""


def busy(status: int = 429, *headers: tuple[str, str]) -> Reply:
    return json_reply({"error": {}}, status, headers)


def retries(tries: int | None = None, seconds: float = 60.0) -> Retries:
    return Retries(tries, seconds, now=lambda: NOW, chance=lambda: 0.0)


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ((("retry-after", "7"),), 7.0),
        ((("retry-after", "0.25"),), 0.25),
        ((("retry-after-ms", "250"),), 0.25),
        ((("retry-after-ms", "250"), ("retry-after", "1")), 0.25),
        ((("retry-after-ms", "soon"), ("retry-after", "1")), 1.0),
        ((("retry-after", "Tue, 14 Nov 2023 22:13:50 GMT"),), 30.0),
        ((("retry-after", "Tue, 14 Nov 2023 22:13:00 GMT"),), 0.0),
        ((("retry-after", "0"),), 0.0),
        ((("retry-after", "later"),), None),
        ((("retry-after", "-1"),), None),
        ((("retry-after", "nan"),), None),
        ((("retry-after", "inf"),), None),
        ((), None),
    ],
)
def test_what_a_reply_says_of_how_long_to_wait_is_read(headers: Headers, seconds: float | None):
    assert told_pause(headers, NOW) == seconds


@pytest.mark.parametrize("status", [429, 503, 529])
def test_a_busy_upstream_is_asked_again_after_as_long_as_it_says(status):
    assert retries().pause(busy(status, ("retry-after", "7")), 1, 0.0) == 7.0


@pytest.mark.parametrize("status", [200, 400, 401, 500, 502, 504])
def test_any_other_answer_is_passed_on(status):
    assert retries(5).pause(busy(status, ("retry-after", "1")), 1, 0.0) is None


def test_unless_told_how_often_it_is_twice_and_only_where_the_upstream_says_how_long():
    """A quota that is used up is told without, and will be so in a second."""
    told = busy(429, ("retry-after", "1"))
    assert [retries().pause(told, tried, 0.0) for tried in (1, 2, 3)] == [1.0, 1.0, None]
    assert retries().pause(busy(429), 1, 0.0) is None


def test_told_how_often_it_waits_longer_each_time_where_the_upstream_does_not_say():
    pauses = [retries(7).pause(busy(503), tried, 0.0) for tried in range(1, 9)]
    assert pauses == [0.5, 1.0, 2.0, 4.0, 8.0, 8.0, 8.0, None]


def test_not_all_come_again_in_the_same_moment():
    assert Retries(1, chance=lambda: 1.0).pause(busy(503), 1, 0.0) == 0.625


def test_zero_is_never():
    assert retries(0).pause(busy(429, ("retry-after", "1")), 1, 0.0) is None


@pytest.mark.parametrize(("waited", "pause"), [(0.0, 7.0), (53.0, 7.0), (53.1, None)])
def test_in_all_it_waits_no_longer_than_it_may(waited, pause):
    assert retries(5).pause(busy(429, ("retry-after", "7")), 1, waited) == pause
