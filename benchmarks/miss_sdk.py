"""A request that no recording answers, through openai's SDK as a test makes it, from the call to the explanation.

Among 1,000 recorded conversations of 20 messages, of which one has another word in its tenth message than was asked.
The SDK may ask three times, as is its default: openai 2 takes what a transport raises for a broken connection.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory

import openai
from harness import Contender, Options, Ratio, Sample, Table, main, microseconds
from in_process import Replaying, ours, sdk, vcrpy
from miss import conversation, recorded
from traffic import write_ours, write_vcrpy

from pytest_llmmock import UnmatchedError

OURS, VCRPY = "ours", "vcrpy"


def tables(options: Options) -> Iterator[Table]:
    size = 100 if options.quick else 1000
    major = int(openai.__version__.partition(".")[0])
    calls = [recorded(number) for number in range(size)]
    with TemporaryDirectory() as folder:
        our_file = write_ours(Path(folder, "ours.yaml"), calls)
        their_file = write_vcrpy(Path(folder, "vcrpy.yaml"), calls)
        yield Table(
            f"openai {major}'s SDK: a miss among {size:,} recordings of 20 messages",
            [
                Contender(OURS, asking(ours(our_file), size // 2)),
                Contender(VCRPY, asking(vcrpy(their_file, kept=True), size // 2)),
            ],
            [Ratio("ms", OURS, at_most=50), Ratio("ms", VCRPY, OURS, at_least=20 if major >= 3 else 60)],
            rounds=3,
            warm_up=False,
        )


def asking(replaying: Replaying, number: int) -> Callable[[], Sample]:
    """What the first miss takes when the cassette is open and has answered before."""

    def measure() -> Sample:
        sample = {}
        with suppress(UnmatchedError), replaying(), sdk(max_retries=2) as client:  # so ours ends a block with a miss
            ask(client, conversation(0))
            missed = [conversation(number, changed="another")]
            sample["ms"] = microseconds(lambda body: missing(client, body), missed, time.perf_counter_ns) / 1000
        return sample

    return measure


def missing(client: openai.OpenAI, body: bytes) -> None:
    """The call, which fails. Ours is an answer of the API, or an error of ours; vcrpy's is wrapped by openai 2."""
    try:
        ask(client, body)
    except (openai.OpenAIError, UnmatchedError):
        return
    except Exception as error:  # of a type that depends on vcrpy's version
        if "CannotOverwrite" in type(error).__name__:
            return
        raise
    raise RuntimeError("what was never recorded was answered")


def ask(client: openai.OpenAI, body: bytes) -> None:
    client.chat.completions.create(**json.loads(body))


if __name__ == "__main__":
    main(__doc__ or "", tables, rounds=3)
