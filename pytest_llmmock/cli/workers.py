"""`llmmock replay --workers N`: granian in front, and an application in each of its processes."""

from __future__ import annotations

import logging
import multiprocessing
import os
import signal
import socket
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from shutil import rmtree
from tempfile import TemporaryDirectory
from typing import Any

import click

from ..core.summary import plural
from ..errors import ServerError, UsageError
from ..inbound.binding import bind
from ..inbound.server import Server
from ..inbound.wsgi import Application
from ..settings import Settings
from ..workers import joined
from ..wsgi import application

_THREADS = 1024
"""Answers that a worker gives at once: a stream in time keeps its thread. They begin when they are needed."""

_SECONDS_TO_LEAVE = 1
_SECONDS_BETWEEN_LOOKS = 0.02


def serve_with_workers(
    places: Sequence[Path], settings: Settings, address: tuple[str, int], count: int, banner: Callable[[str], str]
) -> None:
    """Serve from so many processes until Ctrl-C or SIGTERM. Raises `UsageError`, `ServerError`."""
    granian = _engine()
    if settings.simulate:
        raise UsageError(
            "--simulate and --workers do not go together: a played provider keeps what it is given, and each worker "
            "would keep something else. Leave out one of them."
        )
    with TemporaryDirectory(prefix="llmmock-") as folder, _reserved(*address) as (host, port):
        server = _server(granian, host, port, count)
        url = Server(host=address[0], port=port).url
        with _telling(lambda: click.echo(banner(url)), Path(folder), count, (host, port)):
            _run(server, _Worker(tuple(places), settings, folder))
    click.echo("llmmock: stopped", err=True)


def by_itself(repeated: int, settings: Settings) -> str:
    """What each worker has for itself, where that makes a difference; '' where it does not."""
    own = [
        *([f"the order of {plural(repeated, 'request')} recorded more than once"] if repeated else []),
        *(["recordings that are played once"] if not settings.repeat else []),
        *(["sequences of rules"] if settings.rules else []),
        *(["limits"] if settings.limits or settings.lock_out else []),
    ]
    return f", each with its own: {', '.join(own)}" if own else ""


def _engine() -> Any:
    try:
        from granian.server import MPServer as Granian
    except ImportError:
        raise UsageError(
            "--workers needs granian, which is not installed. Install it: pip install 'pytest-llmmock[serve]'"
        ) from None
    if sys.platform == "win32":
        raise UsageError("--workers: on Windows granian has one worker only. Leave it out.")
    return Granian


def _server(granian: Any, host: str, port: int, count: int) -> Any:
    server = granian(
        "pytest_llmmock.wsgi:app",
        host,
        port,
        interface="wsgi",
        workers=count,
        blocking_threads=_THREADS,
        backpressure=_THREADS,
        workers_kill_timeout=_SECONDS_TO_LEAVE,
        websockets=False,
        log_level="error",
        log_dictconfig=_LOGGING,
    )

    # For granian a terminal that closes is a reason to begin anew.
    server.on_startup(lambda: signal.signal(signal.SIGHUP, server.signal_handler_interrupt))
    return server


def _run(server: Any, worker: _Worker) -> None:
    try:
        server.serve(target_loader=worker, wrap_loader=False)
    except SystemExit:
        raise ServerError("A worker has ended by itself, so the others were stopped. Start it again.") from None


@dataclass(frozen=True)
class _Worker:
    """What a process of granian does first; it may be sent there as a pickle."""

    places: tuple[Path, ...]
    settings: Settings
    folder: str

    def __call__(self) -> Application:
        os.setpgrp()  # Ctrl-C is for the process that started us, which tells us to end
        logging.getLogger("_granian").setLevel(logging.CRITICAL)  # that an answer breaks off is what it was asked for
        threading.Thread(target=self._end_with_parent, name="llmmock-parent", daemon=True).start()
        return application(self.places, self.settings, self.folder)

    def _end_with_parent(self) -> None:
        """Who is killed cannot tell its workers, which would keep the port, and cannot tidy up."""
        parent = multiprocessing.parent_process()
        if parent is not None:
            parent.join()
            rmtree(self.folder, ignore_errors=True)
            os.kill(os.getpid(), signal.SIGTERM)


# --- where it listens -----------------------------------------------------------------------------------


@contextmanager
def _reserved(host: str, port: int) -> Iterator[tuple[str, int]]:
    """The address in figures, and a port that stays ours: each worker listens on it by itself. Raises `ServerError`."""
    with bind(host, port) as free:
        family, address = free.family, free.getsockname()[:2]
    with socket.socket(family) as kept:
        kept.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        kept.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        kept.bind(address)
        yield address


@contextmanager
def _telling(tell: Callable[[], None], folder: Path, count: int, address: tuple[str, int]) -> Iterator[None]:
    """For the time of a block: tell as soon as clients may come."""
    over = threading.Event()

    def wait_and_tell() -> None:
        while joined(folder) < count or not _listens(address):
            if over.wait(_SECONDS_BETWEEN_LOOKS):
                return
        tell()

    thread = threading.Thread(target=wait_and_tell, name="llmmock-banner", daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def _listens(address: tuple[str, int]) -> bool:
    with suppress(OSError), socket.create_connection(address, timeout=1):
        return True
    return False


_LOGGING = {
    "formatters": {"line": {"format": "llmmock: %(message)s"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line", "stream": "ext://sys.stderr"}},
    "loggers": {"_granian": {"handlers": ["console"], "propagate": False}},
}
"""What granian says, in our own voice, where errors are looked for."""
