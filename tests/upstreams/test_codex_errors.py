"""What the backend says instead of an answer, in words that tell what to do."""

from __future__ import annotations

import json
import time
from datetime import datetime
from pathlib import Path

import pytest

from pytest_llmmock.core.model import Frame, Problem, Reply, json_reply
from pytest_llmmock.upstreams.codex_errors import duration, problem_of
from pytest_llmmock.upstreams.logins import CLIENT_ID, TOOLS, Login

HOST = "chatgpt.com"
LOGIN = Login(TOOLS[0], Path("/home/me/.codex/auth.json"), CLIENT_ID)
NOW = 1_795_000_000.0


def problem(status: int, body: object, *headers: tuple[str, str]) -> Problem:
    if isinstance(body, bytes):
        reply = Reply(status, (("content-type", "text/html; charset=UTF-8"), *headers), [Frame(body)])
    else:
        reply = json_reply(body, status, headers)
    return problem_of(reply, HOST, LOGIN, lambda: NOW)


@pytest.fixture(autouse=True)
def in_rome(monkeypatch):
    monkeypatch.setenv("TZ", "CET-1")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


# --- both shapes ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({"detail": "Unsupported parameter: metadata"}, "Unsupported parameter: metadata"),
        ({"detail": [{"loc": ["body"], "msg": "Field required"}, {"msg": "And this"}]}, "Field required; And this"),
        ({"detail": {"message": "Said deeper"}}, "Said deeper"),
        ({"detail": {"error_code": "invalid_token"}}, "invalid_token"),
        ({"error": "in a word"}, "in a word"),
        ({"error": {"message": "as usual", "type": "invalid_request_error"}}, "as usual"),
        ({}, "chatgpt.com answered with status 400 and no reason."),
        (["odd"], "chatgpt.com answered with status 400 and no reason."),
        ("odd", "chatgpt.com answered with status 400 and no reason."),
    ],
)
def test_the_reason_is_found_in_either_shape(body, message):
    found = problem(400, body)
    assert (found.status, found.message, found.type) == (400, message, "invalid_request_error")


def test_code_and_parameter_are_kept():
    error = {"message": "Missing", "type": "invalid_request_error", "param": "tools[0].name", "code": "missing"}
    found = problem(400, {"error": error})
    assert (found.param, found.code) == ("tools[0].name", "missing")


@pytest.mark.parametrize(
    ("status", "kind"),
    [(403, "permission_error"), (404, "not_found_error"), (422, "invalid_request_error"), (503, "server_error")],
)
def test_the_type_says_what_kind_it_is(status, kind):
    assert problem(status, {"detail": "No"}).type == kind


# --- limits of the plan ---------------------------------------------------------------------------------


def windows(primary: str, secondary: str, **more: str) -> list[tuple[str, str]]:
    told = {"primary-used-percent": primary, "secondary-used-percent": secondary, **more}
    return [(f"x-codex-{name.replace('_', '-')}", value) for name, value in told.items()]


@pytest.mark.parametrize(
    ("headers", "wait"),
    [
        (windows("100", "40", primary_reset_at=str(int(NOW) + 60), secondary_reset_at=str(int(NOW) + 90)), "60"),
        (windows("100", "100.0", primary_reset_at=str(int(NOW) + 60), secondary_reset_at=str(int(NOW) + 90)), "90"),
        (windows("100", "0", primary_reset_at=str(int(NOW) + 60), primary_reset_after_seconds="70"), "60"),
        (windows("12.5", "100", secondary_reset_after_seconds="70"), "70"),
        (windows("99", "99", primary_reset_at=str(int(NOW) + 60)), None),
        (windows("100", "much", primary_reset_at="soon"), None),
        (windows("nan", "inf", secondary_reset_at="inf"), None),
    ],
)
def test_a_plan_that_is_used_up_may_say_it_in_headers_only(headers, wait):
    """The windows have no order: one that is used up counts, and of two the one that lasts longer."""
    found = problem(429, {"error": {"type": "usage_limit_reached", "message": "x"}}, *headers)
    assert dict(found.headers).get("retry-after") == wait


def test_a_plan_that_is_used_up_says_when_it_resets():
    error = {"type": "usage_limit_reached", "message": "x", "plan_type": "plus", "resets_at": NOW + 7260}
    found = problem(429, {"error": error})
    when = datetime.fromtimestamp(NOW + 7260).astimezone().strftime("%Y-%m-%d %H:%M")
    assert found.message == (
        f"The usage limit of the ChatGPT plan (plus) is reached. It resets at {when} CET, in 2 h 1 min. "
        "What is recorded is kept; go on then, or record with an API key (--llm-upstream=openai)."
    )
    assert (found.status, found.type, found.code) == (429, "insufficient_quota", "usage_limit_reached")
    assert dict(found.headers) == {"retry-after": "7260", "x-should-retry": "false"}


