"""The registry of upstreams: a name, one of a project's own, or a base URL."""

from __future__ import annotations

import re
from importlib import import_module
from pathlib import Path

import pytest
from chatgpt_backend import Backend
from pydantic import SecretStr

from pytest_llmmock.errors import UsageError
from pytest_llmmock.upstreams import CHOICES, UPSTREAMS, find
from pytest_llmmock.upstreams.own import Own
from pytest_llmmock.upstreams.providers import PROVIDERS
from pytest_llmmock.upstreams.sign_in.account import PLAN_SCOPE, Account, Tokens
from pytest_llmmock.upstreams.sign_in.server import ISSUER
from pytest_llmmock.upstreams.sign_in.store import Store

WITH_KEYS = {provider.key: f"{name}-key" for name, provider in PROVIDERS.items()}


def with_logins(folder: Path) -> dict[str, str]:
    """The variables of somebody who has every login there is."""
    environ = {"CODEX_HOME": str(folder), "LLMMOCK_HOME": str(folder)}
    Backend().login(folder)
    tokens = Tokens(access_token=SecretStr("at"), scope=PLAN_SCOPE, expires_at=1e10)
    Store(environ, ISSUER).write(Account(issuer=ISSUER, client_id="oaiapp_1", tokens=tokens))
    return environ


@pytest.mark.parametrize("name", UPSTREAMS)
def test_every_name_leads_to_an_upstream_of_that_name(name, tmp_path):
    upstream = find(name, {**WITH_KEYS, **with_logins(tmp_path)})
    assert name == upstream.NAME
    assert isinstance(upstream.BASE_URL, str)
    assert callable(upstream.forward)


@pytest.mark.parametrize("name", UPSTREAMS)
def test_every_module_says_what_it_is(name):
    module = import_module(f"pytest_llmmock.upstreams.{UPSTREAMS[name]}")
    assert (module.__doc__ or "").strip().endswith(".")
    assert name in PROVIDERS or callable(module.upstream)


@pytest.mark.parametrize("url", ["http://127.0.0.1:8000/v1", "https://gateway.example/openai/v1"])
def test_an_address_is_an_upstream_of_its_own(url):
    upstream = find(url, {})
    assert (url, url) == (upstream.NAME, upstream.BASE_URL)


def test_a_project_has_upstreams_of_its_own():
    upstream = find("mine", {}, {"mine": Own(url="https://gateway.example/v1/")})
    assert (upstream.NAME, upstream.BASE_URL) == ("mine", "https://gateway.example/v1")


@pytest.mark.parametrize("name", ["nowhere", "", "127.0.0.1:8000/v1", "ftp://host/v1"])
def test_an_unknown_name_is_refused_with_the_choices(name):
    expected = f"There is no upstream {name!r}. An upstream is {CHOICES}."
    with pytest.raises(UsageError, match=f"^{re.escape(expected)}$"):
        find(name, WITH_KEYS)


def test_a_misspelt_name_is_refused_with_the_right_one_and_with_those_of_the_project():
    with pytest.raises(UsageError) as caught:
        find("openia", WITH_KEYS, {"mine": Own(url="http://h")})
    assert str(caught.value) == (
        f"There is no upstream 'openia'. Did you mean 'openai'? An upstream is {CHOICES}, mine."
    )


def test_the_choices_name_every_upstream_and_show_an_address():
    assert "http://127.0.0.1:8000/v1" in CHOICES
    for name in UPSTREAMS:
        assert name in CHOICES
