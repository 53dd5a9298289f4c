from __future__ import annotations

from collections.abc import Callable

import pytest

from pytest_llmmock.core.engine import Engine
from pytest_llmmock.core.journal import Journal
from pytest_llmmock.core.model import Exchange, Reply, Request, frames_of
from pytest_llmmock.errors import CassetteError, LLMMockError, UpstreamError

REQUEST = Request("POST", "http://localhost", "/v1/chat/completions", body=b'{"model": "gpt-5"}')

Read = Callable[[Request], Exchange]


class Knows:
    """A source that answers with a text, raises, or has nothing to say."""

    def __init__(self, text: str | None = None, error: Exception | None = None) -> None:
        self.text, self.error = text, error
        self.asked = 0

    def answer(self, exchange: Exchange) -> Reply | None:
        self.asked += 1
        if self.error is not None:
            raise self.error
        return None if self.text is None else Reply(200, (), frames_of(self.text.encode()), source="script")


def engine(read: Read, *sources: Knows) -> Engine:
    return Engine(read, sources, lambda exchange: f"no {exchange.operation} recorded", Journal())


def test_the_first_source_that_knows_an_answer_wins_and_no_later_one_is_asked(read: Read) -> None:
    silent, first, second = Knows(), Knows("first"), Knows("second")
    reply = engine(read, silent, first, second).handle(REQUEST)
    assert reply.body == b"first"
    assert (silent.asked, first.asked, second.asked) == (1, 1, 0)


def test_every_exchange_is_noted(read: Read) -> None:
    asked = engine(read, Knows("yes"))
    asked.handle(REQUEST)
    assert [(entry.text, entry.source, entry.trouble) for entry in asked.journal] == [("yes", "script", "")]


def test_a_request_that_nobody_answers_is_refused_with_the_explanation(read: Read) -> None:
    asked = engine(read, Knows())
    reply = asked.handle(REQUEST)
    assert (reply.status, reply.source) == (404, "unmatched")
    assert reply.json() == {"error": {"message": "no chat recorded", "code": "no_recording"}}
    assert ("x-should-retry", "false") in reply.headers
    assert asked.journal.last.trouble == "no chat recorded"


@pytest.mark.parametrize(
    ("error", "status", "source", "code"),
    [
        (UpstreamError("no network"), 502, "upstream", "upstream_error"),
        (CassetteError("no network"), 500, "unmatched", "llmmock_error"),
        (LLMMockError("no network"), 500, "unmatched", "llmmock_error"),
    ],
)
def test_an_error_of_ours_is_an_answer_and_not_an_exception(
    read: Read, error: Exception, status: int, source: str, code: str
) -> None:
    asked = engine(read, Knows(error=error), Knows("later"))
    reply = asked.handle(REQUEST)
    assert (reply.status, reply.source) == (status, source)
    assert reply.json() == {"error": {"message": "no network", "code": code}}
    assert ("x-should-retry", "false") in reply.headers
    assert asked.journal.last.trouble == "no network"


def test_a_request_that_says_it_is_json_and_is_not_is_told_so(read: Read) -> None:
    headers = (("content-type", "application/json; charset=utf-8"),)
    asked = engine(read, Knows())
    reply = asked.handle(Request("POST", "http://localhost", "/v1/chat/completions", "", headers, b'{"model": \xff'))
    assert (reply.status, reply.source) == (400, "unmatched")
    message = reply.json()["error"]["message"]
    assert message.startswith("The body of POST /v1/chat/completions is not JSON: ")
    assert message.endswith("It begins: '{\"model\": \\ufffd'")
    assert asked.journal.last.trouble == message


@pytest.mark.parametrize(("content_type", "body"), [("text/plain", b"{"), ("application/json", b""), ("", b"{")])
def test_a_request_that_does_not_say_so_is_only_without_a_recording(read: Read, content_type: str, body: bytes) -> None:
    request = Request("POST", "http://localhost", "/v1/x", "", (("content-type", content_type),), body)
    assert engine(read, Knows()).handle(request).status == 404


def test_a_recording_of_a_request_that_is_not_json_is_played(read: Read) -> None:
    headers = (("content-type", "application/json"),)
    request = Request("POST", "http://localhost", "/v1/chat/completions", "", headers, b"{")
    assert engine(read, Knows("yes")).handle(request).body == b"yes"


def test_an_error_that_is_not_ours_is_not_hidden(read: Read) -> None:
    with pytest.raises(ZeroDivisionError):
        engine(read, Knows(error=ZeroDivisionError())).handle(REQUEST)
