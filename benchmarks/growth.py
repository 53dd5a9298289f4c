"""How a call grows with its cassette, through openai's SDK: of 1 to 10,000 recordings the last one is asked for.

vcrpy compares each recording that comes before, twice a call; the files are read before anything is timed. And
recordings played once each, in their order, which is quadratic for it. A turn of vcrpy takes seconds there, and its
ratios are far from their goals: so the large ones have one turn.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import httpx2
from harness import Contender, Options, Ratio, Sample, Table, main, microseconds
from in_process import Replaying, ours, poster, sdk, sdk_caller, vcrpy
from traffic import ask, compact, plain, varied, write_ours, write_vcrpy

from pytest_llmmock.cassettes.cassette import Recorded

OURS, VCRPY = "ours", "vcrpy"
GOALS = {100: 25, 1_000: 200, 10_000: 2_000}
"""Recordings, and vcrpy / ours that is wanted for the last of them."""


def tables(options: Options) -> Iterator[Table]:
    sizes = [100] if options.quick else list(GOALS)
    with TemporaryDirectory() as folder:
        root = Path(folder)
        written = {size: write_ours(root / f"ours{size}.yaml", recorded(size)) for size in (1, *sizes)}
        yield ours_alone(written[1], written[sizes[-1]], sizes[-1], times=20 if options.quick else 200)
        for size in sizes:
            theirs = write_vcrpy(root / f"vcrpy{size}.yaml", recorded(size))
            yield the_last(size, ours(written[size]), vcrpy(theirs, kept=True))
        yield in_order(root, 40 if options.quick else 400)


def recorded(size: int) -> list[Recorded]:
    return [plain(number) for number in range(size)]


def ours_alone(one: Path, many: Path, size: int, times: int) -> Table:
    """Below the SDK, which would hide it, and each body new, so that it is looked for each time."""
    names = {size: f"the last of {size:,}", 1: "the only one"}
    post = poster(httpx2.Client())

    def turn(cassette: Path, size: int) -> Sample:
        body = compact(ask(size - 1))
        with ours(cassette)():
            post(body)
            return {"us": microseconds(post, [varied(body, number) for number in range(times)])}

    return Table(
        f"httpx2.Client.post: one recording, and {size:,}",
        [Contender(names[1], partial(turn, one, 1)), Contender(names[size], partial(turn, many, size))],
        [Ratio("us", names[size], names[1], at_most=1.10)],
    )


def the_last(size: int, replaying: Replaying, theirs: Replaying) -> Table:
    return Table(
        f"openai's SDK: the last of {size:,} recordings",
        [
            Contender(OURS, partial(asking, replaying, size - 1, times=50)),
            Contender(VCRPY, partial(asking, theirs, size - 1, times=max(1, 300 // size))),
        ],
        [Ratio("us", VCRPY, OURS, at_least=GOALS[size])],
        rounds=3 if size < 10_000 else 1,
        warm_up=size < 10_000,
    )


def asking(replaying: Replaying, number: int, times: int) -> Sample:
    with replaying(), sdk() as client:
        return {"us": microseconds(sdk_caller(client), [number] * times)}


def in_order(root: Path, size: int) -> Table:
    ours_once = ours(write_ours(root / "ours.yaml", recorded(size)), repeat=False)
    theirs_once = vcrpy(write_vcrpy(root / "vcrpy.yaml", recorded(size)), repeat=False, kept=True)

    def turn(replaying: Replaying) -> Sample:
        with replaying(), sdk() as client:
            return {"s": microseconds(sdk_caller(client), range(size)) * size / 1e6}

    return Table(
        f"openai's SDK: {size} recordings in their order",
        [Contender(OURS, partial(turn, ours_once)), Contender(VCRPY, partial(turn, theirs_once))],
        [Ratio("s", VCRPY, OURS, at_least=40)],
        rounds=1,
        warm_up=False,
    )


if __name__ == "__main__":
    main(__doc__ or "", tables, rounds=9)
