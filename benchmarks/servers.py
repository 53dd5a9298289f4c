"""Servers in processes of their own, started and loaded: `llmmock replay`, stock werkzeug, aimock."""

from __future__ import annotations

import argparse
import http.client
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO

from harness import Absent, Sample
from peers import AIMOCK
from processes import cpu_seconds, mebibytes, pinned
from stock_werkzeug import REQUESTS
from traffic import EVENTS, PATH, ask, compact, plain, question, streamed, text, write_ours

RATE, CPU, HALF = "requests/s", "CPU us/request", "us to an answer, half of them"
SERVER_CORE, LOAD_CORE = 0, 1

NEEDED = f"the cli.js of npm's @copilotkit/aimock, by --aimock or {AIMOCK}"
"""What is told where there is no aimock."""

_HERE = Path(__file__).parent
_SECONDS_TO_START = 20.0

Start = Callable[[int | None], AbstractContextManager["Running"]]
"""Starts a server on one core, or on any, for the time of a block."""


@dataclass(frozen=True)
class Load:
    """What is asked, and for how long."""

    bodies: Path
    """A line for each request."""
    stream: bool
    seconds: float

    @classmethod
    def of(cls, folder: Path, *, stream: bool, seconds: float) -> Load:
        bodies = folder / f"bodies{stream}"
        bodies.write_bytes(b"\n".join(compact(ask(number, stream=stream)) for number in range(REQUESTS)))
        return cls(bodies, stream, seconds)

    def lasting(self, seconds: float) -> Load:
        return replace(self, seconds=seconds)


@dataclass(frozen=True)
class Running:
    """A server in a process of its own."""

    process: subprocess.Popen[str]
    port: int

    def check(self, asked: Load) -> None:
        """Raises unless every request is answered as it should be."""
        for body in asked.bodies.read_bytes().splitlines():
            answered = post(self.port, body)
            if asked.stream and not EVENTS * 0.9 < answered.count(b"data: ") < EVENTS * 1.1:
                raise RuntimeError(f"{answered.count(b'data: ')} events instead of {EVENTS}")

    def load(self, asked: Load, connections: int, core: int | None = LOAD_CORE) -> Sample:
        before = cpu_seconds(self.process.pid)
        with pinned(core):
            command = _driver(self.port, asked, connections)
            output = subprocess.run(command, check=True, capture_output=True, text=True, timeout=asked.seconds + 60)
        used = cpu_seconds(self.process.pid) - before
        done = json.loads(output.stdout.splitlines()[-1])
        if done["errors"]:
            raise RuntimeError(f"{done['errors']} requests were not answered")
        return {RATE: done["answers"] / done["seconds"], CPU: used / done["answers"] * 1e6, HALF: done["half"]}

    def memory(self) -> float:
        return mebibytes(self.process.pid)


def _driver(port: int, asked: Load, connections: int) -> list[str]:
    """wrk where it is: it leaves more of the machine to the server than a program of ours. It counts whole seconds."""
    if asked.seconds < 1 or shutil.which("wrk") is None:
        return _python("load.py", port, asked.bodies, asked.seconds, connections)
    options = ["--threads", 1, "--connections", connections, "--duration", f"{asked.seconds:.0f}s", "--timeout", "10s"]
    command = ["wrk", *options, "--script", _HERE / "wrk.lua", f"http://127.0.0.1:{port}{PATH}", "--", asked.bodies]
    return [str(part) for part in command]


# --- which ----------------------------------------------------------------------------------------------


def llmmock(cassette: Path, *options: str) -> Start:
    command = [sys.executable, "-m", "pytest_llmmock", "replay", str(cassette), "--port", "0", *options]
    return lambda core: _running(command, re.compile(r" on http://[^:]+:(\d+)"), core)


def stock(how: str) -> Start:
    return lambda core: _running(_python("stock_werkzeug.py", how), re.compile(r"(\d+)"), core)


def aimock(cli: str, folder: Path, *options: str) -> Start:
    """Its own events: pieces of the same text, of a size that makes as many of them."""
    replies = [{"match": {"userMessage": question(n)}, "response": {"content": text(n)}} for n in range(REQUESTS)]
    folder.mkdir(exist_ok=True)
    (folder / "fixtures.json").write_text(json.dumps({"fixtures": replies}))
    size = str(len(text(0)) // EVENTS)
    given = ["--fixtures", str(folder), "--chunk-size", size, "--log-level", "silent", *options]

    @contextmanager
    def start(core: int | None) -> Iterator[Running]:
        if not cli:
            raise Absent(NEEDED)
        port = _free_port()
        with _running(["node", cli, "--port", str(port), *given], port, core) as running:
            yield running

    return start


def add_aimock(parser: argparse.ArgumentParser) -> None:
    default = os.environ.get(AIMOCK, "")
    parser.add_argument("--aimock", metavar="CLI", default=default, help=f"aimock's dist/cli.js (default: {AIMOCK})")


def write_served(folder: Path) -> Path:
    """A cassette with all that is asked for, in one piece and as a stream."""
    calls = [each(number) for each in (plain, streamed) for number in range(REQUESTS)]
    return write_ours(folder / "served.yaml", calls)


# --- processes ------------------------------------------------------------------------------------------


@contextmanager
def _running(command: Sequence[str], port: int | re.Pattern[str], core: int | None) -> Iterator[Running]:
    """A server for the time of the block. Its port is known, or is in the first line that it prints."""
    with TemporaryFile("w+") as complaints:
        with pinned(core):
            process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=complaints, text=True)
        try:
            yield Running(process, port if isinstance(port, int) else _printed_port(process, port, complaints))
        finally:
            _end(process)


def _printed_port(process: subprocess.Popen[str], pattern: re.Pattern[str], complaints: IO[str]) -> int:
    assert process.stdout is not None
    line = process.stdout.readline()
    found = pattern.search(line)
    if found is None:
        complaints.seek(0)
        raise RuntimeError(f"the server did not say where it is: {line}{complaints.read()}")
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


def post(port: int, body: bytes) -> bytes:
    """The body of the answer; waits for a server that is only starting."""
    deadline = time.monotonic() + _SECONDS_TO_START
    while True:
        try:
            return _ask(port, body)
        except ConnectionRefusedError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.004)


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