def test_older_backends_say_how_long_it_takes():
    found = problem(429, {"error": {"type": "usage_limit_reached", "resets_in_seconds": 90.2}})
    assert "in 1 min 31 s" in found.message
    assert dict(found.headers)["retry-after"] == "91"


@pytest.mark.parametrize("resets", [None, "soon", True, -5, float("1e300")])
def test_where_nobody_says_when_nothing_is_made_up(resets):
    found = problem(429, {"error": {"type": "usage_limit_reached", "resets_at": resets}})
    assert "it was not said when it resets" in found.message
    assert dict(found.headers) == {"x-should-retry": "false"}


def test_a_reset_that_has_been_is_now():
    found = problem(429, {"error": {"type": "usage_limit_reached", "resets_at": NOW - 10}})
    assert "in 0 s" in found.message
    assert dict(found.headers)["retry-after"] == "0"


def test_a_plan_without_codex_is_told():
    found = problem(429, {"error": {"type": "usage_not_included", "message": "x"}})
    assert found.message == (
        "The ChatGPT plan of this login has no Codex. Record with an API key (--llm-upstream=openai)."
    )
    assert dict(found.headers) == {"x-should-retry": "false"}


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, "0 s"),
        (59, "59 s"),
        (60, "1 min"),
        (61, "1 min 1 s"),
        (3600, "1 h"),
        (3601, "1 h"),
        (7260, "2 h 1 min"),
        (90061, "1 d 1 h"),
        (604800, "7 d"),
    ],
)
def test_a_duration_is_told_in_its_two_largest_units(seconds, words):
    assert duration(seconds) == words


# --- too fast -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("message", "headers"),
    [
        ("Please try again in 1.5s.", {"retry-after-ms": "1500", "retry-after": "2"}),
        ("Please try again in 20 ms", {"retry-after-ms": "20", "retry-after": "1"}),
        ("Please try again in 11.054s. Visit", {"retry-after-ms": "11054", "retry-after": "12"}),
        ("Slow down", {}),
    ],
)
def test_how_long_to_wait_is_read_from_the_words(message, headers):
    found = problem(429, {"error": {"type": "tokens", "code": "rate_limit_exceeded", "message": message}})
    assert dict(found.headers) == headers
    assert (found.message, found.code, found.type) == (message, "rate_limit_exceeded", "rate_limit_error")


def test_a_header_says_it_better():
    found = problem(429, {"error": {"message": "try again in 9s"}}, ("retry-after", "3"))
    assert dict(found.headers) == {"retry-after": "3"}


# --- who is refused -------------------------------------------------------------------------------------


def test_a_login_that_is_refused_after_its_renewal_is_named():
    found = problem(401, {"error": {"message": "Expired", "code": "token_expired"}})
    assert found.message == (
        "chatgpt.com refuses the login of the Codex CLI (llmmock info tells where it is), also after it was renewed: "
        "token_expired. Log in again:  codex login"
    )
    assert (found.status, found.type, dict(found.headers)) == (401, "authentication_error", {"x-should-retry": "false"})


def test_cloudflare_is_told_from_the_backend():
    page = b"<!DOCTYPE html><title>Just a moment...</title> Ray ID: 8f2a"
    found = problem(403, page)
    assert found.message == (
        "What stands in front of chatgpt.com (Cloudflare) has refused the request: status 403, a web page. It does so "
        "for addresses of data centres and VPNs, and for clients it does not know; pytest-llmmock does not pass itself "
        "off as another one. Record from another network, or with an API key (--llm-upstream=openai)."
    )
    assert (found.status, found.type, dict(found.headers)) == (403, "permission_error", {"x-should-retry": "false"})


@pytest.mark.parametrize("status", [500, 502, 503])
def test_a_page_of_an_error_is_not_repeated(status):
    found = problem(status, b"  <html>Bad gateway, ray 8f2a</html>")
    assert found.message == (
        f"chatgpt.com answered with status {status} and a web page where JSON is due. Try again later."
    )
    assert found.type == "server_error"


def test_a_page_is_known_by_what_it_holds():
    reply = Reply(403, (("content-type", "text/plain"),), [Frame(b"\n<html></html>")])
    assert problem_of(reply, HOST, LOGIN).code == "blocked"


def test_what_is_no_text_breaks_nothing():
    reply = Reply(400, (("content-type", "application/json"),), [Frame(json.dumps({"error": {"code": 7}}).encode())])
    assert problem_of(reply, HOST, LOGIN).status == 400
