"""`llmmock scan`: look for secrets in cassettes, and in files of any kind."""

from __future__ import annotations

import gzip
import sys
import zlib
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import click

from ..cassettes import library
from ..cassettes.findings import Finding, findings, in_text
from ..cassettes.secrets import Secrets
from ..core.summary import plural
from ..errors import CassetteError
from .printing import print_json


@dataclass(frozen=True, slots=True)
class Found:
    """A secret in a file."""

    file: str
    interaction: int | None
    finding: Finding

    def __str__(self) -> str:
        number = f"interaction {self.interaction}, " if self.interaction else ""
        return f"{self.file}: {number}{self.finding}"


@click.command(short_help="Look for secrets in files.")
@click.argument("paths", nargs=-1, type=click.Path(path_type=Path), metavar="[PATH]...")
@click.option("--json", "as_json", is_flag=True, help="A list of objects instead of lines.")
def command(paths: tuple[Path, ...], as_json: bool) -> None:
    """Look for secrets in files and below folders (default: cassettes). Exits with 1 when there are any.

    Cassettes are looked through interaction by interaction, also for what a model said piece by piece; any other
    file as text. Secrets are: keys, tokens and ids in the formats of their providers, the values of variables
    such as OPENAI_API_KEY in this environment, and headers that carry credentials. No secret is printed.
    """
    secrets = Secrets.of()
    files = _files(paths or (Path("cassettes"),))
    found = [each for file in files for each in in_file(file, secrets)]
    if as_json:
        print_json([_value(each) for each in found])
    else:
        _tell(found, len(files))
    sys.exit(1 if found else 0)


def _files(places: Sequence[Path]) -> list[Path]:
    """The files that were named, and all below folders that are not hidden.

    Raises `CassetteError` for a place that does not exist, and when there is nothing to look through.
    """
    files = [file for place in places for file in _files_of(place)]
    if not files:
        raise CassetteError(f"There are no files in {', '.join(map(str, places))}.")
    return files


def _files_of(place: Path) -> Iterator[Path]:
    if place.is_dir():
        yield from sorted(file for file in place.rglob("*") if file.is_file() and not _is_hidden(file, place))
    elif library.exists(place):
        yield place
    else:
        raise CassetteError(f"There is no file and no folder at {place}.")


def _is_hidden(file: Path, root: Path) -> bool:
    return any(part.startswith(".") for part in file.relative_to(root).parts)


def in_file(file: Path, secrets: Secrets) -> list[Found]:
    """What a file holds that is secret. What does not read as a cassette is looked through as text."""
    if library.is_cassette(file):
        try:
            found = list(_in_cassette(file, secrets))
        except CassetteError:
            found = []
        if found:
            return found
    return [Found(str(file), None, each) for each in in_text(_content(file), secrets)]


def _in_cassette(file: Path, secrets: Secrets) -> Iterator[Found]:
    """Also the credentials in the headers of a recording, wherever they stand again."""
    for number, interaction in enumerate(library.open_cassette(file).interactions, 1):
        secrets.learn(interaction.request, interaction.reply)
        yield from (Found(str(file), number, each) for each in findings(interaction.recorded, secrets))


def _content(file: Path) -> bytes:
    data = file.read_bytes()
    try:
        return gzip.decompress(data) if file.suffix == ".gz" else data
    except (OSError, EOFError, zlib.error):
        return data


def _tell(found: Sequence[Found], files: int) -> None:
    """A line for each secret, and not for each time that it stands there."""
    times = Counter((each.file, each.interaction, each.finding.kind, each.finding.start) for each in found)
    for each in found:
        count = times.pop((each.file, each.interaction, each.finding.kind, each.finding.start), 0)
        if count:
            click.echo(f"{each}" + (f", and {count - 1} more like it" if count > 1 else ""))
    if found:
        spoilt = len({each.file for each in found})
        told = f"llmmock: {plural(len(found), 'secret')} in {spoilt} of {plural(files, 'file')}"
        click.echo(f"{told}. `llmmock scrub` takes them out of cassettes; what was public has to be revoked.", err=True)
    else:
        click.echo(f"{plural(files, 'file')}, no secrets")


def _value(found: Found) -> dict[str, object]:
    finding = found.finding
    return {
        "file": found.file,
        "interaction": found.interaction,
        "place": finding.place,
        "kind": finding.kind,
        "starts": finding.start,
    }
