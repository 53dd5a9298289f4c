"""Work that comes to its end."""

from __future__ import annotations

import signal
import sys
import threading
from contextvars import ContextVar

import pytest

from pytest_llmmock.upstreams.unbroken import unbroken


def test_what_it_brings_and_what_goes_wrong_with_it_are_its_own():
    assert unbroken(lambda: 5) == 5
    with pytest.raises(ZeroDivisionError):
        unbroken(lambda: 1 // 0)


def test_it_knows_what_whoever_has_begun_it_knows():
    known: ContextVar[str] = ContextVar("known")
    known.set("here")
    assert unbroken(known.get) == "here"


@pytest.mark.skipif(sys.platform == "win32", reason="Windows sends no signals to threads")
def test_a_ctrl_c_goes_on_when_the_work_is_done():
    done, came = [], threading.Event()

    def interrupt(*arguments: object) -> None:
        came.set()
        raise KeyboardInterrupt

    def work() -> None:
        signal.pthread_kill(threading.main_thread().ident, signal.SIGINT)
        came.wait(30)
        done.append(1)

    before = signal.signal(signal.SIGINT, interrupt)
    try:
        with pytest.raises(KeyboardInterrupt):
            unbroken(work)
    finally:
        signal.signal(signal.SIGINT, before)
    assert done == [1]
