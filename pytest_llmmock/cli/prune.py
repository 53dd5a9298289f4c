"""`llmmock prune`: drop what no test uses."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import click

from ..cassettes import library
from ..core.summary import plural
from ..errors import CassetteError, UsageError
from ..session import CACHE, digest, drop


@click.command(short_help="Drop what no test uses.")
@click.argument("cassettes", nargs=-1, type=click.Path(path_type=Path), metavar="[CASSETTE|DIR]...")
@click.option("--dry-run", is_flag=True, help="Tell what would be done, and write nothing.")
@click.option(
    "--cache-dir",
    type=click.Path(path_type=Path),
    default=Path(".pytest_cache"),
    show_default=True,
    help="Where pytest keeps its cache (its ini option cache_dir).",
)
def command(cassettes: tuple[Path, ...], dry_run: bool, cache_dir: Path) -> None:
    """Drop the recordings, and the cassettes, that no test used in the last run of the whole suite.

    Everywhere, or only in some cassettes or below some folders. A cassette is judged only when all tests passed that
    use it. What has changed since that run stays. Large bodies that nothing refers to any more go as well.
    """
    known = _known(cache_dir)
    root = Path(known["root"])
    wanted = [_existing(path) for path in cassettes]
    verb = "would be dropped" if dry_run else "dropped"
    interactions = files = 0
    for each in _picked(known["unused"], known, wanted):
        numbers = each["numbers"]
        interactions += len(numbers) if dry_run else drop(root / each["path"], numbers)
        click.echo(f"{each['path']}: {', '.join(f'#{number}' for number in numbers)} {verb}")
    for each in _picked(known["orphans"], known, wanted):
        files += 1
        click.echo(f"{each['path']}: {verb}, no test uses it")
        if not dry_run:
            library.remove(root / each["path"])
    blobs = 0 if dry_run else _without_reader(root / known["home"])
    more = f" and {plural(blobs, 'large body').replace('bodys', 'bodies')}" if blobs else ""
    click.echo(f"llmmock: {plural(interactions, 'interaction')}, {plural(files, 'cassette')}{more} {verb}")


def _known(cache_dir: Path) -> dict[str, Any]:
    """What the last whole run has told. Raises `UsageError`."""
    path = cache_dir / "v" / CACHE
    try:
        known: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise UsageError(
            f"Nobody knows yet what is used: there is no {path}. Run the whole suite once, with `pytest` alone and "
            "pytest's cache on; where the cache is elsewhere, say so with --cache-dir."
        ) from None
    except ValueError as error:
        raise UsageError(f"{path} cannot be read: {error}. Run the whole suite once more.") from None
    return known


def _existing(path: Path) -> Path:
    """Raises `CassetteError`."""
    if not library.exists(path):
        raise CassetteError(f"There is no cassette and no folder at {path}.")
    return path.absolute()


def _picked(found: Iterable[dict[str, Any]], known: dict[str, Any], wanted: list[Path]) -> Iterator[dict[str, Any]]:
    """Those below the places that were named, of which what is known still holds."""
    for each in found:
        path = Path(known["root"], each["path"])
        if wanted and not any(path.is_relative_to(place) for place in wanted):
            continue
        why = _outdated(path, each["digest"], known)
        if why:
            click.echo(f"{each['path']}: left as it is, for {why} since the last run of the whole suite")
        else:
            yield each


def _outdated(path: Path, known_digest: str, known: dict[str, Any]) -> str:
    """Why what is known of a cassette may not hold any more; '' when it does."""
    if digest(path) != known_digest:
        return "it has changed"
    root, home = Path(known["root"]), Path(known["root"], known["home"])
    tests = root / path.relative_to(home).parent.with_suffix(".py")
    if tests.is_file() and tests.stat().st_mtime > known["when"]:
        return f"{tests.relative_to(root)} has changed"
    return ""


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
