from __future__ import annotations

import pytest
from checking import told

HINTS = [
    (
        {"model": "gpt-5", "max_tokens": 5},
        "hint: 'max_tokens' is not taken by models that reason, such as gpt-5: use 'max_completion_tokens'.",
    ),
    (
        {"model": "gpt-5.4", "max_tokens": 5},
        "hint: 'max_tokens' is not taken by models that reason, such as gpt-5.4: use 'max_completion_tokens'.",
    ),
    (
        {"model": "o3-mini", "temperature": 0},
        "hint: 'temperature' may be refused: models that reason, such as o3-mini, take 1 only.",
    ),
    (
        {"model": "gpt-5-mini", "logprobs": True},
        "hint: 'logprobs' may be refused by models that reason, such as gpt-5-mini.",
    ),
]


@pytest.mark.parametrize(("body", "words"), HINTS, ids=lambda value: None)
def test_what_a_model_that_reasons_does_not_take_is_a_hint(body, words):
    assert told("chat", **body) == [words]


@pytest.mark.parametrize(
    "body",
    [
        {"model": "gpt-4o", "max_tokens": 5, "temperature": 0, "logprobs": True},
        {"model": "gpt-5", "max_completion_tokens": 5, "temperature": 1, "top_p": 1.0},
        {"model": "gpt-5-chat-latest", "max_tokens": 5, "temperature": 0},
        {"model": "gpt-5.4", "temperature": 0.2},
        {"model": "o3", "temperature": None, "logprobs": False},
        {"model": "omni"},
    ],
)
def test_other_models_and_defaults_are_no_reason_for_one(body):
    assert told("chat", **body) == []


def test_responses_have_another_name_for_the_limit_and_the_same_sampling():
    assert told("responses", model="o3", max_output_tokens=50) == []
    assert told("responses", model="o3", top_p=0.5) == [
        "hint: 'top_p' may be refused: models that reason, such as o3, take 1 only."
    ]
