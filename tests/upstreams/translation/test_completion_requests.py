"""Requests of the older Completions, asked in Responses."""

from __future__ import annotations

from typing import Any

import pytest
from responding import asked

from pytest_llmmock.errors import TranslationError
from pytest_llmmock.upstreams.translation import as_responses


def text_of(**fields: Any) -> str:
    (said,) = as_responses(asked("completions", **fields)).body["input"]
    assert said["role"] == "user"
    return str(said["content"][0]["text"])


def test_a_prompt_is_what_a_user_says() -> None:
    assert text_of(prompt="Once") == "Once"
    assert text_of(prompt=["Once"]) == "Once"
    assert text_of(prompt=None, suffix="the end") == "the end"


@pytest.mark.parametrize(
    ("prompt", "found"), [(["a", "b"], "a list of 2"), ([1, 2, 3], "a list of 3"), (None, "None"), ("", "''")]
)
def test_several_texts_and_tokens_are_refused(prompt: object, found: str) -> None:
    with pytest.raises(TranslationError, match=f"'prompt' is {found}"):
        as_responses(asked("completions", prompt=prompt))


@pytest.mark.parametrize("name", ["n", "best_of"])
def test_several_answers_are_refused(name: str) -> None:
    with pytest.raises(TranslationError, match=f"'{name}' asks for 2"):
        as_responses(asked("completions", **{name: 2}))


def test_settings_are_kept_or_noted() -> None:
    found = as_responses(asked("completions", max_tokens=5, temperature=0, suffix="x", echo=True, logprobs=2))
    assert (found.body["max_output_tokens"], found.body["temperature"]) == (5, 0)
    assert found.notes == ["left out, for Responses has no place for it: suffix, echo, logprobs"]
