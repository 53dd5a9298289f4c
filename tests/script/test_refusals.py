"""What a played provider refuses, in the shape of the protocol."""

from __future__ import annotations

from typing import Any

import pytest
from simulating import Playing

from pytest_llmmock.core.model import Exchange, Reply, Request
from pytest_llmmock.core.prompt import Answer, Delta


def asked(method: str, path: str, body: bytes = b"", kind: str = "", **more: Any) -> Reply:
    def rule(exchange: Exchange) -> Answer | None:
        return Answer((Delta("text", "Hello"),)) if exchange.operation == "chat" else None

    headers = (("content-type", kind),) if kind else ()
    return Playing(rule, **more).handle(Request(method, "http://x", path, headers=headers, body=body))


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/v1/nowhere", 404, "unknown_url"),
        ("POST", "/", 404, "unknown_url"),
        ("GET", "/v1/chat/completions", 405, "method_not_allowed"),
        ("DELETE", "/v1/models", 405, "method_not_allowed"),
        ("PATCH", "/v1/files/file-1", 405, "method_not_allowed"),
        ("GET", "/v1/generated/none.png", 404, "unknown_url"),
        ("GET", "/v1/files/file-1", 404, None),
        ("DELETE", "/v1/responses/resp_1", 404, "previous_response_not_found"),
    ],
)
def test_what_there_is_not_is_refused_as_openai_does(method: str, path: str, status: int, code: str | None) -> None:
    reply = asked(method, path)
    assert (reply.status, reply.source, reply.json()["error"]["code"]) == (status, "script", code)
    assert reply.json()["error"]["type"] == "invalid_request_error"
    assert ("allow" in dict(reply.headers)) is (status == 405)


def test_other_providers_have_their_own_shapes() -> None:
    assert asked("GET", "/api/chat").json() == {"error": "/api/chat cannot be asked by GET. It can by: POST."}
    assert asked("POST", "/api/pull").json() == {"error": "There is nothing at POST /api/pull."}
    assert asked("GET", "/v1/messages").json()["type"] == "error"
    assert asked("GET", "/v1/messages").status == 405


@pytest.mark.parametrize(
    ("body", "kind", "why"),
    [
        (b'{"model": ', "application/json", "is not JSON"),
        (b'--b\r\nContent-Disposition: form-data; name="a"\r\n\r\nx', "multipart/form-data; boundary=b", "was cut off"),
        (b"", "multipart/form-data; boundary=b", "was cut off"),
    ],
)
def test_what_cannot_be_read_is_refused_before_a_rule_sees_it(body: bytes, kind: str, why: str) -> None:
    reply = asked("POST", "/v1/chat/completions", body, kind)
    assert reply.status == 400
    assert why in reply.json()["error"]["message"]


def test_what_only_a_model_could_have_answered_is_a_miss() -> None:
    assert asked("POST", "/v1/responses", b"{}", "application/json").source == "unmatched"
    assert asked("POST", "/v1/chat/completions", b"{}", "application/json").source == "script"


def test_models_that_there_are_not_are_refused() -> None:
    body = b'{"model": "gpt-5"}'
    refused = asked("POST", "/v1/chat/completions", body, models=("gpt-6", "gpt-4*"))
    assert (refused.status, refused.json()["error"]["code"]) == (404, "model_not_found")
    assert asked("POST", "/v1/chat/completions", body, models=("gpt-5*",)).status == 200
    assert asked("POST", "/v1/chat/completions", b"{}", models=("gpt-5*",)).status == 200
