"""Which protocol a request is written in: most upstreams speak one and translate nothing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from ..core.model import Exchange

Protocol = Literal["openai", "anthropic", "ollama"]

SPOKEN: dict[Protocol, str] = {
    "openai": "OpenAI's protocol",
    "anthropic": "Anthropic's protocol",
    "ollama": "Ollama's protocol",
}
"""As it is told."""


def protocol_of(exchange: Exchange) -> Protocol | None:
    """None when nobody can tell, which is so of every route without a name."""
    operation = exchange.operation
    if operation.startswith("ollama."):
        return "ollama"
    if operation.partition(".")[0] == "messages":
        return "anthropic"
    if operation == "opaque" or exchange.request.header("anthropic-version"):
        return None
    return "openai"


def spoken(protocols: Sequence[Protocol]) -> str:
    """`OpenAI's protocol and Ollama's protocol`"""
    return " and ".join(SPOKEN[each] for each in protocols)
