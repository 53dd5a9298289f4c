"""Pages of other origins."""

from __future__ import annotations

import pytest

from pytest_llmmock.core.model import Frame, Reply, Request
from pytest_llmmock.errors import UsageError
from pytest_llmmock.gate.origins import opened_to, read_origins

PAGE = "http://localhost:5173"


def answer(request: Request) -> Reply:
    headers = (("content-type", "text/event-stream"), ("x-request-id", "1"), ("access-control-allow-origin", "old"))
    return Reply(200, headers, [Frame(b"data: 1\n\n")])


def asked(origins: tuple[str, ...], method: str = "POST", **headers: str) -> Reply:
    pairs = tuple((name.replace("_", "-"), value) for name, value in headers.items())
    return opened_to(read_origins(origins), answer)(Request(method, "http://x", "/v1/models", headers=pairs))


def test_without_origins_nothing_is_added() -> None:
    assert opened_to((), answer) is answer


def test_a_page_of_the_origin_may_read_the_answer_and_its_head() -> None:
    reply = asked((PAGE, "https://app.example"), origin=PAGE)
    assert reply.headers == (
        ("content-type", "text/event-stream"),
        ("x-request-id", "1"),
        ("vary", "Origin"),
        ("access-control-allow-origin", PAGE),
        ("access-control-expose-headers", "content-type, x-request-id"),
    )
    assert reply.body == b"data: 1\n\n"


@pytest.mark.parametrize("origin", ["http://localhost:51734", "http://evil.example", "null", PAGE + ".evil.example"])
def test_another_origin_gets_no_header(origin: str) -> None:
    names = [name for name, _ in asked((PAGE,), origin=origin).headers]
    assert names == ["content-type", "x-request-id", "vary"]
    ahead = asked((PAGE,), "OPTIONS", origin=origin, access_control_request_method="POST")
    assert [name for name, _ in ahead.headers] == ["vary"]


def test_any_origin_is_let_in_by_a_star() -> None:
    told = dict(asked(("*",), origin="http://anywhere").headers)
    assert told["access-control-allow-origin"] == "*"
    assert "vary" not in told


def test_what_a_browser_asks_ahead_is_answered_by_us() -> None:
    reply = asked(
        (PAGE.upper().replace("HTTP", "http"),),
        "OPTIONS",
        origin=PAGE,
        access_control_request_method="POST",
        access_control_request_headers="authorization, x-stainless-os",
        access_control_request_private_network="true",
    )
    assert (reply.status, reply.body) == (204, b"")
    told = dict(reply.headers)
    assert told["access-control-allow-origin"] == PAGE
    assert told["access-control-allow-headers"] == "authorization, x-stainless-os"
    assert "DELETE" in told["access-control-allow-methods"]
    assert told["access-control-allow-private-network"] == "true"
    assert told["vary"].startswith("Origin")


def test_other_options_are_asked_like_anything() -> None:
    assert asked((PAGE,), "OPTIONS", origin=PAGE).status == 200


@pytest.mark.parametrize("origin", ["localhost:5173", "http://x/", "http://x/path", "", "http://a, http://b", "x@y"])
def test_what_is_no_origin_is_refused(origin: str) -> None:
    with pytest.raises(UsageError, match=r"is not an origin\. Say scheme, host and port without a path"):
        read_origins(origin)
