"""How an upstream is asked: in turn, and again when it was too busy."""

from __future__ import annotations

from collections.abc import Callable

from ..core.live import Live
from ..core.model import Reply, Request, Send
from .retries import Retries
from .turns import Turns
from .waits import Waits


class Patience:
    """Sends requests in their turn. A turn is kept while it is waited for another try, and to the end of a stream."""

    def __init__(
        self,
        send: Send,
        retries: Retries,
        *,
        most: int | None = None,
        waiting: int = 100,
        seconds: float = 600.0,
        pause: Callable[[float, Request], None] | None = None,
    ) -> None:
        self._send = send
        self._retries = retries
        self._waits = Waits()
        self._turns = Turns(most, waiting, self._waits, patience=seconds)
        self._pause = pause or self._waits.pause

    def send(self, request: Request) -> Reply:
        """Ask. Raises `UpstreamError`."""
        end = self._turns.take(request)
        try:
            reply = self._answered(request)
        except BaseException:
            end()
            raise
        if isinstance(reply.frames, Live):
            reply.frames.at_end(end)
        else:
            end()
        return reply

    def _answered(self, request: Request) -> Reply:
        """The answer, the last one where it took several tries."""
        tried, waited = 1, 0.0
        while True:
            reply = self._send(request)
            pause = self._retries.pause(reply, tried, waited)
            if pause is None:
                return reply
            if isinstance(reply.frames, Live):
                reply.frames.hang_up()
            self._pause(pause, request)
            tried, waited = tried + 1, waited + pause

    def close(self) -> None:
        """End all waiting."""
        self._waits.close()
