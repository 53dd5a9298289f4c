"""Anthropic's routes that have no name here."""

from __future__ import annotations

from pytest_llmmock.core.prompt import Answer, Delta, Prompt
from pytest_llmmock.dialects import anthropic_opaque


def test_an_error_is_anthropics_and_anything_else_is_as_it_is() -> None:
    failed = anthropic_opaque.write_reply(Prompt(), Answer((Delta("error", "gone", name="not_found_error"),)))
    assert failed.json()["error"] == {"type": "not_found_error", "message": "gone"}
    assert failed.json()["type"] == "error"
    assert anthropic_opaque.write_reply(Prompt(), Answer((Delta("item", data={"a": 1}),))).json() == {"a": 1}
