"""`llmmock doctor`: what is here, what is in the way, and whether a request comes through."""

from __future__ import annotations

import os
import sys
from dataclasses import asdict
from itertools import groupby

import click

from .printing import print_json
from .surroundings import Finding, examine

_MARKS = {"ok": " ", "note": "-", "broken": "!"}


@click.command(short_help="What is here, and what is in the way.")
@click.option("--json", "as_json", is_flag=True, help="A list of objects instead of lines.")
def command(as_json: bool) -> None:
    """Look at Python, the clients and their transports, other plugins, logins and variables, and try one round trip.

    Nothing leaves this machine, and no value of a variable is shown. Exits with 1 when something is broken.
    """
    findings = examine(os.environ)
    if as_json:
        print_json([asdict(each) for each in findings])
    else:
        _print(findings)
    sys.exit(1 if any(each.state == "broken" for each in findings) else 0)


def _print(findings: list[Finding]) -> None:
    width = max(len(each.what) for each in findings)
    for topic, group in groupby(findings, lambda each: each.topic):
        click.secho(topic, bold=True)
        for each in group:
            click.echo(f"{_MARKS[each.state]} {each.what.ljust(width)}  {each.words}")
    broken = sum(each.state == "broken" for each in findings)
    click.echo(f"\n{broken or 'nothing'} broken" + (" (marked with !)" if broken else ""))
