"""`llmmock import`: take over cassettes of other tools."""

from __future__ import annotations

import json
from pathlib import Path
from urllib.parse import urlsplit

import click

from .. import dialects
from ..cassettes import library
from ..cassettes.cassette import Interaction, Recorded
from ..cassettes.matchers import Keys
from ..cassettes.scrub import learn_all, scrub
from ..core.providers import is_provider
from ..core.summary import plural
from ..errors import CassetteError
from ..keeper import describe
from ..script import aimock
from ..script.files import load
from .conversion import Conversion


@click.command(short_help="Take over cassettes of other tools.")
@click.argument("sources", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="SRC...")
@click.option("--out", required=True, type=click.Path(path_type=Path), metavar="DIR", help="Where to write to.")
@click.option("--force", is_flag=True, help="Replace cassettes that are there already.")
@click.option("--dry-run", is_flag=True, help="Read everything and write nothing.")
def command(sources: tuple[Path, ...], out: Path, force: bool, dry_run: bool) -> None:
    """Take over cassettes, files or whole folders, into our format below DIR.

    Read are vcrpy's (YAML and JSON, also from before 1.0), pytest-recording's, pydantic-ai's `parsed_body`,
    Ruby VCR's, cassetter's (YAML and TOML), HAR of browsers and proxies, and each of them gzip'ed. Of a HAR only
    what was asked of models is taken. Fixtures of aimock have no requests: they become a file of rules, for
    `llmmock replay --rules`. Headers that are not on our list are left out, credentials in addresses
    too. Exits with 1 when a file could not be taken over; the others are written all the same.
    """

    def take_over(source: Path, target: Path) -> int:
        if target.name.endswith(library.RULES):
            return _rules(source, target, dry_run)
        keys = Keys()
        found = _asked_of_models(source)
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

    Conversion(out, take_over, "imported", _place, library.FOREIGN, force=force, dry_run=dry_run).run(sources)


def _place(name: str, source: Path) -> Path:
    return Path(f"{name}.rules.json" if _holds_fixtures(source) else f"{name}.yaml")


def _holds_fixtures(source: Path) -> bool:
    """Whether a file is aimock's."""
    if source.suffix != ".json":
        return False
    try:
        return aimock.is_one(json.loads(source.read_bytes()))
    except (OSError, ValueError, RecursionError):
        return False  # told when it is read as a cassette


def _rules(source: Path, target: Path, dry_run: bool) -> int:
    """Takes fixtures over as they stand, when all of them can be understood. Raises `LLMMockError`."""
    rules, _ = load(source, {})
    if not dry_run:
        library.write(target, source.read_bytes())
    return len(rules)


def _asked_of_models(source: Path) -> list[Interaction]:
    """All of a cassette; of a HAR, which holds whatever a browser loads, only this. Raises `CassetteError`."""
    others: list[str] = []

    def is_wanted(method: str, url: str) -> bool:
        if not _is_of_model(method, url):
            others.append(url)
            return False
        return True

    kept = library.open_cassette(source, wanted=is_wanted).interactions
    left = len(others)
    if left and not kept:
        raise CassetteError(f"{source} holds no request to a language model, but {plural(left, 'other request')}.")
    if left:
        click.echo(
            f"{source}: {plural(left, 'request')} left out that {'was' if left == 1 else 'were'} not for a model"
        )
    return kept


def _is_of_model(method: str, url: str) -> bool:
    """Also what has no address at all: who reads it says so."""
    try:
        parts = urlsplit(url)
        return not url or is_provider(parts.hostname or "") or dialects.is_named(method, parts.path or "/")
    except ValueError:
        return False  # no address of a model's


def _taken_over(interaction: Interaction, keys: Keys) -> Interaction:
    clean = scrub(interaction.recorded, keys.secrets)
    exchange = dialects.read(clean.request)
    meta = {"operation": exchange.operation, **clean.meta}
    return Interaction.of(Recorded(clean.request, clean.reply, meta), keys.key(exchange))
