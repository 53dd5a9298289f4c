"""Workers of one server: each answers for models by itself, and all of them for what is asked about the server."""

from __future__ import annotations

import atexit
import http.client
import os
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from urllib.parse import parse_qs

from . import dialects
from .control import PREFIX
from .control.merging import merged, summed
from .control.metrics import CONTENT_TYPE
from .core.json_text import compact, parse_json
from .core.model import Problem, Reply, Request, frames_of
from .inbound.refusals import nobody
from .inbound.server import Server

Handle = Callable[[Request], Reply]

METRICS = "/metrics"

_SECONDS_TO_ANSWER = 10
_NOT_TAKEN_ALONG = ("host", "content-length", "connection", "transfer-encoding")


class Together:
    """One worker among others. Each tells in a folder where, on this machine, it can be asked by the others."""

    def __init__(self, folder: Path, handle: Handle) -> None:
        self._folder = folder
        self._handle = handle
        self._process = 0
        self._join()

    def _join(self) -> None:
        """Be there for the others. A server that loads us before it forks has workers that have not joined yet."""
        self._process = os.getpid()
        self._server = Server(self._alone, write_error=dialects.write_error).start()
        self._folder.mkdir(parents=True, exist_ok=True)
        place = self._folder / str(self._process)
        whole = place.with_suffix(".new")
        whole.write_text(str(self._server.port))
        whole.replace(place)
        atexit.register(place.unlink, missing_ok=True)

    def handle(self, request: Request) -> Reply:
        """The reply to a client; of all workers together, when it asks about the server."""
        if self._process != os.getpid():
            self._join()
        reply = self._handle(request)
        return self._of_all(request, reply) if _is_shared(request, reply) else reply

    def _alone(self, request: Request) -> Reply:
        """The reply to another worker."""
        if PREFIX not in request.path and not request.path.endswith(METRICS):
            return dialects.write_error(request, nobody(request))
        return self._handle(request)

    def _of_all(self, request: Request, own: Reply) -> Reply:
        told = {str(self._process): own.body}
        for worker, port in self._others():
            try:
                told[worker] = _ask(port, request)
            except ConnectionRefusedError:
                self._forget(worker)
            except (OSError, http.client.HTTPException) as error:
                why = f"Worker {worker} of this server did not answer: {error or type(error).__name__}."
                return dialects.write_error(request, Problem(502, why, "worker_gone", "llmmock_error"))
        body = _json(told, request) if PREFIX in request.path else _metrics(told)
        return replace(own, frames=frames_of(body))

    def _others(self) -> Iterator[tuple[str, int]]:
        for place in sorted(self._folder.iterdir()):
            if place.name.isdecimal() and place.name != str(self._process):
                with suppress(FileNotFoundError):
                    yield place.name, int(place.read_text())

    def _forget(self, worker: str) -> None:
        """A worker that has ended without a word."""
        (self._folder / worker).unlink(missing_ok=True)


def joined(folder: Path) -> int:
    """How many workers have told where they are."""
    return sum(place.name.isdecimal() for place in folder.iterdir())


def _is_shared(request: Request, reply: Reply) -> bool:
    """Whether an answer is about the server, and not a refusal, or another server's figures that were recorded."""
    if reply.status != 200:
        return False
    if reply.source == "script":  # a rule may answer at any path, and says nothing that could be added up
        return request.path.endswith(METRICS) and reply.content_type == CONTENT_TYPE
    return PREFIX in request.path


def _ask(port: int, request: Request) -> bytes:
    """What another worker answers to the same request."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=_SECONDS_TO_ANSWER)
    try:
        target = f"{request.path}?{request.query}" if request.query else request.path
        headers = {name: value for name, value in request.headers if name not in _NOT_TAKEN_ALONG}
        connection.request("GET" if request.method == "HEAD" else request.method, target, request.body, headers)
        response = connection.getresponse()
        body = response.read()
    finally:
        connection.close()
    if response.status != 200:
        raise http.client.HTTPException(f"status {response.status}, {body[:200].decode(errors='replace')}")
    return body


def _metrics(told: dict[str, bytes]) -> bytes:
    return summed(body.decode() for body in told.values()).encode()


def _json(told: dict[str, bytes], request: Request) -> bytes:
    last = parse_qs(request.query).get("last")
    values = {worker: parse_json(body) for worker, body in told.items()}
    return compact(merged(values, int(last[-1]) if last else None)).encode()
