"""`llmmock stats`: tokens, models, sizes and ages of cassettes."""

from __future__ import annotations

import sys
from collections import Counter
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from .. import dialects
from ..cassettes import library
from ..cassettes.statistics import Count, Statistics, measure
from ..core.summary import plural
from ..errors import CassetteError
from .printing import print_json, size, table, tell

_BIGGEST = 5
"""Cassettes that are named."""


@click.command(short_help="Tokens, models, sizes and ages.")
@click.argument("cassettes", nargs=-1, type=click.Path(path_type=Path), metavar="[CASSETTE|DIR]...")
@click.option("--json", "as_json", is_flag=True, help="An object instead of a table.")
def command(cassettes: tuple[Path, ...], as_json: bool) -> None:
    """Count what is in cassettes, or in all cassettes below folders (default: cassettes)."""
    errors: list[CassetteError] = []
    opened = library.open_all(cassettes or (Path("cassettes"),), on_error=errors.append)
    found = measure(opened, dialects.read, errors.append)
    if as_json:
        print_json(_value(found))
    else:
        _print(found)
    tell(errors)
    sys.exit(1 if errors else 0)


_HEAD = ("MODEL", "INTERACTIONS", "STREAMED", "INPUT", "CACHED", "OUTPUT", "REASONING", "TOKENS")


def _print(found: Statistics) -> None:
    models = sorted(found.models.items(), key=lambda item: (-item[1].interactions, item[0]))
    table(_HEAD, [*(_row(name or "-", count) for name, count in models), _row("total", found.total)])
    click.echo()
    for name, text in _facts(found):
        click.echo(f"{name:<11} {text}")


def _row(name: str, count: Count) -> list[str]:
    tokens = count.tokens
    numbers = (tokens.input, tokens.cached, tokens.output, tokens.reasoning, tokens.total)
    return [name, str(count.interactions), str(count.streamed), *map(str, numbers)]


def _facts(found: Statistics) -> list[tuple[str, str]]:
    """What is told below the table; what there is nothing to say of is left out."""
    blobs = f" and {size(found.blob_bytes)} in {plural(found.blobs, 'blob')}" if found.blobs else ""
    without = found.total.uncounted
    facts = [
        ("operations", _counted(found.operations)),
        ("upstreams", _counted(found.upstreams)),
        ("recorded", " to ".join(dict.fromkeys((found.oldest[:10], found.newest[:10])))),
        ("size", f"{size(found.bytes)} in {plural(found.cassettes, 'cassette')}{blobs}"),
        ("biggest", "\n            ".join(f"{size(count)}  {path}" for count, path in found.biggest(_BIGGEST))),
        ("not counted", f"{plural(without, 'answer')} without a number of tokens" if without else ""),
    ]
    return [fact for fact in facts if fact[1]]


def _counted(names: Counter[str]) -> str:
    return ", ".join(f"{name or 'not said'} {count}" for name, count in names.most_common())


def _value(found: Statistics) -> dict[str, Any]:
    return {
        "cassettes": found.cassettes,
        "total": asdict(found.total),
        "models": {name: asdict(count) for name, count in sorted(found.models.items())},
        "operations": dict(found.operations.most_common()),
        "upstreams": dict(found.upstreams.most_common()),
        "bytes": found.bytes,
        "blobs": found.blobs,
        "blob_bytes": found.blob_bytes,
        "oldest": found.oldest or None,
        "newest": found.newest or None,
        "biggest": [{"cassette": str(path), "bytes": count} for count, path in found.biggest(_BIGGEST)],
    }
