"""Whose rules hold: those of the API whose types an SDK has, or of another one that speaks its protocol."""

from __future__ import annotations

from typing import Literal

from ..core.model import Exchange
from ..core.providers import is_provider, matches

Home = Literal["own", "provider", "server"]
"""The API that a package is for; another provider's; a server that anybody runs."""

HOMES = {
    "openai": ("api.openai.com", "*.api.openai.com"),
    "anthropic": ("api.anthropic.com",),
    "ollama": ("*",),
}
"""Package -> the hosts of its API. Azure's has parameters of its own, and versions that lag behind."""

OWN = ("", "original", "codex", "chatgpt")
"""Upstreams, by their names, that stand for the API itself."""


SERVERS = ("ollama",)
"""Those that anybody runs, whatever protocol they are asked in."""


def home_of(exchange: Exchange, package: str, upstream: str) -> Home:
    """Who is behind this request.

    What comes to our own server is meant for whatever would stand in its place: the upstream, if one is named.
    """
    if exchange.request.base and "://" not in upstream:
        return "own" if upstream in (*OWN, package) else "server" if upstream in SERVERS else "provider"
    host = _host(upstream) if exchange.request.base else exchange.request.host
    if matches(host, HOMES[package]):
        return "own"
    return "provider" if is_provider(host) else "server"


def _host(url: str) -> str:
    authority = url.partition("://")[2].partition("/")[0].rpartition("@")[2]
    return authority.partition(":")[0].lower()
