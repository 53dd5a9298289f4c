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
import sys
import time
import traceback
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any, TypeVar

from report import machine, markdown

T = TypeVar("T")

Clock = Callable[[], int]
"""Nanoseconds."""

Sample = Mapping[str, float]
"""What one turn of a contender measured: metric -> value."""

Options = argparse.Namespace
"""`quick`, `rounds`, `json`, and what a script added."""


class Absent(Exception):
    """Raised by a contender that is not here. Its text says what is needed."""


FAILED = "It failed:"


@dataclass(frozen=True)
class Contender:
    """Something that is measured, a turn in each round.

    One that raises is left out and told, and the others go on: no peer stops a run.
    """

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

    def told(self, rounds: Sequence[float]) -> dict[str, Any]:
        """With what it was in each round, as it goes into the JSON file."""
        middle = median(rounds)
        said = {"name": self.name, "metric": self.metric, "over": self.over, "under": self.under}
        return {**said, "median": middle, "rounds": rounds, "goal": self.goal, "met": self.is_met_by(middle)}


@dataclass(frozen=True)
class Table:
    """Contenders that do the same work, and the ratios that we look at."""

    title: str
    contenders: Sequence[Contender]
    ratios: Sequence[Ratio]
    rounds: int | None = None
    """At most so many, where a turn takes long and its ratios are far from their goals."""
    warm_up: bool = True
    """Whether each contender has a turn before those that count."""


@dataclass(frozen=True)
class Result:
    """A table, measured: the samples of each contender, a round after the other."""

    table: Table
    samples: Mapping[str, Sequence[Sample]]
    left_out: Mapping[str, str]
    """Contenders that are not in the samples, and why."""

    def medians(self, contender: str) -> dict[str, float]:
        samples = self.samples[contender]
        return {metric: median(sample[metric] for sample in samples) for metric in samples[0]}

    def ratios(self) -> Iterator[dict[str, Any]]:
        """What the samples say of the ratios, each with what it was in each round, the smallest first."""
        for ratio in self.table.ratios:
            if {ratio.over, ratio.under or ratio.over} <= self.samples.keys():
                rounds = sorted(self._rounds(ratio))
                if rounds:
                    yield ratio.told(rounds)

    def _rounds(self, ratio: Ratio) -> Iterator[float]:
        over = [sample[ratio.metric] for sample in self.samples[ratio.over]]
        if not ratio.under:
            return iter(over)
        under = [sample[ratio.metric] for sample in self.samples[ratio.under]]
        return (above / below for above, below in zip(over, under, strict=True) if below)

    def as_data(self) -> dict[str, Any]:
        """As it goes into the JSON file."""
        return {
            "title": self.table.title,
            "ratios": list(self.ratios()),
            "medians": {name: self.medians(name) for name in self.samples},
            "left_out": self.left_out,
            "samples": self.samples,
        }


# --- measuring ------------------------------------------------------------------------------------------


def microseconds(function: Callable[[T], object], inputs: Sequence[T], clock: Clock = time.process_time_ns) -> float:
    """What one call takes, on the average of a call for each input.

    In processor time, which other work on the machine does not lengthen; what waits, or is done in another process,
    needs `time.perf_counter_ns`.
    """
    gc.collect()
    start = clock()
    for each in inputs:
        function(each)
    return (clock() - start) / len(inputs) / 1000


def measure(table: Table, rounds: int) -> Result:
    """Every contender once to warm up, then once a round, each round beginning with another."""
    samples: dict[str, list[Sample]] = {each.name: [] for each in table.contenders}
    left_out: dict[str, str] = {}
    rounds = min(rounds, table.rounds or rounds)
    for number in range(-1 if table.warm_up else 0, rounds):
        for each in _rotated(table.contenders, max(number, 0)):
            if each.name not in left_out:
                try:
                    sample = each.measure()
                except Exception as error:  # whatever a peer raises, the others go on
                    left_out[each.name] = _reason(error)
                else:
                    samples[each.name] += [sample] if number >= 0 else []
    return Result(table, {name: found for name, found in samples.items() if name not in left_out}, left_out)


def _rotated(contenders: Sequence[Contender], number: int) -> list[Contender]:
    first = number % len(contenders)
    return [*contenders[first:], *contenders[:first]]


def _reason(error: Exception) -> str:
    """Why a contender is left out. What is not merely absent is shown in full."""
    if isinstance(error, Absent):
        return f"It needs {error}."
    traceback.print_exception(error, limit=-3)
    return f"{FAILED} {type(error).__name__}: {' '.join(str(error).split())[-300:]}"


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
    measured = []
    for table in tables(options):
        measured.append(measure(table, options.rounds).as_data())
        print("\n" + markdown(measured[-1]), flush=True)
    if options.json:
        options.json.write_text(json.dumps({**header, "tables": measured}, indent=1) + "\n")
    if any(why.startswith(FAILED) for table in measured for why in table["left_out"].values()):
        sys.exit("Not all contenders could be measured.")
