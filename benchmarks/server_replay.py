"""Replay over HTTP: `llmmock replay` against stock werkzeug, and aimock where its `cli.js` is given.

Requests per second with 8 connections, and the server's processor time for each; answers of 2 KB of JSON, and
streams of 200 events. Server and load are processes of their own, each on a core of its own. Stock werkzeug
closes the connection after each answer, so that its clients connect anew: that is part of what it costs.
"""

from __future__ import annotations

import argparse
import http.client
import json
import re
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

from harness import Contender, Options, Ratio, Sample, Table, cpu_seconds, main, pinned
from stock_werkzeug import REQUESTS
from traffic import EVENTS, PATH, ask, compact, plain, question, streamed, text, write_ours

CONNECTIONS = 8
OURS, STOCK, STOCK_BLOCKS, AIMOCK = "llmmock replay", "stock werkzeug", "stock werkzeug, one write", "aimock"
RATE, CPU = "requests/s", "CPU us/request"
SERVER_CORE, LOAD_CORE = 0, 1

_HERE = Path(__file__).parent
_SECONDS_TO_START = 20.0


def tables(options: Options) -> Iterator[Table]:
    seconds = 0.3 if options.quick else 2.0
    with ExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory()))
        servers = {name: stack.enter_context(start()) for name, start in _starters(folder, options).items()}
        for stream in (False, True):
            yield loaded(servers, Load.of(folder, stream, seconds))


def _starters(folder: Path, options: Options) -> dict[str, Callable[[], AbstractContextManager[Running]]]:
    starters: dict[str, Callable[[], AbstractContextManager[Running]]] = {
        OURS: partial(llmmock, folder),
        STOCK: partial(stock, "events"),
        STOCK_BLOCKS: partial(stock, "blocks"),
    }
    if options.aimock:
        starters[AIMOCK] = partial(aimock, options.aimock, folder)
    return starters


@dataclass(frozen=True)
class Load:
    """What a turn asks for."""

    bodies: Path
    """A line for each request."""
    stream: bool
    seconds: float

    @classmethod
    def of(cls, folder: Path, stream: bool, seconds: float) -> Load:
        bodies = folder / f"bodies{stream}"
        bodies.write_bytes(b"\n".join(compact(ask(number, stream=stream)) for number in range(REQUESTS)))
        return cls(bodies, stream, seconds)


def loaded(servers: dict[str, Running], asked: Load) -> Table:
    what = f"SSE of {EVENTS} events" if asked.stream else "JSON of 2 KB"
    names = [name for name in servers if asked.stream or name != STOCK_BLOCKS]
    for name in names:
        servers[name].check(asked)
    return Table(
        f"{what}, {CONNECTIONS} connections",
        [Contender(name, partial(servers[name].turn, asked)) for name in names],
        [*_ratios(STOCK), *(_ratios(AIMOCK, 4) if AIMOCK in servers else [])],
    )


def _ratios(peer: str, goal: float | None = None) -> list[Ratio]:
    on_linux = [Ratio(CPU, peer, OURS)] if sys.platform == "linux" else []
    return [Ratio(RATE, OURS, peer, at_least=goal), *on_linux]


# --- servers --------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Running:
    """A server in a process of its own."""

    process: subprocess.Popen[str]
    port: int

    def check(self, asked: Load) -> None:
        """Raises unless every request is answered as it should be; the server is warm then."""
        for body in asked.bodies.read_bytes().splitlines():
            answered = _post(self.port, body)
            if asked.stream and not EVENTS * 0.9 < answered.count(b"data: ") < EVENTS * 1.1:
                raise RuntimeError(f"{answered.count(b'data: ')} events instead of {EVENTS}")

    def turn(self, asked: Load) -> Sample:
        before = cpu_seconds(self.process.pid)
        with pinned(LOAD_CORE):
            command = _python("load.py", self.port, asked.bodies, asked.seconds, CONNECTIONS)
            output = subprocess.run(command, check=True, capture_output=True, text=True, timeout=asked.seconds + 60)
        after = cpu_seconds(self.process.pid)
        done = json.loads(output.stdout)
        rate = {RATE: done["answers"] / done["seconds"]}
        if before is None or after is None:
            return rate
        return {**rate, CPU: (after - before) / done["answers"] * 1e6}


def llmmock(folder: Path) -> AbstractContextManager[Running]:
    cassette = folder / "served.yaml"
    kinds = (plain, streamed)
    write_ours(cassette, [record(number) for record in kinds for number in range(REQUESTS)])
    command = [sys.executable, "-m", "pytest_llmmock", "replay", str(cassette), "--port", "0"]
    return _running(command, re.compile(r" on http://[^:]+:(\d+)"))


def stock(how: str) -> AbstractContextManager[Running]:
    return _running(_python("stock_werkzeug.py", how), re.compile(r"(\d+)"))


def aimock(cli: str, folder: Path) -> AbstractContextManager[Running]:
    """Its own events: pieces of the same text, of a size that makes as many of them."""
    fixtures = folder / "aimock"
    fixtures.mkdir()
    replies = [{"match": {"userMessage": question(n)}, "response": {"content": text(n)}} for n in range(REQUESTS)]
    (fixtures / "fixtures.json").write_text(json.dumps({"fixtures": replies}))
    port, size = _free_port(), len(text(0)) // EVENTS
    options = ["--port", str(port), "--fixtures", str(fixtures), "--chunk-size", str(size), "--log-level", "silent"]
    return _running(["node", cli, *options], port)


@contextmanager
def _running(command: Sequence[str], port: int | re.Pattern[str]) -> Iterator[Running]:
    """A server for the time of the block. Its port is known, or is in the first line that it prints."""
    with pinned(SERVER_CORE):
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    try:
        yield Running(process, port if isinstance(port, int) else _printed_port(process, port))
    finally:
        _end(process)


def _printed_port(process: subprocess.Popen[str], pattern: re.Pattern[str]) -> int:
    assert process.stdout is not None
    line = process.stdout.readline()
    found = pattern.search(line)
    if found is None:
        raise RuntimeError(f"the server did not say where it is: {line!r}")
    return int(found[1])


def _end(process: subprocess.Popen[str]) -> None:
    process.terminate()
    try:
        process.wait(5)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    if process.stdout is not None:
        process.stdout.close()


def _post(port: int, body: bytes) -> bytes:
    """The body of the answer; waits for a server that is only starting."""
    deadline = time.monotonic() + _SECONDS_TO_START
    while True:
        try:
            return _ask(port, body)
        except ConnectionRefusedError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)


def _ask(port: int, body: bytes) -> bytes:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=_SECONDS_TO_START)
    try:
        connection.request("POST", PATH, body, {"content-type": "application/json", "connection": "close"})
        response = connection.getresponse()
        answered = response.read()
    finally:
        connection.close()
    if response.status != 200:
        raise RuntimeError(f"status {response.status}: {answered[:500]!r}")
    return answered


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port: int = listening.getsockname()[1]
    return port


def _python(script: str, *arguments: object) -> list[str]:
    return [sys.executable, str(_HERE / script), *map(str, arguments)]


def _more(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--aimock", metavar="CLI", help="aimock's dist/cli.js, from npm's @copilotkit/aimock")


if __name__ == "__main__":
    main(__doc__ or "", tables, rounds=5, more=_more)
