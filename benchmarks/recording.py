"""What recording adds to asking an upstream: to its first event, and to the whole of its answer.

The upstream is a process of its own on loopback; it thinks for 100 ms and then sends an event every 5 ms. It is asked
directly with httpx2, in process while it is recorded, and through `llmmock record`. How late the first event is counts
from the moment at which the upstream sends it, so it holds the way to us as well.
"""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

import httpx2
from harness import Contender, Options, Ratio, Sample, Table, main
from slow_upstream import sent_at
from traffic import PATH, REQUEST_HEADERS, ask, compact

from pytest_llmmock import use_cassette

THINKS, GAP = 0.1, 0.005
FIRST, TOTAL = "ms to the first event", "ms in all"
DIRECT, IN_PROCESS, SERVER = "asked directly", "in process", "llmmock record"


def tables(options: Options) -> Iterator[Table]:
    events, calls = (20, 1) if options.quick else (200, 3)
    with TemporaryDirectory() as folder, upstream(events) as origin, recording(origin, Path(folder)) as server:
        numbers = iter(range(1_000_000))
        ways: dict[str, Callable[[], Sample]] = {
            DIRECT: lambda: several(origin, calls, numbers),
            IN_PROCESS: lambda: in_process(Path(folder), lambda: several(origin, calls, numbers)),
            SERVER: lambda: several(server, calls, numbers),
        }
        yield Table(
            f"{events} events, {GAP * 1000:g} ms apart, after {THINKS * 1000:g} ms",
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
def upstream(events: int) -> Iterator[str]:
    script = str(Path(__file__).with_name("slow_upstream.py"))
    with running(sys.executable, script, str(THINKS), str(events), str(GAP)) as first_line:
        yield f"http://127.0.0.1:{int(first_line)}"


@contextmanager
def recording(origin: str, folder: Path) -> Iterator[str]:
    options = ["--cassette", str(folder / "server.yaml"), "--mode", "all", "--upstream", origin + "/v1", "--port", "0"]
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
