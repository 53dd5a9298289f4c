"""From a file to the first answer: ours, ours reading vcrpy's file, vcrpy, cassetter, and reading the file only.

Each turn opens the cassette and asks for its first recording, which is where vcrpy's search ends soonest.
1,000 recordings are 3.9 MB.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import httpx2
from harness import Contender, Options, Ratio, Table, main, microseconds
from in_process import Post, Replaying, cassetter, ours, poster, vcrpy
from traffic import ask, compact, plain, write_cassetter, write_ours, write_vcrpy

FILE, OURS, THEIRS, VCRPY = "reading the file", "ours", "ours, vcrpy's file", "vcrpy"
CASSETTER = "cassetter"


def tables(options: Options) -> Iterator[Table]:
    with TemporaryDirectory() as folder:
        yield first_answer(Path(folder), 10, times=5)
        yield first_answer(Path(folder), 200 if options.quick else 1000, times=1)


def first_answer(folder: Path, size: int, times: int) -> Table:
    recorded = [plain(number) for number in range(size)]
    our_file = write_ours(folder / f"ours{size}.yaml", recorded)
    vcrpy_file = write_vcrpy(folder / f"vcrpy{size}.yaml", recorded)
    post = poster(httpx2.Client())
    floor = Contender(FILE, lambda: {"ms": microseconds(lambda _: our_file.read_bytes(), range(times)) / 1000})
    large = size >= 200
    convert = cache(lambda: write_cassetter(folder / f"cassetter{size}.yaml", vcrpy_file))
    return Table(
        f"First answer from {size:,} recordings ({our_file.stat().st_size / 1e6:.2f} MB)",
        [
            floor,
            opening(OURS, ours(our_file), post, times),
            opening(THEIRS, ours(vcrpy_file), post, times),
            opening(VCRPY, vcrpy(vcrpy_file), post, times),
            opening(CASSETTER, lambda: cassetter(convert())(), post, times),
        ],
        [
            Ratio("ms", VCRPY, OURS, at_least=40 if large else 8),
            Ratio("ms", CASSETTER, OURS, at_least=3 if large else None),
            Ratio("ms", OURS, FILE, at_most=5 if large else None),
            Ratio("ms", VCRPY, THEIRS, at_least=3 if large else 1.8),
        ],
    )


def opening(name: str, replaying: Replaying, post: Post, times: int) -> Contender:
    body = compact(ask(0))

    def open_and_ask(_: int) -> None:
        with replaying():
            post(body)

    return Contender(name, lambda: {"ms": microseconds(open_and_ask, range(times)) / 1000})


if __name__ == "__main__":
    main(__doc__ or "", tables)
