"""Counting tokens for Anthropic's clients."""

from __future__ import annotations

import anthropic
import pytest
from answering import Answering, anthropic_client

from pytest_llmmock.core.model import Exchange, Reply
from pytest_llmmock.core.prompt import Answer, Delta, Usage
from pytest_llmmock.dialects import anthropic_count


def counted(answer: Answer, words: str = "x") -> int:
    with anthropic_client(Answering(answer)) as client:
        messages = [{"role": "user", "content": words}]
        return client.messages.count_tokens(model="claude", system="s", messages=messages).input_tokens  # type: ignore[arg-type,unused-ignore]


def test_the_sdk_reads_what_was_told() -> None:
    assert counted(Answer((Delta("usage", usage=Usage(input=671)),))) == 671


def test_what_was_not_told_is_estimated_and_grows_with_the_text() -> None:
    assert 0 < counted(Answer()) < counted(Answer(), "word " * 100) < 200


def test_an_error_is_anthropics() -> None:
    with pytest.raises(anthropic.InternalServerError, match="gone"):
        counted(Answer((Delta("error", "gone"),)))


def test_shared_recordings_are_read(recorded: list[tuple[str, Exchange, Reply]]) -> None:
    found = [each for each in recorded if each[1].operation == "messages.count_tokens"]
    assert [anthropic_count.read_reply(reply).usage for _, _, reply in found] == [Usage(input=671)]
    for _, exchange, reply in found:
        written = anthropic_count.write_reply(exchange.prompt, anthropic_count.read_reply(reply))
        assert written.json() == reply.json()
