"""Other people's programs, run for the time of a block."""

from __future__ import annotations

import os
import socket
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager

PATIENCE = 90
"""Seconds: LiteLLM's proxy takes its time to begin."""


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return int(taken.getsockname()[1])


@contextmanager
def program(command: list[str], ready: str, **environ: str) -> Iterator[subprocess.Popen]:
    """A program that runs once it has said something."""
    process = subprocess.Popen(
        command, env={**os.environ, **environ}, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    said, is_ready = [], threading.Event()

    def read() -> None:
        for line in process.stdout:
            said.append(line)
            if ready in line:
                is_ready.set()
        is_ready.set()

    reader = threading.Thread(target=read)
    reader.start()
    try:
        assert is_ready.wait(PATIENCE), "".join(said)
        assert process.poll() is None, "".join(said)
        yield process
    finally:
        process.terminate()
        process.wait(PATIENCE)
        reader.join(PATIENCE)
        process.stdout.close()
