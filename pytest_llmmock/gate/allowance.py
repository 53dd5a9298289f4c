"""How much may still be asked: rates, and how many at the same time."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from weakref import WeakSet

from ..core.model import Exchange, LiveFrames, Problem, Reply
from ..core.prompt import Prompt
from .bucket import Bucket
from .limits import Limits
from .sizes import most_tokens, too_large
from .told import Left, told

_SECONDS = {"second": 1, "minute": 60, "day": 86_400}


@dataclass(frozen=True, slots=True)
class _Rate:
    """One limit: so many requests, or tokens, in a time."""

    name: str
    of: str
    """`requests` or `tokens`."""
    per: str
    allowed: float
    bucket: Bucket


class Allowance:
    """What of the limits is left. Requests that ask a model count, not those that look at what there is."""

    def __init__(self, limits: Limits, tokens: Callable[[Prompt], int], clock: Callable[[], float]) -> None:
        """`tokens` tells how many a prompt has, roughly: before it is answered nobody knows better."""
        self._limits = limits
        self._tokens = tokens
        self._lock = threading.Lock()
        self._rates = _rates(limits, clock)
        self._begun: WeakSet[Exchange] = WeakSet()
        """What is being answered; what was given up meanwhile is not in it any more."""
        self._running: list[LiveFrames] = []

    def reset(self) -> None:
        """As if nobody had asked."""
        with self._lock:
            for rate in self._rates:
                rate.bucket.fill()

    def refusal(self, exchange: Exchange) -> Problem | None:
        """Why a request is too much; None when it is not, and then it counts."""
        if exchange.request.method != "POST":
            return None
        problem = too_large(exchange, self._limits)
        if problem is not None:
            return problem
        needed = self._needed(exchange.prompt)
        with self._lock:
            problem = self._too_many() or self._too_fast(needed)
            if problem is None:
                self._begin(exchange, needed)
        return problem

    def _needed(self, prompt: Prompt) -> int:
        """As OpenAI counts ahead: what is asked, or what may be answered, whichever is more."""
        if not any(rate.of == "tokens" for rate in self._rates):
            return 0
        return max(self._tokens(prompt), most_tokens(prompt))

    def _too_many(self) -> Problem | None:
        most = self._limits.concurrency
        self._running = [frames for frames in self._running if frames.ended is None]
        if most is None or len(self._begun) + len(self._running) < most:
            return None
        why = f"Too many requests at the same time: {most} may be answered at once (concurrency). Try again in 1 s."
        return Problem(429, why, "rate_limit_exceeded", "requests", headers=(("retry-after", "1"),))

    def _too_fast(self, needed: int) -> Problem | None:
        """The refusal that lasts longest: who waits so long is let in."""
        waits = [(rate.bucket.wait(needed if rate.of == "tokens" else 1), rate) for rate in self._rates]
        wait, rate = max(waits, key=lambda pair: pair[0], default=(0.0, None))
        large = next((each for each in self._rates if each.of == "tokens" and needed > each.bucket.capacity), None)
        if large is not None:
            return _never(large, needed)
        return None if rate is None or wait <= 0 else _later(rate, wait)

    def _begin(self, exchange: Exchange, needed: int) -> None:
        for rate in self._rates:
            rate.bucket.take(needed if rate.of == "tokens" else 1)
        self._begun.add(exchange)

    # --- when it is answered ---

    def settled(self, exchange: Exchange, whole: Reply, reply: Reply) -> Reply:
        """The reply with what is left in its head. `whole` is the same before it was held back: it tells its tokens."""
        with self._lock:
            if exchange in self._begun:
                self._begun.discard(exchange)
                self._end(exchange, whole, reply)
            head = told(exchange, self._left())
        if not head:
            return reply
        names = {name for name, _ in head}
        kept = (pair for pair in reply.headers if pair[0] not in names)
        return replace(reply, headers=(*kept, *head))

    def _end(self, exchange: Exchange, whole: Reply, reply: Reply) -> None:
        if not isinstance(reply.frames, Sequence):
            self._running.append(reply.frames)
        needed = self._needed(exchange.prompt)
        if needed and not whole.live:
            usage = exchange.dialect.read_reply(whole).usage
            used = needed if usage is None else _total(usage.total, usage.input, usage.output)
            for rate in self._rates:
                rate.bucket.take(used - needed if rate.of == "tokens" else 0)

    def _left(self) -> list[Left]:
        """One of requests and one of tokens: of the minute where there is one, else of the longest time."""
        order = {"minute": 0, "day": 1, "second": 2}
        ordered = sorted(self._rates, key=lambda rate: order[rate.per])
        found = [next((rate for rate in ordered if rate.of == of), None) for of in ("requests", "tokens")]
        return [_left_of(rate) for rate in found if rate is not None]


def _rates(limits: Limits, clock: Callable[[], float]) -> list[_Rate]:
    wanted = (
        ("rps", "requests", "second", limits.rps, limits.burst),
        ("rpm", "requests", "minute", limits.rpm, None),
        ("rpd", "requests", "day", limits.rpd, None),
        ("tpm", "tokens", "minute", limits.tpm, None),
        ("tpd", "tokens", "day", limits.tpd, None),
    )
    return [
        _Rate(name, of, per, allowed, Bucket(burst or max(1.0, allowed), allowed / _SECONDS[per], clock))
        for name, of, per, allowed, burst in wanted
        if allowed is not None
    ]


def _left_of(rate: _Rate) -> Left:
    capacity, left = math.floor(rate.bucket.capacity), rate.bucket.left
    return Left(rate.of, capacity, max(0, math.floor(left + 1e-6)), rate.bucket.full_in)


def _total(total: int | None, asked: int | None, answered: int | None) -> int:
    return total if total is not None else (asked or 0) + (answered or 0)


def _later(rate: _Rate, wait: float) -> Problem:
    seconds = math.ceil(wait - 1e-6)
    why = f"Rate limit reached: {rate.allowed:g} {rate.of} a {rate.per} are allowed ({rate.name})."
    headers = (("retry-after", str(seconds)), ("retry-after-ms", str(math.ceil(wait * 1000 - 1e-6))))
    return Problem(429, f"{why} Try again in {seconds} s.", "rate_limit_exceeded", rate.of, headers=headers)


def _never(rate: _Rate, needed: int) -> Problem:
    """What is more than there ever is: to wait would not help."""
    why = f"Request too large: it needs {needed} tokens, and {rate.allowed:g} a {rate.per} are allowed ({rate.name})."
    return Problem(429, why, "rate_limit_exceeded", rate.of, headers=(("x-should-retry", "false"),))
