"""The memory that a cassette of 1,000 recordings takes when its first answer is there, over the size of its file.

Each turn is a process of its own, which has opened a small cassette of the same kind before, so that what is imported
is not counted. The file of vcrpy is of another size than ours, and each is compared with its own.
"""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import httpx2
from harness import Absent, Contender, Options, Ratio, Sample, Table, main
from in_process import Replaying, cassetter, ours, poster, vcrpy
from processes import mebibytes
from traffic import ask, compact, plain, write_cassetter, write_ours, write_vcrpy

OURS, THEIRS, VCRPY, CASSETTER = "ours", "ours, vcrpy's file", "vcrpy", "cassetter"
HELD, OVER_FILE = "MiB", "times its file"
CHILD = "--child"

OPENED: dict[str, Callable[[Path], Replaying]] = {OURS: ours, THEIRS: ours, VCRPY: vcrpy, CASSETTER: cassetter}


def tables(options: Options) -> Iterator[Table]:
    size = 200 if options.quick else 1000
    with TemporaryDirectory() as name:
        folders = [write(Path(name, str(count)), count) for count in (10, size)]
        yield Table(
            f"The memory of {size:,} recordings",
            [Contender(kind, partial(turn, kind, *folders)) for kind in OPENED],
            [
                Ratio(OVER_FILE, OURS, at_most=1.3),
                Ratio(HELD, THEIRS, OURS),
                Ratio(HELD, VCRPY, OURS),
                Ratio(HELD, CASSETTER, OURS),
            ],
            warm_up=False,
        )


def write(folder: Path, size: int) -> dict[str, Path]:
    """The same recordings in a file for each kind."""
    folder.mkdir()
    recorded = [plain(number) for number in range(size)]
    our_file = write_ours(folder / "ours.yaml", recorded)
    their_file = write_vcrpy(folder / "vcrpy.yaml", recorded)
    files = {OURS: our_file, THEIRS: their_file, VCRPY: their_file}
    if importlib.util.find_spec("cassetter"):
        files[CASSETTER] = write_cassetter(folder / "cassetter.yaml", their_file)
    return files


def turn(kind: str, small: dict[str, Path], large: dict[str, Path]) -> Sample:
    if kind not in large:
        raise Absent(kind)
    command = [sys.executable, __file__, CHILD, kind, str(small[kind]), str(large[kind])]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    held = float(done.stdout)
    return {HELD: held, OVER_FILE: held * 2**20 / large[kind].stat().st_size}


def child(kind: str, small: str, large: str) -> None:
    post = poster(httpx2.Client())
    with OPENED[kind](Path(small))():
        post(compact(ask(0)))
    before = mebibytes(os.getpid())
    with OPENED[kind](Path(large))():
        post(compact(ask(0)))
        print(mebibytes(os.getpid()) - before)


if __name__ == "__main__":
    if sys.argv[1:2] == [CHILD]:
        child(*sys.argv[2:])
    else:
        main(__doc__ or "", tables, rounds=5)
