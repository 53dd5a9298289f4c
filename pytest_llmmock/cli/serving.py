"""What the commands that serve have in common: options, a server in front, and how it ends."""

from __future__ import annotations

import json
import os
import shlex
import signal
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeVar

import click
from click.core import ParameterSource

from ..cassettes.cassette import Cassette, Interaction
from ..core.model import Reply, Request
from ..core.summary import plural
from ..deck import Deck
from ..inbound.server import Server
from ..settings import Settings

F = TypeVar("F", bound=Callable[..., Any])


def address_options(command: F) -> F:
    """Where to listen."""
    host = click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
    port = click.option(
        "--port", default=8000, show_default=True, type=click.IntRange(0, 65535), help="Port; 0 takes any free one."
    )
    return host(port(command))


def matching_options(command: F) -> F:
    """What makes two requests the same."""
    match_on = click.option("--match-on", multiple=True, metavar="NAME", help="Matchers that make the key.")
    ignore = click.option(
        "--ignore", multiple=True, metavar="PATH", help="A path in the body that does not count, such as metadata.*"
    )
    normaliser = click.option(
        "--normaliser",
        "normalisers",
        multiple=True,
        metavar="NAME|re:PATTERN",
        help="What changes on every run and does not count: uuid, timestamp, tmp_path, trace_id, or re:PATTERN",
    )
    return match_on(ignore(normaliser(command)))


def as_settings(options: Mapping[str, Any]) -> dict[str, Any]:
    """Options as settings; what was not given is not set."""
    return {name: value or None for name, value in options.items()}


def playing_options(command: F) -> F:
    """What makes two requests the same, and how recordings are handed out."""
    speed = click.option(
        "--speed",
        metavar="SPEED",
        help="How fast recordings come: instant (default), recorded, x10 (faster), tps=40 (tokens a second), "
        "ttft=0.3,tps=40.",
    )
    chunking = click.option(
        "--chunking",
        metavar="HOW",
        help="In which pieces recordings come: recorded (default), event, bytes=N, hostile, hostile=SEED.",
    )
    validate = click.option(
        "--validate",
        is_flag=False,
        flag_value="error",
        type=click.Choice(["off", "warn", "error"]),
        help="Check requests as their API would: warn tells what it would refuse; error, or alone, answers its 400.",
    )
    return matching_options(speed(chunking(validate(command))))


def rules_option(command: F) -> F:
    """Replies that are written by hand."""
    return click.option(
        "--rules", metavar="FILE", help="Answer by the rules of this file, YAML or JSON, before the recordings do."
    )(command)


def rules_options(command: F) -> F:
    """Replies that are written by hand, and when they are given."""
    on_miss = click.option(
        "--on-miss",
        type=click.Choice(["error", "rules"]),
        help="What answers a request without a recording: error leaves out the rules' default; rules has the "
        "recordings come first, and rules answer what they miss. Without it, rules come first and their default last.",
    )
    return rules_option(on_miss(command))


def simulation_options(command: F) -> F:
    """A provider that is played."""
    simulate = click.option("--simulate", is_flag=True, help="Play a provider that keeps files, batches and responses.")
    model = click.option(
        "--model", "model_list", multiple=True, metavar="NAME", help="A model that the played provider has."
    )
    efforts = click.option(
        "--expose-reasoning-models",
        is_flag=True,
        help="List reasoning models once for each effort: gpt-5-high.",
    )
    return simulate(model(efforts(command)))


def gate_options(command: F) -> F:
    """Who may ask, and how much."""
    token = click.option(
        "--auth-token",
        multiple=True,
        metavar="TOKEN",
        envvar="LLMMOCK_AUTH_TOKEN",
        help="Ask for this key, or one of several, as a bearer, x-api-key or api-key. Better kept out of the list of "
        "processes: LLMMOCK_AUTH_TOKEN.",
    )
    lock_out = click.option(
        "--lock-out", metavar="N/TIME", help="After so many wrong keys in such a time let nobody in: 5/60s."
    )
    origin = click.option(
        "--cors-origin", multiple=True, metavar="ORIGIN", help="Let pages of this origin ask; * for any."
    )
    limits = click.option(
        "--limits",
        metavar="LIMITS",
        help="How much may be asked: rps=8,burst=16, rpm=3, tpm=1000, concurrency=2, messages=64, or a profile: "
        "chatmock.",
    )
    return token(lock_out(origin(limits(command))))


def address_wanted(settings: Settings, host: str, port: int) -> tuple[str, int]:
    """Where to listen: as the command line says, else as the rules do, which may be another tool's configuration."""
    if not settings.rules:
        return host, port
    from ..script.files import address

    wanted_host, wanted_port = address(Path(settings.rules), os.environ)
    host = wanted_host if wanted_host and not is_given("host") else host
    return host, wanted_port if wanted_port is not None and not is_given("port") else port


def is_given(option: str) -> bool:
    """Whether the user has said it, and it is no default."""
    return click.get_current_context().get_parameter_source(option) is not ParameterSource.DEFAULT


def recording_options(command: F) -> F:
    """What is recorded of that which went wrong."""
    errors = click.option("--record-errors", is_flag=True, help="Record an upstream's 4xx and 5xx as well.")
    abandoned = click.option(
        "--record-abandoned", is_flag=True, help="Read a stream that its client leaves early to its end, and record it."
    )
    return errors(abandoned(command))


def finish(deck: Deck) -> None:
    """Wait for the streams that clients have left, if they are to be recorded. Ctrl-C drops them."""
    if deck.unfinished:
        click.echo(f"llmmock: {plural(deck.unfinished, 'stream')} still to be read; Ctrl-C drops them", err=True)
    with suppress(KeyboardInterrupt):
        deck.finish()


def serve(handle: Callable[[Request], Reply], host: str, port: int, banner: Callable[[str], str]) -> None:
    """Serve until Ctrl-C or SIGTERM. Raises `ServerError`."""
    with Server(handle, host=host, port=port) as server:
        signal.signal(signal.SIGTERM, _interrupt)
        click.echo(banner(server.url))
        server.serve_forever()
    click.echo("llmmock: stopped", err=True)


def _interrupt(number: int, frame: object) -> None:
    raise KeyboardInterrupt


def curl_line(url: str, cassettes: Iterable[Cassette]) -> str:
    """A command that a recording answers; '' when no recording is short enough to type."""
    interactions = [each for cassette in cassettes for each in cassette.interactions[:3]][:50]
    requests = [_curl(url, each) for each in interactions]
    return min((line for line in requests if line and len(line) < 1000), key=_effort, default="")


def _effort(line: str) -> tuple[bool, bool, int]:
    """A short question of a chat is better to show than a list of models."""
    return ("/chat/completions" not in line, "-d" not in line, len(line))


def _curl(url: str, interaction: Interaction) -> str:
    request = interaction.request
    address = f"{url}{request.path}" + (f"?{request.query}" if request.query else "")
    if not request.body:
        return f"curl -s {shlex.quote(address)}" if request.method == "GET" else ""
    value = request.json()
    if not isinstance(value, dict) or request.method != "POST":
        return ""
    body = json.dumps(value, ensure_ascii=False)
    return f"curl -s {shlex.quote(address)} -H 'content-type: application/json' -d {shlex.quote(body)}"
