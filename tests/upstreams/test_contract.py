"""What holds for every upstream that is asked with a key of its own, with respx as the network."""

from __future__ import annotations

from contextlib import closing

import pytest

from pytest_llmmock import dialects
from pytest_llmmock.core.model import Request
from pytest_llmmock.upstreams import UPSTREAMS, find
from pytest_llmmock.upstreams.credentials import DUMMY_KEY, KEY_HEADERS
from pytest_llmmock.upstreams.http import Network
from pytest_llmmock.upstreams.own import Own
from pytest_llmmock.upstreams.providers import PROVIDERS

KEYS = {provider.key: f"key-of-{name.partition('-')[0]}" for name, provider in PROVIDERS.items()}
OWNS = {"mine": Own(url="https://gateway.example/v1", key_env="MINE_KEY"), "open": Own(url="http://127.0.0.1:9")}
ENVIRON = {**KEYS, "MINE_KEY": "key-of-mine", "LLMMOCK_UPSTREAM_API_KEY": "key-of-base"}
NAMED = [*PROVIDERS, *OWNS]

THEIRS = (
    ("authorization", "Bearer key-of-client"),
    ("api-key", "key-of-client"),
    ("x-api-key", "key-of-client"),
    ("x-goog-api-key", "key-of-client"),
    ("x-auth-token", "key-of-client"),
    ("proxy-authorization", "Basic key-of-client"),
    ("cookie", "session=key-of-client"),
    ("chatgpt-account-id", "account-of-client"),
    ("x-goog-user-project", "account-of-client"),
)
"""What a client may send to the provider that it believes to ask."""


def asked(path: str, *headers: tuple[str, str], query: str = "") -> Request:
    body = b'{"model": "m", "messages": [], "max_tokens": 1}'
    return Request("POST", "http://user:key-of-client@localhost", path, query, headers, body)


def sent(respx_mock, name: str, request: Request) -> str:
    """Everything that leaves this process for an upstream: address, headers and body."""
    route = respx_mock.route().respond(json={})
    with closing(Network()) as network:
        find(name, ENVIRON, OWNS).forward(dialects.read(request), network.send)
    request = route.calls.last.request
    lines = [str(request.url), *(f"{key}: {value}" for key, value in request.headers.multi_items())]
    return "\n".join([*lines, request.content.decode()])


PATHS = {"openai": "/v1/chat/completions", "anthropic": "/v1/messages", "ollama": "/api/chat"}


def path_for(name: str) -> str:
    return PATHS[PROVIDERS[name].speaks[0] if name in PROVIDERS else "openai"]


@pytest.mark.parametrize("name", NAMED)
def test_an_upstream_with_a_name_sees_no_credential_but_its_own(respx_mock, name):
    query = "provider=x&key=key-of-client&a=1&access_token=key-of-client"
    seen = sent(respx_mock, name, asked(path_for(name), *THEIRS, query=query))
    own = f"key-of-{name.partition('-')[0]}"
    assert {word for word in seen.replace("\n", " ").split() if "-of-" in word} <= {own}
    assert "?a=1" in seen
    assert "provider" not in seen


@pytest.mark.parametrize("name", NAMED)
@pytest.mark.parametrize("header", ["openai-organization", "openai-project", "anthropic-organization-id"])
def test_an_account_is_told_only_to_the_provider_that_has_it(respx_mock, name, header):
    seen = sent(respx_mock, name, asked(path_for(name), (header, "account-of-client")))
    assert ("account-of-client" in seen) == (header.partition("-")[0] == name)


@pytest.mark.parametrize("name", [*NAMED, "http://127.0.0.1:9/v1", "original"])
@pytest.mark.parametrize("header", KEY_HEADERS)
def test_the_key_that_we_gave_out_ourselves_never_leaves(respx_mock, name, header):
    value = f"Bearer {DUMMY_KEY}" if header == "authorization" else DUMMY_KEY
    seen = sent(respx_mock, name, asked(path_for(name), (header, value)))
    assert not [line for line in seen.splitlines() if line.endswith((f" {DUMMY_KEY}", f"={DUMMY_KEY}"))]


@pytest.mark.parametrize("name", NAMED)
def test_a_redirect_is_passed_on_and_no_key_follows_it(respx_mock, name):
    elsewhere = respx_mock.route(host="elsewhere.example").respond(json={})
    respx_mock.route().respond(307, headers={"location": "http://elsewhere.example/v1"})
    with closing(Network()) as network:
        reply = find(name, ENVIRON, OWNS).forward(dialects.read(asked(path_for(name))), network.send)
    assert reply.status == 307
    assert not elsewhere.called


@pytest.mark.parametrize("name", NAMED)
def test_without_being_told_so_no_key_goes_over_plain_http_to_another_machine(respx_mock, name):
    url = sent(respx_mock, name, asked(path_for(name))).partition("\n")[0]
    assert url.startswith(("https://", "http://127.0.0.1"))


def test_every_upstream_that_has_a_key_is_among_those_that_are_held_to_this():
    assert set(UPSTREAMS) - set(NAMED) <= {"original", "codex", "chatgpt"}
