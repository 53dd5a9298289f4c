"""`llmmock diff`: what changed between two cassettes, or since a commit, by meaning."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

from .. import dialects
from ..cassettes import library
from ..cassettes.cassette import Cassette
from ..cassettes.committed import Commit
from ..cassettes.comparison import SILENT, WORDS, Change, Side, compare
from ..cassettes.difference import MISSING, Difference, show
from ..core.summary import line, plural
from ..errors import CassetteError, UsageError
from ..settings import combine, keys_of
from .printing import print_json
from .serving import as_settings, matching_options

_PLACES = 8
"""Differences that are shown of one interaction, unless all are asked for."""

_COLOURS = {"- ": "red", "+ ": "green"}

Pair = tuple[Cassette, Cassette]
"""A cassette as it was, and as it is."""


@click.command(short_help="What changed in cassettes, by meaning.")
@click.argument("places", nargs=-1, type=click.Path(path_type=Path), metavar="[OLD NEW | CASSETTE|DIR]")
@click.option("--rev", metavar="REV", help="The commit to compare with.  [default: HEAD]")
@click.option("--full", is_flag=True, help="Every difference, and what is the same.")
@click.option("--json", "as_json", is_flag=True, help="A list of objects instead of text.")
@matching_options
def command(places: tuple[Path, ...], rev: str | None, full: bool, as_json: bool, **matched: tuple[str, ...]) -> None:
    """Compare two cassettes or folders of them, or what is here with what git has committed.

    Interactions are paired by their request, and told as same, answer changed, request changed, added or
    removed. Ids, times, usage and the pieces in which a stream came are noise. Exits with 0 when nothing
    differs in meaning, with 1 when something does.
    """
    keys = keys_of(combine([("options", as_settings(matched))]))
    compared = [
        (pair, compare(pair[0].interactions, pair[1].interactions, keys, dialects.read))
        for pair in _pairs(places or (Path("cassettes"),), rev, keys.signature)
    ]
    changes = [change for _, found in compared for change in found]
    if as_json:
        print_json([_value(pair, found) for pair, found in compared])
    else:
        for pair, found in compared:
            _print(pair, found, full)
        click.echo(_summary(changes))
    sys.exit(1 if any(change.kind not in SILENT for change in changes) else 0)


# --- what is compared -----------------------------------------------------------------------------------


def _pairs(places: tuple[Path, ...], rev: str | None, signature: bytes) -> list[Pair]:
    """Raises `CassetteError` and `UsageError`."""
    if len(places) == 1:
        return list(_since(places[0], Commit(places[0], rev or "HEAD"), signature))
    if len(places) > 2 or rev:
        raise UsageError(
            "Give two cassettes (or two folders), or one and --rev: what is committed is compared with it."
        )
    if places[0].is_dir() != places[1].is_dir():
        raise UsageError(f"{places[0]} and {places[1]}: one is a folder and the other is not.")
    return [
        (_opened(old, signature, needed=alone), _opened(new, signature, needed=alone))
        for alone, old, new in _sides(*places)
    ]


def _since(place: Path, commit: Commit, signature: bytes) -> Iterator[Pair]:
    if place.is_dir():
        yield from (
            (commit.open(path, signature), library.open_cassette(path, signature)) for path in commit.changed(place)
        )
        return
    old, new = commit.open(place, signature), library.open_cassette(place, signature)
    if not old.exists:
        there = f"{place} is not in {commit.name}: there is nothing to compare it with."
        raise CassetteError(
            there if new.exists else f"There is no cassette at {place}, neither here nor in {commit.name}."
        )
    yield old, new


def _sides(old: Path, new: Path) -> Iterator[tuple[bool, Path, Path]]:
    """Files by themselves, or below two folders by their names there; what is not in both came or went."""
    if not old.is_dir():
        yield True, old, new
        return
    names = {path.relative_to(folder) for folder in (old, new) for path in library.find([folder])}
    yield from ((False, old / name, new / name) for name in sorted(names))


def _opened(path: Path, signature: bytes, *, needed: bool) -> Cassette:
    cassette = library.open_cassette(path, signature)
    if needed and not cassette.exists:
        raise CassetteError(f"There is no cassette and no folder at {path}.")
    return cassette


# --- for people -----------------------------------------------------------------------------------------


def _print(pair: Pair, changes: list[Change], full: bool) -> None:
    shown = [change for change in changes if full or change.kind not in SILENT]
    if not shown:
        return
    click.secho(_title(pair), bold=True)
    for change in shown:
        click.echo("\n" + "\n".join(_lines(change, full)))
    click.echo()


def _title(pair: Pair) -> str:
    old, new = pair
    if old.path != new.path:
        return f"{old.path} -> {new.path}"
    return str(new.path) + ("   (new)" if not old.exists else "   (deleted)" if not new.exists else "")


def _lines(change: Change, full: bool) -> Iterator[str]:
    side = change.side
    yield click.style(f"{_number(change)}  {WORDS[change.kind]}", bold=True) + f"   {_said(side)}"
    places = change.differences if full else change.differences[:_PLACES]
    for difference in places:
        yield from map(_coloured, show(difference))
        if difference.volatile:
            yield f"    (looks like {difference.volatile}, which changes on every run)"
    if more := len(change.differences) - len(places):
        yield f"  and in {plural(more, 'other place')} (--full shows them)"
    if change.noise and (full or change.kind == "noise"):
        yield f"  noise: {', '.join(change.noise)}"


def _number(change: Change) -> str:
    numbers = [f"#{side.number}" for side in (change.old, change.new) if side is not None]
    return " -> ".join(dict.fromkeys(numbers))


def _said(side: Side) -> str:
    return line(side.exchange, side.interaction.reply)


def _coloured(text: str) -> str:
    colour = _COLOURS.get(text[2:4])
    return f"  {click.style(text[2:], fg=colour)}" if colour else text


def _summary(changes: list[Change]) -> str:
    counts = Counter(change.kind for change in changes)
    told = ", ".join(f"{counts[kind]} {words}" for kind, words in WORDS.items() if counts[kind])
    return f"{plural(len(changes), 'interaction')}: {told}" if changes else "No cassette has changed."


# --- for programs ---------------------------------------------------------------------------------------


def _value(pair: Pair, changes: list[Change]) -> dict[str, Any]:
    return {
        "old": str(pair[0].path) if pair[0].exists else None,
        "new": str(pair[1].path) if pair[1].exists else None,
        "same": all(change.kind in SILENT for change in changes),
        "interactions": [_changed(change) for change in changes],
    }


def _changed(change: Change) -> dict[str, Any]:
    return {
        "change": change.kind,
        "old": change.old.number if change.old else None,
        "new": change.new.number if change.new else None,
        "operation": change.side.exchange.operation,
        "model": change.side.exchange.prompt.model,
        "differences": [_difference(each) for each in change.differences],
        "noise": list(change.noise),
    }


def _difference(difference: Difference) -> dict[str, Any]:
    sides = {"old": difference.recorded, "new": difference.asked}
    return {"path": difference.path, **{name: value for name, value in sides.items() if value is not MISSING}}
