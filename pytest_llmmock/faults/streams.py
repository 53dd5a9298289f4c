"""Replies that come late, break off, end early or cannot be read."""

from __future__ import annotations

from dataclasses import replace

from ..core.chunking import by_event, cut_at, ends_of_events
from ..core.model import Exchange, Frame, Problem, Reply

MESSAGE = "The server had an error while it was answering (a fault of this test)."


def count(reply: Reply) -> int:
    """How many events a reply has; a plain one is one."""
    return len(ends_of_events(reply.body, reply.content_type))


def late(reply: Reply, ttft: float, per_event: float) -> Reply:
    events = by_event(reply.arrived, reply.content_type)
    return replace(reply, frames=[Frame(e.data, e.at + ttft + n * per_event) for n, e in enumerate(events)])


def stalled(reply: Reply, seconds: float, after_events: int) -> Reply:
    before, behind = _parted(reply, after_events if reply.is_stream else 0)
    return replace(reply, frames=[*before, *(Frame(frame.data, frame.at + seconds) for frame in behind)])


def cut(reply: Reply, after_events: int | None) -> Reply:
    before, _ = _parted(reply, after_events)
    return replace(reply, frames=before, cut="The connection was cut by a fault of this test.")


def truncated(reply: Reply, after_events: int | None) -> Reply:
    if after_events is None and reply.is_stream:
        after_events = max(0, count(reply) - 1)
    return replace(reply, frames=_parted(reply, after_events)[0])


def garbled(reply: Reply, after_events: int | None) -> Reply:
    events = by_event(reply.arrived, reply.content_type)
    place = len(events) // 2 if after_events is None else after_events
    place = min(place, len(events) - 1)
    return replace(reply, frames=[_overwritten(event) if n == place else event for n, event in enumerate(events)])


def _overwritten(event: Frame) -> Frame:
    """Its second half is no JSON; where it ends is still to be seen."""
    content = event.data.rstrip(b"\r\n")
    half = len(content) // 2
    return Frame(content[:half] + b"#" * (len(content) - half) + event.data[len(content) :], event.at)


def failed(exchange: Exchange, reply: Reply, after_events: int | None, problem: Problem) -> Reply:
    if not reply.is_stream:
        return replace(exchange.dialect.write_error(problem), source=reply.source)
    before, behind = _parted(reply, after_events)
    at = behind[0].at if behind else before[-1].at if before else 0.0
    return replace(reply, frames=[*before, Frame(exchange.dialect.write_failure(problem), at)])


def _parted(reply: Reply, after_events: int | None) -> tuple[list[Frame], list[Frame]]:
    """The frames before and behind a border between events: where it is told, else in the middle."""
    frames = reply.arrived
    size = _border(reply, after_events)
    borders = [0]
    for frame in frames:
        borders.append(borders[-1] + len(frame.data))
    pieces = cut_at(frames, [*borders, size])
    before, seen = [], 0
    for piece in pieces:
        if seen >= size:
            break
        before.append(piece)
        seen += len(piece.data)
    return before, pieces[len(before) :]


def _border(reply: Reply, after_events: int | None) -> int:
    """Bytes. In a plain reply, which has no events, the middle."""
    ends = [0, *ends_of_events(reply.body, reply.content_type)]
    if not reply.is_stream:
        return 0 if after_events == 0 else ends[-1] // 2
    return ends[(len(ends) - 1) // 2 if after_events is None else min(after_events, len(ends) - 1)]
