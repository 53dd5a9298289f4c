"""`llmmock prune`: drop what no test uses."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import click

from ..cassettes import library
from ..core.summary import plural
from ..errors import CassetteError, UsageError
from ..usage import CACHE_DIR, Unused, Usage


@click.command(short_help="Drop what no test uses.")
@click.argument("cassettes", nargs=-1, type=click.Path(path_type=Path), metavar="[CASSETTE|DIR]...")
@click.option("--dry-run", is_flag=True, help="Tell what would be done, and write nothing.")
@click.option(
    "--cache-dir",
    type=click.Path(path_type=Path),
    default=CACHE_DIR,
    show_default=True,
    help="Where pytest keeps its cache (its ini option cache_dir).",
)
def command(cassettes: tuple[Path, ...], dry_run: bool, cache_dir: Path) -> None:
    """Drop the recordings, and the cassettes, that no test used in the last run of the whole suite.

    Everywhere, or only in some cassettes or below some folders. A cassette is judged only when all tests passed that
    use it. What has changed since that run stays. Large bodies that nothing refers to any more go as well.
    """
    usage = Usage.read(cache_dir)
    if usage is None:
        raise UsageError(_UNKNOWN.format(cache_dir=cache_dir))
    wanted = [_existing(path) for path in cassettes]
    verb = "would be dropped" if dry_run else "dropped"
    interactions = files = 0
    for each in _picked(usage, wanted):
        interactions += len(each.numbers)
        files += not each.numbers
        click.echo(f"{each.name}: {', '.join(f'#{number}' for number in each.numbers) or 'all of it'} {verb}")
        if not dry_run:
            _drop(each)
    blobs = 0 if dry_run else _without_reader(usage.home)
    more = f" and {plural(blobs, 'large body').replace('bodys', 'bodies')}" if blobs else ""
    click.echo(f"llmmock: {plural(interactions, 'interaction')}, {plural(files, 'cassette')}{more} {verb}")


_UNKNOWN = (
    "Nobody knows yet what is used: there is no record of a run of all tests in {cache_dir}. Run the whole suite once, "
    "with `pytest` alone and pytest's cache on; where the cache is elsewhere, say so with --cache-dir."
)


def _existing(path: Path) -> Path:
    """Raises `CassetteError`."""
    if not library.exists(path):
        raise CassetteError(f"There is no cassette and no folder at {path}.")
    return path.absolute()


def _picked(usage: Usage, wanted: list[Path]) -> Iterator[Unused]:
    """Those below the places that were named, of which what is known still holds."""
    for each in usage.unused():
        if wanted and not any(each.path.is_relative_to(place) for place in wanted):
            continue
        if each.outdated:
            click.echo(f"{each.name}: left as it is, for {each.outdated} since the last run of the whole suite")
        else:
            yield each


def _drop(unused: Unused) -> None:
    if unused.numbers:
        library.drop(unused.path, unused.numbers)
    else:
        library.remove(unused.path)


def _without_reader(home: Path) -> int:
    """Remove large bodies that no cassette, nor what waits beside them, refers to; how many."""
    blobs = {path.name: path for path in (home / library.BLOBS).glob("?" * 64)}
    if blobs:
        files = (path for path in home.rglob("*.y*ml") if path.is_file())
        read = {name for path in files for name in library.blob_names(path.read_bytes())}
        blobs = {name: path for name, path in blobs.items() if name not in read}
    for path in blobs.values():
        path.unlink(missing_ok=True)
    return len(blobs)
