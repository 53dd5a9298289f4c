from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator

import pytest

from pytest_llmmock.core.model import Frame, Reply
from pytest_llmmock.core.pacing import INSTANT, RECORDED, Paced, Speed, read_speed
from pytest_llmmock.core.sse import write_event
from pytest_llmmock.errors import CutConnection, UsageError

SSE = (("content-type", "text/event-stream"),)
JSON = (("content-type", "application/json"),)
EVENTS = [Frame(b"data: a\n\n", 0.5), Frame(b"data: b\n\ndata: c\n\n", 1.0), Frame(b"data: d\n\n", 3.0)]


def times(speed: str, *, frames: list[Frame] = EVENTS, headers: object = SSE, tokens: int | None = None) -> list[float]:
    reply = Reply(200, headers, frames)  # type: ignore[arg-type]
    return [round(frame.at, 6) for frame in read_speed(speed).schedule(reply, lambda: tokens).frames]  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("speed", "due"),
    [
        ("instant", [0, 0, 0]),
        ("recorded", [0.5, 1.0, 3.0]),
        ("x10", [0.05, 0.1, 0.3]),
        ("x0.5", [1.0, 2.0, 6.0]),
        ("ttft=0.3", [0.3, 0.3, 0.3, 0.3]),
        ("tps=2", [0, 0.666667, 1.333333, 2.0]),
        ("ttft=0.25,tps=2", [0.25, 0.916667, 1.583333, 2.25]),
    ],
)
def test_each_speed_has_its_times(speed: str, due: list[float]) -> None:
    assert times(speed) == due


def test_the_tokens_of_an_answer_say_how_long_it_takes() -> None:
    assert times("tps=10", tokens=30) == [0, 1.0, 2.0, 3.0]


def test_a_plain_answer_comes_when_all_of_it_would_have_come() -> None:
    assert times("ttft=0.5,tps=10", frames=[Frame(b"{}", 0.7)], headers=JSON, tokens=20) == [2.5]
    assert times("recorded", frames=[Frame(b"{}", 0.7)], headers=JSON) == [0.7]


def test_a_recording_without_frames_of_its_own_is_cut_by_event_for_a_rate() -> None:
    whole = [Frame(b"".join(frame.data for frame in EVENTS))]
    assert times("tps=1", frames=whole) == [0, 1.333333, 2.666667, 4.0]


def test_speeds_are_read() -> None:
    assert read_speed("instant") == INSTANT
    assert read_speed(" recorded ") == RECORDED == Speed(factor=1.0)
    assert read_speed("x.5") == Speed(factor=0.5)
    assert read_speed("ttft=0.3, tps=40") == Speed(ttft=0.3, tps=40.0)
    assert not read_speed("ttft=0").is_instant


@pytest.mark.parametrize(
    "text", ["", "fast", "x", "x0", "x-1", "xnan", "tps=0", "tps=", "tps", "ttft=a", "tps=1,x=2", "10", "tps=1,tps=2"]
)
def test_a_speed_that_there_is_not_is_refused(text: str) -> None:
    with pytest.raises(UsageError) as caught:
        read_speed(text)
    said = "Say 'instant', 'recorded', 'x10' (faster), 'x0.5', 'tps=40', 'ttft=0.3' or 'ttft=0.3,tps=40'."
    assert str(caught.value) == f"There is no speed {text!r}. {said}"


# --- held back ------------------------------------------------------------------------------------------


def paced(*frames: Frame, cut: str = "", since: float | None = None, **more: object) -> Paced:
    reply = Reply(200, SSE, list(frames), cut=cut)
    return Paced(reply, time.monotonic() if since is None else since, holds_head=False, **more)  # type: ignore[arg-type]


def test_a_frame_comes_when_it_is_due_and_not_before() -> None:
    began = time.monotonic()
    frames = paced(Frame(b"a", 0.01), Frame(b"b", 0.03), since=began)
    for frame in frames:
        assert time.monotonic() - began >= frame.at
    assert (frames.whole, frames.seen, frames.failure) == (True, [Frame(b"a", 0.01), Frame(b"b", 0.03)], "")
    assert frames.ended is not None


def test_deadlines_are_absolute_so_a_slow_reader_does_not_shift_them() -> None:
    long_ago = time.monotonic() - 100
    frames = paced(Frame(b"a", 1.0), Frame(b"b", 99.0), since=long_ago)
    assert frames.delay == 0.0
    assert [frame.data for frame in frames] == [b"a", b"b"]


def test_frames_that_are_due_come_together() -> None:
    frames = paced(*(Frame(b"%d" % n, 0.001 * n) for n in range(4)), Frame(b"x", 0.2), since=time.monotonic() - 0.1)
    pieces = frames.together()
    assert [frame.data for frame in next(pieces)] == [b"0", b"1", b"2", b"3"]
    assert ([frame.data for frame in frames.seen], frames.whole) == ([b"0", b"1", b"2", b"3"], False)
    assert ([frame.data for frame in next(pieces)], frames.whole) == ([b"x"], True)
    assert list(pieces) == []


