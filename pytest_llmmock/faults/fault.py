"""One thing that goes wrong: an error in place of an answer, or a change of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from ..core.model import Exchange, Problem, Reply

Change = Callable[[Exchange, Reply], Reply]


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that goes wrong."""

    name: str
    """As it is told: `cut(after_events=5)`."""
    refusal: Problem | None = None
    """What is answered instead."""
    alter: Change | None = None
    """What becomes of the answer."""
    draw: Callable[[int], Fault | None] | None = None
    """Which fault the n-th call meets, if any."""

    def change(self, exchange: Exchange, reply: Reply) -> Reply:
        return reply if self.alter is None else self.alter(exchange, reply)


def changed(change: Callable[..., Reply], *arguments: Any) -> Change:
    """A change that needs to know the reply only."""
    return lambda exchange, reply: change(reply, *arguments)


def rate_limit(retry_after: float) -> Fault:
    headers = (("retry-after", f"{retry_after:g}"), ("retry-after-ms", "1"))
    problem = Problem(
        429, "Rate limit reached (a fault of this test).", "rate_limit_exceeded", "requests", None, headers
    )
    return Fault(f"rate_limit(retry_after={retry_after:g})", problem)


def server_error(status: int) -> Fault:
    message = "The server is overloaded or not ready (a fault of this test)."
    headers = (("retry-after-ms", "1"),)
    return Fault(f"server_error(status={status})", Problem(status, message, None, "server_error", headers=headers))
