"""Figures of a server in Prometheus' text format: https://prometheus.io/docs/instrumenting/exposition_formats/"""

from __future__ import annotations

import threading
import time
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property

from ..core.model import Exchange, Reply, frames_of
from ..core.prompt import Usage

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"

BUCKETS = (0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1.0, 5.0, 10.0, 30.0, 60.0)
"""Seconds up to which answers are counted together."""

_MOST = 64
"""Answers that wait to be counted: to read what they cost takes longer than to give them."""

_REMEMBERED = 1 << 24
"""Bytes of recorded answers that wait to be read, or of which it is remembered what they cost."""

Labels = tuple[tuple[str, str], ...]

_ALONE: Labels = ()
"""Of a figure that there is only one of."""


class Metrics:
    """What a server has answered since it began. Nothing takes it back."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: list[tuple[Exchange, Reply, Reply, float]] = []
        self._requests: Counter[tuple[str, ...]] = Counter()
        """By operation, source and status."""
        self._tokens = _Tokens()
        self._unmatched = 0
        self._buckets = [0] * (len(BUCKETS) + 1)
        self._seconds = 0.0

    def note(self, exchange: Exchange, reply: Reply, made: Reply | None = None) -> None:
        """Count this when it has come to its end. `made` is the reply before it was cut to pieces that come in time."""
        with self._lock:
            self._waiting.append((exchange, reply, made or reply, time.monotonic()))
            if len(self._waiting) >= _MOST:
                self._count()

    def _count(self) -> None:
        """Count what has ended; how many have not."""
        left = []
        for waiting in self._waiting:
            exchange, reply, made, noted = waiting
            ended = noted if isinstance(reply.frames, Sequence) else reply.frames.ended
            if ended is None:
                left.append(waiting)
            else:
                self._add(exchange, reply, ended - exchange.clock)
                came_whole = isinstance(reply.frames, Sequence) or reply.frames.whole
                self._tokens.note(exchange, made if came_whole and not exchange.faults else reply)
        self._waiting = left

    def _add(self, exchange: Exchange, reply: Reply, seconds: float) -> None:
        self._requests[exchange.operation, reply.source, str(reply.status)] += 1
        self._unmatched += reply.source == "unmatched"
        self._buckets[bisect_left(BUCKETS, seconds)] += 1
        self._seconds += seconds

    def text(self) -> str:
        """All figures."""
        with self._lock:
            self._count()
            return "".join(f"{line}\n" for line in self._lines())

    def _lines(self) -> Iterator[str]:
        requests = _labelled(self._requests, ("operation", "source", "status"))
        yield from family("llmmock_requests_total", "counter", "Requests that were answered.", requests)
        tokens = _labelled(self._tokens.counted(), ("operation", "direction"))
        yield from family("llmmock_tokens_total", "counter", "Tokens that answers told of.", tokens)
        unmatched = {_ALONE: self._unmatched}
        yield from family("llmmock_unmatched_total", "counter", "Requests that nothing answered.", unmatched)
        running = {_ALONE: len(self._waiting)}
        yield from family("llmmock_open_streams", "gauge", "Answers that have not come to their end.", running)
        yield from self._histogram("llmmock_request_seconds")

    def _histogram(self, name: str) -> Iterator[str]:
        yield from _head(name, "histogram", "Seconds from a request to the end of its answer.")
        total = 0
        for most, count in zip((*map(str, BUCKETS), "+Inf"), self._buckets, strict=True):
            total += count
            yield sample(f"{name}_bucket", (("le", most),), total)
        yield sample(f"{name}_sum", (), round(self._seconds, 6))
        yield sample(f"{name}_count", (), total)


class _Tokens:
    """What answers have cost. That of a recording is read once, and only when somebody looks.

    To read it takes a hundred times as long as to play it.
    """

    def __init__(self) -> None:
        self._counted: Counter[tuple[str, ...]] = Counter()
        """By operation and direction."""
        self._played: dict[tuple[str, int], _Played] = {}
        """By operation and identity of the frames, which are kept here so that no others can have it."""
        self._size = 0

    def note(self, exchange: Exchange, reply: Reply) -> None:
        spoilt = exchange.notes or exchange.faults  # which makes another one each time
        if exchange.interaction is None or spoilt or not isinstance(reply.frames, Sequence):
            self._add(_Played(exchange, reply))
            return
        place = exchange.operation, id(reply.frames)
        played = self._played.get(place)
        if played is None:
            self._played[place] = _Played(exchange, reply)
            self._size += sum(len(frame.data) for frame in reply.frames)
            self._forget()
        else:
            played.times += 1

    def _forget(self) -> None:
        if self._size > _REMEMBERED:
            self.counted()
            self._played, self._size = {}, 0

    def counted(self) -> Counter[tuple[str, ...]]:
        """Tokens by operation and direction."""
        for played in self._played.values():
            self._add(played)
        return self._counted

    def _add(self, played: _Played) -> None:
        times, played.times = played.times, 0
        usage = played.usage if times else None
        if usage is not None:
            self._counted[played.operation, "input"] += times * (usage.input or 0)
            self._counted[played.operation, "output"] += times * (usage.output or 0)


class _Played:
    """An answer, and how often it was given since it was counted."""

    def __init__(self, exchange: Exchange, reply: Reply) -> None:
        self.operation = exchange.operation
        self.times = 1
        self._dialect = exchange.dialect
        self._reply = reply

    @cached_property
    def usage(self) -> Usage | None:
        return self._dialect.read_reply(self._reply).usage


def _labelled(counter: Counter[tuple[str, ...]], names: Sequence[str]) -> dict[Labels, float]:
    """What was counted at all."""
    return {tuple(zip(names, values, strict=True)): count for values, count in counter.items() if count}


def _head(name: str, kind: str, help: str) -> Iterator[str]:
    yield f"# HELP {name} {help}"
    yield f"# TYPE {name} {kind}"


def family(name: str, kind: str, help: str, values: Mapping[Labels, float]) -> Iterator[str]:
    """One metric, with a line for each of its labels."""
    yield from _head(name, kind, help)
    yield from (sample(name, labels, value) for labels, value in sorted(values.items()))


def sample(name: str, labels: Iterable[tuple[str, str]], value: float) -> str:
    inner = ",".join(f'{label}="{_escaped(text)}"' for label, text in labels)
    return f"{name}{{{inner}}} {value}" if inner else f"{name} {value}"


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace("\n", "\\n").replace('"', '\\"')


def metrics_reply(metrics: Metrics) -> Reply:
    headers = (("content-type", CONTENT_TYPE), ("cache-control", "no-store"))
    return Reply(200, headers, frames_of(metrics.text().encode(errors="replace")), source="script")
