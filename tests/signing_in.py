"""A user who signs in: at a stand-in for the sign-in server, with a browser that is played."""

from __future__ import annotations

import time
from collections.abc import Mapping

import httpx
from sign_in_server import browse

from pytest_llmmock.core.model import Send
from pytest_llmmock.inbound.server import Server as Loopback
from pytest_llmmock.upstreams.sign_in.account import Account
from pytest_llmmock.upstreams.sign_in.attempt import CALLBACK
from pytest_llmmock.upstreams.sign_in.callback import Callback
from pytest_llmmock.upstreams.sign_in.session import Session

PATIENCE = 20


class Clock:
    """The time, as a test wants it: it begins now, for others look at the real one."""

    def __init__(self) -> None:
        self.ahead = 0.0

    def __call__(self) -> float:
        return time.time() + self.ahead


class User:
    """Has a browser on the machine on which the program runs."""

    def __init__(self, environ: Mapping[str, str], clock: Clock, send: Send) -> None:
        self.environ = dict(environ)
        self.clock = clock
        self.send = send
        self.callback = Callback()
        self.loopback = Loopback(self.callback.handle)
        self.page: httpx.Response | None = None

    def __enter__(self) -> User:
        self.loopback.start()
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.loopback.stop()

    @property
    def session(self) -> Session:
        """As a process that is started now has it."""
        session = Session.of(self.environ)
        session._now = self.clock
        return session

    @property
    def redirect_uri(self) -> str:
        return self.loopback.url + CALLBACK

    def begins(self, **more: bool) -> str:
        """Where the browser is sent."""
        session = self.session
        self.server, self.attempt, url = session.begin(self.redirect_uri, self.send, **more)
        self.callback.expect(self.redirect_uri, lambda query: self.attempt.read(query, self.server.issuer))
        return url

    def comes_back(self) -> Account:
        code = self.callback.wait(PATIENCE)
        assert code is not None
        return self.session.finish(self.server, self.attempt, code, self.send)

    def signs_in(self, **more: bool) -> Account:
        self.callback.__init__()  # type: ignore[misc] - a new attempt
        self.page = browse(self.begins(**more))
        return self.comes_back()
