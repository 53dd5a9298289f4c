"""Where the client was going, with the client's own credentials."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ..core.model import Exchange, Reply, Send


@dataclass(frozen=True, slots=True)
class Original:
    """Asks the address that the client asked."""

    NAME: str = "original"
    BASE_URL: str = ""

    def forward(self, exchange: Exchange, send: Send) -> Reply:
        return send(exchange.sent)


def upstream(environ: Mapping[str, str]) -> Original:
    return Original()
