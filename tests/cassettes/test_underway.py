from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from pytest_llmmock.cassettes.underway import Underway, was_left
from pytest_llmmock.core.live import Live


def stream(*chunks: bytes) -> Live:
    return Live(chunks or (b"a", b"b"), lambda: None, since=0)


def left(underway: Underway, key: str = "k") -> Live:
    """A stream that was left behind its first frame."""
    found = stream()
    underway.follow(key, found)
    next(iter(found))
    return found


def test_what_was_left_is_remembered_of_its_cassette(tmp_path: Path) -> None:
    underway = Underway()
    left(underway, "left")
    underway.follow("whole", whole := stream())
    list(whole)
    assert not was_left(tmp_path / "it.yaml", "left")
    underway.let_go(tmp_path / "it.yaml")
    assert was_left(tmp_path / "it.yaml", "left")
    assert not was_left(tmp_path / "it.yaml", "whole")
    assert not was_left(tmp_path / "other.yaml", "left")


def test_what_nobody_reads_is_hung_up_on(tmp_path: Path) -> None:
    closed = threading.Event()
    underway = Underway(finishes=True)
    underway.follow("k", Live([b"a"], closed.set, since=0))
    underway.let_go(tmp_path / "it.yaml")
    assert closed.is_set()
    assert was_left(tmp_path / "it.yaml", "k")


def test_all_that_is_coming_is_read_to_its_end_where_that_is_wanted() -> None:
    underway = Underway(finishes=True)
    nobody_reads = stream()
    underway.follow("k", nobody_reads)
    found = left(underway)
    assert underway.unfinished in (1, 2)  # a thread reads what was left
    underway.finish()
    assert (found.whole, nobody_reads.whole, underway.unfinished) == (True, True, 0)


def test_nothing_is_waited_for_where_it_is_not_wanted() -> None:
    underway = Underway()
    found = left(underway)
    with underway.asking():
        assert (underway.unanswered, underway.unfinished) == (1, 0)
        underway.finish()
    assert not found.whole


def test_who_finishes_waits_for_answers_that_have_not_begun() -> None:
    underway = Underway(finishes=True)
    begun, go = threading.Event(), threading.Event()

    def ask() -> None:
        with underway.asking():
            begun.set()
            assert go.wait(10)
            underway.follow("k", found)

    found = stream()
    asking = threading.Thread(target=ask)
    asking.start()
    assert begun.wait(10)
    assert underway.unfinished == 1
    threading.Thread(target=go.set).start()
    underway.finish()
    assert found.whole
    asking.join()


def test_what_has_ended_is_forgotten() -> None:
    underway = Underway()
    for number in range(5):
        underway.follow(str(number), found := stream())
        list(found)
    assert len(underway._streams) == 1


@pytest.fixture(autouse=True)
def _no_thread_stays() -> Iterator[None]:
    before = set(threading.enumerate())
    yield
    for thread in set(threading.enumerate()) - before:
        thread.join(10)
        assert not thread.is_alive()
