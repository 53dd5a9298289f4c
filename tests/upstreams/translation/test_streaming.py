"""Streams that are made of others: who waits, who leaves, who is told."""

from __future__ import annotations

import threading

import responding as upstream
from holding import HEAD, PATIENCE, Holding, Threads, chunk
from responding import Upstream, asked

from pytest_llmmock.core.live import Live
from pytest_llmmock.core.model import Request
from pytest_llmmock.upstreams.http import Network
from pytest_llmmock.upstreams.translation import as_asked

BEGINS = b"".join(map(chunk, [upstream.created(), upstream.text(0, "one")]))
ENDS = b"".join(map(chunk, [upstream.text(0, " two"), upstream.ended(), b""]))


def test_a_client_that_leaves_wakes_the_thread_that_waits_for_the_upstream() -> None:
    network = Network()
    with Threads(), Holding(HEAD + BEGINS, ENDS) as provider:
        reply = network.send(Request("POST", provider.url, "/v1/responses", body=b"{}"))
        told = as_asked(asked(stream=True), reply)
        assert isinstance(told.frames, Live)
        waiting = threading.Event()

        def read() -> None:
            for frame in told.frames:
                if b"one" in frame.data:
                    waiting.set()

        reader = threading.Thread(target=read)
        reader.start()
        assert waiting.wait(PATIENCE)
        told.frames.close()
        provider.wait(lambda provider: provider.hung_up == 1)
        reader.join(PATIENCE)
        assert not reader.is_alive()
        assert (told.frames.whole, told.frames.failure) == (False, "")
    network.close()


def test_a_stream_that_stays_is_read_to_its_end_without_its_client() -> None:
    network = Network()
    with Threads(), Holding(HEAD + BEGINS, ENDS) as provider:
        reply = network.send(Request("POST", provider.url, "/v1/responses", body=b"{}"))
        told = as_asked(asked(stream=True), reply)
        assert isinstance(told.frames, Live)
        told.frames.stay()
        next(iter(told.frames))
        told.frames.close()
        provider.release()
        told.frames.wait()
        assert told.frames.whole
        assert told.body.endswith(b"data: [DONE]\n\n")
    network.close()


def test_every_reader_gets_all_frames() -> None:
    source = Upstream(upstream.created(), upstream.text(0, "Hi"), upstream.ended())
    source.end()
    told = as_asked(asked(stream=True), source.reply)
    assert [frame.data for frame in told.frames] == [frame.data for frame in told.frames]


def test_frames_carry_the_seconds_since_the_request() -> None:
    source = Upstream(upstream.created(), upstream.text(0, "Hi"), upstream.ended())
    source.end()
    exchange = asked(stream=True)
    times = [frame.at for frame in as_asked(exchange, source.reply).frames]
    assert times == sorted(times)
    assert 0 <= times[0] <= times[-1] <= exchange.elapsed
