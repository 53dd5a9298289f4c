"""`llmmock run`: replay or record around a command."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import click

from ..contract.source import report
from ..core.summary import plural
from ..deck import Deck
from ..mock import LLMServer
from ..settings import MODES
from .record import open_deck, recording_settings
from .serving import (
    finish,
    gate_options,
    playing_options,
    recording_options,
    rules_options,
    simulation_options,
)


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
    answer. What a failing command recorded is kept aside.
    """
    deck = open_deck(cassette, recording_settings(mode, upstream, options))
    try:
        with LLMServer(deck).opened():
            status = _run(arguments)
        finish(deck)
        _save(deck, status)
    finally:
        deck.close()
    for text in [*report(deck.requests), *deck.contract.unchecked]:
        click.echo("llmmock contract: " + text, err=True)
    for warning in deck.warnings:
        click.echo(f"llmmock: {warning}", err=True)
    if deck.troubles:
        click.echo("llmmock: " + deck.report(), err=True)
    sys.exit(status or (1 if deck.troubles else 0))


def _run(arguments: tuple[str, ...]) -> int:
    """The command's exit status as a shell gives it."""
    try:
        child = subprocess.Popen(arguments)
    except OSError as error:
        raise click.UsageError(f"{arguments[0]} cannot be run: {error.strerror}.") from None
    before = signal.signal(signal.SIGTERM, lambda number, frame: child.terminate())
    try:
        status = _wait(child)
    finally:
        signal.signal(signal.SIGTERM, before)
    return status if status >= 0 else 128 - status


def _wait(child: subprocess.Popen[bytes]) -> int:
    while True:
        try:
            return child.wait()
        except KeyboardInterrupt:  # the terminal has sent it to the command as well: it ends in its own way
            continue


def _save(deck: Deck, status: int) -> None:
    count = len(deck.recorded)
    if status or deck.troubles:
        path = deck.put_aside()
    else:
        path = deck.cassette.path
        deck.save()
    if count:
        click.echo(f"llmmock: {plural(count, 'interaction')} recorded to {path}", err=True)
