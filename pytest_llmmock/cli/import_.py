"""`llmmock import`: take over cassettes of other tools."""

from __future__ import annotations

from pathlib import Path

import click

from .. import dialects
from ..cassettes import library
from ..cassettes.cassette import Interaction, Recorded
from ..cassettes.matchers import Keys
from ..cassettes.scrub import learn_all, scrub
from ..keeper import describe
from .conversion import Conversion


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

    def take_over(source: Path, target: Path) -> int:
        keys = Keys()
        found = library.open_cassette(source).interactions
        learn_all(found, keys.secrets)
        interactions = [_taken_over(each, keys) for each in found]
        if not dry_run:
            library.save(
                target,
                interactions,
                signature=keys.signature,
                describe=describe,
                blobs_in=out,
                secrets=keys.secrets,
            )
        return len(interactions)

    Conversion(out, take_over, "imported", force=force, dry_run=dry_run).run(sources)


def _taken_over(interaction: Interaction, keys: Keys) -> Interaction:
    clean = scrub(interaction.recorded, keys.secrets)
    exchange = dialects.read(clean.request)
    meta = {"operation": exchange.operation, **clean.meta}
    return Interaction.of(Recorded(clean.request, clean.reply, meta), keys.key(exchange))
