from __future__ import annotations

import itertools
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace

import pytest

from pytest_llmmock.core import live
from pytest_llmmock.core.live import Live, taken
from pytest_llmmock.core.model import Reply
from pytest_llmmock.errors import CutConnection, UpstreamError


class Closer:
    """Counts how often the upstream is let go."""

    def __init__(self) -> None:
        self.calls = 0

    def __call__(self) -> None:
        self.calls += 1


def breaking_off() -> Iterator[bytes]:
    yield b"a"
    raise ConnectionError("gone")


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each look at the clock is a second later than the one before, from 100."""
    ticks = itertools.count(100)
    monkeypatch.setattr(live, "time", SimpleNamespace(monotonic=lambda: float(next(ticks))))


@pytest.mark.usefixtures("clock")
def test_frames_carry_the_seconds_since_the_request() -> None:
    frames = Live([b"a", b"b"], Closer(), since=99.5)
    assert [(frame.data, frame.at) for frame in frames] == [(b"a", 0.5), (b"b", 1.5)]
    assert frames.ended == 102


def test_what_has_passed_is_seen_while_the_rest_is_still_coming() -> None:
    frames = Live([b"a", b"", b"b"], Closer(), since=0)
    reader = iter(frames)
    next(reader)
    assert [frame.data for frame in frames.seen] == [b"a"]
    assert (frames.ended, frames.whole) == (None, False)
    assert [frame.data for frame in reader] == [b"b"]  # an empty chunk is no frame
    assert frames.ended is not None
    assert (frames.whole, frames.failure) == (True, "")


def test_the_end_is_told_after_the_last_frame_and_before_the_reader_knows() -> None:
    told: list[int] = []
    frames = Live([b"a", b"b"], Closer(), since=0)
    frames.then(lambda: told.append(len(frames.seen)))
    frames.then(lambda: told.append(-1))
    reader = iter(frames)
    next(reader)
    next(reader)
    assert told == []
    assert next(reader, None) is None
    assert told == [2, -1]


def test_a_stream_with_a_last_event_is_whole_before_its_reader_sees_that_event() -> None:
    told: list[int] = []
    chunks = [b"data: 1\n\n", b"data: [DONE]\n\n", b": bye\n\n"]
    frames = Live(chunks, Closer(), since=0, content_type="text/event-stream")
    frames.then(lambda: told.append(len(frames.seen)))
    reader = iter(frames)
    next(reader)
    assert (told, frames.whole) == ([], False)
    next(reader)
    assert (told, frames.whole) == ([2], True)
    list(reader)
    assert told == [2, 3]  # again, because more came


def test_a_stream_that_ended_with_its_last_event_is_told_of_once() -> None:
    told: list[int] = []
    frames = Live([b"data: 1\n\n", b"data: [DONE]\n\n"], Closer(), since=0, content_type="text/event-stream")
    frames.then(lambda: told.append(len(frames.seen)))
    list(frames)
    assert told == [2]


def test_why_a_stream_broke_off_is_known() -> None:
    def chunks() -> Iterator[bytes]:
        yield b"a"
        raise UpstreamError("the upstream went away")

    frames = Live(chunks(), Closer(), since=0)
    with pytest.raises(UpstreamError):
        list(frames)
    assert (frames.whole, frames.failure) == (False, "the upstream went away")


def test_a_stream_that_breaks_off_has_no_end_to_tell_of_and_lets_the_upstream_go() -> None:
    told: list[int] = []
    close = Closer()
    frames = Live(breaking_off(), close, since=0)
    frames.then(lambda: told.append(1))
    reader = iter(frames)
    next(reader)
    with pytest.raises(ConnectionError):
        next(reader)
    assert (told, close.calls) == ([], 1)
    assert frames.ended is not None


def test_a_reader_that_leaves_early_has_no_end_to_tell_of_and_lets_the_upstream_go() -> None:
    told: list[int] = []
    close = Closer()
    frames = Live([b"a", b"b"], close, since=0)
    frames.then(lambda: told.append(1))
    reader = iter(frames)
    next(reader)
    reader.close()  # type: ignore[attr-defined]  # what Python does when the reader drops it
    assert (told, close.calls) == ([], 1)


def test_what_is_taken_is_whole_before_anybody_reads_and_can_be_read() -> None:
    close = Closer()
    frames = Live([b"a", b"b"], close, since=0)
    frames.take()
    assert (frames.whole, close.calls) == (True, 1)
    assert [frame.data for frame in frames] == [b"a", b"b"]
    assert len(frames.seen) == 2


def test_what_breaks_off_while_it_is_taken_breaks_off_for_its_reader() -> None:
    def chunks() -> Iterator[bytes]:
        yield b"a"
        raise UpstreamError("the upstream went away")

    frames = Live(chunks(), Closer(), since=0)
    frames.take()
    assert (frames.whole, frames.failure) == (False, "the upstream went away")
    reader = iter(frames)
    assert next(reader).data == b"a"
    with pytest.raises(UpstreamError, match="the upstream went away"):
        next(reader)


def test_the_upstream_is_let_go_once_however_often_and_from_wherever_it_is_asked() -> None:
    close = Closer()
    frames = Live([b"a"], close, since=0)
    frames.close()
    with ThreadPoolExecutor(8) as threads:
        list(threads.map(lambda _: frames.close(), range(64)))
    assert [frame.data for frame in frames] == [b"a"]
    assert close.calls == 1


def test_a_failure_while_telling_of_the_end_reaches_the_reader_and_lets_the_upstream_go() -> None:
    def fail() -> None:
        raise OSError("disk full")

    close = Closer()
    frames = Live([b"a"], close, since=0)
    frames.then(fail)
    with pytest.raises(OSError, match="disk full"):
        list(frames)
    assert close.calls == 1


# --- streams that stay when their reader leaves ---------------------------------------------------------


class Gate:
    """Chunks of which all but the first wait until it is opened."""

    def __init__(self, *chunks: bytes | Exception) -> None:
        self.opened = threading.Event()
        self._chunks = chunks

    def __iter__(self) -> Iterator[bytes]:
        for number, chunk in enumerate(self._chunks):
            assert number == 0 or self.opened.wait(10)
            if isinstance(chunk, Exception):
                raise chunk
            yield chunk


def left(gate: Gate, close: Closer, told: list[int]) -> Live:
    """A stream that stays, and whose reader has left behind the first frame."""
    frames = Live(gate, close, since=0)
    frames.stay()
    frames.then(lambda: told.append(len(frames.seen)))
    reader = iter(frames)
    next(reader)
    reader.close()  # type: ignore[attr-defined]  # what Python does when the reader drops it
    return frames


def test_a_stream_that_stays_is_taken_to_its_end_when_its_reader_has_left() -> None:
    told: list[int] = []
    gate, close = Gate(b"a", b"b", b"c"), Closer()
    frames = left(gate, close, told)
    frames.close()  # once more
    assert (told, close.calls, frames.whole, frames.ended) == ([], 0, False, None)
    gate.opened.set()
    frames.wait()
    assert (told, frames.whole) == ([3], True)
    assert [frame.data for frame in frames.seen] == [b"a", b"b", b"c"]
    assert [frame.at for frame in frames.seen] == sorted(frame.at for frame in frames.seen)


def test_a_stream_that_stays_and_breaks_off_is_told_and_not_whole() -> None:
    told: list[int] = []
    gate, close = Gate(b"a", UpstreamError("the upstream went away")), Closer()
    frames = left(gate, close, told)
    gate.opened.set()
    frames.wait()
    assert (told, frames.whole, frames.failure, close.calls) == ([], False, "the upstream went away", 1)


def test_a_stream_that_stays_can_be_hung_up_on() -> None:
    told: list[int] = []
    gate = Gate(b"a", UpstreamError("the socket was shut down"))

    class Shut(Closer):
        def __call__(self) -> None:
            super().__call__()
            gate.opened.set()

    frames = left(gate, shut := Shut(), told)
    frames.hang_up()
    frames.wait()
    frames.close()
    assert (told, frames.whole, frames.failure, shut.calls) == ([], False, "", 1)


def test_a_connection_that_we_have_shut_down_ends_and_the_stream_is_not_whole() -> None:
    gate = Gate(b"a", b"")
    frames = Live(gate, gate.opened.set, since=0)
    reader = iter(frames)
    next(reader)
    frames.close()
    assert list(reader) == []
    assert (frames.whole, frames.failure) == (False, "")


def test_who_still_reads_when_somebody_else_has_left_gets_every_frame() -> None:
    told: list[int] = []
    gate = Gate(b"a", b"b", b"c")
    frames = left(gate, Closer(), told)
    with ThreadPoolExecutor(4) as threads:
        reading = [threads.submit(lambda: [frame.data for frame in frames]) for _ in range(4)]
        gate.opened.set()
        assert [each.result(10) for each in reading] == [[b"a", b"b", b"c"]] * 4
    assert told == [3]


def test_a_stream_that_stays_is_let_go_behind_its_last_event() -> None:
    close = Closer()
    chunks = [b"data: [DONE]\n\n", b": more\n\n"]
    frames = Live(chunks, close, since=0, content_type="text/event-stream")
    frames.stay()
    next(iter(frames))
    frames.wait()
    assert (frames.whole, close.calls, len(frames.seen)) == (True, 1, 1)


class Told:
    """Says itself when the stream has ended, and whether it is whole."""

    def __init__(self, last: bytes = b"", failure: str = "") -> None:
        self.last = last
        self.failure = failure

    def reached(self, chunk: bytes) -> bool:
        return chunk == self.last


def test_who_makes_a_stream_may_know_when_it_has_ended() -> None:
    told: list[int] = []
    frames = Live([b"a", b"b"], Closer(), since=0, ending=Told(b"a"))
    frames.then(lambda: told.append(len(frames.seen)))
    next(iter(frames))
    assert told == [1]


def test_a_stream_that_ends_and_failed_is_not_whole_and_is_no_surprise_to_its_reader() -> None:
    told: list[int] = []
    frames = Live([b"a"], Closer(), since=0, ending=Told(failure="out of coal"))
    frames.then(lambda: told.append(1))
    assert next(iter(frames)).data == b"a"
    assert frames.failure == "out of coal"  # who leaves here has heard of it
    assert [frame.data for frame in frames] == [b"a"]
    assert (told, frames.whole, frames.failure) == ([], False, "out of coal")
    frames.wait()


def test_a_reply_can_be_taken_whole() -> None:
    live = Live([b"a", b"b"], lambda: None, since=0.0)
    reply = taken(Reply(500, (), live, live=True))
    assert (reply.status, reply.body, reply.live) == (500, b"ab", False)
    assert taken(reply) is reply


def test_of_a_reply_that_breaks_off_it_is_what_came() -> None:
    def chunks() -> Iterator[bytes]:
        yield b"a"
        raise CutConnection("gone")

    assert taken(Reply(500, (), Live(chunks(), lambda: None, since=0.0), live=True)).body == b"a"


@pytest.mark.parametrize("way", ["end", "close", "hang_up", "late"])
def test_who_wants_to_know_that_the_upstream_is_let_go_is_told_once(way: str) -> None:
    close, told = Closer(), Closer()
    frames = Live([b"a", b"b"], close, since=0)
    if way != "late":
        frames.at_end(told)
    if way in ("end", "late"):
        list(frames)
    else:
        getattr(frames, way)()
    if way == "late":
        frames.at_end(told)
    frames.close()
    assert (close.calls, told.calls) == (1, 1)


def test_who_wants_to_know_that_it_broke_off_is_told_before_its_reader() -> None:
    def chunks() -> Iterator[bytes]:
        yield b"a"
        raise CutConnection("it broke off at noon", "it broke off")

    told: list[object] = []
    frames = Live(chunks(), Closer(), since=0)
    frames.then(lambda: told.append("whole"))
    frames.or_else(lambda: told.append((frames.failure, frames.cut, len(frames.seen))))
    with pytest.raises(CutConnection):
        list(frames)
    with pytest.raises(CutConnection):
        list(frames)
    assert told == [("it broke off at noon", "it broke off", 1)]
    frames.or_else(lambda: told.append("late"))
    assert told[1:] == ["late"]


def test_so_it_is_with_one_that_tells_of_its_failure_and_it_was_not_cut() -> None:
    told: list[object] = []
    frames = Live([b"a"], Closer(), since=0, ending=Told(failure="out of coal"))
    frames.or_else(lambda: told.append((frames.failure, frames.cut)))
    assert len(list(frames)) == 1
    assert told == [("out of coal", "")]


def test_nobody_is_told_of_a_failure_when_the_reader_has_gone() -> None:
    told: list[object] = []
    frames = Live([b"a", b"b"], Closer(), since=0)
    frames.or_else(lambda: told.append(1))
    reader = iter(frames)
    next(reader)
    frames.close()
    assert (told, frames.failure) == ([], "")
