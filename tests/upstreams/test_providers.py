"""Providers with a name: where each is, which key it gets, and what it cannot be asked."""

from __future__ import annotations

import pytest

from pytest_llmmock.errors import UpstreamError, UsageError
from pytest_llmmock.upstreams import find
from pytest_llmmock.upstreams.credentials import DUMMY_KEY
from pytest_llmmock.upstreams.providers import PROVIDERS, variable_of

KEYS = {provider.key: f"{name}-0123" for name, provider in PROVIDERS.items()}


@pytest.mark.parametrize(
    ("name", "path", "url"),
    [
        ("openai", "/v1/responses", "https://api.openai.com/v1/responses"),
        ("xai", "/v1/chat/completions", "https://api.x.ai/v1/chat/completions"),
        ("openrouter", "/v1/chat/completions", "https://openrouter.ai/api/v1/chat/completions"),
        ("openrouter", "/v1/messages", "https://openrouter.ai/api/v1/messages"),
        ("qwen", "/v1/embeddings", "https://dashscope-intl.aliyuncs.com/compatible-mode/v1/embeddings"),
        ("qwen-us", "/v1/models", "https://dashscope-us.aliyuncs.com/compatible-mode/v1/models"),
        ("qwen-cn", "/v1/models", "https://dashscope.aliyuncs.com/compatible-mode/v1/models"),
        ("groq", "/v1/audio/transcriptions", "https://api.groq.com/openai/v1/audio/transcriptions"),
        ("anthropic", "/v1/messages", "https://api.anthropic.com/v1/messages"),
        ("anthropic", "/v1/messages/count_tokens", "https://api.anthropic.com/v1/messages/count_tokens"),
        ("anthropic", "/v1/chat/completions", "https://api.anthropic.com/v1/chat/completions"),
        ("ollama", "/api/chat", "http://127.0.0.1:11434/api/chat"),
        ("ollama", "/v1/chat/completions", "http://127.0.0.1:11434/v1/chat/completions"),
        # In process a client may be on its way to another provider, whose paths begin in another way.
        ("groq", "/openai/v1/chat/completions", "https://api.groq.com/openai/v1/chat/completions"),
        ("xai", "/api/v1/chat/completions", "https://api.x.ai/v1/chat/completions"),
        ("openai", "/compatible-mode/v1/files", "https://api.openai.com/v1/files"),
        ("openai", "/v1/vector_stores/vs_1/files", "https://api.openai.com/v1/vector_stores/vs_1/files"),
    ],
)
def test_a_request_goes_where_the_provider_has_it(asked, send, name, path, url):
    find(name, KEYS).forward(asked(path), send)
    assert send.request.url == url


@pytest.mark.parametrize("name", [name for name in PROVIDERS if name != "anthropic"])
def test_the_key_of_the_environment_takes_the_place_of_the_clients(asked, send, name):
    exchange = asked("/v1/chat/completions", ("authorization", "Bearer sk-client"), ("x-trace", "1"))
    reply = find(name, KEYS).forward(exchange, send)
    key = KEYS[PROVIDERS[name].key]
    assert send.request.headers == (("x-trace", "1"), ("authorization", f"Bearer {key}"))
    assert send.request.body == exchange.request.body
    assert reply is send.reply


def test_anthropic_gets_its_key_in_its_own_header_and_a_version_where_none_is_named(asked, send):
    exchange = asked("/v1/messages", ("authorization", "Bearer sk-client"), ("anthropic-beta", "b"))
    find("anthropic", KEYS).forward(exchange, send)
    assert send.request.headers == (
        ("anthropic-beta", "b"),
        ("x-api-key", "anthropic-0123"),
        ("anthropic-version", "2023-06-01"),
    )


def test_the_version_that_the_client_names_stays(asked, send):
    exchange = asked("/v1/messages", ("x-api-key", "sk-client"), ("anthropic-version", "2030-01-01"))
    find("anthropic", KEYS).forward(exchange, send)
    assert send.request.headers == (("anthropic-version", "2030-01-01"), ("x-api-key", "anthropic-0123"))


def test_what_anthropic_has_of_openais_protocol_gets_the_key_as_openais_clients_send_it(asked, send):
    find("anthropic", KEYS).forward(asked("/v1/chat/completions", ("authorization", "Bearer sk-client")), send)
    assert dict(send.request.headers)["authorization"] == "Bearer anthropic-0123"
    assert send.request.header("x-api-key") is None


def test_ollama_needs_no_key_and_is_sent_none_of_another(asked, send):
    find("ollama", {}).forward(asked("/api/chat", ("authorization", "Bearer sk-client")), send)
    assert send.request.headers == ()


def test_what_the_client_asked_stays_as_it_was_because_that_is_what_is_recorded(asked, send):
    exchange = asked("/v1/chat/completions", ("authorization", "Bearer sk-client"), query="provider=openai&a=1")
    before = exchange.request
    find("openai", KEYS).forward(exchange, send)
    assert exchange.request == before
    assert exchange.request.origin == "http://localhost"
    assert send.request.query == "a=1"


