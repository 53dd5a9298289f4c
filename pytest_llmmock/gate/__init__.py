"""What stands before all that answers: who may ask, and how much."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cache

from ..core.model import Exchange, Problem, Reply
from ..core.prompt import Prompt
from ..errors import UsageError
from .allowance import Allowance
from .limits import Limits, read_limits
from .tokens import Tokens, read_lock_out, read_tokens


class Gate:
    """The first source: it refuses who has no key and who asks for too much. Behind it nobody sees the key."""

    def __init__(self, tokens: Tokens, allowance: Allowance, *, stands: bool = True) -> None:
        self.tokens = tokens
        self._allowance = allowance
        self.stands = stands
        """Whether it ever refuses anything."""

    def answer(self, exchange: Exchange) -> Reply | None:
        """The refusal, or None when the request may go on."""
        problem = self.tokens.refusal(exchange.request.headers)
        if problem is None:
            self._hide(exchange)
            problem = self._allowance.refusal(exchange)
        return None if problem is None else refused(exchange, problem)

    def _hide(self, exchange: Exchange) -> None:
        """Let nobody behind the gate see the key: the journal tells headers, and an upstream is sent them."""
        for message in ("request", "sent"):
            request = getattr(exchange, message)
            headers = self.tokens.hidden(request.headers)
            if headers != request.headers:
                setattr(exchange, message, replace(request, headers=headers))

    def pass_out(self, exchange: Exchange, reply: Reply, deliver: Callable[[Exchange, Reply], Reply]) -> Reply:
        """The reply as it is delivered, and with what is left of the limits in its head."""
        return self._allowance.settled(exchange, reply, deliver(exchange, reply))

    def reset(self) -> None:
        """Begin anew: nobody has asked for anything, and nobody had a wrong key."""
        self.tokens.reset()
        self._allowance.reset()


def gate_of(
    auth_token: str | Sequence[str],
    lock_out: str,
    limits: str,
    *,
    dummy: str,
    count: Callable[[Prompt], int],
    clock: Callable[[], float] = time.monotonic,
) -> Gate:
    """The gate of these settings. `dummy` is seen in place of a right key; `count` estimates the tokens of a prompt.

    Raises `UsageError`.
    """
    if not auth_token and not lock_out and not limits:
        return _open()
    tokens, allowed = read_tokens(auth_token), read_limits(limits)
    if lock_out and not tokens:
        raise UsageError(f"lock_out={lock_out!r} is for wrong keys, and none is asked for: say auth_token as well.")
    gate = Tokens(tokens, dummy, read_lock_out(lock_out), clock), Allowance(allowed, count, clock)
    return Gate(*gate, stands=bool(tokens) or allowed != Limits())


@cache
def _open() -> Gate:
    """The gate of nearly all tests, which lets everybody pass: one does for all, for nobody ever comes to it."""
    return Gate(
        Tokens((), "", None, time.monotonic), Allowance(Limits(), lambda prompt: 0, time.monotonic), stands=False
    )


def refused(exchange: Exchange, problem: Problem) -> Reply:
    """A refusal in the protocol's own shape, which no recording gave."""
    reply = exchange.dialect.write_error(problem)
    reply.source = "script"
    return reply
