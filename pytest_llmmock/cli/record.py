"""`llmmock record`: serve, ask the upstream what is not recorded yet, and record it."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from ..cassettes.advice import Advice
from ..core.summary import plural
from ..deck import Deck
from ..errors import CassetteError
from ..mock import default_upstream, new_server
from ..settings import MODES, OF_UPSTREAMS, Settings, combine, from_environment
from ..standalone import standing
from ..upstreams import find as find_upstream
from .around import around
from .serving import (
    address_options,
    as_settings,
    finish,
    gate_options,
    is_given,
    playing_options,
    recording_options,
    rules_option,
    serve,
    show_progress,
    simulation_options,
)

ASKING = ("models", "upstreams", "max_concurrency", "queue_limit", "retries", "retry_seconds", "timeout", "budget")
"""Settings that say how an upstream is asked, which the environment may hold."""

RECORD_MODES = [mode for mode in MODES if mode != "none"]


@click.command(
    short_help="Serve, and record what is not recorded yet.", context_settings={"allow_interspersed_args": False}
)
@click.option("--cassette", required=True, type=click.Path(path_type=Path), metavar="FILE", help="Where to record to.")
@click.option("--mode", type=click.Choice(RECORD_MODES), default="new_episodes", show_default=True)
@click.option(
    "--upstream", metavar="NAME|URL", help="Where answers come from: a provider such as openai, codex, or a base URL."
)
@recording_options
@address_options
@playing_options
@rules_option
@simulation_options
@gate_options
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED, metavar="[-- COMMAND [ARGUMENT]...]")
def command(
    cassette: Path,
    mode: str,
    upstream: str | None,
    host: str,
    port: int,
    arguments: tuple[str, ...],
    **options: Any,
) -> None:
    """Serve a cassette; what it does not hold is asked of the upstream and recorded.

    Each answer is written as soon as it is whole, so nothing is lost when this ends. With a command it serves
    while the command runs, as `llmmock run` does, and writes when the command has succeeded; its port is any free one
    then, unless --port is given.
    """
    settings = recording_settings(mode, upstream, options)
    source = settings.upstream or default_upstream(os.environ)
    name = find_upstream(source, os.environ, settings.upstreams).NAME  # never shows a password; a wrong one is refused
    if arguments:
        server = new_server(host, port if is_given("port") else 0)
        sys.exit(around(open_deck(cassette, settings), arguments, server))
    deck = open_deck(cassette, settings, at_once=True)
    told: set[str] = set()
    progress = show_progress()
    deck.follow(progress)

    def tell(trouble: str) -> None:
        progress.clear()
        _tell(trouble, told)

    handle = standing(deck, deck.engine(lambda: source, on_trouble=tell))
    deck.on_keep(lambda: _kept(deck, told))

    def banner(url: str) -> str:
        return (
            f"llmmock records to {cassette} from {name} (mode {mode}) on {url}\n"
            f"  OpenAI base URL:  {url}/v1\n"
            "  stop with Ctrl-C"
        )

    try:
        serve(handle, host, port, banner)
        finish(deck)
    finally:
        deck.close()
        progress.stop()
    for entry in deck.troubles:
        _tell(deck.clean(entry.trouble), told)
    _warn(deck, told)
    count = deck.save()
    click.echo(
        f"llmmock: {plural(count, 'interaction')} recorded to {cassette}" if count else "llmmock: nothing recorded"
    )


def _tell(trouble: str, told: set[str]) -> None:
    """Each trouble once: the same request may be tried again and again."""
    if trouble not in told:
        told.add(trouble)
        click.echo(trouble + "\n", err=True)


def _warn(deck: Deck, told: set[str]) -> None:
    for warning in deck.warnings:
        _tell(f"llmmock: {warning}", told)


def _kept(deck: Deck, told: set[str]) -> None:
    _save(deck)
    _warn(deck, told)


def _save(deck: Deck) -> None:
    """Write what there is. A full disk must not cut the answer that the client is reading."""
    try:
        deck.save(alone=False)  # while it serves, what was not asked for yet may still be
    except CassetteError as error:
        click.echo(f"llmmock: {error}", err=True)


def recording_settings(mode: str, upstream: str | None, options: Mapping[str, Any]) -> Settings:
    """Settings of the command line over those of the environment. Raises `UsageError`."""
    place, values = from_environment(os.environ)
    environment = (place, {name: values.get(name) for name in ("upstream", *OF_UPSTREAMS, *ASKING)})
    given = {"mode": mode, "upstream": upstream, **as_settings(options)}
    return combine([environment, ("command line", given)])


def open_deck(cassette: Path, settings: Settings, *, at_once: bool = False) -> Deck:
    """The deck with this cassette. Raises `CassetteError`."""

    record = f"llmmock record --cassette {cassette}"
    ways = {"ignore": "--ignore, for each of {paths}", "normalise": "--normaliser, for each of {names}"}
    advice = Advice(record=record, **ways)
    return Deck.open(cassette, settings, advice=advice, at_once=at_once)
