"""What the commands that serve have in common: options, a server in front, and how it ends."""

from __future__ import annotations

import json
import os
import shlex
import shutil
import signal
import sys
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeVar, get_args

import click
from click.core import ParameterSource

from .. import dialects
from ..cassettes.cassette import Cassette, Interaction
from ..core.model import Reply, Request
from ..core.summary import plural
from ..deck import Deck
from ..inbound.server import Server
from ..progress import Drawn, Logged, Progress
from ..settings import ReasoningCompat, Settings

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
    return {name: None if value is False or value in ("", ()) else value for name, value in options.items()}


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
    if not isinstance(settings.rules, str | Path) or not settings.rules:
        return host, port
    from ..script.files import address

    wanted_host, wanted_port = address(Path(settings.rules), os.environ)
    host = wanted_host if wanted_host and not is_given("host") else host
    return host, wanted_port if wanted_port is not None and not is_given("port") else port


def is_given(option: str) -> bool:
    """Whether the user has said it, and it is no default."""
    return click.get_current_context().get_parameter_source(option) is not ParameterSource.DEFAULT


def recording_options(command: F) -> F:
    """What upstreams are asked, and what is recorded of that which went wrong."""
    errors = click.option(
        "--record-errors", is_flag=True, help="Record an upstream's 4xx and 5xx as well, and answers that break off."
    )
    abandoned = click.option(
        "--record-abandoned", is_flag=True, help="Read a stream that its client leaves early to its end, and record it."
    )
    return errors(abandoned(_wishing_options(_asking_options(command))))


def _wishing_options(command: F) -> F:
    """What an upstream is asked beside what the client says."""
    effort = click.option(
        "--reasoning-effort",
        metavar="LEVEL",
        help="How hard to think, where a request does not say: low, high …",
    )
    summary = click.option(
        "--reasoning-summary", metavar="KIND", help="How thoughts are told: auto, concise, detailed, none."
    )
    compat = click.option(
        "--reasoning-compat",
        type=click.Choice(get_args(ReasoningCompat)),
        help="How thoughts are told to clients whose protocol has no place for them (default: off).",
    )
    search = click.option("--web-search", is_flag=True, help="Let the model search the web.")
    model = click.option("--debug-model", metavar="MODEL", help="Ask this model, whatever a request names.")
    return effort(summary(compat(search(model(command)))))


def _asking_options(command: F) -> F:
    """Which upstream is asked, how, and for how much."""
    options = (
        click.option(
            "--route", "models", multiple=True, metavar="PATTERN=NAME", help="Ask this upstream for these models."
        ),
        click.option(
            "--define",
            "upstreams",
            multiple=True,
            metavar="NAME=URL[ KEY_VARIABLE]",
            help="An upstream of your own, and the variable that holds its key.",
        ),
        click.option(
            "--max-concurrency", type=click.IntRange(1), metavar="N", help="Ask so many at once; others wait."
        ),
        click.option(
            "--queue-limit", type=click.IntRange(0), metavar="N", help="So many may wait (100); others get 429."
        ),
        click.option(
            "--retries",
            type=click.IntRange(0),
            metavar="N",
            help="Ask so often again after 429 and 503. Without it, twice, where the upstream says how long to wait.",
        ),
        click.option("--retry-seconds", type=float, metavar="S", help="Wait at most so long for that in all (60)."),
        click.option("--timeout", type=float, metavar="S", help="Seconds until an answer has to begin (600)."),
        click.option("--budget", metavar="N|'N tokens'", help="Send nothing after so many requests, or tokens."),
    )
    for option in reversed(options):
        command = option(command)
    return command


def show_progress(*, alone: bool = True) -> Progress:
    """On a terminal a line that is drawn again, in a log a line now and then.

    Where it is not `alone`, a command writes there as well: a line of it must not be drawn over.
    """

    def write(text: str) -> None:
        click.echo(text, err=True, nl=False)

    drawn = alone and sys.stderr.isatty() and os.environ.get("TERM") != "dumb"
    return Progress(Drawn(write, lambda: shutil.get_terminal_size().columns) if drawn else Logged(write))


def finish(deck: Deck) -> None:
    """Wait for the streams that clients have left, if they are to be recorded. Ctrl-C drops them."""
    if deck.unfinished:
        click.echo(f"llmmock: {plural(deck.unfinished, 'stream')} still to be read; Ctrl-C drops them", err=True)
    with suppress(KeyboardInterrupt):
        deck.finish()


def serve(handle: Callable[[Request], Reply], host: str, port: int, banner: Callable[[str], str]) -> None:
    """Serve until Ctrl-C or SIGTERM. Raises `ServerError`."""
    with Server(handle, host=host, port=port, write_error=dialects.write_error) as server:
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
