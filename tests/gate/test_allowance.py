"""How much may still be asked, and what is told of it."""

from __future__ import annotations

from typing import Any

import pytest
from clocks import Clock
from scripting import asked, chat

from pytest_llmmock.core.model import Exchange, Frame, Problem, Reply, json_reply
from pytest_llmmock.core.pacing import Paced
from pytest_llmmock.gate.allowance import Allowance
from pytest_llmmock.gate.limits import read_limits


class Allowed:
    """An allowance, and requests that are answered at once."""

    def __init__(self, limits: str) -> None:
        self.clock = Clock()
        self.allowance = Allowance(read_limits(limits), lambda prompt: len(prompt.messages[-1].text), self.clock)

    def ask(self, words: str = "hi", used: int | None = None, **fields: Any) -> Problem | Reply:
        exchange = chat(words, **fields)
        problem = self.allowance.refusal(exchange)
        return problem or self.answer(exchange, used)

    def answer(self, exchange: Exchange, used: int | None = None) -> Reply:
        usage = {"usage": {"prompt_tokens": 0, "completion_tokens": used, "total_tokens": used}} if used else {}
        reply = json_reply({"choices": [], **usage})
        return self.allowance.settled(exchange, reply, reply)

    def passes(self, words: str = "hi", **fields: Any) -> bool:
        return isinstance(self.ask(words, **fields), Reply)


def refused(found: Problem | Reply) -> Problem:
    assert isinstance(found, Problem)
    return found


def head(found: Problem | Reply) -> dict[str, str]:
    assert isinstance(found, Reply)
    return dict(found.headers)


def test_requests_of_a_minute_are_counted_and_come_back_one_by_one() -> None:
    allowed = Allowed("rpm=3")
    assert [allowed.passes() for _ in range(4)] == [True, True, True, False]
    problem = refused(allowed.ask())
    assert problem.status == 429
    assert (problem.code, problem.type) == ("rate_limit_exceeded", "requests")
    assert problem.message == "Rate limit reached: 3 requests a minute are allowed (rpm). Try again in 20 s."
    assert dict(problem.headers) == {"retry-after": "20", "retry-after-ms": "20000"}
    allowed.clock.go(20)
    assert [allowed.passes() for _ in range(2)] == [True, False]
    allowed.allowance.reset()
    assert [allowed.passes() for _ in range(4)] == [True, True, True, False]


def test_a_burst_may_come_at_once() -> None:
    allowed = Allowed("rps=8,burst=16")
    assert sum(allowed.passes() for _ in range(40)) == 16
    allowed.clock.go(0.5)
    assert sum(allowed.passes() for _ in range(40)) == 4
    problem = refused(allowed.ask())
    assert dict(problem.headers) == {"retry-after": "1", "retry-after-ms": "125"}


def test_the_limit_that_lasts_longest_is_told() -> None:
    allowed = Allowed("rps=1,rpd=1")
    assert allowed.passes()
    assert "1 requests a day are allowed (rpd)" in refused(allowed.ask()).message


def test_what_only_looks_is_not_counted_and_told_what_is_left() -> None:
    allowed = Allowed("rpm=2")
    for _ in range(3):
        exchange = asked("/v1/models", None, method="GET")
        assert allowed.allowance.refusal(exchange) is None
        assert head(allowed.answer(exchange))["x-ratelimit-remaining-requests"] == "2"


def test_tokens_are_estimated_ahead_and_counted_as_the_answer_tells_them() -> None:
    allowed = Allowed("tpm=600")
    told = head(allowed.ask("x" * 100))
    assert told["x-ratelimit-limit-tokens"] == "600"
    assert told["x-ratelimit-remaining-tokens"] == "500"
    assert told["x-ratelimit-reset-tokens"] == "10s"
    assert head(allowed.ask("x" * 100, used=400))["x-ratelimit-remaining-tokens"] == "100"
    problem = refused(allowed.ask("x" * 10, max_tokens=200))
    assert (problem.status, problem.type) == (429, "tokens")
    assert dict(problem.headers)["retry-after"] == "10"
    assert allowed.passes("x" * 100)


def test_more_tokens_than_there_ever_are_need_not_be_waited_for() -> None:
    problem = refused(Allowed("tpm=50").ask("x" * 51))
    assert problem.message == "Request too large: it needs 51 tokens, and 50 a minute are allowed (tpm)."
    assert dict(problem.headers) == {"x-should-retry": "false"}


def test_only_so_many_are_answered_at_the_same_time() -> None:
    allowed = Allowed("concurrency=2")
    first, second, third = chat("1"), chat("2"), chat("3")
    assert allowed.allowance.refusal(first) is None
    assert allowed.allowance.refusal(second) is None
    problem = refused(allowed.allowance.refusal(third))  # type: ignore[arg-type]
    assert (problem.status, dict(problem.headers)) == (429, {"retry-after": "1"})
    allowed.answer(first)
    assert allowed.allowance.refusal(third) is None


def test_a_stream_takes_its_place_until_it_ends_or_is_left() -> None:
    allowed = Allowed("concurrency=1")
    for ending in (list, Paced.close):
        exchange = chat("slow")
        assert allowed.allowance.refusal(exchange) is None
        whole = Reply(200, (), [Frame(b"a")])
        paced = Paced(whole, exchange.clock, holds_head=False)
        allowed.allowance.settled(exchange, whole, Reply(200, (), paced))
        assert allowed.allowance.refusal(chat()) is not None
        ending(paced)  # type: ignore[operator]
    assert allowed.passes()


def test_what_was_given_up_without_an_answer_takes_no_place() -> None:
    allowed = Allowed("concurrency=1")
    exchange: Exchange | None = chat("broken")
    assert exchange is not None
    assert allowed.allowance.refusal(exchange) is None
    exchange = None
    assert allowed.passes()


def test_what_is_left_replaces_what_was_recorded() -> None:
    allowed = Allowed("rpm=3")
    exchange = chat()
    assert allowed.allowance.refusal(exchange) is None
    recorded = Reply(200, (("x-ratelimit-limit-requests", "9999"), ("x-request-id", "1")), [])
    reply = allowed.allowance.settled(exchange, recorded, recorded)
    assert [value for name, value in reply.headers if name == "x-ratelimit-limit-requests"] == ["3"]
    assert ("x-request-id", "1") in reply.headers
    assert recorded.headers[0][1] == "9999"


def test_without_rates_the_head_stays_as_it_is() -> None:
    reply = json_reply({})
    assert Allowed("messages=3").allowance.settled(chat(), reply, reply) is reply


@pytest.mark.parametrize("headers", [{}, {"anthropic-version": "2023-06-01"}])
def test_anthropics_clients_are_told_in_anthropics_words(headers: dict[str, str]) -> None:
    allowed = Allowed("rpm=60,tpm=6000")
    exchange = asked("/v1/messages", {"model": "m", "messages": [{"role": "user", "content": "hi"}]}, headers=headers)
    exchange.started = 1_700_000_000.5
    assert allowed.allowance.refusal(exchange) is None
    reply = json_reply({})
    told = allowed.allowance.settled(exchange, reply, reply).headers[1:]
    assert told == (
        ("anthropic-ratelimit-requests-limit", "60"),
        ("anthropic-ratelimit-requests-remaining", "59"),
        ("anthropic-ratelimit-requests-reset", "2023-11-14T22:13:21Z"),
        ("anthropic-ratelimit-tokens-limit", "6000"),
        ("anthropic-ratelimit-tokens-remaining", "5998"),
        ("anthropic-ratelimit-tokens-reset", "2023-11-14T22:13:21Z"),
    )
