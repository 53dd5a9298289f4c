from __future__ import annotations

import pytest

from pytest_llmmock.contract.finding import Finding
from pytest_llmmock.contract.leniency import of, softened

FORGIVEN = [
    (("input", 1, "id"), "missing_required_parameter", True),
    (("tools", 0, "strict"), "missing_required_parameter", True),
    (("input", 1, "content", 0, "annotations"), "missing_required_parameter", True),
    (("input", 1, "call_id"), "missing_required_parameter", False),
    (("tools", 0, "function"), "missing_required_parameter", False),
    (("input",), "missing_required_parameter", False),
    (("input", 1, "id"), "invalid_type", False),
    (("messages", 1, "annotations"), "unknown_parameter", True),
    (("messages", 1, "reasoning"), "unknown_parameter", False),
    (("messages", 1, "content", 0, "name"), "unknown_parameter", False),
]


@pytest.mark.parametrize(("steps", "code", "forgiven"), FORGIVEN)
def test_openai_takes_what_answers_hold_and_leaves_out_what_they_need_not(steps, code, forgiven):
    assert of("openai")(Finding(steps, "", code)) is forgiven


def test_anthropic_takes_nothing_that_it_does_not_know():
    assert not of("anthropic")(Finding(("messages", 1, "name"), "", "unknown_parameter"))


def test_a_name_beside_the_others_of_a_message_is_a_hint_and_deeper_ones_are_refused():
    beside = Finding(("messages", 1, "reasoning"), "is not known.", "unknown_parameter")
    deeper = Finding(("messages", 1, "content", 0, "data"), "is not known.", "unknown_parameter")
    assert softened(beside, "chat").words == ("is not known. Some models pass it over, and many providers refuse it.")
    assert not softened(beside, "chat").refused
    assert softened(beside, "messages").refused
    assert softened(deeper, "chat").refused


def test_what_our_own_rules_know_is_a_hint():
    unknown = Finding(("temperature",), "is not known", "unknown_parameter")
    assert not softened(unknown, "messages").refused
    assert softened(Finding(("temperature",), "has to be a number", "invalid_type"), "messages").refused
    assert softened(Finding(("frobnicate",), "is not known", "unknown_parameter"), "messages").refused
