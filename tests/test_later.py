from __future__ import annotations

import threading

import pytest

from pytest_llmmock.later import Later


def test_what_is_wanted_often_while_it_waits_is_done_once():
    done: list[str] = []
    begins, over = threading.Event(), threading.Event()

    def work() -> None:
        done.append(threading.current_thread().name)
        over.set()
        begins.wait(60)

    later = Later(work, soonest=0)
    later.want()
    assert over.wait(60)  # the first is being done
    over.clear()
    for _ in range(5):
        later.want()
    begins.set()
    assert over.wait(60)
    later.stop()
    assert done == ["llmmock-later"] * 2


def test_it_begins_again_when_it_had_nothing_to_do():
    done = threading.Semaphore(0)
    later = Later(done.release, soonest=0)
    for _ in range(3):
        later.want()
        assert done.acquire(timeout=60)
    later.stop()


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_work_that_has_failed_may_be_wanted_again():
    done = threading.Semaphore(0)
    begun = threading.Event()
    failing = [True]

    def work() -> None:
        if failing.pop():
            failing.append(False)
            ended.append(threading.current_thread())
            begun.set()
            raise OSError("no space left")
        done.release()

    ended: list[threading.Thread] = []
    later = Later(work, soonest=0)
    later.want()
    assert begun.wait(60)
    ended[0].join(60)
    later.want()
    assert done.acquire(timeout=60)
    later.stop()


def test_what_is_stopped_does_nothing_any_more_and_does_not_wait_first():
    done: list[int] = []
    later = Later(lambda: done.append(1), soonest=600)
    later.want()
    later.stop()
    later.want()
    later.stop()
    assert done == []
    assert not [thread for thread in threading.enumerate() if thread.name == "llmmock-later"]


def test_who_stops_it_waits_until_nothing_is_being_done():
    begun, goes_on = threading.Event(), threading.Event()
    done: list[int] = []

    def work() -> None:
        begun.set()
        goes_on.wait(60)
        done.append(1)

    later = Later(work, soonest=0)
    later.want()
    assert begun.wait(60)
    stopping = threading.Thread(target=later.stop)
    stopping.start()
    goes_on.set()
    stopping.join(60)
    assert done == [1]


def test_the_longer_it_takes_the_more_seldom_it_is_done():
    waits: list[float] = []
    later = Later(lambda: None, soonest=0.5)
    later._stopped = _Watch(waits)  # type: ignore[assignment]
    later._took = 2.0
    later.want()
    assert later._thread is None or later._thread.join(60) is None
    assert waits == [40.0]


class _Watch:
    """Stopped as soon as it is waited for."""

    def __init__(self, waits: list[float]) -> None:
        self._waits = waits

    def is_set(self) -> bool:
        return False

    def wait(self, seconds: float) -> bool:
        self._waits.append(seconds)
        return True
