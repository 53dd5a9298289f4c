"""An address that somebody gave us: a proxy, a gateway, a local server. It is asked as its client asked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from urllib.parse import urlsplit, urlunsplit

from ..core.model import Exchange, Headers, Reply, Send
from ..errors import UsageError
from .credentials import DUMMY_KEY, KEY_HEADERS, is_dummy, without_choice, without_dummies
from .places import below, place

__all__ = ["DUMMY_KEY", "KEY_VARIABLE", "BaseURL", "at", "is_dummy", "place"]

KEY_VARIABLE = "LLMMOCK_UPSTREAM_API_KEY"
"""Holds the key for a base URL, where the client's own is not the right one."""


@dataclass(frozen=True, slots=True)
class BaseURL:
    """An upstream that is asked what the client asked, at another address."""

    NAME: str
    BASE_URL: str
    key: str = field(default="", repr=False)
    """Sent in place of the client's, if it is set."""

    def forward(self, exchange: Exchange, send: Send) -> Reply:
        request = exchange.sent
        origin, path = place(self.BASE_URL, below(exchange))
        query, headers = without_choice(request.query), self.credentials(request.headers)
        return send(replace(request, origin=origin, path=path, query=query, headers=headers))

    def credentials(self, headers: Headers) -> Headers:
        """The client's headers with the key that this upstream wants."""
        if self.key:
            others = tuple(pair for pair in headers if pair[0] not in KEY_HEADERS)
            given = {name for name, _ in headers}
            used = next((name for name in KEY_HEADERS if name in given), "authorization")
            return (*others, (used, f"Bearer {self.key}" if used == "authorization" else self.key))
        return without_dummies(headers)


def at(url: str, environ: Mapping[str, str]) -> BaseURL:
    """The upstream at a base URL. Raises `UsageError`."""
    return BaseURL(NAME=name_of(url), BASE_URL=url.rstrip("/"), key=environ.get(KEY_VARIABLE, ""))


def name_of(url: str) -> str:
    """The address as it may be told, without what is secret in it. Raises `UsageError` for one without a host."""
    parts = urlsplit(url)
    if not parts.hostname:
        raise UsageError(f"The upstream {url!r} has no host. A base URL looks like http://127.0.0.1:8000/v1.")
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path.rstrip("/"), "", ""))
