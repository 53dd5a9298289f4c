"""Reasoning models, once for each effort."""

from __future__ import annotations

import pytest
from simulating import Playing, openai_of

from pytest_llmmock.script.efforts import with_efforts


@pytest.mark.parametrize("model", ["gpt-5", "gpt-5.4-mini", "gpt-6.1-sol", "o3", "o4-mini", "codex-mini"])
def test_what_reasons_is_listed_for_each_effort(model: str) -> None:
    efforts = [f"{model}-{effort}" for effort in ("minimal", "low", "medium", "high")]
    assert with_efforts([model]) == [model, *efforts]


@pytest.mark.parametrize(
    "model", ["gpt-4o", "gpt-4.1", "gpt-5*", "gpt-5-high", "gpt-5-chat-latest", "claude-opus", "omni"]
)
def test_what_does_not_reason_or_names_an_effort_is_listed_once(model: str) -> None:
    assert with_efforts([model]) == [model]


def test_none_is_listed_twice() -> None:
    assert with_efforts(["o3", "o3-low"]) == ["o3", "o3-minimal", "o3-low", "o3-medium", "o3-high"]


def test_a_played_provider_has_the_models_that_it_lists() -> None:
    with openai_of(Playing(models=("o3", "gpt-4o"), efforts=True)) as client:
        assert [model.id for model in client.models.list()] == [
            *("o3", "o3-minimal", "o3-low", "o3-medium", "o3-high", "gpt-4o"),
        ]
        assert client.models.retrieve("o3-high").id == "o3-high"
    with openai_of(Playing(recorded="x", efforts=True)) as client:
        listed = [model.id for model in client.models.list()]
        assert listed == ["gpt-5", "gpt-5-minimal", "gpt-5-low", "gpt-5-medium", "gpt-5-high", "llama3"]
