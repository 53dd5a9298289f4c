"""`llmmock scrub`: take secrets out of cassettes."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

import click

from ..cassettes import format, library
from ..cassettes.cassette import Interaction
from ..cassettes.findings import Finding, findings
from ..cassettes.matchers import Keys
from ..cassettes.scrub import learn_all
from ..core.summary import plural
from ..errors import CassetteError, LLMMockError
from ..keeper import cleaned, describe
from .printing import one_line


@click.command(short_help="Take secrets out of cassettes.")
@click.argument("paths", nargs=-1, type=click.Path(path_type=Path), metavar="[CASSETTE|DIR]...")
@click.option("--dry-run", is_flag=True, help="Tell what would be changed and change nothing.")
def command(paths: tuple[Path, ...], dry_run: bool) -> None:
    """Rewrite cassettes, files or all below folders (default: cassettes), without the secrets in them.

    Each secret makes room for a placeholder that is the same for every value of its kind. Interactions in which there
    is none keep their text. Exits with 1 when a cassette could not be rewritten; the others are all the same.
    """
    failed = changed = 0
    files = library.find_some(paths or (Path("cassettes"),))
    for file in files:
        try:
            found = scrubbed(file, Keys(), dry_run=dry_run)
        except LLMMockError as error:
            failed += 1
            click.echo(f"failed: {one_line(error)}", err=True)
            continue
        changed += bool(found)
        for line in dict.fromkeys(found):
            click.echo(f"{file}: {line}")
    verb = "would be scrubbed" if dry_run else "scrubbed"
    click.echo(f"{changed} of {plural(len(files), 'cassette')} {verb}, {failed} failed")
    sys.exit(1 if failed else 0)


def scrubbed(file: Path, keys: Keys, *, dry_run: bool) -> list[str]:
    """Scrub one file; what was found in it. Raises `CassetteError`."""
    with library.locked(file):
        interactions = library.open_cassette(file, keys.signature).interactions
        learn_all(interactions, keys.secrets)
        found = [findings(each.recorded, keys.secrets) for each in interactions]
        if any(found) and not dry_run:
            _rewrite(file, interactions, found, keys)
    return [f"interaction {number}, {each}" for number, those in enumerate(found, 1) for each in those]


def _rewrite(file: Path, interactions: Sequence[Interaction], found: Sequence[Sequence[Finding]], keys: Keys) -> None:
    if file.suffix not in (".yaml", ".yml"):
        raise CassetteError(
            f"{file} cannot be rewritten as it is. Take it over with `llmmock import {file} --out DIR`."
        )
    texts = format.cut(file.read_bytes()) or [b""] * len(interactions)
    kept = [
        cleaned(each, keys) if secrets or not text else _as_it_is(each, text)
        for each, secrets, text in zip(interactions, found, texts, strict=True)
    ]
    library.save(
        file, kept, signature=keys.signature, describe=describe, blobs_in=_blobs_of(file), secrets=keys.secrets
    )


def _as_it_is(interaction: Interaction, text: bytes) -> Interaction:
    """Its text is kept whether the key in it holds or not."""
    kept = Interaction.of(interaction.recorded, interaction.key or "as it is")
    kept.source = text
    return kept


def _blobs_of(file: Path) -> Path | None:
    """The folder of the folder `blobs` in which its large bodies are."""
    return next((folder for folder in file.absolute().parents if (folder / library.BLOBS).is_dir()), None)
