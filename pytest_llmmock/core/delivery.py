"""How a reply is handed out: changed by faults, cut to pieces, in time."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from .chunking import RECORDED, Chunking
from .live import Live
from .model import Exchange, Headers, Reply
from .pacing import INSTANT, Paced, Speed

WAITS = ("retry-after", "retry-after-ms")


def without_waiting(headers: Headers) -> Headers:
    """A provider asks to wait before the next try. In replay nothing is won by that: SDKs then wait a millisecond.

    With 0 they would fall back to a wait of their own.
    """
    for name, _ in headers:
        if name in WAITS:
            break
    else:
        return headers  # as nearly always
    return (*(pair for pair in headers if pair[0] not in WAITS), ("retry-after-ms", "1"))


@dataclass(frozen=True, slots=True)
class Delivery:
    """What becomes of a reply on its way out. Called by the engine for every reply."""

    speed: Speed = INSTANT
    chunking: Chunking = RECORDED

    def __call__(self, exchange: Exchange, reply: Reply) -> Reply:
        """The reply as its client gets it. One that comes live from an upstream stays so, unless it meets a fault."""
        source = reply.source
        if source == "unmatched" or (source == "upstream" and not exchange.faults):
            return reply
        if source == "cassette" and not self.speed.is_recorded:
            reply.headers = without_waiting(reply.headers)
        if not exchange.faults and self.speed.is_instant and self.chunking.kind == "recorded" and not reply.cut:
            return reply  # as nearly always
        return self._shaped(exchange, reply)

    def _shaped(self, exchange: Exchange, reply: Reply) -> Reply:
        is_live = reply.source == "upstream"
        scheduled = _taken(exchange, reply) if is_live else self._scheduled(exchange, reply)
        reply = _changed(exchange, scheduled)
        give_back = exchange.give_back
        if give_back is not None and _says_something_else(reply, scheduled):
            give_back()
            give_back = None
        reply = replace(reply, frames=self.chunking.cut(reply.arrived, reply.content_type))
        return _paced(reply, exchange.clock, give_back)

    def _scheduled(self, exchange: Exchange, reply: Reply) -> Reply:
        """A reply of ours with the times at which its frames are due."""

        def tokens() -> int | None:
            usage = exchange.dialect.read_reply(reply).usage
            return usage.output if usage else None

        return self.speed.schedule(reply, tokens)


def _changed(exchange: Exchange, reply: Reply) -> Reply:
    """The reply with the faults in it that it meets. A fault that finds nothing to change is told as well."""
    for fault in exchange.faults:
        before, reply = reply, fault.change(exchange, reply)
        found = reply.frames != before.frames or _says_something_else(reply, before)
        exchange.notes.append(f"fault: {fault.name}" if found else f"fault without effect: {fault.name}")
    return reply


def _says_something_else(reply: Reply, original: Reply) -> bool:
    """Whether the client gets another answer, and not merely a late one."""
    if reply is original:
        return False
    return (reply.cut, reply.status, reply.body) != (original.cut, original.status, original.body)


def _taken(exchange: Exchange, reply: Reply) -> Reply:
    """An upstream's reply once it is whole: so it is recorded as it is, whatever a fault makes of it.

    It has taken its time already. One that broke off breaks off again.
    """
    if isinstance(reply.frames, Live):
        reply.frames.take()
        failure = "" if exchange.is_kept_broken else reply.frames.failure
        exchange.trouble = exchange.trouble or failure
        reply = replace(reply, frames=reply.frames.seen, cut=reply.frames.cut, live=False)
    return INSTANT.schedule(reply, lambda: None)


def _paced(reply: Reply, since: float, on_left: Callable[[], None] | None) -> Reply:
    """The reply as it is when it is due at once and whole; else its frames are held back, and break off.

    Who does not wait for the end of an answer may ask again, and gets the same one.
    """
    if not reply.cut and all(frame.at <= 0 for frame in reply.arrived):
        return reply
    reply.frames = Paced(reply, since, holds_head=not reply.is_stream, on_left=on_left)
    return reply
