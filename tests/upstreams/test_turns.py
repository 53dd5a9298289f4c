"""How many are asked at once, and who waits how."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager

import pytest

from pytest_llmmock.core.leaving import Caller
from pytest_llmmock.core.model import Request
from pytest_llmmock.errors import BusyError
from pytest_llmmock.upstreams.turns import Turns
from pytest_llmmock.upstreams.waits import Wait, Waits

PATIENCE = 10

ASKED = Request("POST", "http://localhost", "/v1/chat/completions")


class Noticed(Waits):
    """Tells when somebody begins to wait."""

    def __init__(self) -> None:
        super().__init__()
        self.began = threading.Semaphore(0)

    @contextmanager
    def begin(self, request: Request) -> Iterator[Wait]:
        with super().begin(request) as wait:
            inner = wait.wait

            def noticed(seconds: float) -> bool:
                self.began.release()
                return inner(seconds)

            wait.wait = noticed  # type: ignore[method-assign]
            yield wait


@pytest.fixture
def waits() -> Iterator[Noticed]:
    waits = Noticed()
    yield waits
    waits.close()


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(8) as pool:
        yield pool


Later = Callable[..., Future]


@pytest.fixture
def later(pool, waits) -> Later:
    """Somebody who asks for a turn and has to wait."""

    def later(turns: Turns, request: Request = ASKED) -> Future:
        future = pool.submit(turns.take, request)
        assert waits.began.acquire(timeout=PATIENCE)
        return future

    return later


def test_without_a_limit_nobody_waits(waits):
    turns = Turns(None, 0, waits)
    for _ in range(100):
        turns.take(ASKED)


def test_as_many_as_may_are_asked_at_once_and_the_next_one_when_one_has_ended(waits, later):
    turns = Turns(2, 10, waits)
    first, _ = turns.take(ASKED), turns.take(ASKED)
    third = later(turns)
    assert not third.done()
    first()
    assert third.result(PATIENCE)


def test_a_turn_ends_once_however_often_it_is_said(waits, later):
    turns = Turns(1, 10, waits)
    first = turns.take(ASKED)
    second, third = later(turns), later(turns)
    first()
    first()
    second.result(PATIENCE)
    assert not third.done()
    second.result()()
    third.result(PATIENCE)()


def test_who_came_first_goes_on_first(waits, later):
    turns = Turns(1, 10, waits)
    end = turns.take(ASKED)
    waiting = [later(turns) for _ in range(5)]
    for number, each in enumerate(waiting):
        end()
        end = each.result(PATIENCE)
        assert [other.done() for other in waiting] == [True] * (number + 1) + [False] * (4 - number)
    end()


def test_who_comes_when_the_queue_is_full_is_told_so_at_once(waits, later):
    turns = Turns(1, 1, waits)
    end = turns.take(ASKED)
    waiting = later(turns)
    with pytest.raises(BusyError) as caught:
        turns.take(ASKED)
    assert caught.value.retry_after == 2
    assert str(caught.value) == (
        "The upstream is being asked 1 at once (max_concurrency), and 1 more wait, as many as may (queue_limit). "
        "This request was not sent; it may be tried again in 2 seconds."
    )
    end()
    waiting.result(PATIENCE)()


def test_with_a_queue_of_nobody_nobody_waits(waits):
    turns = Turns(1, 0, waits)
    turns.take(ASKED)
    with pytest.raises(BusyError, match="none may wait"):
        turns.take(ASKED)


def test_a_client_that_goes_leaves_the_queue_and_takes_nobodys_turn(waits, later):
    turns = Turns(1, 10, waits)
    end = turns.take(ASKED)
    caller = Caller()
    gone, stays = later(turns, Request("POST", "http://localhost", "/v1/x", client=caller)), later(turns)
    caller.leave()
    with pytest.raises(BusyError, match=r"POST /v1/x was waiting for its turn .* its client has gone"):
        gone.result(PATIENCE)
    end()
    stays.result(PATIENCE)()
    turns.take(ASKED)()


def test_a_turn_that_comes_when_its_client_has_just_gone_is_passed_on(waits, later):
    turns = Turns(1, 10, waits)
    end = turns.take(ASKED)
    with waits.begin(ASKED) as wait:
        assert not turns._begins(wait)
        stays = later(turns)
        end()  # the turn of the first one, of which nobody has told it yet
        wait.close()
        turns._leave(wait)
    stays.result(PATIENCE)()


def test_closing_ends_all_waiting_also_that_which_begins_later(waits, later):
    turns = Turns(1, 10, waits)
    turns.take(ASKED)
    waiting = later(turns)
    waits.close()
    with pytest.raises(BusyError, match="the recording has ended"):
        waiting.result(PATIENCE)
    with pytest.raises(BusyError, match="the recording has ended"):
        turns.take(ASKED)


def test_ctrl_c_while_one_waits_leaves_the_queue(monkeypatch):
    def interrupted(wait: Wait, seconds: float) -> bool:
        raise KeyboardInterrupt

    monkeypatch.setattr(Wait, "wait", interrupted)
    turns = Turns(1, 1, Waits())
    turns.take(ASKED)
    for _ in range(3):  # were it still in the queue, the second would be told that it is full
        with pytest.raises(KeyboardInterrupt):
            turns.take(ASKED)


def test_who_waits_too_long_is_told_that_no_answer_ends(waits):
    turns = Turns(1, 10, waits, patience=0.01)
    turns.take(ASKED)
    with pytest.raises(BusyError) as caught:
        turns.take(ASKED)
    assert str(caught.value) == (
        "The upstream is being asked 1 at once (max_concurrency), and in 0.01 seconds no answer has ended. "
        "This request was not sent. Is a stream open that nobody reads?"
    )


def test_many_threads_are_never_more_than_may_be(waits, pool):
    turns, lock, running, most = Turns(3, 100, waits), threading.Lock(), [0], [0]

    def ask(_: int) -> None:
        end = turns.take(ASKED)
        with lock:
            running[0] += 1
            most[0] = max(most[0], running[0])
        with lock:
            running[0] -= 1
        end()

    list(pool.map(ask, range(300)))
    assert running == [0]
    assert 1 <= most[0] <= 3
    ends = [turns.take(ASKED) for _ in range(3)]  # none was lost
    for end in ends:
        end()
