from __future__ import annotations

import os
from unittest.mock import patch

from pytest_llmmock.core.environ import CHANGING, OfEnvironment


def counted() -> tuple[OfEnvironment[str], list[object]]:
    """Reads one variable, and notes each time that it is read."""
    read: list[object] = []

    def of(environ: object) -> str:
        read.append(environ)
        return dict(environ).get("LLMMOCK_A", "")  # type: ignore[call-overload]

    return OfEnvironment(of), read


def test_the_environment_is_read_once_while_nothing_changes(monkeypatch):
    monkeypatch.setenv("LLMMOCK_A", "1")
    found, read = counted()
    assert [found(), found(), found()] == ["1", "1", "1"]
    assert len(read) == 1


def test_a_variable_that_is_set_changed_or_taken_away_is_noticed(monkeypatch):
    monkeypatch.delenv("LLMMOCK_A", raising=False)
    found, _ = counted()
    told = [found()]
    for value in ("1", "2", "1"):
        monkeypatch.setenv("LLMMOCK_A", value)
        told.append(found())
    monkeypatch.delenv("LLMMOCK_A")
    assert [*told, found()] == ["", "1", "2", "1", ""]


def test_what_pytest_sets_for_each_test_is_no_change_and_not_told(monkeypatch):
    found, read = counted()
    for phase in ("setup", "call"):
        monkeypatch.setenv(CHANGING, f"test_it ({phase})")
        found()
    assert len(read) == 1
    assert CHANGING not in dict(read[0])


def test_an_environment_that_was_replaced_is_read():
    found, _ = counted()
    with patch.object(os, "environ", {"LLMMOCK_A": "theirs"}):
        assert found() == "theirs"
    assert found() == os.environ.get("LLMMOCK_A", "")
