"""Requests that ask for too much at once."""

from __future__ import annotations

from typing import Any

import pytest
from scripting import asked, chat

from pytest_llmmock.gate.limits import Limits, read_limits
from pytest_llmmock.gate.sizes import too_large

CHATMOCK = read_limits("chatmock")


def test_what_is_within_the_limits_passes() -> None:
    assert too_large(chat("x" * 16_384, max_tokens=2048), CHATMOCK) is None
    assert too_large(chat("x" * 100_000, max_tokens=9999), Limits()) is None


@pytest.mark.parametrize(
    ("fields", "message", "code", "param"),
    [
        (
            {"before": (("user", "x"),) * 64},
            "Invalid 'messages': 65 messages, and 64 is the most that is allowed.",
            "array_above_max_length",
            "messages",
        ),
        (
            {"words": "x" * 16_385},
            "Invalid 'messages[0].content': 16385 characters, and 16384 is the most that is allowed.",
            "string_above_max_length",
            "messages[0].content",
        ),
        (
            {"before": (("user", "€" * 16_000),) * 6},
            "Invalid 'messages': 288002 bytes, and 262144 is the most that is allowed.",
            "context_length_exceeded",
            "messages",
        ),
        (
            {"max_completion_tokens": 2049},
            "Invalid 'max_completion_tokens': 2049, and 2048 is the most that is allowed.",
            "integer_above_max_value",
            "max_completion_tokens",
        ),
    ],
)
def test_what_is_too_much_is_refused_with_its_place(
    fields: dict[str, Any], message: str, code: str, param: str
) -> None:
    problem = too_large(chat(**fields), CHATMOCK)
    assert problem is not None
    assert (problem.status, problem.message, problem.code, problem.param) == (400, message, code, param)


def test_each_protocol_names_its_own_place() -> None:
    responses = asked("/v1/responses", {"model": "m", "input": "x" * 20_000, "max_output_tokens": 9})
    assert too_large(responses, CHATMOCK).param == "input[0].content"  # type: ignore[union-attr]
    ollama = asked("/api/chat", {"model": "m", "messages": [], "options": {"num_predict": 4096}})
    assert too_large(ollama, CHATMOCK).param == "options.num_predict"  # type: ignore[union-attr]
    messages = asked("/v1/messages", {"model": "m", "messages": [], "max_tokens": 4096})
    assert too_large(messages, CHATMOCK).param == "max_tokens"  # type: ignore[union-attr]
