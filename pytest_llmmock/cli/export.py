"""`llmmock export`: cassettes for vcrpy, which then replays them without us."""

from __future__ import annotations

from pathlib import Path

import click

from ..cassettes import library, plain_vcr
from ..cassettes.cassette import Interaction
from ..cassettes.findings import refuse
from ..cassettes.scrub import learn_all, scrub
from ..cassettes.secrets import Secrets
from ..errors import CassetteError
from .conversion import Conversion


@click.command(short_help="Write cassettes for vcrpy.")
@click.argument("sources", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="SRC...")
@click.option("--out", required=True, type=click.Path(path_type=Path), metavar="DIR", help="Where to write to.")
@click.option(
    "--format",
    "layout",
    type=click.Choice(plain_vcr.FORMATS),
    default="vcrpy",
    show_default=True,
    help="Which folders: as ours, or as pytest-recording looks for them.",
)
@click.option("--force", is_flag=True, help="Replace files that are there already.")
@click.option("--dry-run", is_flag=True, help="Read everything and write nothing.")
def command(sources: tuple[Path, ...], out: Path, layout: str, force: bool, dry_run: bool) -> None:
    """Write cassettes, files or whole folders, as vcrpy's plain YAML below DIR.

    vcrpy replays them with its own serializer. Times and the pieces of a stream, keys, and where an answer
    came from are left out: vcrpy has no place for them. Exits with 1 when a file could not be written.
    """

    def write(source: Path, target: Path) -> int:
        interactions = library.open_cassette(source).interactions
        secrets = Secrets.of()
        learn_all(interactions, secrets)
        clean = [Interaction.of(scrub(each.recorded, secrets)) for each in interactions]
        data = plain_vcr.dumps(clean)
        refuse(target, clean, data, {}, secrets)
        if not dry_run:
            _write(target, data)
        return len(interactions)

    Conversion(
        out,
        write,
        "exported",
        lambda name, source: Path(plain_vcr.place_of(name, layout)),
        force=force,
        dry_run=dry_run,
    ).run(sources)


def _write(path: Path, data: bytes) -> None:
    try:
        library.write(path, data)
    except OSError as error:
        raise CassetteError(f"{path} cannot be written: {error.strerror or error}.") from None
