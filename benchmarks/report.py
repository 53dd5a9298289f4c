"""What was measured as data, and data as Markdown: for the terminal, for the JSON file, for docs/performance.md."""

from __future__ import annotations

import json
import os
import platform
import shutil
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from peers import AIMOCK

PACKAGES = (
    *("pytest-llmmock", "pytest", "openai", "httpx2", "httpx", "Werkzeug", "PyYAML"),
    *("vcrpy", "pytest-recording", "cassetter", "respx", "pytest-httpx", "openai-responses"),
    *("pytest-httpserver", "aimock-pytest", "granian"),
)

Data = Mapping[str, Any]
"""A table as it is in the JSON file: title, ratios, medians, left_out, samples."""


def markdown(table: Data, *, heading: str = "###") -> str:
    """The ratios first, then the figures that they come from, then what was left out."""
    medians: Mapping[str, Mapping[str, float]] = table["medians"]
    metrics = list(next(iter(medians.values()), {}))
    figures = [[name, *(figure(values[metric]) for metric in metrics)] for name, values in medians.items()]
    ratios = [_ratio_row(each) for each in table["ratios"]]
    parts = [
        f"{heading} {table['title']}",
        grid(["ratio", "median", "lowest", "highest", "goal", "met"], ratios) if ratios else "",
        grid(["median", *metrics], figures) if figures else "",
        _left_out(table["left_out"]),
    ]
    return "\n\n".join(filter(None, parts))


def _left_out(reasons: Mapping[str, str]) -> str:
    """Names with the same reason together."""
    names: dict[str, list[str]] = {}
    for name, why in reasons.items():
        names.setdefault(why, []).append(name)
    return " ".join(f"Left out: {', '.join(names[why])}. {why}" for why in names)


def _ratio_row(ratio: Data) -> list[str]:
    values = ratio["rounds"]
    return [ratio["name"], f"**{figure(ratio['median'])}**", figure(values[0]), figure(values[-1]), *goal_cells(ratio)]


def goal_cells(ratio: Data) -> list[str]:
    return [ratio["goal"], {True: "yes", False: "**no**", None: ""}[ratio["met"]]]


def grid(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table of Markdown, its first column text and the others figures."""
    ruler = ["---", *("---:" for _ in head[1:])]
    return "\n".join(f"| {' | '.join(row)} |" for row in [head, ruler, *rows])


def figure(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def goals(tables: Iterable[Data]) -> Iterator[list[str]]:
    """A row for each goal: of what, unless that is as above; the ratio, the goal, what was measured, whether met."""
    for table in tables:
        wanted = [ratio for ratio in table["ratios"] if ratio["goal"]]
        for number, ratio in enumerate(wanted):
            goal, met = goal_cells(ratio)
            yield ["" if number else table["title"], ratio["name"], goal, figure(ratio["median"]), met]


def read_results(folder: Path) -> dict[str, Data]:
    """What the JSON files of a folder hold, by their names."""
    return {path.stem: json.loads(path.read_text()) for path in sorted(folder.glob("*.json"))}


def machine() -> dict[str, str]:
    """What the figures depend on, without saying whose machine it is."""
    return {
        "date": date.today().isoformat(),
        "system": f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores, {_processor()}",
        "load": f"{os.getloadavg()[0]:.1f}" if hasattr(os, "getloadavg") else "",
        "python": f"{platform.python_implementation()} {platform.python_version()}",
        "packages": ", ".join([*(f"{name} {found}" for name in PACKAGES if (found := _version(name))), *_programs()]),
    }


def _programs() -> Iterator[str]:
    """What else is measured, or measures."""
    cli = os.environ.get(AIMOCK)
    if cli:
        yield f"aimock {json.loads((Path(cli).parents[1] / 'package.json').read_text())['version']}"
    if shutil.which("wrk"):
        yield "load by wrk"


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
        return ""
