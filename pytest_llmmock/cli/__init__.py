"""`llmmock`: one module per command, loaded when it is called."""

from __future__ import annotations

import gc
import sys
from importlib import import_module

import click

from .. import __version__
from ..errors import LLMMockError, UsageError

COMMANDS = {
    "replay": "replay",
    "record": "record",
    "run": "run",
    "ls": "ls",
    "show": "show",
    "accept": "accept",
    "prune": "prune",
    "diff": "diff",
    "stats": "stats",
    "check": "check",
    "verify": "verify",
    "rekey": "rekey",
    "scan": "scan",
    "scrub": "scrub",
    "import": "import_",
    "export": "export",
    "login": "login",
    "logout": "logout",
    "info": "info",
    "doctor": "doctor",
}
"""Command -> module in this package."""

_GARBAGE = 10_000
"""New objects until a look for garbage that goes in circles. There is hardly any; with the usual 700 the looks are a
twentieth of a start, and as much of each answer while a journal fills."""


class Commands(click.Group):
    """The commands, each imported when it is asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = import_module("." + COMMANDS[cmd_name], __name__).command
        return command


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="llmmock")
def llmmock() -> None:
    """Record and replay the traffic of software that talks to language models."""


def main() -> None:
    """Run the program. What goes wrong is told in one paragraph: exit 2 for usage, 1 for the rest."""
    gc.set_threshold(_GARBAGE, 20, 20)
    try:
        llmmock()
    except LLMMockError as error:
        click.echo(f"llmmock: {error}", err=True)
        sys.exit(2 if isinstance(error, UsageError) else 1)
    except OSError as error:
        click.echo(f"llmmock: {error.filename or 'The system'}: {error.strerror or error}.", err=True)
        sys.exit(1)
