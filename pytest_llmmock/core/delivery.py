"""How a reply is handed out: changed by faults, cut to pieces, in time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from .chunking import RECORDED, Chunking
from .live import Live
from .model import Exchange, Headers, Reply
from .pacing import INSTANT, Paced, Speed
from .sse import is_ndjson, is_sse

WAITS = ("retry-after", "retry-after-ms")


def without_waiting(headers: Headers) -> Headers:
    """A provider asks to wait before the next try. In replay nothing is won by that: SDKs then wait a millisecond.

    With 0 they would fall back to a wait of their own.
    """
    if not any(name in WAITS for name, _ in headers):
        return headers
    return (*(pair for pair in headers if pair[0] not in WAITS), ("retry-after-ms", "1"))


@dataclass(frozen=True, slots=True)
class Delivery:
    """What becomes of a reply on its way out. Called by the engine for every reply."""

    speed: Speed = INSTANT
    chunking: Chunking = RECORDED

    def __call__(self, exchange: Exchange, reply: Reply) -> Reply:
        """The reply as its client gets it. One that comes live from an upstream stays so, unless it meets a fault."""
        if reply.source == "unmatched" or (reply.source == "upstream" and not exchange.faults):
            return reply
        if reply.source == "cassette" and not self.speed.is_recorded:
            reply.headers = without_waiting(reply.headers)
        if not exchange.faults and self.speed.is_instant and self.chunking.kind == "recorded":
            return reply  # as nearly always
        return self._shaped(exchange, reply)

    def _shaped(self, exchange: Exchange, reply: Reply) -> Reply:
        is_live = reply.source == "upstream"
        reply = self._changed(exchange, _taken(exchange, reply) if is_live else self._scheduled(exchange, reply))
        assert isinstance(reply.frames, Sequence)
        reply = replace(reply, frames=self.chunking.cut(reply.frames, reply.content_type))
        return _paced(exchange, reply)

    def _scheduled(self, exchange: Exchange, reply: Reply) -> Reply:
        """A reply of ours with the times at which its frames are due."""

        def tokens() -> int | None:
            usage = exchange.dialect.read_reply(reply).usage
            return usage.output if usage else None

        return self.speed.schedule(reply, tokens)

    def _changed(self, exchange: Exchange, reply: Reply) -> Reply:
        for fault in exchange.faults:
            exchange.notes.append(f"fault: {fault.name}")
            reply = fault.change(exchange, reply)
        return reply


def _taken(exchange: Exchange, reply: Reply) -> Reply:
    """An upstream's reply once it is whole: so it is recorded as it is, whatever a fault makes of it.

    It has taken its time already. One that broke off breaks off again.
    """
    if isinstance(reply.frames, Live):
        reply.frames.take()
        exchange.trouble = exchange.trouble or reply.frames.failure
        reply = replace(reply, frames=reply.frames.seen, cut=reply.frames.failure, live=False)
    return INSTANT.schedule(reply, lambda: None)


def _paced(exchange: Exchange, reply: Reply) -> Reply:
    """The reply as it is when it is due at once and whole; else its frames are held back, and break off."""
    turn, altered = exchange.turn, any(not fault.only_late for fault in exchange.faults)
    if turn is not None and exchange.faults:
        turn.give_back()
    assert isinstance(reply.frames, Sequence)
    if not reply.cut and all(frame.at <= 0 for frame in reply.frames):
        return reply
    on_whole = turn.take_again if turn is not None and exchange.faults and not altered else None
    streams = is_sse(reply.content_type) or is_ndjson(reply.content_type)
    reply.frames = Paced(reply, exchange.clock, holds_head=not streams, on_whole=on_whole)
    return reply
