"""What the sign-in server answers to our forms, and what is shown of it."""

from __future__ import annotations

import sys

import pytest
from pydantic import SecretStr

from pytest_llmmock.core.model import json_reply
from pytest_llmmock.errors import LoginError, UpstreamError
from pytest_llmmock.upstreams.sign_in import oauth
from pytest_llmmock.upstreams.sign_in.server import Server

SERVER = Server("https://s", "https://s/authorize", "https://s/token", "https://s/revoke", "https://s/keys")
SPENT = SecretStr("rt_secret")


def refreshed(value, status=200):
    return oauth.refresh(SERVER, "oaiapp_1", SPENT, lambda request: json_reply(value, status))


@pytest.mark.parametrize("code", sorted(oauth.OVER))
@pytest.mark.parametrize(
    "shape",
    [
        lambda code: {"error": code},
        lambda code: {"error": {"code": code, "message": "rt_secret"}},
        lambda code: {"code": code},
        lambda code: {"detail": {"error_code": code}},
    ],
    ids=["error", "error.code", "code", "detail.error_code"],
)
@pytest.mark.parametrize("status", [400, 401])
def test_a_login_that_is_over_is_known_wherever_its_code_stands(code, shape, status):
    with pytest.raises(oauth.Refused) as caught:
        refreshed(shape(code), status)
    assert caught.value.is_over
    assert code in str(caught.value)
    assert "rt_secret" not in str(caught.value)


@pytest.mark.parametrize("value", [{}, [], "text", None, {"error": {"message": "x"}}, {"error": "two words"}])
def test_another_refusal_does_not_end_it(value):
    with pytest.raises(oauth.Refused, match=r"status 400\). Sign in again") as caught:
        refreshed(value, 400)
    assert not caught.value.is_over


@pytest.mark.parametrize("status", [429, 500, 502, 503])
def test_a_server_that_cannot_answer_now_has_refused_nothing(status):
    """Also not when it says so: behind a gateway nobody has looked at the token."""
    with pytest.raises(UpstreamError, match="try again later") as caught:
        refreshed({"error": "invalid_grant"}, status)
    assert not isinstance(caught.value, LoginError)


def test_words_of_the_server_are_not_shown_for_they_may_repeat_a_token():
    with pytest.raises(LoginError) as caught:
        refreshed({"error": "invalid_grant", "error_description": "no such token: rt_secret"}, 400)
    assert "rt_secret" not in str(caught.value)
    with pytest.raises(LoginError) as caught:
        refreshed({"access_token": ["rt_secret"]})
    assert "rt_secret" not in str(caught.value)


@pytest.mark.parametrize("status", [201, 204, 302, 307])
def test_only_200_is_an_answer(status):
    with pytest.raises(oauth.Refused):
        refreshed({"access_token": "at"}, status)


@pytest.mark.parametrize("package", ["authlib.oauth2"])
def test_without_the_extra_it_says_what_to_install(monkeypatch, package):
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(LoginError, match=r"pip install 'pytest-llmmock\[chatgpt\]'"):
        refreshed({})
