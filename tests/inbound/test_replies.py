"""Replies that are kept ready are those that would have been written."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_llmmock.core.model import Frame, Reply, Request
from pytest_llmmock.inbound import replies
from pytest_llmmock.inbound.http1 import Asked
from pytest_llmmock.inbound.replies import Ready, write_reply

JSON = (("content-type", "application/json"),)
SSE = (("content-type", "text/event-stream"),)
FRAMES: tuple[list[Frame], ...] = ([], [Frame(b"a")], [Frame(b"data: 1\n\n"), Frame(b"data: [DONE]\n\n")])

askers = st.builds(
    Asked,
    st.sampled_from(["GET", "HEAD", "POST"]).map(lambda name: Request(name, "", "/")),
    st.booleans(),
    st.booleans(),
)
answers = st.builds(
    Reply,
    st.sampled_from([200, 204, 404]),
    st.sampled_from([JSON, SSE]),
    st.sampled_from(FRAMES),
    st.sampled_from(["", "Fine"]),
    st.sampled_from(["cassette", "script"]),
)


@given(st.lists(st.tuples(askers, answers), max_size=8))
def test_whatever_is_kept_is_what_would_be_written(turns: list[tuple[Asked, Reply]]) -> None:
    ready = Ready()
    for asked, reply in [*turns, *turns]:
        assert b"".join(ready.write(asked, reply)) == b"".join(write_reply(asked, reply))


def asked(**other: Any) -> Asked:
    return replace(Asked(Request("POST", "", "/"), modern=True, keep=True), **other)


def test_a_recording_is_written_once() -> None:
    ready, frames = Ready(), [Frame(b"a")]
    first = ready.write(asked(), Reply(200, JSON, frames))
    assert ready.write(asked(), Reply(200, JSON, frames)) is first
    assert ready.write(asked(keep=False), Reply(200, JSON, frames)) is not first


def test_frames_that_are_alike_are_not_taken_for_each_other() -> None:
    ready = Ready()
    for number in range(100):  # each list may lie where the one before it lay
        (block,) = ready.write(asked(), Reply(200, JSON, [Frame(b"%d" % number)]))
        assert block.endswith(b"\r\n\r\n%d" % number)


def test_frames_that_were_changed_are_written_anew() -> None:
    ready, frames = Ready(), [Frame(b"a"), Frame(b"b")]
    reply = Reply(200, JSON, frames)
    assert b"".join(ready.write(asked(), reply)).endswith(b"\r\n\r\nab")
    frames[1] = Frame(b"c")
    assert b"".join(ready.write(asked(), reply)).endswith(b"\r\n\r\nac")


def test_what_was_written_by_hand_is_written_anew() -> None:
    ready, frames = Ready(), [Frame(b"a")]
    reply = Reply(200, JSON, frames, source="script")
    assert ready.write(asked(), reply) is not ready.write(asked(), reply)


def test_no_more_is_kept_than_has_room(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(replies, "_ROOM", 2000)
    ready = Ready()
    for _ in range(100):
        ready.write(asked(), Reply(200, JSON, [Frame(b"x" * 400)]))
    assert len(ready._known) < 4
