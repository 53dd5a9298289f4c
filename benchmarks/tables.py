"""Makes the tables and the plot of docs/performance.md from what `all.py` has measured.

    python benchmarks/tables.py out/

The text of that page stays; what is between `<!-- measured: NAME -->` and `<!-- end -->` is made anew. NAME is that of
a JSON file; `goals` are all goals, and `machine` is what the figures depend on. What was not measured stays as it is.
"""

from __future__ import annotations

import argparse
import re
from collections.abc import Mapping
from pathlib import Path

import plot
from all import PLAN
from report import Data, goals, grid, markdown, read_results

DOCS = Path(__file__).parents[1] / "docs"
MEASURED = re.compile(r"(<!-- measured: ([\w.]+) -->\n).*?(<!-- end -->)", re.DOTALL)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("results", type=Path, help="the folder with the JSON files")
    parser.add_argument("--docs", type=Path, default=DOCS, help="the folder of performance.md and performance.svg")
    options = parser.parse_args()
    found = read_results(options.results)
    results = {run.name: found[run.name] for run in PLAN if run.name in found}
    page = options.docs / "performance.md"
    page.write_text(filled(page.read_text(), blocks(results)))
    tables = [table for told in results.values() for table in told["tables"]]
    (options.docs / "performance.svg").write_text(plot.svg(list(plot.dots(tables))))


def filled(page: str, made: Mapping[str, str]) -> str:
    """The page with what was made in its places."""

    def block(place: re.Match[str]) -> str:
        begin, name, end = place.groups()
        return f"{begin}\n{made[name]}\n\n{end}" if name in made else place[0]

    return MEASURED.sub(block, page)


def blocks(results: Mapping[str, Data]) -> dict[str, str]:
    """What is made, by the names of its places."""
    tables = [table for told in results.values() for table in told["tables"]]
    return {
        "goals": grid(["what", "ratio", "goal", "measured", "met"], goals(tables)),
        "machine": machine(results),
        **{name: "\n\n".join(markdown(table) for table in told["tables"]) for name, told in results.items()},
    }


def machine(results: Mapping[str, Data]) -> str:
    """On which day, on what, with which versions, each once; and how busy it was, by which to judge the figures."""
    kinds = ("date", "system", "python", "packages")
    said = {kind: dict.fromkeys(part for told in results.values() for part in told[kind].split(", ")) for kind in kinds}
    loads = sorted(float(told["load"]) for told in results.values() if told["load"])
    busy = [f"- load of the machine when a benchmark began: {loads[0]:g} to {loads[-1]:g}"] if loads else []
    return "\n".join([*(f"- {kind}: {', '.join(parts)}" for kind, parts in said.items()), *busy])


if __name__ == "__main__":
    main()
