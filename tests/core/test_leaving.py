"""Clients that go while something is waited for in their place."""

from __future__ import annotations

from pytest_llmmock.core.leaving import Caller


class Wait:
    closed = 0

    def close(self) -> None:
        self.closed += 1


def test_who_goes_ends_what_is_waited_for_now():
    caller, wait = Caller(), Wait()
    with caller.over(wait):
        assert not wait.closed
        caller.leave()
        assert wait.closed == 1


def test_who_has_gone_ends_what_begins_later():
    caller, wait = Caller(), Wait()
    caller.leave()
    with caller.over(wait):
        assert wait.closed == 1


def test_what_is_over_is_left_alone():
    caller, wait = Caller(), Wait()
    with caller.over(wait):
        pass
    caller.leave()
    assert not wait.closed
