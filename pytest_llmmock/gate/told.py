"""What is left of the limits, as providers tell it in the head of each answer.

https://platform.openai.com/docs/guides/rate-limits and https://docs.anthropic.com/en/api/rate-limits
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from ..core.model import Exchange, Headers


@dataclass(frozen=True, slots=True)
class Left:
    """What is left of one limit."""

    of: str
    """`requests` or `tokens`."""
    allowed: int
    left: int
    full_in: float
    """Seconds until all of it is there again."""


def told(exchange: Exchange, left: Sequence[Left]) -> Headers:
    """The headers in the words of the provider that the client talks to."""
    if exchange.request.header("anthropic-version") is not None or exchange.operation.startswith("messages"):
        since = datetime.fromtimestamp(exchange.started, UTC)
        return tuple(pair for each in left for pair in _anthropics(each, since))
    return tuple(pair for each in left for pair in _openais(each))


def _openais(left: Left) -> Headers:
    return (
        (f"x-ratelimit-limit-{left.of}", str(left.allowed)),
        (f"x-ratelimit-remaining-{left.of}", str(left.left)),
        (f"x-ratelimit-reset-{left.of}", duration(left.full_in)),
    )


def _anthropics(left: Left, since: datetime) -> Headers:
    full = since + timedelta(seconds=math.ceil(left.full_in - 1e-6))
    head = f"anthropic-ratelimit-{left.of}-"
    return (
        (head + "limit", str(left.allowed)),
        (head + "remaining", str(left.left)),
        (head + "reset", full.strftime("%Y-%m-%dT%H:%M:%SZ")),
    )


def duration(seconds: float) -> str:
    """A time as OpenAI writes it: `0s`, `20ms`, `1.5s`, `6m0s`, `1h0m0s`."""
    milliseconds = math.ceil(seconds * 1000 - 1e-6)
    if 0 < milliseconds < 1000:
        return f"{milliseconds}ms"
    minutes, rest = divmod(milliseconds, 60_000)
    hours, minutes = divmod(minutes, 60)
    ahead = f"{hours}h{minutes}m" if hours else f"{minutes}m" if minutes else ""
    return f"{ahead}{rest / 1000:g}s"
