from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from pytest_llmmock import dialects
from pytest_llmmock.core.model import Exchange, Reply, Request, json_reply
from pytest_llmmock.upstreams.http import Network


class Sent:
    """A network that notes what it is to send, and answers nothing of interest."""

    def __init__(self) -> None:
        self.requests: list[Request] = []
        self.reply = json_reply({"ok": True})

    def __call__(self, request: Request) -> Reply:
        self.requests.append(request)
        return self.reply

    @property
    def request(self) -> Request:
        """The one request that was sent."""
        (request,) = self.requests
        return request


@pytest.fixture
def network() -> Iterator[Network]:
    network = Network()
    yield network
    network.close()


@pytest.fixture
def send() -> Sent:
    return Sent()


@pytest.fixture
def asked() -> Callable[..., Exchange]:
    """A chat request as it came in, on its way to an upstream."""

    def asked(path: str = "/v1/chat/completions", *headers: tuple[str, str], **more: object) -> Exchange:
        values = {"method": "POST", "origin": "http://localhost", "body": b'{"model": "m"}', **more}
        return dialects.read(Request(path=path, headers=headers, **values))  # type: ignore[arg-type]

    return asked
