from __future__ import annotations

import httpx
import pytest
from checking import sent

from pytest_llmmock import LLMServer
from pytest_llmmock.contract import homes
from pytest_llmmock.contract.homes import home_of
from pytest_llmmock.upstreams import UPSTREAMS

HOSTS = [
    ("https://api.openai.com/v1/chat/completions", "openai", "own"),
    ("https://eu.api.openai.com/v1/chat/completions", "openai", "own"),
    ("https://mine.openai.azure.com/openai/v1/chat/completions", "openai", "provider"),
    ("https://api.groq.com/openai/v1/chat/completions", "openai", "provider"),
    ("http://127.0.0.1:8000/v1/chat/completions", "openai", "server"),
    ("https://llm.corp.example/v1/chat/completions", "openai", "server"),
    ("https://api.anthropic.com/v1/messages", "anthropic", "own"),
    ("https://api.minimax.io/anthropic/v1/messages", "anthropic", "provider"),
    ("http://10.0.0.5:11434/api/chat", "ollama", "own"),
]


@pytest.mark.parametrize(("url", "package", "home"), HOSTS)
def test_the_host_says_whose_api_it_is(url, package, home):
    assert home_of(sent("", {}, url=url), package, "openai") == home


NAMED = [
    ("", "own"),
    ("openai", "own"),
    ("original", "own"),
    ("codex", "own"),
    ("https://api.openai.com/v1", "own"),
    ("https://user:pw@api.openai.com:443/v1", "own"),
    ("http://127.0.0.1:8000/v1", "server"),
    ("https://api.groq.com/openai/v1", "provider"),
    ("groq", "provider"),
    ("ollama", "server"),
]


@pytest.mark.parametrize(("upstream", "home"), NAMED)
def test_at_our_own_server_the_upstream_says_it(upstream, home):
    exchange = sent("", {}, url="http://127.0.0.1:9/v1/chat/completions", base="http://127.0.0.1:9")
    assert home_of(exchange, "openai", upstream) == home


OWN = {"gateway": {"url": "https://api.openai.com/v1"}, "local": {"url": "http://127.0.0.1:8000/v1"}}
MODELS = {"grok-*": "xai", "mine-*": "local", "eu-*": "gateway"}


@pytest.mark.parametrize(
    ("settings", "model", "query", "status"),
    [
        ({}, "gpt-5", "", 400),
        ({}, "grok-4", "", 200),
        ({}, "mine-1", "", 200),
        ({}, "eu-1", "", 400),
        ({}, "gpt-5", "?provider=xai", 200),
        ({}, "grok-4", "?provider=openai", 400),
        ({}, "gpt-5", "?provider=of-the-client", 400),
        ({"upstream": "local"}, "gpt-5", "", 200),
        ({"upstream": "gateway"}, "gpt-5", "", 400),
        ({"upstream": "xai"}, "gpt-5", "", 200),
    ],
)
def test_where_a_request_would_go_says_it(tmp_path, settings, model, query, status):
    body = {"model": model, "messages": [{"role": "user", "content": "Hi"}], "temperature": 3}
    chosen = {"validate": "error", "models": MODELS, "upstreams": OWN, **settings}
    with LLMServer(tmp_path / "none.yaml", **chosen) as server:
        server.reply("Hi")
        assert httpx.post(f"{server.base_url}/chat/completions{query}", json=body).status_code == status


def test_the_names_that_stand_for_an_api_are_those_of_upstreams():
    assert {*homes.OWN, *homes.SERVERS} <= {"", *UPSTREAMS}