def test_no_frame_comes_before_it_is_due_with_others() -> None:
    began = time.monotonic()
    frames = paced(*(Frame(b"a", 0.0001 * number) for number in range(100)), since=began)
    for piece in frames.together():
        assert time.monotonic() - began >= max(frame.at for frame in piece)
    assert (len(frames.seen), frames.whole) == (100, True)


def test_what_comes_together_is_no_more_than_a_block() -> None:
    frames = paced(*[Frame(b"x" * 40_000)] * 5, Frame(b"y" * 200_000))
    assert [len(piece) for piece in frames.together()] == [1, 1, 1, 1, 1, 1]
    assert [len(piece) for piece in paced(*[Frame(b"x" * 30_000)] * 5).together()] == [2, 2, 1]


def test_the_last_event_is_noticed_among_others() -> None:
    frames = paced(Frame(b"data: 1\n\n"), Frame(write_event("[DONE]")), Frame(b": bye\n\n", 60.0))
    assert len(next(frames.together())) == 2
    assert frames.whole


@pytest.mark.parametrize("take", [iter, Paced.together])
def test_a_cut_comes_behind_whatever_was_due(take: Callable[[Paced], Iterator[object]]) -> None:
    frames = paced(Frame(b"a"), Frame(b"b"), cut="cut here")
    with pytest.raises(CutConnection, match="cut here"):
        list(take(frames))
    assert ([frame.data for frame in frames.seen], frames.whole) == ([b"a", b"b"], False)


def test_a_cut_comes_behind_the_frames() -> None:
    frames = paced(Frame(b"a"), cut="cut here")
    taken = []
    with pytest.raises(CutConnection, match="cut here"):
        taken.extend(frame.data for frame in frames)
    assert (frames.seen, frames.whole) == ([Frame(b"a")], False)


def test_patience_ends_before_a_frame_is_due() -> None:
    frames = paced(Frame(b"a", 60.0))
    assert not frames.wait(0.001)
    assert 59 < frames.delay < 60
    assert paced(Frame(b"a")).wait(0.0)


def test_closing_wakes_whoever_waits_and_nothing_more_comes() -> None:
    frames = paced(Frame(b"a"), Frame(b"b", 600.0))
    first, broken = threading.Event(), list[str]()
    taken: list[bytes] = []

    def read() -> None:
        try:
            for frame in frames:
                taken.append(frame.data)
                first.set()
        except CutConnection as error:
            broken.append(str(error))

    reader = threading.Thread(target=read)
    reader.start()
    assert first.wait(10)
    frames.close()
    reader.join(10)
    assert not reader.is_alive()
    assert (taken, frames.whole, frames.over) == ([b"a"], False, True)
    assert broken == ["The reply was closed before its end."], "never a clean end"


def test_who_wants_to_know_is_told_when_the_reader_leaves_before_the_end() -> None:
    told: list[str] = []
    frames = paced(Frame(b"a"), Frame(b"b"), on_left=lambda: told.append("left"))
    assert next(iter(frames)).data == b"a"
    frames.close()
    frames.close()
    assert (told, frames.whole) == (["left"], False)


def test_a_reader_who_leaves_at_the_last_event_has_not_left_before_the_end() -> None:
    told: list[str] = []
    frames = paced(Frame(write_event("[DONE]")), Frame(b": bye\n\n"), on_left=lambda: told.append("left"))
    assert next(iter(frames)).data == write_event("[DONE]")
    assert frames.whole
    frames.close()
    assert told == []


def test_a_second_reader_goes_on_where_the_first_one_was() -> None:
    frames = paced(*(Frame(bytes([letter])) for letter in b"abc"))
    first = iter(frames)
    assert next(first).data == b"a"
    assert [frame.data for frame in frames] == [b"b", b"c"]
    assert list(first) == []
    assert (frames.whole, len(frames.seen), frames.delay) == (True, 3, 0.0)


def test_a_reply_that_is_cut_has_no_length() -> None:
    assert paced(Frame(b"abc"), Frame(b"d")).length == 4
    assert paced(Frame(b"abc"), cut="x").length is None


def test_who_takes_all_that_there_is_before_a_cut_has_not_left() -> None:
    left: list[int] = []
    paced = Paced(Reply(200, SSE, EVENTS[:1], cut="gone"), -10.0, holds_head=False, on_left=lambda: left.append(1))
    with pytest.raises(CutConnection, match="gone"):
        list(paced)
    assert left == []
    early = Paced(Reply(200, SSE, EVENTS[:2], cut="gone"), -10.0, holds_head=False, on_left=lambda: left.append(1))
    next(iter(early))
    early.close()
    assert left == [1]
