from __future__ import annotations

import pytest
from checking import sent

from pytest_llmmock.contract.homes import home_of

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


UPSTREAMS = [
    ("", "own"),
    ("openai", "own"),
    ("original", "own"),
    ("codex", "own"),
    ("https://api.openai.com/v1", "own"),
    ("https://user:pw@api.openai.com:443/v1", "own"),
    ("http://127.0.0.1:8000/v1", "server"),
    ("https://api.groq.com/openai/v1", "provider"),
    ("groq", "provider"),
]


@pytest.mark.parametrize(("upstream", "home"), UPSTREAMS)
def test_at_our_own_server_the_upstream_says_it(upstream, home):
    exchange = sent("", {}, url="http://127.0.0.1:9/v1/chat/completions", base="http://127.0.0.1:9")
    assert home_of(exchange, "openai", upstream) == home
