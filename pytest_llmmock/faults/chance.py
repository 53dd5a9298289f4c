"""Faults that are met by chance, the same ones whenever the seed is the same."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from random import Random
from typing import Literal

from ..core.model import Exchange, Problem, Reply
from .answers import with_bad_tool_json
from .fault import Fault, changed, rate_limit, server_error
from .streams import MESSAGE, count, cut, failed, garbled, truncated

Kind = Literal["rate_limit", "server_error", "cut", "truncate", "garble", "mid_stream_error", "bad_tool_json"]

KINDS: tuple[Kind, ...] = ("rate_limit", "server_error", "cut", "truncate", "garble", "mid_stream_error")
"""What `random` chooses from unless it is told."""


def by_chance(rate: float, seed: int, kinds: Sequence[Kind]) -> Fault:
    """A fault that the n-th request meets, or not, and of one of these kinds, as the seed has it."""

    def draw(number: int) -> Fault | None:
        chance = Random(f"{seed}:{number}")
        return DRAWN[chance.choice(kinds)](chance) if chance.random() < rate else None

    return Fault(f"random(rate={rate}, seed={seed})", draw=draw)


def _somewhere(name: str, change: Callable[[Exchange, Reply, int], Reply]) -> Callable[[Random], Fault]:
    """A fault behind a number of events that is drawn when the answer is known."""

    def drawn(chance: Random) -> Fault:
        share = chance.random()

        def altered(exchange: Exchange, reply: Reply) -> Reply:
            return change(exchange, reply, int(share * count(reply)))

        return Fault(f"{name}()", alter=altered)

    return drawn


_FAILURE = Problem(500, MESSAGE, "server_error", "server_error")

DRAWN: Mapping[str, Callable[[Random], Fault]] = {
    "rate_limit": lambda chance: rate_limit(1.0),
    "server_error": lambda chance: server_error(chance.choice((500, 502, 503))),
    "cut": _somewhere("cut", lambda exchange, reply, events: cut(reply, events)),
    "truncate": _somewhere("truncate", lambda exchange, reply, events: truncated(reply, events)),
    "garble": _somewhere("garble", lambda exchange, reply, events: garbled(reply, events)),
    "mid_stream_error": _somewhere(
        "mid_stream_error", lambda exchange, reply, events: failed(exchange, reply, events, _FAILURE)
    ),
    "bad_tool_json": lambda chance: Fault("bad_tool_json()", alter=changed(with_bad_tool_json)),
}
"""Each kind of fault, drawn by chance."""
