"""From a file to the first answer: ours, ours reading vcrpy's file, vcrpy, and reading the file only.

Each turn opens the cassette and asks for its first recording, which is where vcrpy's search ends soonest; ours is also
asked for the last, which makes it look at all keys. cassetter takes part where it is installed. 1,000 recordings
are 3.9 MB.
"""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory

import httpx2
from harness import Contender, Options, Ratio, Table, main, microseconds
from in_process import Post, Replaying, ours, poster, vcrpy
from traffic import ask, compact, plain, write_ours, write_vcrpy

FILE, OURS, VCRPY, CASSETTER = "reading the file", "ours", "vcrpy", "cassetter"
THEIRS, LAST, THEIR_LAST = "ours, vcrpy's file", "ours, the last", "ours, vcrpy's file, the last"


def tables(options: Options) -> Iterator[Table]:
    with TemporaryDirectory() as folder:
        yield first_answer(Path(folder), 10, times=5)
        yield first_answer(Path(folder), 200 if options.quick else 1000, times=1)


def first_answer(folder: Path, size: int, times: int) -> Table:
    recorded = [plain(number) for number in range(size)]
    our_file = write_ours(folder / f"ours{size}.yaml", recorded)
    vcrpy_file = write_vcrpy(folder / f"vcrpy{size}.yaml", recorded)
    post, first, last = poster(httpx2.Client()), compact(ask(0)), compact(ask(size - 1))
    floor = Contender(FILE, lambda: {"ms": microseconds(lambda _: our_file.read_bytes(), range(times)) / 1000})
    contenders = [
        floor,
        opening(OURS, ours(our_file), post, first, times),
        opening(LAST, ours(our_file), post, last, times),
        opening(THEIRS, ours(vcrpy_file), post, first, times),
        opening(THEIR_LAST, ours(vcrpy_file), post, last, times),
        opening(VCRPY, vcrpy(vcrpy_file), post, first, times),
    ]
    rivals = []
    if find_spec("cassetter"):
        contenders.append(
            opening(CASSETTER, cassetter(vcrpy_file, folder / f"cassetter{size}.yaml"), post, first, times)
        )
        rivals.append(Ratio("ms", CASSETTER, OURS, at_least=3 if size > 10 else None))
    large = size > 10
    return Table(
        f"First answer from {size:,} recordings ({our_file.stat().st_size / 1e6:.2f} MB)",
        contenders,
        [
            Ratio("ms", VCRPY, OURS, at_least=40 if large else 8),
            Ratio("ms", VCRPY, LAST),
            *rivals,
            Ratio("ms", OURS, FILE, at_most=5 if large else None),
            Ratio("ms", LAST, FILE),
            Ratio("ms", VCRPY, THEIRS, at_least=3 if large else 1.8),
            Ratio("ms", VCRPY, THEIR_LAST, at_least=3 if large else 1.8),
        ],
    )


def opening(name: str, replaying: Replaying, post: Post, body: bytes, times: int) -> Contender:
    def open_and_ask(_: int) -> None:
        with replaying():
            post(body)

    return Contender(name, lambda: {"ms": microseconds(open_and_ask, range(times)) / 1000})


def cassetter(vcrpy_file: Path, own_file: Path) -> Replaying:
    """Matched on what we match on, from a file in its own layout, which it makes of vcrpy's."""
    cassetter = import_module("cassetter")
    import_module("cassetter._core").Cassette.load(str(vcrpy_file)).save(str(own_file))
    return lambda: cassetter.use_cassette(own_file, record_mode="none", match_on=["method", "uri", "body"])


if __name__ == "__main__":
    main(__doc__ or "", tables)
