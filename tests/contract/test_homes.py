from __future__ import annotations

import pytest
from checking import sent

from pytest_llmmock.contract.homes import is_home

HOSTS = [
    ("https://api.openai.com/v1/chat/completions", "openai", True),
    ("https://eu.api.openai.com/v1/chat/completions", "openai", True),
    ("https://mine.openai.azure.com/openai/v1/chat/completions", "openai", False),
    ("https://api.groq.com/openai/v1/chat/completions", "openai", False),
    ("http://127.0.0.1:8000/v1/chat/completions", "openai", False),
    ("https://api.anthropic.com/v1/messages", "anthropic", True),
    ("https://api.minimax.io/anthropic/v1/messages", "anthropic", False),
    ("http://10.0.0.5:11434/api/chat", "ollama", True),
]


@pytest.mark.parametrize(("url", "package", "home"), HOSTS)
def test_the_host_says_whose_api_it_is(url, package, home):
    assert is_home(sent("", {}, url=url), package, "openai") is home


UPSTREAMS = [
    ("", True),
    ("openai", True),
    ("original", True),
    ("https://api.openai.com/v1", True),
    ("https://user:pw@api.openai.com:443/v1", True),
    ("http://127.0.0.1:8000/v1", False),
    ("groq", False),
]


@pytest.mark.parametrize(("upstream", "home"), UPSTREAMS)
def test_at_our_own_server_the_upstream_says_it(upstream, home):
    exchange = sent("", {}, url="http://127.0.0.1:9/v1/chat/completions", base="http://127.0.0.1:9")
    assert is_home(exchange, "openai", upstream) is home
