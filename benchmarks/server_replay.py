"""Replay over HTTP: `llmmock replay` against aimock, and stock werkzeug.

Requests per second, the server's processor time for each, and how soon one client that asks alone has its answer;
answers of 2 KB of JSON, and streams of 200 events. Cold is from the start of the process on, with its memory; warm
has answered for seconds. Server and load are processes of their own, each on a core of its own, except where there
are two workers. Load comes from wrk where it is installed, else from `load.py`. Stock werkzeug closes the connection
after each answer, so that its clients connect anew: that is part of what it costs.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

from harness import Contender, Options, Ratio, Sample, Table, main
from servers import (
    CPU,
    HALF,
    LOAD_CORE,
    RATE,
    SERVER_CORE,
    Load,
    Running,
    Start,
    add_aimock,
    aimock,
    llmmock,
    post,
    stock,
    write_served,
)
from stock_werkzeug import REQUESTS
from traffic import EVENTS, in_time, streamed, write_ours

CONNECTIONS = 8
OURS, BY_EVENT, WORKERS = "llmmock replay", "llmmock replay, event by event", "llmmock replay --workers 2"
STOCK, STOCK_BLOCKS, AIMOCK = "stock werkzeug", "stock werkzeug, one write", "aimock"
START, IDLE, LOADED = "ms to the first answer", "MiB idle", "MiB after load"


def tables(options: Options) -> Iterator[Table]:
    seconds = 0.2 if options.quick else 2.0
    with TemporaryDirectory() as name:
        folder = Path(name)
        cassette = write_served(folder)
        plain = Load.of(folder, stream=False, seconds=seconds)
        streams = Load.of(folder, stream=True, seconds=seconds)
        ours, theirs = llmmock(cassette), aimock(options.aimock, folder / "aimock")
        yield cold({OURS: ours, AIMOCK: theirs}, plain)
        with warm({OURS: ours, STOCK: stock("events"), AIMOCK: theirs}) as servers:
            yield warm_json(servers, plain)
        by_event = llmmock(write_by_event(folder), "--speed", "x1000000")
        stocks = {STOCK: stock("events"), STOCK_BLOCKS: stock("blocks")}
        with warm({OURS: ours, BY_EVENT: by_event, **stocks, AIMOCK: theirs}) as servers:
            yield warm_streams(servers, streams)
        with warm({OURS: ours, WORKERS: two_workers(cassette), AIMOCK: theirs}, core=None) as servers:
            yield workers(servers, plain)


def write_by_event(folder: Path) -> Path:
    """Streams whose events were recorded a millisecond apart: much faster all are due at once, and sent one by one."""
    return write_ours(folder / "by_event.yaml", [in_time(streamed(number), 0.001) for number in range(REQUESTS)])


# --- cold -----------------------------------------------------------------------------------------------


def cold(starts: Mapping[str, Start], asked: Load) -> Table:
    return Table(
        f"A server from its start on: JSON of 2 KB, {CONNECTIONS} connections",
        [Contender(name, partial(from_its_start, start, asked)) for name, start in starts.items()],
        [
            Ratio(START, OURS, AIMOCK, at_most=0.7),
            Ratio(IDLE, OURS, AIMOCK, at_most=0.5),
            Ratio(LOADED, OURS, AIMOCK, at_most=0.35),
            *rates(AIMOCK),
        ],
        warm_up=False,
    )


def from_its_start(start: Start, asked: Load) -> Sample:
    body = asked.bodies.read_bytes().splitlines()[0]
    began = time.perf_counter()
    with start(SERVER_CORE) as server:
        post(server.port, body)
        took = (time.perf_counter() - began) * 1000
        idle = server.memory()
        alone = server.load(asked.lasting(asked.seconds / 2), 1)
        together = server.load(asked, CONNECTIONS)
        return {START: took, IDLE: idle, LOADED: server.memory(), **together, HALF: alone[HALF]}


def rates(peer: str) -> list[Ratio]:
    return [
        Ratio(RATE, OURS, peer, at_least=4),
        Ratio(CPU, peer, OURS, at_least=5),
        Ratio(HALF, OURS, peer, at_most=0.25),
    ]


# --- warm -----------------------------------------------------------------------------------------------


class Warm:
    """A server that starts with its first turn, is loaded until it is warm, and stays until the stack is closed."""

    def __init__(self, stack: ExitStack, start: Start, core: int | None) -> None:
        self._stack = stack
        self._start = start
        self._core = core
        self._running: Running | None = None

    def ready(self, asked: Load) -> Running:
        if self._running is None:
            self._running = self._stack.enter_context(self._start(self._core))
            self._running.check(asked)
            self._running.load(asked.lasting(asked.seconds * 3), CONNECTIONS)
        return self._running

    def together(self, asked: Load) -> Sample:
        return self.ready(asked).load(asked, CONNECTIONS, None if self._core is None else LOAD_CORE)

    def alone_and_together(self, asked: Load) -> Sample:
        alone = self.ready(asked).load(asked.lasting(asked.seconds / 2), 1)
        return {**self.together(asked), HALF: alone[HALF]}


@contextmanager
def warm(starts: Mapping[str, Start], *, core: int | None = SERVER_CORE) -> Iterator[dict[str, Warm]]:
    with ExitStack() as stack:
        yield {name: Warm(stack, start, core) for name, start in starts.items()}


def warm_json(servers: Mapping[str, Warm], asked: Load) -> Table:
    return Table(
        f"A server that is warm: JSON of 2 KB, {CONNECTIONS} connections",
        [Contender(name, partial(server.alone_and_together, asked)) for name, server in servers.items()],
        [*rates(AIMOCK), Ratio(RATE, OURS, STOCK), Ratio(CPU, STOCK, OURS)],
        warm_up=False,
    )


def warm_streams(servers: Mapping[str, Warm], asked: Load) -> Table:
    return Table(
        f"A server that is warm: SSE of {EVENTS} events, {CONNECTIONS} connections",
        [Contender(name, partial(server.together, asked)) for name, server in servers.items()],
        [
            Ratio(RATE, OURS, AIMOCK, at_least=8),
            Ratio(RATE, BY_EVENT, AIMOCK, at_least=1.5),
            Ratio(CPU, AIMOCK, OURS),
            Ratio(RATE, OURS, STOCK),
            Ratio(CPU, STOCK, OURS),
        ],
        warm_up=False,
    )


def workers(servers: Mapping[str, Warm], asked: Load) -> Table:
    return Table(
        f"Two workers: JSON of 2 KB, {CONNECTIONS} connections, servers and load on all cores",
        [Contender(name, partial(server.together, asked)) for name, server in servers.items()],
        [Ratio(RATE, WORKERS, OURS, at_least=1.7), Ratio(RATE, WORKERS, AIMOCK, at_least=7)],
        warm_up=False,
    )


def two_workers(cassette: Path) -> Start:
    return llmmock(cassette, "--workers", "2")


if __name__ == "__main__":
    main(__doc__ or "", tables, rounds=5, more=add_aimock)
