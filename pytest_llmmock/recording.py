"""What pytest is told about recording: the options, and a terminal that shows what is being asked.

pytest imports this module in every run of every user: pytest and the standard library only.
"""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING

import pytest

from .beside import Beside, given

if TYPE_CHECKING:
    from .progress import Progress

PROGRESS = pytest.StashKey["Progress"]()

OPTIONS = ("max_concurrency", "budget")
"""Settings that the command line has as well as the ini file."""

IN_FILE = {
    "models": "which upstream is asked for which models, a line each: grok-* = xai",
    "upstreams": "upstreams of your own, a line each: mine = https://gateway.example/v1 GATEWAY_KEY",
    "max_concurrency": "how many requests an upstream is asked at once",
    "queue_limit": "how many more may wait for their turn (default: 100)",
    "retries": "how often an upstream that says 429 or 503 is asked again",
    "retry_seconds": "how long it is waited for that in all (default: 60)",
    "timeout": "seconds until an answer has to begin, and between two pieces of it (default: 600)",
    "budget": "how much a run may ask: a number of requests, or 200000 tokens",
}
"""Settings of recording in the ini file, as `llm_NAME`."""


def add_options(group: Beside) -> None:
    group.addoption(
        "--llm-max-concurrency", metavar="N", help="while recording: how many requests an upstream is asked at once"
    )
    group.addoption(
        "--llm-budget",
        metavar="N|'N tokens'",
        help="while recording: what is asked after so many requests, or tokens, is not sent, and fails its test",
    )
    for name, what in IN_FILE.items():
        group.addini(f"llm_{name}", what)


def begin_progress(config: pytest.Config, environ: Mapping[str, str]) -> None:
    """Have the terminal, as it is before anything is captured, show what is being asked. Workers of xdist have none."""
    records = (given(config, "llm_record") or environ.get("LLMMOCK_RECORD") or "none") != "none"
    if not records or config.getoption("verbose", 0) < 0 or hasattr(config, "workerinput"):
        return
    terminal = _terminal()
    if terminal < 0:
        return
    from .progress import Drawn, Logged, Progress

    def write(text: str) -> None:
        os.write(terminal, text.encode(errors="replace"))

    drawn = os.isatty(terminal) and environ.get("TERM") != "dumb"
    width = lambda: shutil.get_terminal_size().columns  # noqa: E731 - asked for anew each time
    display = Drawn(write, width, below=True) if drawn else Logged(write, within=True)
    progress = config.stash[PROGRESS] = Progress(display)
    config.add_cleanup(lambda: _end(progress, terminal))


def see(report: pytest.TestReport, progress: Progress) -> None:
    """Count what a worker of xdist has recorded, and make room: pytest is about to write."""
    progress.clear()
    told = getattr(report, "llmmock", None)
    if told is not None and hasattr(report, "node"):
        progress.add(told["counts"]["recorded"], told["counts"]["tokens_recorded"], elsewhere=True)


def _terminal() -> int:
    """A copy of where pytest writes: a test's own output goes elsewhere. -1 where it is no file."""
    try:
        return os.dup(sys.stdout.fileno())
    except (AttributeError, OSError, ValueError):
        return -1


def _end(progress: Progress, terminal: int) -> None:
    progress.stop()
    os.close(terminal)
