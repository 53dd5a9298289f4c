from __future__ import annotations

import pytest

from pytest_llmmock.contract.finding import Finding, bracketed, dotted, listed, once, violation
from pytest_llmmock.core.violation import Violation

STEPS = ("messages", 2, "tool_calls", 0, "function")


def test_places_as_the_providers_name_them():
    assert bracketed(STEPS) == "messages[2].tool_calls[0].function"
    assert dotted(STEPS) == "messages.2.tool_calls.0.function"
    assert (bracketed(()), bracketed((0, "a"))) == ("", "[0].a")


@pytest.mark.parametrize(
    ("operation", "message", "param", "code"),
    [
        ("chat", "'messages[2].tool_calls[0].function' is wrong.", "messages", "c"),
        ("messages.count_tokens", "messages.2.tool_calls.0.function: is wrong.", None, None),
        ("ollama.chat", "messages[2].tool_calls[0].function is wrong.", None, None),
    ],
)
def test_each_protocol_in_its_own_words(operation, message, param, code):
    found = violation(Finding(STEPS, "is wrong.", "c", "messages"), operation)
    assert found == Violation(bracketed(STEPS), message, param, code)


def test_a_list_reads_like_a_sentence():
    assert (listed(["a"]), listed(["a", 1]), listed(["a", "b", "c"], "and")) == ("'a'", "'a' or 1", "'a', 'b' and 'c'")
    assert listed(range(14)) == "0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11 or one of 2 others"
    assert listed(range(14), "and").endswith(", 11 and 2 others")


def test_a_place_is_told_once_and_refusals_come_first():
    hint, first, second = Finding(("a",), "h", refused=False), Finding(("b",), "x"), Finding(("b",), "y")
    assert once([hint, first, second]) == [first, hint]
