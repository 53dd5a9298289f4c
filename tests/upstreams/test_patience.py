"""Asking in turn, and again when the upstream was busy."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from pytest_llmmock.core.leaving import Caller
from pytest_llmmock.core.live import Live
from pytest_llmmock.core.model import Reply, Request, json_reply
from pytest_llmmock.errors import BusyError, UpstreamError
from pytest_llmmock.upstreams.patience import Patience
from pytest_llmmock.upstreams.retries import Retries

PATIENCE = 10

ASKED = Request("POST", "http://localhost", "/v1/chat/completions")
BUSY = json_reply({"error": {}}, 429, (("retry-after", "3"),))
FINE = json_reply({"ok": True})


class Upstream:
    """Answers one after the other of what it is given; an exception it raises."""

    def __init__(self, *answers: Reply | Exception) -> None:
        self.answers = list(answers)
        self.asked = 0

    def __call__(self, request: Request) -> Reply:
        self.asked += 1
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Exception):
            raise answer
        return answer


@pytest.fixture
def pauses() -> list[float]:
    return []


@pytest.fixture
def patient(pauses):
    def patient(upstream: Upstream, tries: int | None = None, **limits: object) -> Patience:
        return Patience(upstream, Retries(tries), pause=lambda seconds, request: pauses.append(seconds), **limits)

    return patient


def stream(*chunks: bytes) -> Reply:
    live = Live(iter(chunks), lambda: None, since=0.0, content_type="text/event-stream")
    return Reply(200, (("content-type", "text/event-stream"),), live, live=True)


def test_a_busy_upstream_is_asked_again_and_its_client_sees_only_what_came_of_it(patient, pauses):
    upstream = Upstream(BUSY, BUSY, FINE)
    assert patient(upstream).send(ASKED) is FINE
    assert (upstream.asked, pauses) == (3, [3.0, 3.0])


def test_one_that_stays_busy_is_passed_on(patient, pauses):
    upstream = Upstream(BUSY)
    assert patient(upstream).send(ASKED) is BUSY
    assert (upstream.asked, pauses) == (3, [3.0, 3.0])


def test_all_pauses_together_have_a_limit(pauses):
    upstream = Upstream(BUSY)
    patience = Patience(upstream, Retries(100, 10.0), pause=lambda seconds, request: pauses.append(seconds))
    patience.send(ASKED)
    assert pauses == [3.0, 3.0, 3.0]


def test_a_stream_that_has_begun_is_never_asked_for_again(patient, pauses):
    upstream = Upstream(stream(b'data: {"error": {"code": 429}}\n\n'))
    reply = patient(upstream).send(ASKED)
    assert b"429" in b"".join(frame.data for frame in reply.frames)
    assert (upstream.asked, pauses) == (1, [])


def test_a_busy_answer_that_still_comes_is_hung_up_on(patient):
    closed = threading.Event()
    live = Live(iter([b"slow"]), closed.set, since=0.0)
    patient(Upstream(Reply(429, (("retry-after", "1"),), live, live=True), FINE)).send(ASKED)
    assert closed.is_set()


def test_its_client_may_go_while_it_pauses(patient):
    caller = Caller()
    patience = Patience(Upstream(BUSY), Retries(1))
    caller.leave()
    with pytest.raises(BusyError, match="its client has gone"):
        patience.send(Request("POST", "http://localhost", "/v1/x", client=caller))


def test_closing_ends_a_pause():
    pausing = threading.Event()

    def upstream(request: Request) -> Reply:
        pausing.set()
        return BUSY

    patience = Patience(upstream, Retries(1))
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(patience.send, ASKED)
        assert pausing.wait(PATIENCE)
        patience.close()
        with pytest.raises(BusyError):
            waiting.result(PATIENCE)


# --- turns ----------------------------------------------------------------------------------------------


def is_free(patience: Patience) -> bool:
    """Whether another may be asked at once."""
    try:
        patience._turns.take(ASKED)()
    except BusyError:
        return False
    return True


def test_a_plain_answer_ends_its_turn(patient):
    patience = patient(Upstream(FINE), most=1, waiting=0)
    patience.send(ASKED)
    assert is_free(patience)


def test_an_upstream_that_does_not_answer_ends_its_turn(patient):
    patience = patient(Upstream(UpstreamError("refused")), most=1, waiting=0)
    with pytest.raises(UpstreamError, match="refused"):
        patience.send(ASKED)
    assert is_free(patience)


def test_a_stream_keeps_its_turn_to_its_end(patient):
    patience = patient(Upstream(stream(b"data: 1\n\n", b"data: [DONE]\n\n")), most=1, waiting=0)
    frames = iter(patience.send(ASKED).frames)
    next(frames)
    assert not is_free(patience)
    list(frames)
    assert is_free(patience)


def test_a_stream_that_its_client_leaves_ends_its_turn(patient):
    patience = patient(Upstream(stream(b"data: 1\n\n", b"data: [DONE]\n\n")), most=1, waiting=0)
    reply = patience.send(ASKED)
    next(iter(reply.frames))
    reply.frames.close()
    assert is_free(patience)


def test_a_stream_that_breaks_off_ends_its_turn(patient):
    def broken() -> Iterator[bytes]:
        yield b"data: 1\n\n"
        raise UpstreamError("gone")

    live = Live(broken(), lambda: None, since=0.0)
    patience = patient(Upstream(Reply(200, (), live, live=True)), most=1, waiting=0)
    frames = iter(patience.send(ASKED).frames)
    next(frames)
    with pytest.raises(UpstreamError, match="gone"):
        next(frames)
    assert is_free(patience)


def test_the_turn_is_kept_while_it_pauses(pauses):
    free = []
    patience = Patience(
        Upstream(BUSY, FINE), Retries(1), most=1, waiting=0, pause=lambda *_: free.append(is_free(patience))
    )
    patience.send(ASKED)
    assert free == [False]
    assert is_free(patience)
