"""What the commands share when they print: tables, JSON, errors."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterable
from typing import TextIO

import click

from ..errors import LLMMockError


def print_json(value: object) -> None:
    click.echo(json.dumps(value, ensure_ascii=False, indent=2))


def tell(errors: Iterable[LLMMockError]) -> None:
    """Each error in a paragraph of its own, on stderr."""
    for error in errors:
        click.echo(f"llmmock: {error}", err=True)


def one_line(error: LLMMockError) -> str:
    return " ".join(str(error).split())


def cell(value: object) -> str:
    """A value as it stands in a table."""
    return ", ".join(map(str, value)) if isinstance(value, list) else "-" if value in (None, "") else str(value)


def size(count: int) -> str:
    """A number of bytes for people: `1.4 MB`."""
    number = float(count)
    for unit in ("bytes", "kB", "MB"):
        if number < 1000:
            return f"{number:.3g} {unit}"
        number /= 1000
    return f"{number:.3g} GB"


def wrapped(text: str, stream: TextIO) -> str:
    """A text that fits a terminal; elsewhere, and where a line holds an address, lines stay as they are."""
    if not stream.isatty():
        return text
    width = shutil.get_terminal_size().columns
    return "\n".join(line if "://" in line else click.wrap_text(line, width) for line in text.split("\n"))


def table(head: Iterable[str], rows: list[list[str]]) -> None:
    """Columns as wide as they have to be; numbers at the right."""
    lines = [list(head), *rows]
    widths = [max(len(line[column]) for line in lines) for column in range(len(lines[0]))]
    for number, line in enumerate(lines):
        cells = [
            cell.rjust(width) if cell.isdigit() else cell.ljust(width) for cell, width in zip(line, widths, strict=True)
        ]
        click.secho("  ".join(cells).rstrip(), bold=number == 0)
