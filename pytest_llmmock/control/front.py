"""What a server of ours does beside answering for a model: it is controlled, tells its health, counts."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..core.engine import Engine
from ..core.model import Exchange, Reply, Request, json_reply
from ..deck import Deck
from . import Control
from .metrics import Metrics, metrics_reply


class Front:
    """One deck, as a server shows it."""

    def __init__(self, deck: Deck, engine: Engine) -> None:
        self._control = Control(deck)
        self._answer = engine.handle

    def handle(self, request: Request) -> Reply:
        """The reply to a request of a client, or of whoever controls the server."""
        return self._control.handle(request) if self._control.takes(request) else self._answer(request)


class Health:
    """What a server by itself says of itself. No key is asked for it."""

    def __init__(self, told: Callable[[], dict[str, Any]]) -> None:
        """`told` is what `/health` tells beside that all is well."""
        self._told = told
        self._metrics = Metrics()

    def note(self, exchange: Exchange, reply: Reply, made: Reply) -> None:
        """Count an answer."""
        self._metrics.note(exchange, reply, made)

    def answer(self, request: Request, paths: tuple[str, ...]) -> Reply | None:
        """The answer, when it is asked for at one of these paths."""
        if request.path not in paths or request.method not in ("GET", "HEAD"):
            return None
        if request.path == "/metrics":
            return metrics_reply(self._metrics)
        return json_reply({"ok": True} if request.path == "/healthz" else {"status": "ok", **self._told()})


PATHS = ("/health", "/healthz", "/metrics")
