"""Processes that are measured: on which cores they run, and what they and their children use."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path


@contextmanager
def pinned(core: int | None) -> Iterator[None]:
    """Processes that are started in the block run on this core only, where the system knows how. None: on any."""
    if core is None or not hasattr(os, "sched_setaffinity"):
        yield
        return
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {sorted(before)[core % len(before)]})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def cpu_seconds(process_id: int) -> float:
    """The processor time of a process and its children; 0 where only Linux would tell."""
    return sum(_own_cpu_seconds(each) for each in _family(process_id))


def _own_cpu_seconds(process_id: int) -> float:
    if sys.platform != "linux":
        return 0.0
    return time.clock_gettime(~process_id << 3 | 2)  # what clock_getcpuclockid(3) gives; Python has it for threads


def mebibytes(process_id: int) -> float:
    """The memory that a process and its children hold; 0 where only Linux would tell."""
    return sum(_resident_kibibytes(each) for each in _family(process_id)) / 1024


def _resident_kibibytes(process_id: int) -> int:
    with suppress(OSError):
        for line in Path(f"/proc/{process_id}/status").read_text().splitlines():
            if line.startswith("VmRSS:"):
                return int(line.split()[1])
    return 0


def _family(process_id: int) -> Iterator[int]:
    yield process_id
    for listed in Path(f"/proc/{process_id}/task").glob("*/children"):
        with suppress(OSError):  # the thread has ended meanwhile
            for child in listed.read_text().split():
                yield from _family(int(child))