# --- addresses ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", PROVIDERS)
def test_its_address_can_be_changed(asked, send, name):
    upstream = find(name, {**KEYS, variable_of(name): "https://gateway.example/it/v1/"})
    upstream.forward(asked("/v1/chat/completions"), send)
    assert name == upstream.NAME
    assert send.request.url == "https://gateway.example/it/v1/chat/completions"


def test_the_variables_are_the_documented_ones():
    assert [variable_of(name) for name in PROVIDERS] == [
        "LLMMOCK_OPENAI_URL",
        "LLMMOCK_ANTHROPIC_URL",
        "LLMMOCK_XAI_URL",
        "LLMMOCK_OPENROUTER_URL",
        "LLMMOCK_QWEN_URL",
        "LLMMOCK_QWEN_US_URL",
        "LLMMOCK_QWEN_CN_URL",
        "LLMMOCK_GROQ_URL",
        "LLMMOCK_OLLAMA_URL",
    ]


@pytest.mark.parametrize("address", ["https://gw.example/anthropic", "https://gw.example/anthropic/v1"])
def test_the_base_url_of_anthropics_clients_which_has_no_v1_is_one_as_well(asked, send, address):
    find("anthropic", {**KEYS, "LLMMOCK_ANTHROPIC_URL": address}).forward(asked("/v1/messages"), send)
    assert send.request.url == "https://gw.example/anthropic/v1/messages"


def test_an_empty_address_is_none(asked, send):
    find("openai", {**KEYS, "LLMMOCK_OPENAI_URL": ""}).forward(asked(), send)
    assert send.request.origin == "https://api.openai.com"


@pytest.mark.parametrize("address", ["gateway.example/v1", "ftp://gateway.example", "https://"])
def test_an_address_that_is_none_is_refused_with_its_variable(address):
    with pytest.raises(UsageError) as caught:
        find("xai", {**KEYS, "LLMMOCK_XAI_URL": address})
    shown = address.rstrip("/")
    assert str(caught.value) == f"LLMMOCK_XAI_URL={shown!r} is no address. One looks like https://api.x.ai/v1."


@pytest.mark.parametrize("name", PROVIDERS)
def test_a_key_goes_over_plain_http_only_to_this_machine(name):
    address = PROVIDERS[name].address
    assert address.startswith(("https://", "http://127.0.0.1:"))


# --- keys that are not there ------------------------------------------------------------------------------


@pytest.mark.parametrize("key", [None, "", "  ", DUMMY_KEY])
def test_without_a_key_it_says_which_variable_it_needs_and_what_could_be_asked_instead(key):
    environ = {"GROQ_API_KEY": "gsk"} | ({} if key is None else {"XAI_API_KEY": key})
    with pytest.raises(UsageError) as caught:
        find("xai", environ)
    assert str(caught.value) == (
        "The upstream 'xai' needs a key, and XAI_API_KEY is not set. Set it, or choose another upstream: groq, ollama "
        "can be asked as it is, and so can a base URL such as http://127.0.0.1:8000/v1."
    )


@pytest.mark.parametrize("name", PROVIDERS)
def test_no_key_shows_where_an_upstream_is_printed(name):
    assert "0123" not in repr(find(name, KEYS))


# --- protocols --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("openai", "/api/chat"),
        ("openai", "/v1/messages"),
        ("groq", "/api/generate"),
        ("xai", "/v1/messages/count_tokens"),
        ("qwen", "/v1/messages"),
        ("openrouter", "/api/embed"),
        ("anthropic", "/api/chat"),
    ],
)
def test_a_protocol_that_it_does_not_speak_is_not_sent_to_it(asked, send, name, path):
    with pytest.raises(UpstreamError, match=f"POST {path} is .* protocol. The upstream '{name}' speaks"):
        find(name, KEYS).forward(asked(path), send)
    assert send.requests == []


def test_what_it_cannot_be_asked_is_told_with_what_to_do(asked, send):
    with pytest.raises(UpstreamError) as caught:
        find("openai", KEYS).forward(asked("/api/chat"), send)
    assert str(caught.value) == (
        "POST /api/chat is Ollama's protocol. The upstream 'openai' speaks OpenAI's protocol and was not asked: for it "
        "nothing is translated.\n\nTo fix it:\n"
        "  * Choose an upstream that speaks Ollama's protocol, for this model or for all (docs/upstreams.md).\n"
        "  * Or let the client speak OpenAI's protocol."
    )


@pytest.mark.parametrize("path", ["/v1/rerank", "/v1/threads", "/something"])
def test_a_route_without_a_name_is_for_the_provider_to_know(asked, send, path):
    find("groq", KEYS).forward(asked(path), send)
    assert send.request.path.endswith(path)


def test_anthropics_list_of_models_is_asked_as_its_clients_ask(asked, send):
    find("anthropic", KEYS).forward(asked("/v1/models", ("anthropic-version", "2023-06-01"), method="GET"), send)
    assert send.request.header("x-api-key") == "anthropic-0123"
