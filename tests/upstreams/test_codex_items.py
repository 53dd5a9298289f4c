"""Items of an input without ids, for the backend keeps none."""

from __future__ import annotations

from typing import Any

import pytest

from pytest_llmmock.upstreams.codex_items import fitted
from pytest_llmmock.upstreams.codex_request import Impossible
from pytest_llmmock.upstreams.sealed import Sealed

THOUGHT = {"id": "rs_1", "type": "reasoning", "summary": [], "encrypted_content": "sealed"}
CALL = {"id": "fc_1", "type": "function_call", "call_id": "call_1", "name": "look", "arguments": "{}"}
RESULT = {"type": "function_call_output", "call_id": "call_1", "output": "seen"}


def fit(*items: Any, sealed: Sealed | None = None, known: dict[str, dict[str, Any]] | None = None):
    return fitted(list(items), sealed or Sealed(), (known or {}).get)


@pytest.mark.parametrize(
    ("item", "role", "kind"),
    [
        ({"role": "user", "content": "a"}, "user", "input_text"),
        ({"role": "assistant", "content": "a", "id": "msg_1", "type": "message"}, "assistant", "output_text"),
        ({"role": "developer", "content": "a"}, "developer", "input_text"),
        ({"role": "system", "content": "a"}, "developer", "input_text"),
    ],
)
def test_a_message_is_written_in_full(item, role, kind):
    assert fit(item) == ([{"type": "message", "role": role, "content": [{"type": kind, "text": "a"}]}], [])


def test_parts_of_a_message_stay_as_they_are():
    parts = [{"type": "input_image", "image_url": "data:image/png;base64,AA", "detail": "low"}]
    assert fit({"role": "user", "content": parts})[0][0]["content"] == parts


def test_ids_of_items_go_and_those_of_calls_stay():
    items, _ = fit(CALL, RESULT)
    assert items == [{name: value for name, value in CALL.items() if name != "id"}, RESULT]


def test_a_thought_goes_back_as_the_backend_gave_it_out():
    sealed = Sealed()
    seen = sealed.seal(THOUGHT, shown=False)
    items, notes = fit(seen, sealed=sealed)
    assert items == [{"type": "reasoning", "summary": [], "encrypted_content": "sealed"}]
    assert notes == []


def test_a_thought_that_is_lost_is_left_out_and_that_is_said():
    items, notes = fit({"id": "rs_9", "type": "reasoning", "summary": []}, CALL)
    assert [item["type"] for item in items] == ["function_call"]
    assert notes == [
        "codex gives out thoughts encrypted, and some of an earlier run are not known any more: sent without"
    ]


@pytest.mark.parametrize("reference", [{"type": "item_reference", "id": "fc_1"}, {"id": "fc_1"}])
def test_a_reference_becomes_what_it_refers_to(reference):
    assert fit(reference, known={"fc_1": CALL}) == fit(CALL)


def test_a_reference_to_nothing_is_refused_as_openai_does():
    with pytest.raises(Impossible) as caught:
        fit({"type": "item_reference", "id": "msg_404"})
    problem = caught.value.problem
    assert (problem.status, problem.message, problem.param) == (404, "Item with id 'msg_404' not found.", "input")


def test_what_is_no_item_is_left_out():
    assert fit("text", 7, None, CALL)[0] == fit(CALL)[0]
