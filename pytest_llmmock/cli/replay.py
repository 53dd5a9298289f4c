"""`llmmock replay`: serve recordings."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import click

from ..cassettes.cassette import Cassette
from ..core.summary import plural
from ..settings import Settings, combine
from ..standalone import Shelf, named
from .serving import (
    address_options,
    address_wanted,
    as_settings,
    curl_line,
    gate_options,
    playing_options,
    rules_options,
    serve,
    simulation_options,
)


@click.command(short_help="Serve recordings.")
@click.argument("cassettes", nargs=-1, metavar="[CASSETTE|DIR|URL]...")
@address_options
@playing_options
@rules_options
@simulation_options
@gate_options
@click.option(
    "--repeat/--no-repeat",
    default=True,
    show_default=True,
    help="Play the last recording of a request again when it is asked once more.",
)
@click.option(
    "--workers",
    default=1,
    show_default=True,
    type=click.IntRange(1),
    metavar="N",
    help="Serve from so many processes, for load from many clients.",
)
def command(
    cassettes: tuple[str, ...],
    host: str,
    port: int,
    repeat: bool,
    workers: int,
    **options: Any,
) -> None:
    """Serve the recordings of cassettes, or of all cassettes below folders, also at addresses such as s3://bucket/folder.

    Where none are named they are those below cassettes, but with --rules or --simulate none. No upstream is ever
    asked. A request without an answer is answered with status 404 and an explanation, which is printed here too. A
    client picks one cassette with the base URL /cassette/NAME/v1 or with the header x-llmmock-cassette.
    """
    settings = combine([("command line", {"repeat": repeat, **as_settings(options)})])
    places = cassettes or (() if settings.rules or settings.simulate else ("cassettes",))
    found = named(places, settings)
    host, port = address_wanted(settings, host, port)
    shelf = Shelf(found, settings, on_trouble=lambda trouble: click.echo(trouble + "\n", err=True))

    if workers == 1:
        return serve(shelf.handle, host, port, lambda url: _banner(url, found, settings))
    from .workers import by_itself, serve_with_workers

    more = f"  {workers} workers{by_itself(shelf.repeated, settings)}"
    serve_with_workers(places, settings, (host, port), workers, lambda url: _banner(url, found, settings, more))


def _banner(url: str, found: Mapping[str, Cassette], settings: Settings, *more: str) -> str:
    """What is served, where, and how to try it."""
    count = sum(len(cassette) for cassette in found.values())
    curl = curl_line(url, found.values())
    replays = f"replays {plural(count, 'interaction')} of {plural(len(found), 'cassette')}" if found else ""
    answers = f"answers by the rules of {settings.rules}" if settings.rules else ""
    plays = "plays a provider" if settings.simulate else ""
    lines = [
        f"llmmock {' and '.join(filter(None, [replays, answers, plays]))} on {url}",
        f"  OpenAI base URL:  {url}/v1",
        *([f"  try:  {curl}"] if curl else []),
        *more,
        "  stop with Ctrl-C",
    ]
    return "\n".join(lines)
