"""A picture of how far peers are from us: a line for each thing that is measured, a dot for each peer, in plain SVG."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from html import escape

from report import Data, figure

COLOURS = {
    "vcrpy": "#d55e00",
    "pytest-recording": "#cc79a7",
    "cassetter": "#0072b2",
    "respx": "#009e73",
    "pytest-httpx": "#7a5195",
    "openai-responses": "#a6761d",
    "aimock": "#56b4e9",
    "aimock-pytest": "#003f88",
    "pytest-httpserver": "#e69f00",
    "stock werkzeug": "#666666",
}
"""The peers. They differ for people who see fewer colours as well, and each dot says its name to who points at it."""

RATES = {"requests/s"}
"""Metrics of which more is better."""

WIDTH, LABELS, RIGHT, TOP, LINE = 1120, 600, 30, 78, 24


@dataclass(frozen=True)
class Dot:
    """A peer that does with one thing so many times worse than we do; below 1 it does better."""

    what: str
    peer: str
    times: float


def dots(tables: Iterable[Data]) -> Iterator[Dot]:
    """Every ratio of a peer and us, turned so that it is the peer's over ours."""
    for table in tables:
        for ratio in table["ratios"]:
            over, under, value = ratio["over"], ratio["under"], ratio["median"]
            if over in COLOURS and under and under != "bare pytest":
                yield Dot(_what(table, ratio, under), over, value)
            elif under in COLOURS:
                yield Dot(_what(table, ratio, over), under, value if ratio["metric"] in RATES else 1 / value)


def _what(table: Data, ratio: Data, ours: str) -> str:
    """What is measured, and which of ours where there are several."""
    said = f"{table['title']}, {ratio['metric']}"
    return f"{said} ({ours})" if "," in ours or "--" in ours else said


def svg(found: Sequence[Dot]) -> str:
    rows = list(dict.fromkeys(dot.what for dot in found))
    height = TOP + len(rows) * LINE + 40
    axis = Axis.around([dot.times for dot in found])
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}" '
        'font-family="system-ui, sans-serif" font-size="12">',
        f'<rect width="{WIDTH}" height="{height}" fill="#fff"/>',
        *_legend([peer for peer in COLOURS if any(dot.peer == peer for dot in found)]),
        *_grid(axis, height - 40),
        *(_label(row, TOP + number * LINE) for number, row in enumerate(rows)),
        *(_dot(dot, axis, TOP + rows.index(dot.what) * LINE) for dot in found),
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


@dataclass(frozen=True)
class Axis:
    """Powers of ten from left to right."""

    lowest: int
    highest: int

    @classmethod
    def around(cls, values: Sequence[float]) -> Axis:
        logs = [math.log10(value) for value in values]
        return cls(math.floor(min([0, *logs])), math.ceil(max([1, *logs])))

    def place(self, times: float) -> float:
        share = (math.log10(times) - self.lowest) / (self.highest - self.lowest)
        return LABELS + share * (WIDTH - RIGHT - LABELS)


def _legend(peers: Sequence[str]) -> Iterator[str]:
    yield '<text x="10" y="20" font-size="14">How many times as long, or as much, a peer takes; left of 1 it is ahead'
    yield "of us</text>"
    across = 10.0
    for peer in peers:
        yield f'<circle cx="{across + 5:.0f}" cy="40" r="5" fill="{COLOURS[peer]}"/>'
        yield f'<text x="{across + 14:.0f}" y="44">{escape(peer)}</text>'
        across += 30 + 7 * len(peer)


def _grid(axis: Axis, bottom: float) -> Iterator[str]:
    for power in range(axis.lowest, axis.highest + 1):
        x = axis.place(10.0**power)
        ours = power == 0
        ink = 'stroke="#000" stroke-width="1.5"' if ours else 'stroke="#ddd"'
        yield f'<line x1="{x:.1f}" y1="{TOP - 14}" x2="{x:.1f}" y2="{bottom}" {ink}/>'
        said = "ours" if ours else f"{10.0**power:,g}"
        yield f'<text x="{x:.1f}" y="{bottom + 18}" text-anchor="middle">{said}</text>'


def _label(row: str, y: float) -> str:
    line = f'<line x1="{LABELS}" y1="{y}" x2="{WIDTH - RIGHT}" y2="{y}" stroke="#eee"/>'
    return line + f'<text x="{LABELS - 12}" y="{y + 4}" text-anchor="end" font-size="11">{escape(row)}</text>'


def _dot(dot: Dot, axis: Axis, y: float) -> str:
    told = f"<title>{escape(dot.peer)}: {figure(dot.times)}</title>"
    x = axis.place(dot.times)
    return f'<circle cx="{x:.1f}" cy="{y}" r="5" fill="{COLOURS[dot.peer]}" fill-opacity="0.85">{told}</circle>'
