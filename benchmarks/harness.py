"""Measures contenders side by side: turn by turn in rotated order, medians over rounds, ratios within a run.

A benchmark is a script that makes tables and hands them to `main`:

    def tables(options: Options) -> Iterator[Table]:
        with using(cassette) as client:
            ours = Contender("ours", lambda: {"us": microseconds(client.ask, bodies)})
            floor = Contender("floor", lambda: {"us": microseconds(plain.ask, bodies)})
            yield Table("one call", [ours, floor], [Ratio("us", "ours", "floor", at_most=1.05)])

    main(__doc__, tables)

A table is measured when it is taken from the iterator, so what it needs can be opened before it and closed
behind it. Absolute figures move with the load of the machine; a ratio is taken within each round, and its
median over the rounds holds.
"""

from __future__ import annotations

import argparse
import gc
import json
import os
import platform
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from statistics import median
from typing import Any, TypeVar

PACKAGES = ("pytest-llmmock", "vcrpy", "openai", "httpx2", "httpx", "Werkzeug", "PyYAML")

T = TypeVar("T")

Sample = Mapping[str, float]
"""What one turn of a contender measured: metric -> value."""

Options = argparse.Namespace
"""`quick`, `rounds`, `json`, and what a script added."""


@dataclass(frozen=True)
class Contender:
    """Something that is measured, a turn in each round."""

    name: str
    measure: Callable[[], Sample]


@dataclass(frozen=True)
class Ratio:
    """One metric of one contender over that of another, and where we want it.

    Without another it is the figure itself: for what people wait for, whatever else there is.
    """

    metric: str
    over: str
    under: str = ""
    at_most: float | None = None
    at_least: float | None = None

    @property
    def name(self) -> str:
        return f"{self.metric}: {self.over} / {self.under}" if self.under else f"{self.metric}: {self.over}"

    @property
    def goal(self) -> str:
        if self.at_most is not None:
            return f"≤ {self.at_most:g}"
        return "" if self.at_least is None else f"≥ {self.at_least:g}"

    def is_met_by(self, value: float) -> bool | None:
        """None when there is no goal."""
        if self.at_most is not None:
            return value <= self.at_most
        return None if self.at_least is None else value >= self.at_least


@dataclass(frozen=True)
class Table:
    """Contenders that do the same work, and the ratios that we look at."""

    title: str
    contenders: Sequence[Contender]
    ratios: Sequence[Ratio]


@dataclass(frozen=True)
class Result:
    """A table, measured: the samples of each contender, a round after the other."""

    table: Table
    samples: Mapping[str, Sequence[Sample]]

    def median(self, contender: str, metric: str) -> float:
        return median(sample[metric] for sample in self.samples[contender])

    def ratios(self, ratio: Ratio) -> list[float]:
        """The ratio in each round, the smallest first."""
        if not ratio.under:
            return sorted(sample[ratio.metric] for sample in self.samples[ratio.over])
        pairs = zip(self.samples[ratio.over], self.samples[ratio.under], strict=True)
        return sorted(over[ratio.metric] / under[ratio.metric] for over, under in pairs)


# --- measuring ------------------------------------------------------------------------------------------


def microseconds(function: Callable[[T], object], inputs: Sequence[T]) -> float:
    """What one call takes, on the average of a call for each input."""
    gc.collect()
    start = time.perf_counter_ns()
    for each in inputs:
        function(each)
    return (time.perf_counter_ns() - start) / len(inputs) / 1000


def cpu_seconds(process_id: int) -> float | None:
    """The processor time that a running process has used; None where only Linux would tell."""
    if sys.platform != "linux":
        return None
    return time.clock_gettime(~process_id << 3 | 2)  # what clock_getcpuclockid(3) gives; Python has it for threads


