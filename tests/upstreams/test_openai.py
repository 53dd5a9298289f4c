"""The upstream `openai`: OpenAI's own endpoint, with the key of the environment."""

from __future__ import annotations

import pytest

from pytest_llmmock.errors import UsageError
from pytest_llmmock.upstreams import find
from pytest_llmmock.upstreams.base_url import DUMMY_KEY

KEY = {"OPENAI_API_KEY": "sk-environment"}


def test_the_request_goes_to_openai_with_the_key_of_the_environment_in_place_of_the_clients(asked, send):
    exchange = asked("/v1/chat/completions", ("authorization", "Bearer sk-client"), ("x-trace", "1"))
    reply = find("openai", KEY).forward(exchange, send)
    assert send.request.url == "https://api.openai.com/v1/chat/completions"
    assert send.request.headers == (("x-trace", "1"), ("authorization", "Bearer sk-environment"))
    assert send.request.body == exchange.request.body
    assert reply is send.reply


def test_what_the_client_asked_stays_as_it_was_because_that_is_what_is_recorded(asked, send):
    exchange = asked("/v1/chat/completions", ("authorization", "Bearer sk-client"))
    before = exchange.request
    find("openai", KEY).forward(exchange, send)
    assert exchange.request == before
    assert exchange.request.origin == "http://localhost"


@pytest.mark.parametrize("address", ["https://gateway.example/openai/v1", "https://gateway.example/openai/v1/"])
def test_its_address_can_be_changed(asked, send, address):
    upstream = find("openai", {**KEY, "LLMMOCK_OPENAI_URL": address})
    upstream.forward(asked("/v1/responses"), send)
    assert upstream.NAME == "openai"
    assert send.request.url == "https://gateway.example/openai/v1/responses"


def test_an_empty_address_is_none(asked, send):
    find("openai", {**KEY, "LLMMOCK_OPENAI_URL": ""}).forward(asked(), send)
    assert send.request.origin == "https://api.openai.com"


@pytest.mark.parametrize("environ", [{}, {"OPENAI_API_KEY": ""}])
def test_without_a_key_it_says_which_one_it_needs(environ):
    with pytest.raises(UsageError) as caught:
        find("openai", environ)
    assert str(caught.value) == "The upstream 'openai' needs a key, and OPENAI_API_KEY is not set."


def test_the_key_that_we_gave_out_ourselves_is_no_key():
    """Inside `llmmock run` and `llm_server` OPENAI_API_KEY is ours: sent on, it would be OpenAI's 401."""
    with pytest.raises(UsageError, match="OPENAI_API_KEY"):
        find("openai", {"OPENAI_API_KEY": DUMMY_KEY})
