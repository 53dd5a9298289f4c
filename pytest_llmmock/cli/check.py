"""`llmmock check`: whether cassettes are well-formed and can be replayed."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from .. import dialects
from ..cassettes.checks import Finding, Given, days_between
from ..cassettes.examination import KINDS, Report, examine
from ..core.summary import plural
from ..errors import CassetteError
from ..settings import combine, keys_of
from ..usage import CACHE_DIR, Usage
from .printing import print_json
from .serving import as_settings, matching_options


@click.command(short_help="Whether cassettes can be replayed.")
@click.argument("places", nargs=-1, type=click.Path(path_type=Path), metavar="[CASSETTE|DIR]...")
@click.option("--max-age", type=click.IntRange(min=0), metavar="DAYS", help="Recordings that are older are findings.")
@click.option("--strict", is_flag=True, help="Notes are findings: what replay does not mind.")
@click.option("--skip", multiple=True, type=click.Choice(KINDS), help="A kind of finding to leave out.")
@click.option("--json", "as_json", is_flag=True, help="An object instead of text.")
@click.option(
    "--cache-dir",
    type=click.Path(path_type=Path),
    default=CACHE_DIR,
    show_default=True,
    help="Where pytest keeps its cache, and in it what the last run of all tests did not use.",
)
@matching_options
def command(
    places: tuple[Path, ...],
    max_age: int | None,
    strict: bool,
    skip: tuple[str, ...],
    as_json: bool,
    cache_dir: Path,
    **matched: tuple[str, ...],
) -> None:
    """Check cassettes, or all cassettes below folders (default: cassettes), without playing them.

    Checked are: that everything can be read, keys, times, whole streams, JSON, arguments of tools, large
    bodies and their hashes, names, what killed processes left, and what no test used when all of them ran last.
    Exits with 1 when there are findings.
    """
    keys = keys_of(combine([("options", as_settings(matched))]))
    today = datetime.now(UTC).date().isoformat()
    places = places or (Path("cassettes"),)
    report = examine(places, Given(keys, dialects.read, today, max_age, _unused(cache_dir)), skip)
    if not report.cassettes:
        raise CassetteError(f"There are no cassettes in {', '.join(map(str, places))}.")
    if as_json:
        print_json(_value(report))
    else:
        for finding in report.findings:
            click.echo(f"note: {finding}" if finding.is_note and not strict else str(finding))
        click.echo(_summary(report, strict, today))
    sys.exit(1 if _wrong(report, strict) else 0)


def _unused(cache_dir: Path) -> dict[Path, tuple[int, ...]]:
    """What no test used, as far as that is still true; nothing where it is not known."""
    usage = Usage.read(cache_dir)
    return {each.path: each.numbers for each in usage.unused() if not each.outdated} if usage else {}


def _wrong(report: Report, strict: bool) -> list[Finding]:
    return [finding for finding in report.findings if strict or not finding.is_note]


def _summary(report: Report, strict: bool, today: str) -> str:
    wrong = len(_wrong(report, strict))
    notes = len(report.findings) - wrong
    days = days_between(report.oldest, today)
    pieces = [
        f"{plural(report.cassettes, 'cassette')}, {plural(report.interactions, 'interaction')}",
        plural(wrong, "finding") + (f", {plural(notes, 'note')}" if notes else ""),
        f"the oldest is {plural(days, 'day')} old" if days is not None else "",
    ]
    return " · ".join(filter(None, pieces))


def _value(report: Report) -> dict[str, Any]:
    return {
        "cassettes": report.cassettes,
        "interactions": report.interactions,
        "oldest": report.oldest or None,
        "findings": [_finding(each) for each in report.findings],
    }


def _finding(finding: Finding) -> dict[str, Any]:
    return {
        "kind": finding.kind,
        "cassette": str(finding.path),
        "number": finding.number,
        "what": finding.what,
        "advice": finding.advice,
        "note": finding.is_note,
    }
