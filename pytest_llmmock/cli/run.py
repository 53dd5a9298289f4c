"""`llmmock run`: replay or record around a command."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click

from ..mock import new_server
from ..settings import MODES
from .around import around
from .record import open_deck, recording_settings, upstream_of
from .serving import gate_options, playing_options, recording_options, rules_options, simulation_options


@click.command(
    short_help="Replay or record around a command.",
    context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False},
)
@click.option("--cassette", required=True, type=click.Path(path_type=Path), metavar="FILE", help="What to play.")
@click.option("--mode", type=click.Choice(MODES), default="none", show_default=True)
@click.option(
    "--upstream", metavar="NAME|URL", help="Where record modes get answers: a provider, codex, or a base URL."
)
@recording_options
@playing_options
@rules_options
@simulation_options
@gate_options
@click.argument("arguments", nargs=-1, required=True, type=click.UNPROCESSED, metavar="-- COMMAND [ARGUMENT]...")
def command(
    cassette: Path,
    mode: str,
    upstream: str | None,
    arguments: tuple[str, ...],
    **options: Any,
) -> None:
    """Run a command whose model requests are answered from a cassette.

    The command finds the server by its environment: OPENAI_BASE_URL, OLLAMA_HOST, ANTHROPIC_BASE_URL and
    the like. Exits with the command's status, or with 1 when the command succeeded and a request had no
    answer, with 127 when there is no such command. What a failing command recorded is kept aside.
    """
    settings = recording_settings(mode, upstream, options)
    if mode == "all" or (mode != "none" and not cassette.exists()):
        upstream_of(settings)  # it will be asked: what is wrong with it is told before the command runs
    sys.exit(around(open_deck(cassette, settings), arguments, new_server()))
