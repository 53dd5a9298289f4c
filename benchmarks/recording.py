"""What recording adds to asking an upstream: to its first event, and to the whole of its answer.

The upstream is a process of its own on loopback; it thinks for 100 ms and then sends an event every 5 ms. It is asked
directly with httpx2, in process while it is recorded, and through `llmmock record`. How late the first event is counts
from the moment at which the upstream sends it, so it holds the way to us as well.

Another one answers at once, so that nothing hides behind the waiting: what an answer takes through `llmmock record`
where there are no recordings yet, and where there are many.
"""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

import httpx2
from harness import Contender, Options, Ratio, Sample, Table, main
from slow_upstream import sent_at
from traffic import PATH, REQUEST_HEADERS, ask, compact, plain, write_ours

from pytest_llmmock import use_cassette

THINKS, GAP = 0.1, 0.005
FIRST, TOTAL = "ms to the first event", "ms in all"
EPISODES = "new_episodes"
DIRECT, IN_PROCESS, SERVER = "asked directly", "in process", "llmmock record"


def tables(options: Options) -> Iterator[Table]:
    yield from beside_direct(options)
    yield from with_many(options)


def with_many(options: Options) -> Iterator[Table]:
    many, calls = (50, 1) if options.quick else (2000, 10)
    with TemporaryDirectory() as folder, upstream(20, thinks=0, gap=0) as origin:
        full = write_ours(Path(folder) / "full.yaml", [plain(number) for number in range(many)])
        with recording(origin, Path(folder) / "new.yaml", EPISODES) as new, recording(origin, full, EPISODES) as old:
            numbers = iter(range(1_000_000, 2_000_000))
            ways = {"none": new, f"{many:,}": old}
            yield Table(
                "Recorded: an answer at once, with so many recordings there already",
                [Contender(name, partial(several, url, calls, numbers)) for name, url in ways.items()],
                [Ratio(TOTAL, f"{many:,}", "none", at_most=1.2)],
            )


def beside_direct(options: Options) -> Iterator[Table]:
    events, calls = (20, 1) if options.quick else (200, 3)
    with (
        TemporaryDirectory() as folder,
        upstream(events) as origin,
        recording(origin, Path(folder) / "server.yaml") as server,
    ):
        numbers = iter(range(1_000_000))
        ways: dict[str, Callable[[], Sample]] = {
            DIRECT: lambda: several(origin, calls, numbers),
            IN_PROCESS: lambda: in_process(Path(folder), lambda: several(origin, calls, numbers)),
            SERVER: lambda: several(server, calls, numbers),
        }
        yield Table(
            f"Recorded: {events} events, {GAP * 1000:g} ms apart, after {THINKS * 1000:g} ms",
            [Contender(name, way) for name, way in ways.items()],
            [
                *(Ratio(FIRST, name, at_most=5) for name in (IN_PROCESS, SERVER)),
                *(Ratio(TOTAL, name, DIRECT, at_most=1.05) for name in (IN_PROCESS, SERVER)),
            ],
        )


def several(origin: str, calls: int, numbers: Iterator[int]) -> Sample:
    """The medians of some calls of one client. Each asks something new."""
    with httpx2.Client() as client:
        samples = [timed(client, origin, next(numbers)) for _ in range(calls)]
    return {metric: median(sample[metric] for sample in samples) for metric in (FIRST, TOTAL)}


def timed(client: httpx2.Client, origin: str, number: int) -> Sample:
    body = compact(ask(number, stream=True))
    began = time.monotonic()
    with client.stream("POST", origin + PATH, content=body, headers=REQUEST_HEADERS) as response:
        pieces = response.iter_raw()
        first = next(pieces)
        came = time.monotonic()
        rest = b"".join(pieces)
    if not rest.endswith(b"data: [DONE]\n\n"):
        raise RuntimeError(f"not answered: {first[:200]!r}")
    return {FIRST: (came - sent_at(first)) * 1000, TOTAL: (time.monotonic() - began) * 1000}


def in_process(folder: Path, measure: Callable[[], Sample]) -> Sample:
    with use_cassette(folder / "in_process.yaml", mode="all"):
        return measure()


@contextmanager
def upstream(events: int, thinks: float = THINKS, gap: float = GAP) -> Iterator[str]:
    script = str(Path(__file__).with_name("slow_upstream.py"))
    with running(sys.executable, script, str(thinks), str(events), str(gap)) as first_line:
        yield f"http://127.0.0.1:{int(first_line)}"


@contextmanager
def recording(origin: str, cassette: Path, mode: str = "all") -> Iterator[str]:
    options = ["--cassette", str(cassette), "--mode", mode, "--upstream", origin + "/v1", "--port", "0"]
    with running(sys.executable, "-m", "pytest_llmmock", "record", *options) as first_line:
        yield first_line.rpartition(" on ")[2]


@contextmanager
def running(*command: str) -> Iterator[str]:
    """What a process prints first, while it runs."""
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        try:
            assert process.stdout is not None
            yield process.stdout.readline().strip()
        finally:
            process.terminate()


if __name__ == "__main__":
    main(__doc__ or "", tables, rounds=9)
