from __future__ import annotations

import select

import pytest

from pytest_llmmock.core.model import Frame, Reply, Request
from pytest_llmmock.inbound import wire
from pytest_llmmock.inbound.doors import Door, origin

HEAD = b"POST /v1/models?a=1 HTTP/1.1\r\nhost: h\r\n"


@pytest.mark.parametrize(
    ("sent", "whole"),
    [
        (b"", False),
        (HEAD, False),
        (HEAD + b"\r\n", True),
        (HEAD + b"Content-Length: 2\r\n\r\n", False),
        (HEAD + b"Content-Length: 2\r\n\r\na", False),
        (HEAD + b"Content-Length: 2\r\n\r\nab", True),
        (HEAD + b"x: y\r\n\r\ncontent-length: 99\r\n", True),
        (HEAD + b"Transfer-Encoding: gzip, Chunked\r\n\r\n2\r\nab\r\n", False),
        (HEAD + b"Transfer-Encoding: chunked\r\n\r\n2\r\nab\r\n0\r\n\r\n", True),
    ],
    ids=repr,
)
def test_a_request_is_whole_when_its_body_is(sent, whole):
    assert wire.is_whole(bytearray(sent)) is whole


def test_a_client_is_held_back_until_it_is_told_to_go_on():
    head = HEAD + b"content-length: 2\r\nExpect: 100-continue\r\n\r\n"
    assert wire.is_held_back(head)
    assert not wire.is_held_back(head + b"ab")
    assert not wire.is_held_back(HEAD + b"\r\n")


def answering(*frames: bytes) -> tuple[wire.Wire, list[Request]]:
    asked: list[Request] = []

    def handle(request: Request) -> Reply:
        asked.append(request)
        return Reply(200, (("content-type", "text/event-stream"),), [Frame(data) for data in frames])

    return wire.Wire(Door(lambda *asked: True, handle), "https://h"), asked


def test_what_is_written_is_asked_and_what_is_read_is_the_reply():
    socket, asked = answering(b"one", b"two")
    socket.sendall(HEAD)
    socket.sendall(b"\r\n")
    with socket.makefile("rb") as reply:
        assert reply.read().endswith(b"connection: close\r\n\r\n3\r\none\r\n3\r\ntwo\r\n0\r\n\r\n")
    assert [request.url for request in asked] == ["https://h/v1/models?a=1"]


def test_a_read_takes_one_piece():
    socket, _ = answering(b"one", b"two")
    socket.sendall(HEAD + b"\r\n")
    with socket.makefile("rb") as reply:
        assert reply.read1().startswith(b"HTTP/1.1 200 OK\r\n")
        assert [reply.read1(), reply.read1(4), reply.read1()] == [b"3\r\none\r\n", b"3\r\nt", b"wo\r\n"]


def test_to_who_looks_the_other_side_has_hung_up():
    socket, _ = answering()
    try:
        assert select.select([socket], [], [], 0)[0] == [socket]
    finally:
        socket.close()


@pytest.mark.parametrize(
    ("parts", "expected"),
    [
        (("https", "h", 443), "https://h"),
        (("http", "h", 443), "http://h:443"),
        (("http", "h", None), "http://h"),
        (("https", "::1", 8443), "https://[::1]:8443"),
    ],
)
def test_an_origin_names_a_port_that_is_not_the_schemes_own(parts, expected):
    assert origin(*parts) == expected
