"""A server around a command: what `llmmock run` and `llmmock record -- COMMAND` do."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import click

from ..contract.source import report
from ..core.summary import plural
from ..deck import Deck
from ..inbound.server import Server
from ..mock import LLMServer
from .serving import finish, show_progress

NOT_FOUND = 127
NOT_RUNNABLE = 126
"""What a shell says of a command that is not there, and of one that cannot be run."""

_PASSED_ON = tuple(
    getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT") if hasattr(signal, name)
)


def around(deck: Deck, arguments: Sequence[str], server: Server) -> int:
    """Run a command whose model requests are answered by this deck; the exit status for it.

    What was recorded is written when the command has succeeded, and else kept aside. Raises `CassetteError`,
    `ServerError`.
    """
    progress = show_progress(alone=False)
    deck.follow(progress)
    try:
        with server, LLMServer(deck, server=server).opened():
            status = run(arguments)
        finish(deck)
        with _undisturbed():
            _save(deck, status)
    finally:
        deck.close()
        progress.stop()
    for text in [*report(deck.requests), *deck.contract.unchecked]:
        click.echo("llmmock contract: " + text, err=True)
    for warning in deck.warnings:
        click.echo(f"llmmock: {warning}", err=True)
    if deck.troubles:
        click.echo("llmmock: " + deck.report(), err=True)
    return status or (1 if deck.troubles else 0)


def _save(deck: Deck, status: int) -> None:
    count = len(deck.recorded)
    if status or deck.troubles:
        path = deck.put_aside()
    else:
        path = deck.cassette.path
        deck.save()
    if count:
        click.echo(f"llmmock: {plural(count, 'interaction')} recorded to {path}", err=True)


# --- the command ----------------------------------------------------------------------------------------


def run(arguments: Sequence[str]) -> int:
    """The command's exit status as a shell gives it. Signals reach it, and do not end us before it."""
    with _Signals() as signals:
        try:
            child = subprocess.Popen(arguments)
        except OSError as error:
            click.echo(f"llmmock: {arguments[0]} cannot be run: {error.strerror}.", err=True)
            return NOT_FOUND if isinstance(error, FileNotFoundError) else NOT_RUNNABLE
        signals.reach(child)
        status = child.wait()
    return status if status >= 0 else 128 - status


class _Signals:
    """While this is open, what would end us ends the command."""

    def __init__(self) -> None:
        self._before: dict[int, signal._HANDLER] = {}
        self._child: subprocess.Popen[bytes] | None = None
        self._early: list[int] = []

    def __enter__(self) -> _Signals:
        for number in _PASSED_ON:
            if signal.getsignal(number) != signal.SIG_IGN:  # nohup wants it to be ignored by the command as well
                self._before[number] = signal.signal(number, self._note)
        return self

    def __exit__(self, *exc_info: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def reach(self, child: subprocess.Popen[bytes]) -> None:
        """Pass on what comes to this command, and what has come before it was there."""
        self._child = child
        for number in self._early:
            child.send_signal(number)

    def _note(self, number: int, frame: object) -> None:
        if self._child is None:
            self._early.append(number)
        elif not (number in _OF_TERMINALS and _on_terminal()):
            self._child.send_signal(number)


_OF_TERMINALS = (signal.SIGINT, getattr(signal, "SIGQUIT", None))
"""What a terminal sends by its keys, to all that run in its foreground: the command has it already."""


def _on_terminal() -> bool:
    """Whether a terminal's keys reach us, and so the command."""
    if os.name == "nt":
        return True
    try:
        with open("/dev/tty", "rb") as terminal:
            return os.tcgetpgrp(terminal.fileno()) == os.getpgrp()
    except OSError:
        return False


@contextmanager
def _undisturbed() -> Iterator[None]:
    """While recordings are written, Ctrl-C and the like wait."""
    came: list[int] = []
    before = {
        number: signal.signal(number, lambda number, frame: came.append(number))
        for number in _PASSED_ON
        if signal.getsignal(number) != signal.SIG_IGN
    }
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        for number in came:
            signal.raise_signal(number)
