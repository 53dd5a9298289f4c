"""One recorded chat call replayed in process: ours, vcrpy, and httpx2.MockTransport as the floor.

Below the SDK (`httpx2.Client.post`) with a body that was seen before and with a new one each time, and
through openai's SDK, which takes ten times as long as all of it; with 1 and with 100 recordings, of which
the last is asked for.
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
SIZES = (1, 100)


def tables(options: Options) -> Iterator[Table]:
    times = 20 if options.quick else 200
    with TemporaryDirectory() as folder:
        for size in SIZES:
            cassettes = Cassettes(Path(folder), size)
            yield below_the_sdk(cassettes, times)
            yield through_the_sdk(cassettes, max(3, times // 5))


class Cassettes:
    """The same recordings in our format and in vcrpy's, of which the last is asked for."""

    def __init__(self, folder: Path, size: int) -> None:
        recorded = [plain(number) for number in range(size)]
        self.size = size
        self.asked = size - 1
        self.ours = ours(write_ours(folder / f"ours{size}.yaml", recorded))
        self.vcrpy = vcrpy(write_vcrpy(folder / f"vcrpy{size}.yaml", recorded))

    def times_for_vcrpy(self, times: int) -> int:
        """It compares each recording before the one that fits, twice a call."""
        return max(2, times // self.size)


def below_the_sdk(cassettes: Cassettes, times: int) -> Table:
    body = compact(ask(cassettes.asked))
    seen, new = [body] * times, [varied(body, number) for number in range(times)]
    client, floor = poster(httpx2.Client()), poster(httpx2.Client(transport=ready(cassettes.asked)))
    return Table(
        f"httpx2.Client.post, {_recordings(cassettes.size)}",
        [
            replay(FLOOR, nullcontext, floor, seen),
            replay(OURS, cassettes.ours, client, seen),
            replay(NEW, cassettes.ours, client, new),
            replay(VCRPY, cassettes.vcrpy, client, seen[: cassettes.times_for_vcrpy(times)]),
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


def through_the_sdk(cassettes: Cassettes, times: int) -> Table:
    """The SDK makes the body, so it is one that was seen before."""
    calls = [cassettes.asked] * times
    client = sdk_caller(sdk())
    floor = sdk_caller(sdk(http_client=httpx2.Client(transport=ready(cassettes.asked))))
    return Table(
        f"openai's SDK, {_recordings(cassettes.size)}",
        [
            replay(FLOOR, nullcontext, floor, calls),
            replay(OURS, cassettes.ours, client, calls),
            replay(VCRPY, cassettes.vcrpy, client, calls[: cassettes.times_for_vcrpy(times)]),
        ],
        [Ratio("us", OURS, FLOOR), Ratio("us", VCRPY, OURS)],
    )


def _recordings(size: int) -> str:
    return "1 recording" if size == 1 else f"the last of {size} recordings"


if __name__ == "__main__":
    main(__doc__ or "", tables, rounds=15)
