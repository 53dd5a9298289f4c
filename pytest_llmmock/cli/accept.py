"""`llmmock accept`: take over what failed tests, and runs that were killed, have recorded."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

import click

from ..cassettes import library
from ..cassettes.aside import PRIVATE, Aside, Run, accepted, failed, run_of
from ..cassettes.unsaved import LeftBehind, all_left_behind
from ..core.summary import plural
from ..errors import CassetteError


@dataclass(frozen=True, slots=True)
class _Waiting:
    """Recordings of one run that wait for their cassette."""

    cassette: Path
    run: Run
    source: Aside | LeftBehind


@click.command(short_help="Take over what failed tests recorded.")
@click.argument("cassettes", nargs=-1, type=click.Path(path_type=Path), metavar="[CASSETTE|DIR]...")
@click.option("--dry-run", is_flag=True, help="Tell what would be done, and write nothing.")
def command(cassettes: tuple[Path, ...], dry_run: bool) -> None:
    """Put what failed tests recorded into their cassettes, all below folders (default: cassettes) or some.

    What runs that were killed have left is taken over as well. Of the same request the latest recording is taken, and
    none where the cassette has been recorded to since.
    """
    count = 0
    with ExitStack() as held:
        waiting = [each for place in cassettes or (Path("cassettes"),) for each in _waiting(place, held)]
        for path, group in groupby(
            sorted(waiting, key=lambda each: (each.cassette, each.run[0])), key=lambda each: each.cassette
        ):
            count += _accept(path, list(group), dry_run=dry_run)
    verb = "would be accepted" if dry_run else "accepted"
    click.echo(
        f"llmmock: {plural(count, 'interaction')} {verb}" if waiting else "llmmock: nothing waits to be accepted"
    )


def _waiting(place: Path, held: ExitStack) -> Iterator[_Waiting]:
    """What waits for a cassette, or below a folder. Raises `CassetteError`."""
    home = place if place.is_dir() else _home_of(place)
    for aside in failed(home):
        run = (aside.run, aside.replaces, library.open_cassette(aside.path, None).interactions)
        if place in (home, aside.cassette):
            yield _Waiting(aside.cassette, run, aside)
    for cassette, left in all_left_behind(home):
        held.callback(left.close)
        if place in (home, cassette):
            yield _Waiting(cassette, run_of(left.interactions(None)), left)


def _home_of(cassette: Path) -> Path:
    """The folder of cassettes that a cassette is in. Raises `CassetteError`."""
    for folder in cassette.parents:
        if (folder / PRIVATE).is_dir():
            return folder
    raise CassetteError(f"Nothing waits for {cassette}: there is no folder {PRIVATE} beside it or above it.")


def _accept(path: Path, waiting: list[_Waiting], *, dry_run: bool) -> int:
    """The number of interactions that one cassette has won."""
    with library.locked(path):
        cassette = library.open_ours(path)
        runs = [each.run for each in waiting]
        interactions = accepted(cassette, runs)
        dropped = sum(1 for each in cassette.interactions if each not in interactions)
        won = len(interactions) - len(cassette) + dropped
        click.echo(f"{path}: " + ", ".join(_said(won, dropped, sum(len(run[2]) for run in runs) - won)))
        if not dry_run:
            library.save(path, interactions)
    _discard(each.source for each in ([] if dry_run else waiting))
    return won


def _said(won: int, dropped: int, left: int) -> Iterator[str]:
    yield f"{plural(won, 'interaction')} accepted"
    if dropped:
        yield f"{dropped} replaced"
    if left:
        yield f"{left} left out, for they have been recorded anew since"


def _discard(sources: Iterable[Aside | LeftBehind]) -> None:
    for source in sources:
        source.discard()
