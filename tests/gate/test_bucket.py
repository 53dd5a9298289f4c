"""A bucket fills up with time."""

from __future__ import annotations

from clocks import Clock
from hypothesis import given
from hypothesis import strategies as st

from pytest_llmmock.gate.bucket import Bucket


def test_what_is_taken_comes_back_with_time() -> None:
    clock = Clock()
    bucket = Bucket(3, 0.05, clock)
    for left in (2, 1, 0):
        bucket.take(1)
        assert bucket.left == left
    assert bucket.wait(1) == 20
    clock.go(19)
    assert round(bucket.wait(1), 6) == 1
    clock.go(1)
    assert bucket.wait(1) == 0
    assert round(bucket.full_in, 6) == 40
    clock.go(1000)
    assert (bucket.left, bucket.full_in) == (3, 0)


def test_more_than_it_holds_is_waited_for_until_it_is_full() -> None:
    bucket = Bucket(10, 1, Clock())
    bucket.take(15)
    assert (bucket.left, bucket.wait(99)) == (-5, 15)
    bucket.take(-100)
    assert bucket.left == 10


def test_a_clock_that_goes_back_takes_nothing() -> None:
    clock = Clock()
    bucket = Bucket(2, 1, clock)
    clock.go(-50)
    assert bucket.left == 2
    bucket.take(2)
    bucket.fill()
    assert bucket.left == 2


steps = st.lists(st.tuples(st.floats(0, 100), st.floats(0, 5)), max_size=30)


@given(st.floats(1, 50), st.floats(0.01, 10), steps)
def test_who_waits_as_long_as_told_is_let_in_and_never_more_than_the_rate(
    capacity: float, per_second: float, steps: list[tuple[float, float]]
) -> None:
    clock = Clock()
    bucket = Bucket(capacity, per_second, clock)
    taken, began = 0.0, clock.now
    for pause, amount in steps:
        clock.go(pause)
        amount = min(amount, capacity)
        clock.go(bucket.wait(amount) + 1e-9)
        assert bucket.wait(amount) == 0
        bucket.take(amount)
        taken += amount
        assert taken <= capacity + per_second * (clock.now - began) + 1e-4
