"""One recorded chat call replayed in process: ours, vcrpy, and httpx2.MockTransport as the floor.

Below the SDK (`httpx2.Client.post`) with a body that was seen before and with a new one each time, and
through openai's SDK, which takes ten times as long as all of it. The cassette has one recording; `growth.py` has more.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import nullcontext
from pathlib import Path
from tempfile import TemporaryDirectory

import httpx2
from harness import Contender, Options, Ratio, T, Table, main, microseconds
from in_process import Replaying, ours, poster, ready, sdk, sdk_caller, vcrpy
from traffic import ask, compact, plain, varied, write_ours, write_vcrpy

FLOOR, OURS, NEW, VCRPY = "MockTransport", "ours", "ours, new body", "vcrpy"


def tables(options: Options) -> Iterator[Table]:
    times = 20 if options.quick else 200
    with TemporaryDirectory() as folder:
        our_cassette = ours(write_ours(Path(folder, "ours.yaml"), [plain(0)]))
        their_cassette = vcrpy(write_vcrpy(Path(folder, "vcrpy.yaml"), [plain(0)]))
        yield below_the_sdk(our_cassette, their_cassette, times)
        yield through_the_sdk(our_cassette, their_cassette, max(3, times // 5))


def below_the_sdk(our_cassette: Replaying, their_cassette: Replaying, times: int) -> Table:
    body = compact(ask(0))
    seen, new = [body] * times, [varied(body, number) for number in range(times)]
    client, floor = poster(httpx2.Client()), poster(httpx2.Client(transport=ready(0)))
    return Table(
        "httpx2.Client.post",
        [
            replay(FLOOR, nullcontext, floor, seen),
            replay(OURS, our_cassette, client, seen),
            replay(NEW, our_cassette, client, new),
            replay(VCRPY, their_cassette, client, seen),
        ],
        [
            Ratio("us", OURS, FLOOR, at_most=1.05),
            Ratio("us", NEW, FLOOR, at_most=1.40),
            Ratio("us", VCRPY, OURS),
        ],
    )


def replay(name: str, replaying: Replaying, call: Callable[[T], object], asked: Sequence[T]) -> Contender:
    """A turn: the cassette is opened and the reply played once, then calls are timed."""

    def turn() -> dict[str, float]:
        with replaying():
            call(asked[0])
            return {"us": microseconds(call, asked)}

    return Contender(name, turn)


def through_the_sdk(our_cassette: Replaying, their_cassette: Replaying, times: int) -> Table:
    """The SDK makes the body, so it is one that was seen before."""
    calls = [0] * times
    client, floor = sdk_caller(sdk()), sdk_caller(sdk(http_client=httpx2.Client(transport=ready(0))))
    return Table(
        "openai's SDK",
        [
            replay(FLOOR, nullcontext, floor, calls),
            replay(OURS, our_cassette, client, calls),
            replay(VCRPY, their_cassette, client, calls),
        ],
        [Ratio("us", OURS, FLOOR), Ratio("us", VCRPY, OURS)],
    )


if __name__ == "__main__":
    main(__doc__ or "", tables, rounds=15)
