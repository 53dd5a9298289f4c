"""`llmmock replay --workers N`: copies of the one server, on one port."""

from __future__ import annotations

import multiprocessing
import os
import signal
import socket
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from pathlib import Path
from shutil import rmtree
from tempfile import TemporaryDirectory

import click

from .. import dialects
from ..core.summary import plural
from ..errors import ServerError, UsageError
from ..inbound.binding import bind
from ..inbound.server import Server
from ..settings import Settings
from ..standalone import Shelf, named
from ..workers import Together

_SECONDS_TO_LEAVE = 3


def serve_with_workers(
    places: Sequence[Path | str], settings: Settings, address: tuple[str, int], count: int, banner: Callable[[str], str]
) -> None:
    """Serve from so many processes until Ctrl-C or SIGTERM. Raises `UsageError`, `ServerError`."""
    _check(settings)
    with TemporaryDirectory(prefix="llmmock-") as folder, _reserved(*address) as port:
        worker = _Worker(tuple(places), settings, (address[0], port), folder)
        url = Server(host=address[0], port=port).url
        with _interrupted_by_signals(), suppress(KeyboardInterrupt), _running(worker, count) as workers:
            click.echo(banner(url))
            wait([each.sentinel for each in workers])
            raise ServerError("A worker has ended by itself, so the others were stopped. Start it again.")
    click.echo("llmmock: stopped", err=True)


def _check(settings: Settings) -> None:
    if settings.simulate:
        raise UsageError(
            "--simulate and --workers do not go together: a played provider keeps what it is given, and each worker "
            "would keep something else. Leave out one of them."
        )
    if not hasattr(socket, "SO_REUSEPORT"):
        raise UsageError(f"--workers: on {sys.platform} processes cannot share a port. Leave it out.")


def by_itself(repeated: int, settings: Settings) -> str:
    """What each worker has for itself, where that makes a difference; '' where it does not."""
    own = [
        *([f"the order of {plural(repeated, 'request')} recorded more than once"] if repeated else []),
        *(["recordings that are played once"] if not settings.repeat else []),
        *(["sequences of rules"] if settings.rules else []),
        *(["limits"] if settings.limits or settings.lock_out else []),
    ]
    return f", each with its own: {', '.join(own)}" if own else ""


@dataclass(frozen=True)
class _Worker:
    """What each process does; it may be sent there as a pickle."""

    places: tuple[Path | str, ...]
    settings: Settings
    address: tuple[str, int]
    folder: str

    def __call__(self, ready: Connection) -> None:
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the process that started us, which ends us
        signal.signal(signal.SIGTERM, _interrupt)
        threading.Thread(target=self._end_with_parent, name="llmmock-parent", daemon=True).start()
        with suppress(KeyboardInterrupt):  # which may come before there is anything to end
            self._serve(ready)

    def _serve(self, ready: Connection) -> None:
        shelf = Shelf(named(self.places, self.settings), self.settings, on_trouble=_say)
        handle = Together(Path(self.folder), shelf.handle).handle
        host, port = self.address
        with Server(handle, host=host, port=port, write_error=dialects.write_error, shared=True) as server:
            ready.send(os.getpid())
            server.serve_forever()

    def _end_with_parent(self) -> None:
        """Who is killed cannot tell its workers, which would keep the port, and cannot tidy up."""
        parent = multiprocessing.parent_process()
        if parent is not None:
            parent.join()
            rmtree(self.folder, ignore_errors=True)
            os.kill(os.getpid(), signal.SIGTERM)


def _say(trouble: str) -> None:
    click.echo(trouble + "\n", err=True)


def _interrupt(number: int, frame: object) -> None:
    raise KeyboardInterrupt


@contextmanager
def _interrupted_by_signals() -> Iterator[None]:
    """Whatever ends a server ends it as Ctrl-C does."""
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _interrupt)
    yield


@contextmanager
def _running(worker: _Worker, count: int) -> Iterator[Sequence[BaseProcess]]:
    """The processes, from when all of them listen. Raises `ServerError`."""
    workers: list[BaseProcess] = []
    try:
        pipes = [_start(worker, workers) for _ in range(count)]
        for each, ready in zip(workers, pipes, strict=True):
            if ready not in wait([ready, each.sentinel]):
                raise ServerError("A worker could not begin. What it said stands above.")
        yield workers
    finally:
        _end(workers)


def _start(worker: _Worker, workers: list[BaseProcess]) -> Connection:
    ready, tell = multiprocessing.Pipe(duplex=False)
    process = multiprocessing.Process(target=worker, args=(tell,), name="llmmock-worker")
    process.start()
    workers.append(process)
    return ready


def _end(workers: Sequence[BaseProcess]) -> None:
    for each in workers:
        each.terminate()
    for each in workers:
        each.join(_SECONDS_TO_LEAVE)
        each.kill()
        each.join()


@contextmanager
def _reserved(host: str, port: int) -> Iterator[int]:
    """A port that stays ours: each worker listens on it by itself. Raises `ServerError`."""
    with bind(host, port, listens=False) as free:
        family, address = free.family, free.getsockname()[:2]
    with socket.socket(family) as kept:
        kept.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        kept.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        if family == socket.AF_INET6:  # as the workers do: the same port of 0.0.0.0 may be somebody else's
            kept.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        kept.bind(address)
        yield int(address[1])
