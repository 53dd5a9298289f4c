"""Encrypted thoughts: out of the cassette, and back to the backend."""

from __future__ import annotations

import pytest

from pytest_llmmock.upstreams import sealed as module
from pytest_llmmock.upstreams.sealed import Sealed

THOUGHT = {"id": "rs_1", "type": "reasoning", "summary": [], "encrypted_content": "gAAAA-secret"}


@pytest.mark.parametrize("shown", [True, False])
def test_what_is_sealed_can_be_unsealed(shown):
    sealed = Sealed()
    seen = sealed.seal(THOUGHT, shown=shown)
    assert "secret" not in str(seen)
    assert sealed.unseal(seen) == THOUGHT


def test_who_asked_for_it_gets_a_placeholder_and_who_did_not_gets_nothing():
    assert Sealed().seal(THOUGHT, shown=True)["encrypted_content"] == "redacted-rs_1"
    assert "encrypted_content" not in Sealed().seal(THOUGHT, shown=False)


def test_a_client_that_leaves_out_the_id_is_understood():
    sealed = Sealed()
    seen = sealed.seal(THOUGHT, shown=True)
    del seen["id"]
    assert sealed.unseal(seen) == {name: value for name, value in THOUGHT.items() if name != "id"}


def test_what_came_from_elsewhere_is_left_to_the_backend():
    assert Sealed().unseal(THOUGHT) == THOUGHT


@pytest.mark.parametrize(
    "lost",
    [
        {"id": "rs_1", "type": "reasoning", "summary": []},
        {"id": "rs_1", "type": "reasoning", "encrypted_content": "redacted-rs_1"},
        {"id": "rs_1", "type": "reasoning", "encrypted_content": None},
        {"type": "reasoning", "encrypted_content": ""},
        {"type": "reasoning"},
    ],
)
def test_what_was_never_sealed_is_lost(lost):
    assert Sealed().unseal(lost) is None


def test_an_item_without_a_thought_is_as_it_was():
    message = {"id": "msg_1", "type": "message"}
    assert Sealed().seal(message, shown=False) is message


def test_it_does_not_grow_for_ever(monkeypatch):
    monkeypatch.setattr(module, "_MOST", 2)
    sealed = Sealed()
    for number in range(3):
        sealed.seal({**THOUGHT, "id": f"rs_{number}"}, shown=False)
    kept = [sealed.unseal({"id": f"rs_{number}", "type": "reasoning"}) is not None for number in range(3)]
    assert kept == [False, True, True]