@contextmanager
def pinned(core: int) -> Iterator[None]:
    """Processes that are started in the block run on this core only, where the system knows how."""
    if not hasattr(os, "sched_setaffinity"):
        yield
        return
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {sorted(before)[core % len(before)]})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def measure(table: Table, rounds: int) -> Result:
    """Every contender once to warm up, then once a round, each round beginning with another."""
    samples: dict[str, list[Sample]] = {each.name: [] for each in table.contenders}
    for each in table.contenders:
        each.measure()
    for number in range(rounds):
        for each in _rotated(table.contenders, number):
            samples[each.name].append(each.measure())
    return Result(table, samples)


def _rotated(contenders: Sequence[Contender], number: int) -> list[Contender]:
    first = number % len(contenders)
    return [*contenders[first:], *contenders[:first]]


# --- telling --------------------------------------------------------------------------------------------


def markdown(result: Result) -> str:
    """The ratios first, then the figures that they come from."""
    ratios = [_ratio_row(result, ratio) for ratio in result.table.ratios]
    metrics = list(next(iter(result.samples.values()))[0])
    medians = [[name, *(_figure(result.median(name, metric)) for metric in metrics)] for name in result.samples]
    return "\n\n".join(
        [
            f"### {result.table.title}",
            _table(["ratio", "median", "lowest", "highest", "goal", "met"], ratios),
            _table(["contender", *metrics], medians),
        ]
    )


def _ratio_row(result: Result, ratio: Ratio) -> list[str]:
    values = result.ratios(ratio)
    middle = median(values)
    met = {True: "yes", False: "no", None: ""}[ratio.is_met_by(middle)]
    return [ratio.name, f"**{_figure(middle)}**", _figure(values[0]), _figure(values[-1]), ratio.goal, met]


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    ruler = ["---", *("---:" for _ in head[1:])]
    return "\n".join(f"| {' | '.join(row)} |" for row in [head, ruler, *rows])


def _figure(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def machine() -> dict[str, str]:
    """What the figures depend on, without saying whose machine it is."""
    return {
        "date": date.today().isoformat(),
        "system": f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores, {_processor()}",
        "python": f"{platform.python_implementation()} {platform.python_version()}",
        "packages": ", ".join(f"{name} {_version(name)}" for name in PACKAGES),
    }


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or "unknown processor"
    named = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(named, "unknown processor")


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "-"


def as_data(result: Result) -> dict[str, Any]:
    """A table as what goes into the JSON file."""
    ratios = {ratio.name: _ratio_data(result, ratio) for ratio in result.table.ratios}
    return {"title": result.table.title, "ratios": ratios, "samples": result.samples}


def _ratio_data(result: Result, ratio: Ratio) -> dict[str, Any]:
    values = result.ratios(ratio)
    middle = median(values)
    return {"median": middle, "rounds": values, "goal": ratio.goal, "met": ratio.is_met_by(middle)}


# --- the command line -----------------------------------------------------------------------------------


def main(
    doc: str,
    tables: Callable[[Options], Iterable[Table]],
    *,
    rounds: int = 9,
    more: Callable[[argparse.ArgumentParser], object] = lambda parser: None,
) -> None:
    """Measure the tables of a script, print them, and write them as JSON when a file is named."""
    parser = argparse.ArgumentParser(description=doc, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="a short run: shows that it works, and the order of size")
    parser.add_argument("--rounds", type=int, help=f"turns of each contender (default: {rounds}, quick: 2)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the samples and ratios there")
    more(parser)
    options = parser.parse_args()
    options.rounds = max(1, options.rounds or (2 if options.quick else rounds))
    _run(doc, tables, options)


def _run(doc: str, tables: Callable[[Options], Iterable[Table]], options: Options) -> None:
    header = {"benchmark": doc.partition("\n")[0], **machine(), "rounds": str(options.rounds)}
    print("\n".join(f"{name}: {value}" for name, value in header.items()), flush=True)
    results = []
    for table in tables(options):
        results.append(measure(table, options.rounds))
        print("\n" + markdown(results[-1]), flush=True)
    if options.json:
        options.json.write_text(json.dumps({**header, "tables": [as_data(each) for each in results]}, indent=1) + "\n")
