from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_llmmock.core.chunking import Chunking, by_event, cut_at, ends_of_events, read_chunking
from pytest_llmmock.core.model import Frame
from pytest_llmmock.errors import UsageError

SSE, NDJSON, JSON = "text/event-stream; charset=utf-8", "application/x-ndjson", "application/json"

bodies = (
    st.binary(max_size=300) | st.text(max_size=120).map(str.encode) | st.just("data: naïve 🙂\r\n\r\n".encode() * 9)
)
framed = st.lists(st.builds(Frame, st.binary(min_size=1, max_size=40), st.floats(0, 9)), max_size=8).map(
    lambda frames: [Frame(frame.data, at) for frame, at in zip(frames, sorted(f.at for f in frames), strict=True)]
)
ways = st.sampled_from(["recorded", "event", "bytes=1", "bytes=7", "hostile=1", "hostile=2", "hostile=31337"])


def joined(frames: object) -> bytes:
    return b"".join(frame.data for frame in frames)  # type: ignore[attr-defined]


@given(frames=framed, way=ways, content_type=st.sampled_from([SSE, NDJSON, JSON, ""]))
def test_the_pieces_joined_are_the_body(frames: list[Frame], way: str, content_type: str) -> None:
    pieces = read_chunking(way).cut(frames, content_type)
    assert joined(pieces) == joined(frames)
    assert all(piece.data for piece in pieces)


@given(frames=framed, way=ways, content_type=st.sampled_from([SSE, NDJSON, JSON]))
def test_a_piece_has_come_when_its_last_byte_had(frames: list[Frame], way: str, content_type: str) -> None:
    arrived = {}
    size = 0
    for frame in frames:
        for _ in frame.data:
            size += 1
            arrived[size] = frame.at
    size = 0
    for piece in read_chunking(way).cut(frames, content_type):
        size += len(piece.data)
        assert piece.at == arrived[size]


def test_recorded_leaves_the_frames_as_they_are() -> None:
    frames = [Frame(b"data: a\n", 0.1), Frame(b"\ndata: b\n\n", 0.2)]
    assert read_chunking("recorded").cut(frames, SSE) is frames


def test_event_makes_a_piece_of_each_event_or_line() -> None:
    events = Chunking("event").cut([Frame(b"data: a\n\nda", 1.0), Frame(b"ta: b\n\n: c", 2.0)], SSE)
    assert events == [Frame(b"data: a\n\n", 1.0), Frame(b"data: b\n\n", 2.0), Frame(b": c", 2.0)]
    lines = Chunking("event").cut([Frame(b'{"a":1}\n{"b":2}\n')], NDJSON)
    assert [line.data for line in lines] == [b'{"a":1}\n', b'{"b":2}\n']
    assert Chunking("event").cut([Frame(b'{"a":'), Frame(b"1}")], JSON) == [Frame(b'{"a":1}')]


def test_bytes_makes_pieces_of_a_size() -> None:
    assert [len(piece.data) for piece in Chunking("bytes", size=4).cut([Frame(b"0123456789")], JSON)] == [4, 4, 2]


STREAM = "".join(f'data: {{"content": "naïve 🙂 number {number}"}}\r\n\r\n' for number in range(60)).encode()


def test_hostile_cuts_where_careless_readers_stumble() -> None:
    pieces = [piece.data for piece in Chunking("hostile", seed=5).cut([Frame(STREAM)], SSE)]
    assert any(len(piece) == 1 for piece in pieces), "single bytes"
    assert any(piece[0] & 0xC0 == 0x80 for piece in pieces), "inside a character"
    assert any(before.endswith(b"\r\n") and after.startswith(b"\r\n") for before, after in pairwise(pieces))
    assert any(before.endswith(b"\r") and after.startswith(b"\n") for before, after in pairwise(pieces))
    assert any(piece.count(b"data:") > 1 for piece in pieces), "several events at once"


def test_a_seed_cuts_the_same_body_at_the_same_places_and_another_seed_elsewhere() -> None:
    frames = [Frame(STREAM)]
    assert Chunking("hostile", seed=5).cut(frames, SSE) == Chunking("hostile", seed=5).cut(frames, SSE)
    assert Chunking("hostile", seed=5).cut(frames, SSE) != Chunking("hostile", seed=6).cut(frames, SSE)


def test_a_long_body_is_not_cut_to_millions_of_pieces() -> None:
    assert len(Chunking("hostile", seed=1).cut([Frame(STREAM * 2000)], SSE)) < 10_000


def test_a_seed_that_was_not_given_is_drawn_and_can_be_told() -> None:
    seeds = {read_chunking("hostile").seed for _ in range(20)}
    assert len(seeds) > 1
    chunking = read_chunking("hostile")
    assert read_chunking(str(chunking)) == chunking


@pytest.mark.parametrize("text", ["recorded", "event", "bytes=16", "hostile=12"])
def test_what_was_read_is_written_the_same(text: str) -> None:
    assert str(read_chunking(text)) == text


@pytest.mark.parametrize(
    "text", ["", "bytes", "bytes=0", "bytes=-1", "bytes=x", "hostile=x", "event=1", "words", "bytes=²"]
)
def test_a_way_that_there_is_not_is_refused(text: str) -> None:
    with pytest.raises(UsageError) as caught:
        read_chunking(text)
    said = "Say 'recorded', 'event', 'bytes=N', 'hostile' or 'hostile=SEED'."
    assert str(caught.value) == f"There is no way {text!r} to cut streams. {said}"


@given(frames=framed, ends=st.lists(st.integers(-3, 400), max_size=6))
def test_cuts_are_where_they_were_asked_for(frames: list[Frame], ends: list[int]) -> None:
    body = joined(frames)
    found, size = set(), 0
    for piece in cut_at(frames, ends):
        size += len(piece.data)
        found.add(size)
    assert found - {len(body)} == {end for end in ends if 0 < end < len(body)}


def test_events_are_counted_where_they_end() -> None:
    assert ends_of_events(b"data: a\n\n\n: ping\n\ndata: b", SSE) == [10, 18, 25]
    assert ends_of_events(b"", SSE) == []
    assert by_event([], SSE) == []
