"""Whether a request goes to the API whose types an SDK has, or to another one that speaks its protocol."""

from __future__ import annotations

from ..core.model import Exchange
from ..core.providers import matches

HOMES = {
    "openai": ("api.openai.com", "*.api.openai.com"),
    "anthropic": ("api.anthropic.com",),
    "ollama": ("*",),
}
"""Package -> the hosts of its API. Azure's has parameters of its own, and versions that lag behind."""


def is_home(exchange: Exchange, package: str, upstream: str) -> bool:
    """Whether the API behind this request is the one that the package is for.

    What comes to our own server is meant for whatever would stand in its place: the upstream, if one is named.
    """
    if exchange.request.base:
        return _is_home_of(upstream, package)
    return matches(exchange.request.host, HOMES[package])


def _is_home_of(upstream: str, package: str) -> bool:
    """An upstream by its name, or by its address."""
    host = upstream.partition("://")[2].partition("/")[0].rpartition("@")[2].partition(":")[0].lower()
    return matches(host, HOMES[package]) if host else upstream in ("", "original", package)
