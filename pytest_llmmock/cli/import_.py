"""`llmmock import`: take over cassettes of other tools."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from .. import dialects
from ..cassettes import library
from ..cassettes.cassette import Interaction, Recorded
from ..cassettes.matchers import Keys
from ..cassettes.scrub import scrub
from ..core.summary import plural
from ..errors import CassetteError, LLMMockError
from ..keeper import describe


@click.command(short_help="Take over cassettes of other tools.")
@click.argument("sources", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="SRC...")
@click.option("--out", required=True, type=click.Path(path_type=Path), metavar="DIR", help="Where to write to.")
@click.option("--force", is_flag=True, help="Replace cassettes that are there already.")
@click.option("--dry-run", is_flag=True, help="Read everything and write nothing.")
def command(sources: tuple[Path, ...], out: Path, force: bool, dry_run: bool) -> None:
    """Take over cassettes, files or whole folders, into our format below DIR.

    Read are vcrpy's (YAML and JSON, also from before 1.0), pytest-recording's, pydantic-ai's `parsed_body`,
    Ruby VCR's, and each of them gzip'ed. Headers that are not on our list are left out, credentials in
    addresses too. Exits with 1 when a file could not be taken over; the others are written all the same.
    """
    taken: set[Path] = set()
    failed = interactions = 0
    places: list[tuple[Path, Path]] = []
    for source in sources:
        try:
            places += _places(source, out)
        except LLMMockError as error:
            failed += 1
            click.echo(f"failed: {_one_line(error)}", err=True)
    for number, (source, target) in enumerate(places, 1):
        try:
            count = _import(source, target, out, taken, force=force, dry_run=dry_run)
        except LLMMockError as error:
            failed += 1
            click.echo(f"failed: {_one_line(error)}", err=True)
            continue
        interactions += count
        click.echo(f"[{number}/{len(places)}] {source} -> {target}  {plural(count, 'interaction')}")
    done = len(taken)
    verb = "would be imported" if dry_run else "imported"
    click.echo(f"{plural(done, 'cassette')} with {plural(interactions, 'interaction')} {verb}, {failed} failed")
    sys.exit(1 if failed else 0)


def _places(source: Path, out: Path) -> list[tuple[Path, Path]]:
    """Each file with the file that it becomes: folders keep their structure. Raises `CassetteError`."""
    root = source if source.is_dir() else source.parent
    found = [(path, out / (library.name_of(path, root) + ".yaml")) for path in library.find([source])]
    if not found:
        raise CassetteError(f"There are no cassettes in {source}.")
    return found


def _import(source: Path, target: Path, out: Path, taken: set[Path], *, force: bool, dry_run: bool) -> int:
    """Take over one file. Raises `CassetteError`."""
    keys = Keys()
    cassette = library.open_cassette(source)
    if target in taken:
        raise CassetteError(f"{source} would become {target}, which another file has become already.")
    if target.exists() and not force:
        raise CassetteError(f"{target} is there already; {source} was not imported. Use --force to replace it.")
    interactions = [_taken_over(each, keys) for each in cassette.interactions]
    taken.add(target)
    if not dry_run:
        library.save(target, interactions, signature=keys.signature, describe=describe, blobs_in=out)
    return len(interactions)


def _taken_over(interaction: Interaction, keys: Keys) -> Interaction:
    clean = scrub(interaction.recorded)
    exchange = dialects.read(clean.request)
    meta = {"operation": exchange.operation, **clean.meta}
    return Interaction.of(Recorded(clean.request, clean.reply, meta), keys.key(exchange))


def _one_line(error: LLMMockError) -> str:
    return " ".join(str(error).split())
