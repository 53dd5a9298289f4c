"""What went wrong at the upstream, and what the client is told."""

from __future__ import annotations

import json
from typing import Any

import pytest
import responding as upstream
from responding import answered, asked

from pytest_llmmock.core.model import Frame, Reply
from pytest_llmmock.upstreams.translation import as_asked

JSON = (("content-type", "application/json"),)


def refused(status: int, body: object, *headers: tuple[str, str], operation: str = "ollama.chat") -> Reply:
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    return as_asked(asked(operation), Reply(status, (*JSON, *headers), [Frame(data)]))


def failed(code: str | None, message: str | None = "No") -> Reply:
    return as_asked(asked(), answered(upstream.event("failed", response={"error": {"code": code, "message": message}})))


@pytest.mark.parametrize(
    ("code", "status", "kind"),
    [
        ("rate_limit_exceeded", 429, "rate_limit_error"),
        ("insufficient_quota", 429, "rate_limit_error"),
        ("usage_limit_reached", 429, "insufficient_quota"),
        ("subscription_sharing_usage_limit_exceeded", 429, "insufficient_quota"),
        ("usage_not_included", 403, "insufficient_quota"),
        ("context_length_exceeded", 400, "invalid_request_error"),
        ("server_is_overloaded", 503, "api_error"),
        ("slow_down", 503, "api_error"),
        ("something_new", 502, "api_error"),
        (None, 502, "api_error"),
    ],
)
def test_a_failed_response_has_the_status_of_its_code(code: str | None, status: int, kind: str) -> None:
    reply = failed(code)
    error = {"message": "No", "type": kind, "param": None, "code": code}
    assert (reply.status, reply.json()) == (status, {"error": error})


def test_a_failure_without_words_says_so() -> None:
    assert failed(None, None).json()["error"]["message"] == "The upstream failed, and did not say why."


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({"detail": "Store must be set to false"}, "Store must be set to false"),
        ({"detail": {"error_code": "invalid_token"}}, "invalid_token"),
        ({"error": {"message": "No such model", "code": "model_not_found"}}, "No such model"),
        ({"error": "plain"}, "plain"),
        (b"", "The upstream answered with status 400."),
        (b"<html>Blocked</html>", "<html>Blocked</html>"),
    ],
)
def test_a_refusal_tells_whatever_the_body_says(body: object, words: str) -> None:
    assert refused(400, body).json() == {"error": words}


def test_a_detail_becomes_an_error_object() -> None:
    found: Any = refused(401, {"detail": {"error_code": "invalid_token"}}, operation="chat").json()
    expected = {"message": "invalid_token", "type": "authentication_error", "param": None, "code": "invalid_token"}
    assert found == {"error": expected}


def test_an_error_object_stays_as_it_is_for_who_knows_it() -> None:
    error = {"type": "usage_limit_reached", "message": "Enough", "plan_type": "plus", "resets_at": 17}
    assert refused(429, {"error": error}, operation="chat").json() == {"error": error}


def test_who_is_out_of_plan_is_told_when_to_come_back() -> None:
    body = {"error": {"type": "usage_limit_reached", "message": "Enough", "resets_in_seconds": 90}}
    assert ("retry-after", "90") in refused(429, body).headers
    assert [pair for pair in refused(429, body, ("retry-after", "5")).headers if pair[0] == "retry-after"] == [
        ("retry-after", "5")
    ]


def test_a_long_page_is_cut() -> None:
    assert len(refused(403, b"<html>" + b"x" * 5000).json()["error"]) == 500
