"""Requests as Responses wants them, and Responses' streams as the client asked for them."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

from ..core.live import Live
from ..core.model import Exchange, Problem, Reply
from ..dialects import conversion
from ..dialects.fields import mapping
from ..errors import UpstreamError


@dataclass(frozen=True, slots=True)
class Translated:
    """The body of a Responses request that asks for the same."""

    body: dict[str, Any]
    notes: list[str] = field(default_factory=list)
    """What could not be said in it, in words for the journal."""


def as_responses(exchange: Exchange) -> Translated:
    """What a request asks, as Responses would be asked, streamed and kept by nobody. Raises `UpstreamError`."""
    if exchange.operation != "responses":
        raise UpstreamError(
            f"This upstream speaks Responses, and cannot answer {exchange.target} ({exchange.operation}). "
            "Record it from another one."
        )
    return Translated({**mapping(exchange.json), "stream": True, "store": False})


def as_asked(exchange: Exchange, reply: Reply, *, reasoning: str = "off") -> Reply:
    """A stream of Responses in the client's own protocol, and whole where it asked for no stream.

    Raises `UpstreamError` when a stream breaks off that has to be whole.
    """
    if exchange.prompt.stream:
        return reply
    if isinstance(reply.frames, Live):
        reply.frames.take()
        if not reply.frames.whole:
            raise UpstreamError(reply.frames.failure or "The upstream's answer broke off.")
    whole = exchange.dialect.convert(exchange.prompt, replace(reply, frames=list(reply.arrived), live=False))
    if whole is None:
        raise UpstreamError("The upstream's answer is not whole: items are missing in it.")
    return _failed(exchange, whole)


def _failed(exchange: Exchange, whole: Reply) -> Reply:
    """A response that failed, as the error that a client knows how to handle."""
    error = mapping(mapping(whole.json()).get("error"))
    if whole.status >= 400 or not error:
        return whole
    code, message = str(error.get("code") or "server_error"), str(error.get("message") or "The model failed.")
    return exchange.dialect.write_error(Problem(conversion.status_named(error), message, code, "server_error"))
