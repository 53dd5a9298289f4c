"""`llmmock info`: the logins there are, and what is asked when nothing else is said."""

from __future__ import annotations

import os

import click

from .logins import Found, default, found, value
from .printing import print_json, table


@click.command(short_help="Logins, and the default upstream.")
@click.option("--json", "as_json", is_flag=True, help="An object instead of a table.")
def command(as_json: bool) -> None:
    """Show which logins there are, how long they last, where they are kept, and the default upstream. Never a token."""
    if as_json:
        print_json(value(os.environ))
        return
    now = default(os.environ)
    click.echo(f"Default upstream: {now.upstream or '-'} ({now.why})\n")
    print_found(found(os.environ))


def print_found(ways: list[Found]) -> None:
    table(
        ("UPSTREAM", "LOGIN", "STATE", "WHERE"), [[each.upstream, each.whose, each.state, each.where] for each in ways]
    )
