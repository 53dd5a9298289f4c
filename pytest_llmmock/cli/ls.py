"""`llmmock ls`: cassettes in a table."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import click

from .. import dialects
from ..cassettes import library
from ..cassettes.cassette import Cassette
from ..core.summary import plural, tokens
from ..errors import CassetteError
from .printing import cell, print_json, table, tell


@click.command(short_help="List cassettes.")
@click.argument("cassettes", nargs=-1, type=click.Path(path_type=Path), metavar="[CASSETTE|DIR]...")
@click.option("--json", "as_json", is_flag=True, help="A list of objects instead of a table.")
def command(cassettes: tuple[Path, ...], as_json: bool) -> None:
    """List cassettes, or all cassettes below folders (default: cassettes)."""
    errors: list[CassetteError] = []
    rows = [row(cassette) for cassette in library.open_all(cassettes or (Path("cassettes"),), on_error=errors.append)]
    if as_json:
        print_json(rows)
    else:
        _table_of(rows)
    tell(errors)
    sys.exit(1 if errors else 0)


def _table_of(rows: list[dict[str, Any]]) -> None:
    head = ("CASSETTE", "INTERACTIONS", "OPERATIONS", "MODELS", "TOKENS", "BYTES", "RECORDED")
    table(head, [[cell(row[name.lower()]) for name in head] for row in rows])
    total = sum(row["interactions"] for row in rows)
    click.echo(f"{plural(len(rows), 'cassette')}, {plural(total, 'interaction')}")


def row(cassette: Cassette) -> dict[str, Any]:
    """What is told of a cassette."""
    exchanges = [dialects.read(each.request) for each in cassette.interactions]
    replies = [each.reply for each in cassette.interactions]
    usages = [pair[0].dialect.read_reply(pair[1]).usage for pair in zip(exchanges, replies, strict=True)]
    recorded = [str(each.meta["recorded"])[:10] for each in cassette.interactions if each.meta.get("recorded")]
    return {
        "cassette": str(cassette.path),
        "interactions": len(cassette),
        "operations": _unique(exchange.operation for exchange in exchanges),
        "models": _unique(exchange.prompt.model for exchange in exchanges),
        "tokens": sum(map(tokens, usages)) or None,
        "bytes": cassette.path.stat().st_size,
        "recorded": max(recorded, default=""),
    }


def _unique(names: Iterable[str]) -> list[str]:
    return [name for name in dict.fromkeys(names) if name]
