from __future__ import annotations

import json
from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_llmmock.core.model import Frame, Reply
from pytest_llmmock.core.sse import read_events
from pytest_llmmock.faults import streams

SSE = (("content-type", "text/event-stream"),)
EVENTS = [b'data: {"n": %d}\n\n' % number for number in range(4)] + [b"data: [DONE]\n\n"]
STREAM = Reply(
    200, SSE, [Frame(EVENTS[0] + EVENTS[1][:7], 0.1), Frame(EVENTS[1][7:], 0.2), Frame(b"".join(EVENTS[2:]), 0.3)]
)
PLAIN = Reply(200, (("content-type", "application/json"),), [Frame(b'{"answer": "yes"}', 0.5)])


@pytest.mark.parametrize("events", range(7))
def test_a_cut_stream_has_so_many_events_and_the_frames_as_they_were(events: int) -> None:
    reply = streams.cut(STREAM, events)
    assert reply.body == b"".join(EVENTS[:events])
    assert reply.cut == "The connection was cut by a fault of this test."
    whole = list(STREAM.arrived)
    kept = list(reply.arrived)
    assert all(frame == before for frame, before in zip(kept[:-1], whole, strict=False))
    assert [frame.at for frame in kept] == [frame.at for frame in whole][: len(kept)]


def test_unless_told_a_cut_is_in_the_middle() -> None:
    assert streams.cut(STREAM, None).body == b"".join(EVENTS[:2])
    assert streams.cut(PLAIN, None).body == streams.cut(PLAIN, 3).body == b'{"answer'
    assert streams.cut(PLAIN, 0).body == b""


def test_a_truncated_stream_ends_well_before_its_last_event() -> None:
    reply = streams.truncated(STREAM, None)
    assert (reply.body, reply.cut) == (b"".join(EVENTS[:-1]), "")
    assert streams.truncated(STREAM, 1).body == EVENTS[0]
    assert streams.truncated(PLAIN, None).body == b'{"answer'


@pytest.mark.parametrize("events", [*range(5), None, 99])
def test_a_garbled_event_cannot_be_read_and_the_others_can(events: int | None) -> None:
    reply = streams.garbled(STREAM, events)
    place = 2 if events is None else min(events, 4)
    told = [event.data for event in read_events(reply.body)]
    expected = [event.data for event in read_events(STREAM.body)]
    assert len(told) == len(expected)
    assert [n for n, pair in enumerate(zip(told, expected, strict=True)) if pair[0] != pair[1]] == [place]
    with pytest.raises(json.JSONDecodeError):
        json.loads(told[place])
    assert len(reply.body) == len(STREAM.body)


def test_a_plain_reply_is_garbled_too() -> None:
    reply = streams.garbled(PLAIN, None)
    assert reply.body == b'{"answer#########'


def test_latency_moves_each_event_and_the_first_most() -> None:
    reply = streams.late(STREAM, 1.0, 0.5)
    assert [round(frame.at, 3) for frame in reply.arrived] == [1.1, 1.7, 2.3, 2.8, 3.3]
    assert reply.body == STREAM.body
    assert [frame.at for frame in streams.late(PLAIN, 1.0, 0.5).arrived] == [1.5]


def test_a_stalled_stream_goes_on_later() -> None:
    reply = streams.stalled(STREAM, 30, 2)
    assert [round(frame.at, 3) for frame in reply.arrived] == [0.1, 0.2, 30.3]
    assert reply.body == STREAM.body
    assert [frame.at for frame in streams.stalled(PLAIN, 30, 2).arrived] == [30.5]


@given(cuts=st.lists(st.integers(1, 60), max_size=6), events=st.integers(0, 8))
def test_what_is_before_and_behind_a_border_is_the_stream(cuts: list[int], events: int) -> None:
    body, borders = STREAM.body, sorted({0, *cuts, len(STREAM.body)})
    frames = [Frame(body[a:b]) for a, b in pairwise(borders)]
    reply = replace(STREAM, frames=frames)
    assert streams.stalled(reply, 1, events).body == body
    assert streams.cut(reply, events).body == b"".join(EVENTS[:events])


def test_an_empty_reply_survives_every_fault() -> None:
    for empty in (replace(STREAM, frames=[]), replace(PLAIN, frames=[])):
        assert streams.count(empty) == 0
        for change in (streams.cut, streams.truncated, streams.garbled):
            assert change(empty, 2).body == b""
        assert streams.late(empty, 1, 1).body == streams.stalled(empty, 1, 1).body == b""
