"""Whether, and when, an upstream that was too busy is asked again."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from random import random

from ..core.model import Headers, Reply, header

BUSY = (429, 503, 529)
"""Too many requests; not available; Anthropic's for overloaded."""

USUAL_TRIES = 2

_FIRST, _LONGEST = 0.5, 8.0
"""Seconds."""


@dataclass(frozen=True, slots=True)
class Retries:
    """At most so many tries more, and so many seconds of waiting in all.

    Without a number of its own it waits only where the upstream says how long: what is told to nobody, as that a quota
    is used up, will be the same in a second.
    """

    tries: int | None = None
    seconds: float = 60.0
    now: Callable[[], float] = time.time
    chance: Callable[[], float] = random

    def pause(self, reply: Reply, tried: int, waited: float) -> float | None:
        """Seconds to wait before it is asked again; None when its answer is to be passed on."""
        if reply.status not in BUSY or tried > (USUAL_TRIES if self.tries is None else self.tries):
            return None
        told = told_pause(reply.headers, self.now())
        if told is None and self.tries is None:
            return None
        pause = self._own(tried) if told is None else told
        return pause if waited + pause <= self.seconds else None

    def _own(self, tried: int) -> float:
        """Twice as long each time, and not all at once."""
        return min(_FIRST * 2.0 ** (tried - 1), _LONGEST) * (1 + self.chance() / 4)


def told_pause(headers: Headers, now: float) -> float | None:
    """The seconds that a reply says to wait; None when it does not say."""
    exact = _number(header(headers, "retry-after-ms"))
    if exact is not None:
        return exact / 1000
    told = header(headers, "retry-after")
    seconds = _number(told)
    return seconds if seconds is not None else _until(told or "", now)


def _number(text: str | None) -> float | None:
    try:
        number = float(text or "")
    except ValueError:
        return None
    return number if 0 <= number < float("inf") else None


def _until(text: str, now: float) -> float | None:
    """From now until a date of HTTP."""
    from email.utils import parsedate_to_datetime

    try:
        date = parsedate_to_datetime(text)
    except ValueError:
        return None
    date = date if date.tzinfo else date.replace(tzinfo=UTC)
    return max(0.0, (date - datetime.fromtimestamp(now, UTC)).total_seconds())
