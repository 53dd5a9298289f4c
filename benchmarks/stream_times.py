"""A recorded stream replayed in time: how late its events are.

200 events, 5 ms apart, at recorded speed: in process with httpx2, sync and async, and from `llmmock replay` over HTTP.
How late an event is counts from the moment at which the client asks. The floor is a thread that sleeps until
the same deadlines.
"""

from __future__ import annotations

import asyncio
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from statistics import median, quantiles
from tempfile import TemporaryDirectory

import httpx2
from harness import Contender, Options, Ratio, Sample, Table, main
from traffic import ORIGIN, PATH, REQUEST_HEADERS, ask, compact, streamed, write_ours

from pytest_llmmock import use_cassette
from pytest_llmmock.core.model import Frame

GAP = 0.005
BODY = compact(ask(0, stream=True))
SLEEP, SYNC, ASYNC, SERVER = "sleeping thread", "httpx2", "httpx2, async", "llmmock replay"
HALF, LATEST = "ms late, median", "ms late, 99 of 100"

Arrivals = Callable[[], Sequence[float]]
"""Seconds from the request to each event."""


def tables(options: Options) -> Iterator[Table]:
    events = 20 if options.quick else 200
    with TemporaryDirectory() as folder:
        cassette = write_in_time(Path(folder), events)
        due = [(number + 1) * GAP for number in range(events)]
        with replaying(cassette) as url:
            ways: dict[str, Arrivals] = {
                SLEEP: lambda: sleep(due),
                SYNC: lambda: in_process(cassette, lambda: read(ORIGIN)),
                ASYNC: lambda: in_process(cassette, lambda: asyncio.run(read_async(ORIGIN))),
                SERVER: lambda: read(url),
            }
            yield Table(
                f"{events} events, {GAP * 1000:g} ms apart",
                [Contender(name, lateness(way, due)) for name, way in ways.items()],
                [
                    *(Ratio(HALF, name, at_most=2) for name in (SYNC, ASYNC, SERVER)),
                    *(Ratio(LATEST, name, at_most=10) for name in (SYNC, ASYNC, SERVER)),
                    *(Ratio(HALF, name, SLEEP) for name in (SYNC, ASYNC, SERVER)),
                ],
            )


def write_in_time(folder: Path, events: int) -> Path:
    recorded = streamed(0)
    frames = [Frame(frame.data, (number + 1) * GAP) for number, frame in enumerate(recorded.reply.frames)]
    kept = [*frames[: events - 1], Frame(frames[-1].data, events * GAP)]
    return write_ours(folder / "ours.yaml", [replace(recorded, reply=replace(recorded.reply, frames=kept))])


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


@contextmanager
def replaying(cassette: Path) -> Iterator[str]:
    """The address of a process that replays in time."""
    command = [sys.executable, "-m", "pytest_llmmock", "replay", str(cassette), "--port", "0", "--speed", "recorded"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        try:
            assert server.stdout is not None
            yield server.stdout.readline().split()[-1]
        finally:
            server.terminate()


if __name__ == "__main__":
    main(__doc__ or "", tables, rounds=5)
