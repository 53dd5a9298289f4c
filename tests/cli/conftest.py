from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from standin import Standin

COMMAND = [sys.executable, "-m", "pytest_llmmock"]


@pytest.fixture
def standin() -> Iterator[Standin]:
    with Standin() as running:
        yield running


class Program:
    """`llmmock` as a user starts it: a process of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("LLMMOCK_", "OPENAI_"))}
        own = dict.fromkeys(("HOME", "USERPROFILE"), str(folder)) | {"LLMMOCK_HOME": str(folder / ".llmmock-home")}
        self.environment = {**kept, **own, "PYTHONUTF8": "1"}

    def __call__(self, *arguments: object, status: int = 0) -> subprocess.CompletedProcess[str]:
        """Run it to its end, and hold it to its exit status."""
        command = [*COMMAND, *map(str, arguments)]
        done = subprocess.run(
            command, cwd=self.folder, env=self.environment, capture_output=True, text=True, timeout=60, check=False
        )
        assert done.returncode == status, done.stdout + done.stderr
        assert "Traceback" not in done.stderr
        return done

    @contextmanager
    def serving(self, *arguments: object, ends_with: int = 0) -> Iterator[Serving]:
        """While it serves; it is stopped as a user would, with SIGTERM, and held to its exit status."""
        command = [*COMMAND, *map(str, arguments), "--port", "0"]
        process = subprocess.Popen(
            command,
            cwd=self.folder,
            env={**self.environment, "PYTHONUNBUFFERED": "1"},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        serving = Serving(process)
        try:
            yield serving
        finally:
            process.terminate()
            out, serving.err = process.communicate(timeout=30)
            serving.out += out
        assert process.returncode == ends_with, serving.err


class Serving:
    """A running `llmmock replay` or `record`."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        assert process.stdout is not None
        self.process = process
        self.err = ""
        self.out = process.stdout.readline()
        assert " on http://" in self.out, self.out + (process.communicate()[1] if process.poll() is not None else "")
        while "Ctrl-C" not in self.out:
            self.out += process.stdout.readline()
        self.url = self.out.splitlines()[0].rpartition(" on ")[2]


@pytest.fixture
def llmmock(tmp_path: Path) -> Program:
    return Program(tmp_path)
