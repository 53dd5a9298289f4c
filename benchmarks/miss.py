"""A request that no recording answers, told in full: ours and vcrpy, among 1,000 recorded conversations of 20 messages.

A word of the tenth message is another than was recorded. Ours answers with an explanation, vcrpy raises one.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import httpx2
from harness import Contender, Options, Ratio, Table, main, microseconds
from in_process import Replaying, ours, vcrpy
from traffic import MODEL, REQUEST_HEADERS, URL, compact, plain, write_ours, write_vcrpy

from pytest_llmmock import UnmatchedError
from pytest_llmmock.cassettes.cassette import Recorded

OURS, VCRPY, HIT = "ours", "vcrpy", "ours, answered"

_WORDS = [f"word{number}" for number in range(3000)]


def conversation(number: int, changed: str = "") -> bytes:
    """Twenty messages of 40 words; with `changed` as the first word of the tenth."""
    words = random.Random(number)
    texts = [words.choices(_WORDS, k=40) for _ in range(20)]
    texts[9][:1] = [changed] if changed else texts[9][:1]
    roles = ("user", "assistant")
    messages = [{"role": roles[place % 2], "content": " ".join(text)} for place, text in enumerate(texts)]
    return compact({"model": MODEL, "messages": messages})


def recorded(number: int) -> Recorded:
    call = plain(number)
    return replace(call, request=replace(call.request, body=conversation(number)))


def tables(options: Options) -> Iterator[Table]:
    size = 100 if options.quick else 1000
    calls = [recorded(number) for number in range(size)]
    with TemporaryDirectory() as folder, httpx2.Client() as client:
        our_file = write_ours(Path(folder, "ours.yaml"), calls)
        vcrpy_file = write_vcrpy(Path(folder, "vcrpy.yaml"), calls)
        missed = [conversation(number, changed="another") for number in range(size // 2, size // 2 + 3)]
        hit = [conversation(number) for number in range(3)]
        yield Table(
            f"A miss among {size:,} recordings of 20 messages",
            [
                Contender(OURS, asking(ours(our_file), client, missed)),
                Contender(HIT, asking(ours(our_file), client, hit)),
                Contender(VCRPY, asking(vcrpy(vcrpy_file), client, missed)),
            ],
            [
                Ratio("ms", OURS, at_most=50),
                Ratio("ms", VCRPY, OURS, at_least=None if options.quick else 20),
                Ratio("ms", OURS, HIT),
            ],
        )


def asking(replaying: Replaying, client: httpx2.Client, bodies: list[bytes]) -> Callable[[], dict[str, float]]:
    """What one request takes when the cassette is open and has answered before."""

    def measure() -> dict[str, float]:
        took = 0.0
        try:
            with replaying():
                post(client, conversation(0))
                took = microseconds(lambda body: post(client, body), bodies) / 1000
        except UnmatchedError:
            pass  # so ours ends a block in which something was missed
        return {"ms": took}

    return measure


def post(client: httpx2.Client, body: bytes) -> None:
    try:
        client.post(URL, content=body, headers=REQUEST_HEADERS)
    except Exception as error:  # vcrpy raises its explanation, of a type that depends on the version
        if "CannotOverwrite" not in type(error).__name__:
            raise


if __name__ == "__main__":
    main(__doc__ or "", tables)
