"""`llmmock rekey`: compute keys and stamps of cassettes anew."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from .. import dialects
from ..cassettes import library
from ..cassettes.rekeying import Rekeyed, rekey
from ..core.summary import plural
from ..errors import CassetteError, LLMMockError
from ..keeper import describe
from ..settings import combine, keys_of
from .printing import tell
from .serving import as_settings, matching_options


@click.command(short_help="Compute keys anew.")
@click.argument("places", nargs=-1, type=click.Path(path_type=Path), metavar="[CASSETTE|DIR]...")
@click.option("--dry-run", is_flag=True, help="Compute everything and write nothing.")
@matching_options
def command(places: tuple[Path, ...], dry_run: bool, **matched: tuple[str, ...]) -> None:
    """Key cassettes anew, or all cassettes below folders (default: cassettes).

    After an edit by hand, or with a newer version of llmmock: what is stored saves computing keys on each
    replay. With the options that tests match by, keys hold for those. Only the lines of keys change.
    """
    keys = keys_of(combine([("options", as_settings(matched))]))
    done: list[Rekeyed] = []
    errors: list[LLMMockError] = []
    for path in library.find_some(places or (Path("cassettes"),)):
        try:
            done.append(rekey(path, keys, dialects.read, describe, dry_run=dry_run))
        except CassetteError as error:
            errors.append(error)
    for each in done:
        _tell(each)
    tell(errors)
    click.echo(_summary(done, len(errors), dry_run))
    sys.exit(1 if errors else 0)


def _tell(done: Rekeyed) -> None:
    if done.is_foreign:
        click.echo(f"{done.path}: left as it is, for its layout has no keys (llmmock import takes it over)")
    elif done.changed:
        numbers = ", ".join(f"#{number}" for number in done.changed)
        click.echo(f"{done.path}: {len(done.changed)} of {plural(done.interactions, 'interaction')} ({numbers})")


def _summary(done: list[Rekeyed], failed: int, dry_run: bool) -> str:
    changed = [each for each in done if each.changed]
    count = sum(len(each.changed) for each in changed)
    verb = "would be keyed anew" if dry_run else "keyed anew"
    amount = f"{plural(count, 'interaction')} in {plural(len(changed), 'cassette')}"
    return f"{amount} {verb}, {len(done) - len(changed)} left as they are, {failed} failed"
