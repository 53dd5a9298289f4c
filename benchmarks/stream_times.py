"""A recorded stream replayed in time: how late its events are.

200 events, 5 ms apart, at recorded speed: in process with httpx2, sync and async, and from `llmmock replay` over HTTP.
How late an event is counts from the moment at which the client asks. The floor is a thread that sleeps until
the same deadlines. Then the gaps between the events, over HTTP, beside those of aimock.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from itertools import pairwise
from pathlib import Path
from statistics import median, quantiles
from tempfile import TemporaryDirectory

import httpx2
from harness import Contender, Options, Ratio, Sample, Table, main
from servers import Running, Start, add_aimock, aimock, llmmock, post
from traffic import ORIGIN, PATH, REQUEST_HEADERS, ask, compact, in_time, streamed, write_ours

from pytest_llmmock import use_cassette

GAP = 0.005
BODY = compact(ask(0, stream=True))
SLEEP, SYNC, ASYNC, SERVER = "sleeping thread", "httpx2", "httpx2, async", "llmmock replay"
AIMOCK = "aimock"
HALF, LATEST = "ms late, median", "ms late, 99 of 100"
DRIFT, ERROR = "% drift", "us off, half of the gaps"

Arrivals = Callable[[], Sequence[float]]
"""Seconds from the request to each event."""


def tables(options: Options) -> Iterator[Table]:
    events = 20 if options.quick else 200
    with TemporaryDirectory() as name:
        folder = Path(name)
        cassette = write_ours(folder / "ours.yaml", [in_time(streamed(0, events - 1), GAP)])
        with llmmock(cassette, "--speed", "recorded")(None) as server:
            yield late(cassette, server, events)
        one_more = write_ours(folder / "gaps.yaml", [in_time(streamed(0, events), GAP)])
        theirs = aimock(options.aimock, folder / "aimock", "--latency", str(round(GAP * 1000)))
        yield gaps({SERVER: llmmock(one_more, "--speed", "recorded"), AIMOCK: theirs}, events)


def late(cassette: Path, server: Running, events: int) -> Table:
    due = [(number + 1) * GAP for number in range(events)]
    ways: dict[str, Arrivals] = {
        SLEEP: lambda: sleep(due),
        SYNC: lambda: in_process(cassette, lambda: read(ORIGIN)),
        ASYNC: lambda: in_process(cassette, lambda: asyncio.run(read_async(ORIGIN))),
        SERVER: lambda: read(address(server)),
    }
    return Table(
        f"Events in time: {events}, {GAP * 1000:g} ms apart",
        [Contender(name, lateness(way, due)) for name, way in ways.items()],
        [
            *(Ratio(HALF, name, at_most=2) for name in (SYNC, ASYNC, SERVER)),
            *(Ratio(LATEST, name, at_most=10) for name in (SYNC, ASYNC, SERVER)),
            *(Ratio(HALF, name, SLEEP) for name in (SYNC, ASYNC, SERVER)),
        ],
    )


def gaps(starts: Mapping[str, Start], count: int) -> Table:
    """What a client sees of the gaps alone: how far each is from what was asked for, and all of them together."""
    return Table(
        f"Gaps over HTTP: {count} of {GAP * 1000:g} ms",
        [Contender(name, partial(kept, start, count + 1)) for name, start in starts.items()],
        [
            Ratio(DRIFT, SERVER, at_most=0.5),
            Ratio(ERROR, SERVER, AIMOCK, at_most=0.25),
        ],
    )


def kept(start: Start, events: int) -> Sample:
    with start(None) as server:
        post(server.port, BODY)  # it is up
        came = read(address(server))[-events:]  # aimock says first who speaks
    if len(came) < events:
        raise RuntimeError(f"{len(came)} events instead of {events}")
    between = [after - before for before, after in pairwise(came)]
    drift = sum(between) / (GAP * len(between)) - 1
    return {DRIFT: abs(drift) * 100, ERROR: median(abs(gap - GAP) for gap in between) * 1e6}


def address(server: Running) -> str:
    return f"http://127.0.0.1:{server.port}"


def lateness(way: Arrivals, due: Sequence[float]) -> Callable[[], Sample]:
    def turn() -> Sample:
        late = [(came - wanted) * 1000 for came, wanted in zip(way(), due, strict=True)]
        return {HALF: median(late), LATEST: quantiles(late, n=100)[98]}

    return turn


def sleep(due: Sequence[float]) -> list[float]:
    began = time.perf_counter()
    came = []
    for wanted in due:
        time.sleep(max(0.0, wanted - (time.perf_counter() - began)))
        came.append(time.perf_counter() - began)
    return came


def in_process(cassette: Path, reading: Arrivals) -> Sequence[float]:
    with use_cassette(cassette, speed="recorded"):
        return reading()


def read(url: str) -> list[float]:
    with httpx2.Client() as client:
        began = time.perf_counter()
        with client.stream("POST", url + PATH, content=BODY, headers=REQUEST_HEADERS) as response:
            return [time.perf_counter() - began for _ in response.iter_raw()]


async def read_async(url: str) -> list[float]:
    async with httpx2.AsyncClient() as client:
        began = time.perf_counter()
        async with client.stream("POST", url + PATH, content=BODY, headers=REQUEST_HEADERS) as response:
            return [time.perf_counter() - began async for _ in response.aiter_raw()]


if __name__ == "__main__":
    main(__doc__ or "", tables, rounds=5, more=add_aimock)
