from __future__ import annotations

import pytest
from checking import violations

WRONG = [
    ("chat", {"temperature": 2.5}, "'temperature' has to be at most 2, and is 2.5.", "decimal_above_max_value"),
    ("chat", {"temperature": -1}, "'temperature' has to be at least 0, and is -1.", "integer_below_min_value"),
    ("chat", {"n": 129}, "'n' has to be at most 128, and is 129.", "integer_above_max_value"),
    ("chat", {"messages": []}, "'messages' has to have at least 1 item, and has 0.", "empty_array"),
    ("chat", {"tools": []}, "'tools' has to have at least 1 item, and has 0.", "empty_array"),
    ("chat", {"stop": list("abcde")}, "'stop' has to have at most 4 items, and has 5.", "array_above_max_length"),
    (
        "chat",
        {"logit_bias": {"5": 101}},
        "'logit_bias.5' has to be at most 100, and is 101.",
        "integer_above_max_value",
    ),
    (
        "chat",
        {"metadata": {"a": "b" * 513}},
        "'metadata.a' has to have at most 512 characters, and has 513.",
        "string_above_max_length",
    ),
    (
        "chat",
        {"metadata": {str(number): "b" for number in range(17)}},
        "'metadata' has to have at most 16 names, and has 17.",
        "object_above_max_length",
    ),
    (
        "chat",
        {"messages": [{"role": "assistant", "content": "a", "tool_calls": []}]},
        "'messages[0].tool_calls' has to have at least 1 item, and has 0.",
        "empty_array",
    ),
    (
        "responses",
        {"max_output_tokens": 15},
        "'max_output_tokens' has to be at least 16, and is 15.",
        "integer_below_min_value",
    ),
    ("completions", {"best_of": 21}, "'best_of' has to be at most 20, and is 21.", "integer_above_max_value"),
    ("embeddings", {"input": []}, "'input' has to have at least 1 item, and has 0.", "empty_array"),
    ("embeddings", {"input": ""}, "'input' has to have at least 1 character, and has 0.", "empty_string"),
    ("images", {"n": 11}, "'n' has to be at most 10, and is 11.", "integer_above_max_value"),
    ("audio.speech", {"speed": 4.5}, "'speed' has to be at most 4, and is 4.5.", "decimal_above_max_value"),
]


@pytest.mark.parametrize(("operation", "body", "message", "code"), WRONG, ids=lambda value: None)
def test_what_is_too_little_or_too_much_is_told(operation, body, message, code):
    assert [(each.message, each.code) for each in violations(operation, **body)] == [(message, code)]


RIGHT = [
    ("chat", {"temperature": 0, "top_p": 1, "n": 128, "stop": "abcdefgh", "logit_bias": {"5": -100}}),
    ("chat", {"temperature": None, "metadata": {"a": "b" * 512}}),
    ("responses", {"max_output_tokens": 16}),
    ("embeddings", {"input": [[1, 2], [3]], "dimensions": 1}),
    ("images", {"n": 10}),
    ("audio.speech", {"speed": 0.25}),
    ("completions", {"max_tokens": 0}),
]


@pytest.mark.parametrize(("operation", "body"), RIGHT)
def test_the_ends_of_a_range_are_within_it(operation, body):
    assert violations(operation, **body) == []
