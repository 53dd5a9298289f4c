"""Errors that are written by hand, in the shape of each protocol."""

from __future__ import annotations

import pytest
from scripting import asked, chat, replied

from pytest_llmmock.script.problems import USUAL
from pytest_llmmock.script.source import Script


def refused(exchange, *given, **named):
    script = Script()
    script.for_any().error(*given, **named)
    return replied(script, exchange)


@pytest.mark.parametrize("status", [*USUAL, 418, 502])
def test_each_status_has_a_message_of_its_own(status):
    reply = refused(chat(), status)
    assert (reply.status, reply.source) == (status, "script")
    assert reply.json()["error"]["message"]
    assert "{" not in reply.json()["error"]["message"]


def test_a_rate_limit_reads_as_openai_tells_it():
    assert refused(chat(), 429, retry_after=2).json() == {
        "error": {
            "message": "Rate limit reached for gpt-5. Try again later.",
            "type": "requests",
            "param": None,
            "code": "rate_limit_exceeded",
        }
    }


def test_sdks_do_not_wait_and_see_what_they_would_have_to():
    assert dict(refused(chat(), 429, retry_after=2).headers)["retry-after"] == "2"
    assert dict(refused(chat(), 429, retry_after=2).headers)["retry-after-ms"] == "1"
    assert dict(refused(chat(), 503).headers)["retry-after-ms"] == "1"
    assert "retry-after-ms" not in dict(refused(chat(), 400).headers)


def test_code_and_message_can_be_given():
    error = refused(chat(), 400, "context_length_exceeded", "Too long.").json()["error"]
    assert (error["code"], error["message"]) == ("context_length_exceeded", "Too long.")


def test_other_protocols_have_other_shapes():
    body = {"messages": [], "model": "m"}
    assert refused(asked("/v1/messages", body), 529).json()["error"]["type"] == "overloaded_error"
    assert refused(asked("/api/chat", body), 404).json() == {
        "error": "The model 'm' does not exist or you do not have access to it."
    }
