"""A stand-in of tests as a server on loopback, for the time of a block."""

from __future__ import annotations

import threading
from typing import Self

from pytest_llmmock.core.model import Reply, Request
from pytest_llmmock.inbound.server import Server


class Serving:
    """Notes what it is asked; what it answers, and when, is for the stand-in to say."""

    def __init__(self) -> None:
        self.requests: list[Request] = []
        self.release = threading.Event()
        """Cleared by tests that want answers to wait in the middle."""
        self.release.set()
        self._server = Server(self.handle)

    def handle(self, request: Request) -> Reply:
        raise NotImplementedError

    def __enter__(self) -> Self:
        self._server.start()
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.release.set()
        self._server.stop()

    @property
    def url(self) -> str:
        return self._server.url
