from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_llmmock.cassettes.cassette import Recorded
from pytest_llmmock.cassettes.scrub import REPLY_HEADERS, REQUEST_HEADERS, kept, scrub, scrub_request
from pytest_llmmock.core.model import Reply, Request, frames_of

SECRET_HEADERS = [
    *("authorization", "proxy-authorization", "x-api-key", "api-key", "x-goog-api-key", "cookie", "set-cookie"),
    *("openai-organization", "openai-project", "x-stainless-os", "user-agent", "cf-ray", "x-ratelimit", "host"),
]
LETTERS = st.sampled_from("abcdefghijklmnopqrstuvwxyz0123456789-_*?[]")
NAMES = st.sampled_from(SECRET_HEADERS) | st.text(LETTERS, min_size=1)
ON_THE_LIST = {name for name in (*REQUEST_HEADERS, *REPLY_HEADERS) if "*" not in name}


def recorded(headers: list[tuple[str, str]]) -> Recorded:
    request = Request("POST", "https://h.example", "/v1/x", headers=tuple(headers))
    return Recorded(request, Reply(200, tuple(headers), frames_of(b"Hi")), {"upstream": "openai"})


@given(st.lists(NAMES))
def test_a_header_that_is_not_on_the_list_is_not_kept_whatever_its_name(names: list[str]) -> None:
    secret = [(name, "s3cr3t") for name in names if name not in ON_THE_LIST and not name.startswith("x-ratelimit-")]
    secret = [pair for pair in secret if not pair[0].startswith("anthropic-ratelimit-")]
    clean = scrub(recorded([("content-type", "text/plain"), *secret]))
    assert clean.request.headers == (("content-type", "text/plain"),)
    assert clean.reply.headers == (("content-type", "text/plain"),)


def test_no_secret_header_is_on_a_list() -> None:
    for allowed in (REQUEST_HEADERS, REPLY_HEADERS):
        assert kept(tuple((name, "s3cr3t") for name in SECRET_HEADERS), allowed) == ()


def test_headers_on_the_list_are_kept_in_their_order_and_as_often_as_they_came() -> None:
    headers = (("x-ratelimit-limit-tokens", "1"), ("retry-after", "2"), ("cookie", "c"), ("retry-after", "3"))
    assert kept(headers, REPLY_HEADERS) == (headers[0], headers[1], headers[3])
    assert kept(headers, REQUEST_HEADERS) == ()


@pytest.mark.parametrize(
    ("origin", "clean"),
    [
        ("https://h.example", "https://h.example"),
        ("https://user:p%40ss@h.example:1", "https://h.example:1"),
        ("https://key@[::1]:1", "https://[::1]:1"),
    ],
)
def test_a_user_and_a_password_go_out_of_the_address(origin: str, clean: str) -> None:
    assert scrub_request(Request("GET", origin, "/")).origin == clean


@pytest.mark.parametrize(
    "name",
    [
        *("key", "api_key", "api-key", "apikey", "token", "access_token", "refresh_token", "sig", "signature", "auth"),
        *("client_secret", "subscription-key", "password", "x-amz-signature", "x-amz-security-token", "id_token"),
        *("x-amz-credential", "x-goog-signature", "secret"),
    ],
)
@pytest.mark.parametrize("spell", [str, str.upper, lambda name: "".join(f"%{ord(letter):02x}" for letter in name)])
def test_parameters_that_carry_credentials_go_out_of_the_query(name: str, spell: object) -> None:
    query = f"a=%2F+b&{spell(name)}=s3cr3t&b="  # type: ignore[operator]
    assert scrub_request(Request("GET", "https://h.example", "/", query)).query == "a=%2F+b&b="


@pytest.mark.parametrize("query", ["", "a", "a=1&a=2", "b=&a=%2f%2F", "a=1;b=2", "keys=1", "%zz"])
def test_a_harmless_query_stays_as_it_was_written(query: str) -> None:
    assert scrub_request(Request("GET", "https://h.example", "/", query)).query == query


def test_all_else_stays_and_scrubbing_again_changes_nothing() -> None:
    request = Request("PUT", "https://u@h.example", "/v1/x", "a=1&key=2", (("accept", "a"), ("cookie", "c")), b"Hello")
    clean = scrub(
        Recorded(request, Reply(201, (("x-other", "e"),), frames_of(b"Hi"), "Created"), {"upstream": "openai"})
    )
    assert clean.request == Request("PUT", "https://h.example", "/v1/x", "a=1", (("accept", "a"),), b"Hello")
    assert clean.reply == Reply(201, (), frames_of(b"Hi"), "Created")
    assert clean.meta == {"upstream": "openai"}
    assert scrub(clean) == clean


@pytest.mark.parametrize(
    ("location", "clean"),
    [
        ("/v1/models", "/v1/models"),
        ("https://user:pw@h.example/a?x=1&token=s3cr3t", "https://h.example/a?x=1"),
        ("https://h.example/a@b", "https://h.example/a@b"),
        ("?key=s3cr3t", "?"),
    ],
)
def test_a_redirect_is_kept_without_what_its_address_says_of_the_user(location: str, clean: str) -> None:
    reply = Reply(307, (("location", location),), [])
    assert scrub(Recorded(Request("GET", "https://h.example", "/"), reply)).reply.headers == (("location", clean),)
