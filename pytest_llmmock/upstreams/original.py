"""Where the client was going, with the client's own credentials."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from ..core.model import Exchange, Reply, Send
from .credentials import is_dummy, without_dummies


@dataclass(frozen=True, slots=True)
class Original:
    """Asks the address that the client asked."""

    NAME: str = "original"
    BASE_URL: str = ""

    def forward(self, exchange: Exchange, send: Send) -> Reply:
        request = exchange.sent
        if any(map(is_dummy, request.headers)):
            request = replace(request, headers=without_dummies(request.headers))
        return send(request)


def upstream(environ: Mapping[str, str]) -> Original:
    return Original()
