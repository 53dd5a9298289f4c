"""What the key of a request costs by which its recording is found, over parsing its body, which that takes at least."""

from __future__ import annotations

import json
from collections.abc import Iterator

from harness import Contender, Options, Ratio, Table, main, microseconds
from traffic import ask, compact, plain, varied

from pytest_llmmock import dialects
from pytest_llmmock.cassettes.matchers import Keys
from pytest_llmmock.core.model import Request

KEY, PARSE = "match key", "json.loads"


def tables(options: Options) -> Iterator[Table]:
    times = 100 if options.quick else 2000
    turns = iter(range(1_000_000))
    keys = Keys()

    def parse() -> dict[str, float]:
        return {"us": microseconds(json.loads, bodies(next(turns), times))}

    def key() -> dict[str, float]:
        requests = [request(body) for body in bodies(next(turns), times)]
        return {"us": microseconds(lambda each: keys.key(dialects.read(each)), requests)}

    yield Table(
        f"The match key of a body of {len(compact(ask(0))):,} bytes",
        [Contender(PARSE, parse), Contender(KEY, key)],
        [Ratio("us", KEY, PARSE, at_most=4)],
    )


def bodies(turn: int, times: int) -> list[bytes]:
    """Each one new to whoever keeps what it has seen."""
    body = compact(ask(turn))
    return [varied(body, number) for number in range(times)]


def request(body: bytes) -> Request:
    like = plain(0).request
    return Request(like.method, like.origin, like.path, headers=like.headers, body=body)


if __name__ == "__main__":
    main(__doc__ or "", tables, rounds=15)
