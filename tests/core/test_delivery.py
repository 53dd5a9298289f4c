from __future__ import annotations

from typing import Any
from unittest.mock import Mock

import pytest

from pytest_llmmock import dialects
from pytest_llmmock.core.chunking import Chunking
from pytest_llmmock.core.delivery import Delivery, without_waiting
from pytest_llmmock.core.live import Live
from pytest_llmmock.core.model import Exchange, Frame, Reply, Request
from pytest_llmmock.core.pacing import RECORDED, Paced, read_speed
from pytest_llmmock.core.sse import write_event
from pytest_llmmock.errors import CutConnection

SSE = (("content-type", "text/event-stream"),)
STREAM = [Frame(write_event("a"), 0.5), Frame(write_event("[DONE]"), 1.0)]


class Wrong:
    """A fault that does what it is told."""

    def __init__(self, change: Any = lambda exchange, reply: reply) -> None:
        self.name = "wrong()"
        self.change = change


def exchange(*faults: Wrong) -> Exchange:
    found = dialects.read(Request("POST", "http://x", "/v1/chat/completions", body=b'{"model": "m"}'))
    found.faults = faults
    found.give_back = Mock()
    return found


def given_back(asked: Exchange) -> int:
    """How often its recording was given back."""
    assert isinstance(asked.give_back, Mock)
    return asked.give_back.call_count


def reply(*, source: Any = "cassette", headers: Any = SSE) -> Reply:
    return Reply(200, headers, list(STREAM), source=source)


def live(*chunks: bytes, breaks: bool = False) -> Reply:
    def come() -> Any:
        yield from chunks
        if breaks:
            raise CutConnection("it broke off")

    frames = Live(come(), lambda: None, since=0.0, content_type="text/event-stream")
    return Reply(200, SSE, frames, source="upstream", live=True)


def cut_short(exchange: Exchange, reply: Reply) -> Reply:
    return Reply(200, reply.headers, [reply.frames[0]], cut="cut", source=reply.source)  # type: ignore[index]


def later(exchange: Exchange, reply: Reply) -> Reply:
    return Reply(200, reply.headers, [Frame(each.data, 0.001) for each in reply.frames], source=reply.source)


def test_unless_told_a_reply_goes_out_as_it_is() -> None:
    given = reply()
    assert Delivery()(exchange(), given) is given
    assert given.frames == STREAM


def test_in_time_it_goes_out_when_it_is_due() -> None:
    frames = Delivery(speed=RECORDED)(exchange(), reply()).frames
    assert isinstance(frames, Paced)
    assert 0.4 < frames.delay <= 0.5
    assert not frames.holds_head


def test_a_plain_reply_holds_its_head_back() -> None:
    frames = Delivery(speed=RECORDED)(exchange(), reply(headers=(("content-type", "application/json"),))).frames
    assert isinstance(frames, Paced)
    assert frames.holds_head


def test_pieces_have_the_times_of_their_last_bytes() -> None:
    found = Delivery(speed=read_speed("x1000"), chunking=Chunking("bytes", size=3))(exchange(), reply())
    assert b"".join(frame.data for frame in found.frames) == b"".join(frame.data for frame in STREAM)
    assert [len(frame.data) for frame in found.frames.seen][:3] == [3, 3, 3]  # type: ignore[union-attr]


def test_what_comes_live_and_what_could_not_be_answered_stay_as_they_are() -> None:
    deliver = Delivery(speed=RECORDED, chunking=Chunking("bytes", size=1))
    coming, missed = live(b"x"), reply(source="unmatched")
    assert deliver(exchange(), coming) is coming
    assert deliver(exchange(Wrong(cut_short)), missed) is missed


def test_a_live_reply_that_meets_a_fault_is_taken_whole_first() -> None:
    told: list[str] = []
    coming = live(*(frame.data for frame in STREAM))
    coming.frames.then(lambda: told.append("whole"))  # type: ignore[union-attr]
    found = Delivery()(exchange(Wrong(cut_short)), coming)
    assert told
    with pytest.raises(CutConnection, match="cut"):
        list(found.frames)
    assert found.body == STREAM[0].data
    assert not found.live


def test_a_live_reply_that_broke_off_breaks_off_again_and_is_told() -> None:
    asked = exchange(Wrong())
    found = Delivery()(asked, live(STREAM[0].data, breaks=True))
    with pytest.raises(CutConnection, match="it broke off"):
        list(found.frames)
    assert asked.trouble == "it broke off"


def test_a_spoilt_answer_gives_its_recording_back() -> None:
    asked = exchange(Wrong(cut_short))
    Delivery()(asked, reply())
    assert given_back(asked) == 1
    assert asked.notes == ["fault: wrong()"]


def test_an_answer_that_is_late_gives_its_recording_back_when_nobody_waits_for_it() -> None:
    asked = exchange(Wrong(later))
    found = Delivery()(asked, reply())
    assert given_back(asked) == 0
    found.frames.close()  # type: ignore[union-attr]
    assert given_back(asked) == 1


def test_so_does_one_that_is_slow_without_a_fault() -> None:
    asked = exchange()
    found = Delivery(speed=RECORDED)(asked, reply())
    found.frames.close()  # type: ignore[union-attr]
    assert given_back(asked) == 1


def test_an_answer_that_is_late_and_taken_whole_uses_its_recording_up() -> None:
    asked = exchange(Wrong(later))
    assert len(list(Delivery()(asked, reply()).frames)) == 2
    assert given_back(asked) == 0


def test_a_spoilt_answer_gives_its_recording_back_once() -> None:
    asked = exchange(Wrong(cut_short))
    Delivery()(asked, reply()).frames.close()  # type: ignore[union-attr]
    assert given_back(asked) == 1


def test_a_fault_that_finds_nothing_to_change_is_told_and_uses_the_recording_up() -> None:
    asked = exchange(Wrong())
    assert Delivery()(asked, reply()).body == reply().body
    assert given_back(asked) == 0
    assert asked.notes == ["fault without effect: wrong()"]


@pytest.mark.parametrize(("speed", "waits"), [("instant", "1"), ("x2", "1"), ("tps=9", "1"), ("recorded", None)])
def test_retries_wait_only_where_everything_takes_its_time(speed: str, waits: str | None) -> None:
    found = Delivery(speed=read_speed(speed))(exchange(), reply(headers=(*SSE, ("retry-after", "7"))))
    assert dict(found.headers).get("retry-after-ms") == waits
    assert dict(found.headers).get("retry-after") == (None if waits else "7")


def test_other_headers_stay_as_they_are() -> None:
    assert without_waiting(SSE) is SSE
    assert without_waiting((("retry-after-ms", "900"), *SSE)) == (*SSE, ("retry-after-ms", "1"))
