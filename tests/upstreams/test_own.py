"""Upstreams of a project's own."""

from __future__ import annotations

import pytest

from pytest_llmmock.errors import UsageError
from pytest_llmmock.upstreams import UPSTREAMS, find
from pytest_llmmock.upstreams.credentials import DUMMY_KEY
from pytest_llmmock.upstreams.own import Own, check, read

MINE = Own(url="https://gateway.example/v1", key_env="GATEWAY_KEY", headers={"X-Team": "${TEAM}", "x-plain": "1"})
ENVIRON = {"GATEWAY_KEY": "gw-key", "TEAM": "red"}


def test_it_is_asked_with_its_own_key_and_headers_and_without_those_of_others(asked, send):
    client = (("authorization", "Bearer sk-client"), ("x-team", "blue"), ("openai-organization", "org-1"))
    find("mine", ENVIRON, {"mine": MINE}).forward(asked("/v1/chat/completions", *client), send)
    assert send.request.url == "https://gateway.example/v1/chat/completions"
    assert send.request.headers == (("authorization", "Bearer gw-key"), ("x-team", "red"), ("x-plain", "1"))


def test_without_a_variable_for_its_key_it_is_asked_without_one(asked, send):
    own = {"mine": Own(url="http://127.0.0.1:8000")}
    find("mine", {"LLMMOCK_UPSTREAM_API_KEY": "of-another"}, own).forward(
        asked("/v1/models", ("authorization", "Bearer sk-client")), send
    )
    assert send.request.headers == ()


@pytest.mark.parametrize("path", ["/v1/chat/completions", "/v1/messages", "/api/chat", "/v1/rerank"])
def test_it_is_asked_in_any_protocol(asked, send, path):
    find("mine", ENVIRON, {"mine": MINE}).forward(asked(path), send)
    assert len(send.requests) == 1


@pytest.mark.parametrize("key", ["", " ", DUMMY_KEY])
def test_a_key_that_is_missing_is_told_by_its_variable(key):
    with pytest.raises(UsageError) as caught:
        find("mine", {**ENVIRON, "GATEWAY_KEY": key}, {"mine": MINE})
    assert str(caught.value) == (
        "The upstream 'mine' (https://gateway.example/v1) needs a key, and GATEWAY_KEY is not set."
    )


def test_a_variable_in_a_header_that_is_missing_is_told():
    with pytest.raises(UsageError) as caught:
        find("mine", {"GATEWAY_KEY": "gw-key"}, {"mine": MINE})
    assert str(caught.value) == "The upstream 'mine' has a header with ${TEAM}, and TEAM is not set."


def test_neither_key_nor_headers_show_where_it_is_printed():
    shown = repr(find("mine", ENVIRON, {"mine": MINE}))
    assert "gw-key" not in shown
    assert "red" not in shown


@pytest.mark.parametrize(
    ("name", "url", "told"),
    [
        ("openai", "http://h", "There is an upstream 'openai' already; another name is needed for one of your own."),
        ("my gw", "http://h", "'my gw' is no name for an upstream: letters, digits, '.', '_' and '-', a letter first."),
        ("a", "h/v1", "The upstream 'a' is at 'h/v1', which is no address. One looks like http://127.0.0.1:8000/v1."),
    ],
)
def test_what_is_none_is_refused(name, url, told):
    with pytest.raises(UsageError) as caught:
        check(name, Own(url=url), UPSTREAMS)
    assert str(caught.value) == told


def test_it_is_told_in_a_line():
    assert read("mine = https://h/v1 KEY") == ("mine", {"url": "https://h/v1", "key_env": "KEY"})
    assert read("mine=https://h/v1?a=b") == ("mine", {"url": "https://h/v1?a=b"})


@pytest.mark.parametrize("text", ["mine", "=http://h", "mine=", "mine = http://h KEY more"])
def test_a_line_of_another_form_is_refused(text):
    with pytest.raises(UsageError, match="is not of the form NAME=URL or NAME=URL KEY_VARIABLE"):
        read(text)
