"""A recorded stream of 1,000 events replayed in process at once: ours, vcrpy, and httpx2.MockTransport as the floor.

Through openai's SDK, which parses each event, and as raw bytes. MockTransport has the same bytes ready, in one piece or
event by event as they were recorded. vcrpy keeps no pieces and hands over one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import nullcontext
from pathlib import Path
from tempfile import TemporaryDirectory

import httpx2
from harness import Contender, Options, Ratio, Table, main, microseconds
from in_process import Replaying, ours, sdk, vcrpy
from traffic import REQUEST_HEADERS, STREAM_HEADERS, URL, ask, compact, events, streamed, write_ours, write_vcrpy

COUNT = 1000
EVENTS, ONE, OURS, VCRPY = "MockTransport, event by event", "MockTransport, one piece", "ours", "vcrpy"

Read = Callable[[httpx2.Client], Callable[[object], object]]
"""Makes what asks with a client and reads the answer."""


def tables(options: Options) -> Iterator[Table]:
    times = 2 if options.quick else 10
    with TemporaryDirectory() as folder:
        ready = streamed(0, COUNT)
        replays = ours(write_ours(Path(folder, "ours.yaml"), [ready]))
        others = vcrpy(write_vcrpy(Path(folder, "vcrpy.yaml"), [ready]))
        yield table("openai's SDK", through_the_sdk, replays, others, times)
        yield table("httpx2.Client.stream", as_bytes, replays, others, times * 10)


def table(title: str, read: Read, replays: Replaying, others: Replaying, times: int) -> Table:
    pieces = events(0, COUNT)
    return Table(
        f"{title}, a stream of {COUNT:,} events",
        [
            replay(EVENTS, nullcontext, read(httpx2.Client(transport=mock(pieces))), times),
            replay(ONE, nullcontext, read(httpx2.Client(transport=mock([b"".join(pieces)]))), times),
            replay(OURS, replays, read(httpx2.Client()), times),
            replay(VCRPY, others, read(httpx2.Client()), times),
        ],
        [
            Ratio("us", OURS, EVENTS, at_most=1.05),
            Ratio("us", OURS, ONE),
            Ratio("us", VCRPY, OURS),
        ],
    )


def mock(pieces: list[bytes]) -> httpx2.MockTransport:
    """The floor: the answer is there before it is asked."""
    headers = dict(STREAM_HEADERS)
    return httpx2.MockTransport(lambda request: httpx2.Response(200, headers=headers, content=iter(pieces)))


def replay(name: str, replaying: Replaying, call: Callable[[object], object], times: int) -> Contender:
    """A turn: the cassette is opened and the reply played once, then calls are timed."""

    def turn() -> dict[str, float]:
        with replaying():
            call(None)
            return {"us": microseconds(call, [None] * times)}

    return Contender(name, turn)


def through_the_sdk(http_client: httpx2.Client) -> Callable[[object], object]:
    client = sdk(http_client=http_client)
    asked = ask(0, stream=True)
    return lambda _: counted(sum(1 for _ in client.chat.completions.create(**asked)), COUNT)


def as_bytes(client: httpx2.Client) -> Callable[[object], object]:
    body, size = compact(ask(0, stream=True)), len(b"".join(events(0, COUNT)))

    def read(_: object) -> None:
        with client.stream("POST", URL, content=body, headers=REQUEST_HEADERS) as response:
            counted(sum(map(len, response.iter_raw())), size)

    return read


def counted(found: int, wanted: int) -> None:
    if found != wanted:
        raise RuntimeError(f"not replayed: {found} instead of {wanted}")


if __name__ == "__main__":
    main(__doc__ or "", tables, rounds=9)
