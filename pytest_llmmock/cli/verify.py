"""`llmmock verify`: ask the upstream again what was recorded, and say by class what it answers otherwise."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Sequence
from fnmatch import fnmatchcase
from pathlib import Path

import click

from .. import dialects
from ..asking import Asking
from ..cassettes import library
from ..cassettes.cassette import Cassette
from ..cassettes.secrets import Secrets
from ..core.model import Exchange, Reply, Request, Upstream
from ..core.summary import asked, plural, rounded, tokens
from ..errors import CassetteError, LLMMockError, UsageError
from ..mock import default_upstream
from ..settings import Settings, told_to_upstreams
from ..upstreams import find as find_upstream
from ..verification.asking import Outcome, Recording, Verifier, is_askable
from ..verification.classes import FAILING, Class, read_classes
from .printing import print_json, tell
from .record import recording_settings
from .verified import print_outcomes, value

INTERRUPTED = 130
"""What a shell says of a command that Ctrl-C ended."""

_SELECTORS = ("operation", "model", "cassette", "upstream", "number")


@click.command(short_help="Ask the upstream again, and say what differs.")
@click.argument("cassettes", nargs=-1, type=click.Path(path_type=Path), metavar="[CASSETTE|DIR]...")
@click.option("--upstream", metavar="NAME|URL", help="Who is asked: a provider such as openai, or a base URL.")
@click.option(
    "--fail-on",
    metavar="CLASS,...",
    default=",".join(FAILING),
    show_default=True,
    help="The classes for which it exits with 1; none for no class.",
)
@click.option(
    "--select",
    "selected",
    multiple=True,
    metavar="WHAT=PATTERN",
    help=f"Only recordings of which this holds: {', '.join(_SELECTORS)}. model=gpt-5*",
)
@click.option("--max", "most", type=click.IntRange(min=1), metavar="N", help="Ask at most so many requests.")
@click.option("--yes", is_flag=True, help="Do not ask whether to go on. Without a terminal nobody is asked.")
@click.option("--full", is_flag=True, help="Every difference of every recording, below the table.")
@click.option("--json", "as_json", is_flag=True, help="An object with all differences instead of a table.")
def command(
    cassettes: tuple[Path, ...],
    upstream: str | None,
    fail_on: str,
    selected: tuple[str, ...],
    most: int | None,
    yes: bool,
    full: bool,
    as_json: bool,
) -> None:
    """Ask the upstream again what cassettes hold (default: all below the folder cassettes), and compare.

    The cassettes stay as they are. Of a model's words no two answers are the same, so other words are told and do
    not fail. Exits with 1 when a class of --fail-on was found, and with 130 when Ctrl-C has ended it early.
    """
    failing = read_classes(fail_on)
    wanted = _Selection(selected)
    settings = recording_settings("none", upstream, {})
    source = _upstream(settings)
    errors: list[LLMMockError] = []
    opened = library.open_all(cassettes or (Path("cassettes"),), on_error=errors.append)
    recordings = [each for cassette in opened for each in _recordings(cassette, errors)]
    _tell_cost([each for each in recordings if each in wanted and is_askable(each)][:most], source, ask=not yes)
    run = _Run(source, Asking(settings), most)
    run.go(recordings, wanted)
    if as_json:
        print_json(value(run.outcomes, failing, source.NAME, interrupted=run.interrupted))
    else:
        print_outcomes(run.outcomes, failing, full=full, interrupted=run.interrupted, left=run.left)
    tell(errors)
    sys.exit(_status(run, failing, unread=bool(errors)))


def _status(run: _Run, failing: Sequence[Class], *, unread: bool) -> int:
    if run.interrupted:
        return INTERRUPTED
    found = {name for outcome in run.outcomes for name in outcome.classes}
    return 1 if unread or found & set(failing) else 0


def _upstream(settings: Settings) -> Upstream:
    """Who is asked. A cassette does not decide where a key is sent. Raises `UsageError`."""
    chosen = settings.upstream or default_upstream(os.environ)
    if chosen == "original":
        raise UsageError(
            "The upstream 'original' has no key: a recording does not hold the one of its client. "
            "Name the provider, or its base URL, and its key is read from the environment."
        )
    return find_upstream(chosen, told_to_upstreams(settings, os.environ), settings.upstreams)


def _recordings(cassette: Cassette, errors: list[LLMMockError]) -> Iterator[Recording]:
    """What a cassette holds. What cannot be read is told and passed over."""
    for number, interaction in enumerate(cassette.interactions, 1):
        try:
            yield Recording(str(cassette.path), number, interaction, dialects.read(interaction.request))
        except CassetteError as error:
            errors.append(error)


# --- which ----------------------------------------------------------------------------------------------


class _Selection:
    """Conditions of `--select`: of each kind one must hold."""

    def __init__(self, texts: Sequence[str]) -> None:
        """Raises `UsageError`."""
        self._patterns: dict[str, list[str]] = {}
        for text in texts:
            what, separator, pattern = text.partition("=")
            if what not in _SELECTORS or not separator:
                raise UsageError(
                    f"--select {text!r} is not possible: it is WHAT=PATTERN, such as model=gpt-5*; "
                    f"WHAT is one of {', '.join(_SELECTORS)}."
                )
            self._patterns.setdefault(what, []).append(pattern)

    def __contains__(self, recording: Recording) -> bool:
        return all(
            any(fnmatchcase(_known(recording, what), pattern) for pattern in patterns)
            for what, patterns in self._patterns.items()
        )


def _known(recording: Recording, what: str) -> str:
    """What a condition is held against."""
    exchange = recording.exchange
    match what:
        case "operation":
            return exchange.operation
        case "model":
            return exchange.prompt.model
        case "cassette":
            return recording.cassette
        case "number":
            return str(recording.number)
    return str(recording.interaction.meta.get("upstream") or "")


# --- asking ---------------------------------------------------------------------------------------------


class _Run:
    """Asks recordings in their order, until all are asked or the user has enough."""

    def __init__(self, upstream: Upstream, asking: Asking, most: int | None) -> None:
        self._upstream = upstream
        self._asking = asking
        self._most = most
        self.outcomes: list[Outcome] = []
        self.interrupted = False
        self.left = 0
        """Recordings that were wanted and not come to."""

    @property
    def _enough(self) -> bool:
        return self._most is not None and sum(not each.skipped for each in self.outcomes) >= self._most

    def go(self, recordings: Sequence[Recording], wanted: _Selection) -> None:
        """Ask what is wanted, and note what becomes of each."""
        secrets = Secrets.of()
        verifier = Verifier(dialects.read, lambda exchange: self._ask(exchange, secrets), secrets)
        count = sum(each in wanted for each in recordings)
        try:
            for recording in recordings:
                if recording not in wanted or self._enough:
                    verifier.pass_over(recording)
                else:
                    _show(recording, len(self.outcomes) + 1, count)
                    self.outcomes.append(verifier.verify(recording))
        except KeyboardInterrupt:
            self.interrupted = True
        finally:
            self._asking.close()
            _show_nothing()
            self.left = count - len(self.outcomes)

    def _ask(self, exchange: Exchange, secrets: Secrets) -> Reply:
        def send(request: Request) -> Reply:
            secrets.learn(request)  # our key may be echoed
            return self._asking.send(request)

        return self._upstream.forward(exchange, send)


def _tell_cost(recordings: Sequence[Recording], upstream: Upstream, *, ask: bool) -> None:
    """What this will cost, before it does."""
    count = rounded(sum(map(_tokens, recordings)))
    text = f"llmmock: {plural(len(recordings), 'request')} to {upstream.NAME}, about {count} tokens as recorded"
    if recordings and ask and sys.stdin.isatty() and sys.stderr.isatty():
        click.confirm(f"{text}. Go on?", abort=True, err=True)
    else:
        click.echo(text, err=True)


def _tokens(recording: Recording) -> int:
    try:
        return tokens(recording.exchange.dialect.read_reply(recording.interaction.reply).usage)
    except CassetteError:
        return 0  # it is told when it is compared


def _show(recording: Recording, number: int, count: int) -> None:
    """On a terminal a line says what is being asked."""
    if sys.stderr.isatty():
        width = max(20, os.get_terminal_size(sys.stderr.fileno()).columns - 1)
        text = f"{number}/{count}  {asked(recording.exchange)}"
        click.echo(f"\r\x1b[K{text[:width]}", err=True, nl=False)


def _show_nothing() -> None:
    if sys.stderr.isatty():
        click.echo("\r\x1b[K", err=True, nl=False)
