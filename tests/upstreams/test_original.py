"""The upstream `original`: where the client was going."""

from __future__ import annotations

from pytest_llmmock.upstreams import find


def test_the_request_goes_where_the_client_sent_it_with_the_clients_own_key(asked, send):
    exchange = asked(
        "/openai/deployments/d/chat/completions",
        ("authorization", "Bearer sk-client"),
        ("x-api-key", "sk-client"),
        origin="https://resource.openai.azure.com",
        query="api-version=2025-01-01",
    )
    reply = find("original", {"OPENAI_API_KEY": "sk-environment"}).forward(exchange, send)
    assert send.request is exchange.request
    assert reply is send.reply


def test_it_needs_nothing_from_the_environment():
    upstream = find("original", {})
    assert (upstream.NAME, upstream.BASE_URL) == ("original", "")
