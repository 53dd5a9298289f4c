"""A stream that is made of another one while that comes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from ...core.live import End, Live
from ...core.model import Exchange, Headers, Reply
from ...dialects.conversion import headers_as


def streamed(exchange: Exchange, reply: Reply, chunks: Iterable[bytes], ending: End, said: Headers) -> Reply:
    """The chunks as a reply; who leaves it hangs up on what they are made of."""
    close = _close_of(reply)
    live = Live(chunks, close, since=exchange.clock, wake=close, ending=ending)
    if isinstance(reply.frames, Sequence):
        live.take()
    frames = live.seen if live.whole else live
    return Reply(reply.status, headers_as(reply, said), frames, reply.reason, "upstream", live=not live.whole)


def _close_of(reply: Reply) -> Callable[[], None]:
    frames = reply.frames
    if isinstance(frames, Live):
        return frames.hang_up  # never left to a thread of its own: who stays is decided for the stream that clients see
    return _nothing if isinstance(frames, Sequence) else frames.close


def _nothing() -> None:
    """What has come whole has nobody behind it."""
