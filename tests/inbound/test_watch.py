from __future__ import annotations

import socket
import threading
from collections.abc import Iterator

import pytest

from pytest_llmmock.core.model import Frame
from pytest_llmmock.inbound.watch import Watch

PATIENCE = 10


class Frames:
    """Frames that tell when they are closed."""

    whole = False
    failure = ""
    ended = None

    def __init__(self) -> None:
        self.seen: list[Frame] = []
        self.closed = threading.Event()

    def __iter__(self) -> Iterator[Frame]:
        return iter(())

    def close(self) -> None:
        self.closed.set()


@pytest.fixture
def watch() -> Iterator[Watch]:
    watch = Watch()
    yield watch
    watch.stop()
    assert not [thread for thread in threading.enumerate() if thread.name == "llmmock-watch"]


@pytest.fixture
def pair() -> Iterator[tuple[socket.socket, socket.socket]]:
    ours, clients = socket.socketpair()
    with ours, clients:
        yield ours, clients


def test_the_stream_of_a_client_that_hangs_up_is_closed(watch, pair):
    ours, client = pair
    with watch.over(ours, frames := Frames()):
        client.close()
        assert frames.closed.wait(PATIENCE)


def test_the_stream_of_a_client_that_asks_for_more_goes_on(watch, pair):
    ours, client = pair
    other, gone = socket.socketpair()
    with watch.over(ours, frames := Frames()), other, watch.over(other, others := Frames()):
        client.sendall(b"GET / HTTP/1.1\r\n")
        gone.close()
        assert others.closed.wait(PATIENCE)  # it has looked at both
        assert not frames.closed.is_set()
        assert ours.recv(100) == b"GET / HTTP/1.1\r\n"


def test_a_stream_that_has_gone_out_is_closed_and_no_more_looked_at(watch, pair):
    ours, client = pair
    with watch.over(ours, frames := Frames()):
        assert not frames.closed.is_set()
    assert frames.closed.is_set()
    again = Frames()
    client.sendall(b"more")
    with watch.over(ours, again):
        client.close()
    assert again.closed.is_set()


def test_stopping_closes_every_stream(pair):
    watch = Watch()
    with watch.over(pair[0], frames := Frames()):
        watch.stop()
        assert frames.closed.is_set()


def test_without_a_stream_there_is_no_thread():
    before = threading.active_count()
    watch = Watch()
    assert threading.active_count() == before
    watch.stop()
