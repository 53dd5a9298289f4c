"""Requests that are looked up by their bytes are those that would have been read."""

from __future__ import annotations

import io
import tracemalloc
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_llmmock.inbound import http1, seen
from pytest_llmmock.inbound.http1 import Asked, BadRequest
from pytest_llmmock.inbound.seen import Seen


class Pieces(io.RawIOBase):
    """A connection on which these pieces arrive, one at a time."""

    def __init__(self, pieces: Sequence[bytes]) -> None:
        self._pieces = [piece for piece in pieces if piece]

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        piece = self._pieces.pop(0) if self._pieces else b""
        size = min(len(piece), len(buffer))
        buffer[:size] = piece[:size]
        if size < len(piece):
            self._pieces.insert(0, piece[size:])
        return size


def stream(*pieces: bytes) -> io.BufferedReader:
    return io.BufferedReader(Pieces(pieces), 1 << 16)


def all_of(read: object, arriving: io.BufferedReader) -> list[object]:
    """Every request of a connection, with its base, and how it ends."""
    found: list[object] = []
    try:
        while (asked := read(arriving, found.append)) is not None:  # type: ignore[operator]
            found += [asked, asked.request.base]
    except (BadRequest, ConnectionAbortedError) as error:
        found += [type(error).__name__, str(error), getattr(error, "request", None)]
    return found


FIELDS = [
    b"Host: a",
    b"Host: b:80",
    b"Authorization: Bearer sk-1",
    b"authorization: Bearer sk-2",
    b"Accept: text/event-stream",
    b"Content-Encoding: gzip",
    b"Connection: close",
    b"Expect: 100-continue",
    b"Transfer-Encoding: chunked",
    b"Content-Length: 3",
    b"Content-Length: 0",
    b"Content-Length: x",
    b"Content-Length: 99999999999",
    b"x-llmmock-cassette: one",
    b"broken",
    b" folded",
]
lines = st.sampled_from(
    [b"POST /v1 HTTP/1.1", b"GET /v1?a=1 HTTP/1.1", b"GET /t1-abcd/v1 HTTP/1.0", b"", b"no request"]
)
ends = st.sampled_from([b"\r\n", b"\r\n", b"\r\n", b"\n"])
bodies = st.sampled_from([b"", b"abc", b"abd", b"3\r\nabc\r\n0\r\n\r\n", b"\r\n\r\n", b"ab"])


@st.composite
def sent(draw: st.DrawFn) -> bytes:
    """A request, or nearly one."""
    body, fields = draw(bodies), draw(st.lists(st.sampled_from(FIELDS), max_size=3))
    if draw(st.booleans()):
        fields.append(b"Content-Length: %d" % len(body))
    head = [draw(lines), *fields, b""]
    return b"".join(line + draw(ends) for line in head) + body


@given(st.data())
def test_whatever_comes_is_what_would_have_been_read(data: st.DataObject) -> None:
    known = Seen()
    requests = data.draw(st.lists(sent(), min_size=1, max_size=3))
    for _ in range(2):
        for one_by_one in ([each] for each in requests), [requests]:
            for together in one_by_one:
                whole = b"".join(together)
                cut = data.draw(st.integers(0, len(whole)))
                pieces = (whole[:cut], whole[cut:])
                expected = all_of(http1.read_request, stream(whole))
                assert all_of(known.read, stream(*pieces)) == expected
                assert all_of(known.read, stream(whole)) == expected


PLAIN = b"POST /v1 HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer sk-1\r\nContent-Length: 3\r\n\r\nabc"


def read(known: Seen, *pieces: bytes) -> Asked:
    asked = known.read(stream(*pieces), lambda interim: None)
    assert asked is not None
    return asked


def test_the_same_bytes_are_the_same_request() -> None:
    known = Seen()
    assert read(known, PLAIN) is read(known, PLAIN)


@pytest.mark.parametrize("at", range(len(PLAIN)))
def test_one_other_byte_is_another_request(at: int) -> None:
    known, other = Seen(), PLAIN[:at] + bytes([PLAIN[at] ^ 1]) + PLAIN[at + 1 :]
    first = read(known, PLAIN)
    assert all_of(known.read, stream(other)) == all_of(http1.read_request, stream(other))
    assert read(known, PLAIN) is first


def test_what_follows_a_known_request_is_another_one() -> None:
    known, other = Seen(), PLAIN.replace(b"abc", b"xyz")
    read(known, PLAIN)
    arriving = stream(PLAIN + other)
    bodies = [known.read(arriving, len).request.body for _ in range(2)]  # type: ignore[union-attr]
    assert bodies == [b"abc", b"xyz"]


@pytest.mark.parametrize(
    "unusual",
    [
        PLAIN.replace(b"\r\n\r\n", b"\n\n"),
        PLAIN.replace(b"Content-Length: 3", b"Transfer-Encoding: chunked").replace(b"abc", b"3\r\nabc\r\n0\r\n\r\n"),
        PLAIN.replace(b"Host", b"Expect: 100-continue\r\nHost"),
    ],
)
def test_what_is_unusual_is_read_anew(unusual: bytes) -> None:
    known = Seen()
    assert read(known, unusual) == read(known, unusual)
    assert read(known, unusual) is not read(known, unusual)


def test_no_more_is_remembered_than_has_room(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(seen, "_ROOM", 3 * (2 * len(PLAIN) + seen._BESIDE) - 1)
    known = Seen()
    for number in range(100):
        read(known, PLAIN.replace(b"abc", b"%03d" % number))
    assert len(known._known) < 3


def test_what_small_requests_take_beside_their_bytes_counts() -> None:
    known = Seen()
    tracemalloc.start()
    try:
        for number in range(15_000):
            read(known, b"GET /%d HTTP/1.1\r\n\r\n" % number)
        assert tracemalloc.get_traced_memory()[0] < seen._ROOM
    finally:
        tracemalloc.stop()


def test_a_large_request_is_not_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(seen, "_LARGE", len(PLAIN) - 1)
    known = Seen()
    assert read(known, PLAIN) is not read(known, PLAIN)
