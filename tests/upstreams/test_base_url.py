"""An upstream at an address: how addresses are joined, and which key is sent."""

from __future__ import annotations

import pytest

from pytest_llmmock.errors import UsageError
from pytest_llmmock.upstreams.base_url import DUMMY_KEY, KEY_VARIABLE, BaseURL, at, is_dummy, place

# --- addresses ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("base_url", "path", "goes_to"),
    [
        # A base URL with a path stands for the client's `/v1`.
        ("https://api.openai.com/v1", "/v1/chat/completions", "https://api.openai.com/v1/chat/completions"),
        ("https://host/openai/v1", "/v1/models", "https://host/openai/v1/models"),
        ("https://host/openai/v1/", "/v1/models", "https://host/openai/v1/models"),
        ("https://host/openai", "/v1/models", "https://host/openai/models"),
        ("https://host/api/paas/v4", "/v1/chat/completions", "https://host/api/paas/v4/chat/completions"),
        ("https://host/v1", "/v1", "https://host/v1"),
        ("https://host/v1", "/chat/completions", "https://host/v1/chat/completions"),
        # One without a path stands for the root of the server.
        ("http://127.0.0.1:8000", "/v1/models", "http://127.0.0.1:8000/v1/models"),
        ("http://127.0.0.1:8000/", "/v1/models", "http://127.0.0.1:8000/v1/models"),
        ("http://127.0.0.1:8000", "/models", "http://127.0.0.1:8000/models"),
        ("http://[::1]:8000", "/health", "http://[::1]:8000/health"),
        # Ollama's routes are at the root, where the `/v1` is too.
        ("http://127.0.0.1:11434/v1", "/api/chat", "http://127.0.0.1:11434/api/chat"),
        ("http://127.0.0.1:11434", "/api/chat", "http://127.0.0.1:11434/api/chat"),
        ("https://host/ollama/v1", "/api/tags", "https://host/ollama/api/tags"),
        ("https://host/ollama", "/api/tags", "https://host/ollama/api/tags"),
        ("http://127.0.0.1:11434/v1", "/api", "http://127.0.0.1:11434/api"),
        ("https://host/v1", "/apiary", "https://host/v1/apiary"),
        # Percent-encoding is the client's.
        ("https://host/v1", "/v1/models/a%2Fb%20c", "https://host/v1/models/a%2Fb%20c"),
    ],
)
def test_a_request_is_placed_below_the_base_url(base_url, path, goes_to):
    origin, placed = place(base_url, path)
    assert origin + placed == goes_to


@pytest.mark.parametrize("path", ["/v1beta/models/gemini:generateContent", "/v10/things"])
def test_only_a_whole_v1_is_taken_from_the_path(path):
    """`/v1beta` is Google's: cut in the middle it would become `/openaibeta`."""
    assert place("https://host/openai", path) == ("https://host", "/openai" + path)


def test_query_method_and_body_go_along_unchanged(asked, send):
    exchange = asked("/v1/files", method="PUT", query="purpose=x%20y&after=", body=b"\x00\xff")
    at("http://127.0.0.1:8000/v1", {}).forward(exchange, send)
    request = send.request
    assert (request.method, request.url) == ("PUT", "http://127.0.0.1:8000/v1/files?purpose=x%20y&after=")
    assert request.body == b"\x00\xff"


@pytest.mark.parametrize("url", ["http://", "https:///v1", "http://:8000/v1"])
def test_an_address_without_a_host_is_refused_with_an_example(url):
    with pytest.raises(UsageError) as caught:
        at(url, {})
    assert str(caught.value) == (f"The upstream {url!r} has no host. A base URL looks like http://127.0.0.1:8000/v1.")


# --- what it is called: this name goes into cassettes -----------------------------------------------------


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("http://127.0.0.1:8000/v1/", "http://127.0.0.1:8000/v1"),
        ("https://user:secret@host.example/v1", "https://host.example/v1"),
        ("https://host.example/v1?key=secret#secret", "https://host.example/v1"),
    ],
)
def test_its_name_holds_no_secret(url, name):
    assert name == at(url, {}).NAME


def test_user_and_password_of_the_address_are_sent(asked, send):
    at("https://user:secret@host.example/v1", {}).forward(asked(), send)
    assert send.request.url == "https://user:secret@host.example/v1/chat/completions"


# --- keys -----------------------------------------------------------------------------------------------


def test_the_clients_own_key_is_sent_when_there_is_no_other(asked, send):
    headers = (("authorization", "Bearer sk-client"), ("x-api-key", "sk-client"), ("x-trace", "1"))
    at("http://h/v1", {}).forward(asked("/v1/models", *headers), send)
    assert send.request.headers == headers


def test_a_key_of_the_environment_takes_the_place_of_the_clients(asked, send):
    headers = [("api-key", "a"), ("x-trace", "1"), ("authorization", "Basic b"), ("x-api-key", "c")]
    at("http://h/v1", {KEY_VARIABLE: "sk-upstream"}).forward(asked("/v1/models", *headers), send)
    assert send.request.headers == (("x-trace", "1"), ("authorization", "Bearer sk-upstream"))


@pytest.mark.parametrize("header", ["x-api-key", "api-key"])
def test_a_key_is_sent_in_the_header_that_the_client_uses(asked, send, header):
    at("http://h/v1", {KEY_VARIABLE: "sk-upstream"}).forward(asked("/v1/messages", (header, "a")), send)
    assert send.request.headers == ((header, "sk-upstream"),)


def test_the_key_variable_is_the_documented_one():
    assert KEY_VARIABLE == "LLMMOCK_UPSTREAM_API_KEY"


@pytest.mark.parametrize(
    "header",
    [
        ("authorization", f"Bearer {DUMMY_KEY}"),
        ("authorization", f"bearer {DUMMY_KEY}"),
        ("authorization", DUMMY_KEY),
        ("x-api-key", DUMMY_KEY),
        ("api-key", DUMMY_KEY),
    ],
)
def test_the_key_that_we_gave_out_ourselves_is_never_sent_on(asked, send, header):
    at("http://h/v1", {}).forward(asked("/v1/models", ("x-trace", "1"), header), send)
    assert send.request.headers == (("x-trace", "1"),)


@pytest.mark.parametrize(
    "header",
    [
        ("authorization", "Bearer llmmock-2"),
        ("authorization", "Bearer sk-llmmock"),
        ("x-trace", DUMMY_KEY),
        ("x-api-key", ""),
    ],
)
def test_what_only_looks_like_it_is_sent(asked, send, header):
    assert not is_dummy(header)
    at("http://h/v1", {}).forward(asked("/v1/models", header), send)
    assert send.request.headers == (header,)


def test_a_key_is_sent_to_a_client_that_brought_none(asked, send):
    BaseURL("named", "http://h/v1", key="sk-upstream").forward(asked("/v1/models"), send)
    assert send.request.headers == (("authorization", "Bearer sk-upstream"),)
