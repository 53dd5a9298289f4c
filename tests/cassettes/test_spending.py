"""A request that comes when the budget is spent is not sent."""

from __future__ import annotations

import pytest

from pytest_llmmock import dialects
from pytest_llmmock.cassettes.budget import InMemory, read_budget
from pytest_llmmock.cassettes.spending import Spending
from pytest_llmmock.core.model import Request, json_reply
from pytest_llmmock.errors import UpstreamError

ASKED = dialects.read(
    Request(
        "POST",
        "http://localhost",
        "/v1/chat/completions",
        body=b'{"model": "gpt-5", "messages": [{"role": "user", "content": "hi"}]}',
    )
)


def answer(tokens: int):
    return json_reply({"choices": [], "usage": {"prompt_tokens": 1, "total_tokens": tokens}})


def spending(text: str) -> Spending:
    return Spending(read_budget(text), InMemory())


def test_so_many_requests_are_asked_and_no_more():
    spends = spending("2")
    for _ in range(2):
        spends.asks(ASKED)
        spends.keeps(ASKED, answer(1000))
    with pytest.raises(UpstreamError) as caught:
        spends.asks(ASKED)
    assert str(caught.value) == (
        "The budget of this recording run is spent, and this request was not sent.\n\n"
        "  POST /v1/chat/completions   gpt-5, 1 message\n\n"
        "Budget: 2 requests   spent: 2 requests, 2k tokens\n\n"
        "To fix it:\n"
        "  * If more may be asked, raise it:  --llm-budget=4 (pytest), --budget 4 (llmmock), LLMMOCK_BUDGET.\n"
        "  * Or run it again: what was recorded is replayed, and only the rest is asked for. What a failed test has "
        "recorded is replayed after `llmmock accept`."
    )


def test_tokens_are_counted_at_the_end_of_an_answer_and_what_is_then_asked_is_refused():
    spends = spending("100 tokens")
    spends.asks(ASKED)
    spends.asks(ASKED)  # nobody knows yet what the first one costs
    spends.keeps(ASKED, answer(99))
    spends.asks(ASKED)
    spends.keeps(ASKED, answer(1))
    with pytest.raises(UpstreamError, match=r'spent: 3 requests, 100 tokens(.|\n)*="200 tokens"'):
        spends.asks(ASKED)


def test_what_was_refused_is_not_counted():
    spends = spending("1")
    spends.asks(ASKED)
    for _ in range(3):
        with pytest.raises(UpstreamError, match="spent: 1 request\n"):
            spends.asks(ASKED)


def test_a_request_that_failed_was_asked_all_the_same():
    spends = spending("1")
    spends.asks(ASKED)
    spends.fails(ASKED)
    with pytest.raises(UpstreamError):
        spends.asks(ASKED)
