"""The part of signing in that a person sees: a browser that is opened, an address that is pasted."""

from __future__ import annotations

import sys
import webbrowser
from collections.abc import Callable
from dataclasses import dataclass

import click

from ..errors import LoginError
from ..inbound.server import Server
from ..upstreams.http import Network
from ..upstreams.sign_in.account import Account
from ..upstreams.sign_in.attempt import CALLBACK, Attempt, Code, ForeignCallback
from ..upstreams.sign_in.callback import Callback
from ..upstreams.sign_in.session import Session

Say = Callable[[str], object]

_SECONDS_TO_COME = 2.0
"""For a browser that has just said that it is done."""


def sign_in(session: Session, say: Say, *, browser: bool, again: bool, seconds: float) -> Account:
    """Have somebody sign in with a browser. Raises `LoginError` and `UpstreamError`."""
    callback, network = Callback(), Network()
    try:
        with Server(callback.handle) as loopback:
            redirect_uri = loopback.url + CALLBACK
            server, attempt, url = session.begin(redirect_uri, network.send, again=again)
            back = _Back(callback, attempt, server.issuer)
            callback.expect(redirect_uri, back.read)
            code = _code(back, url, say, browser=browser, seconds=seconds)
            return session.finish(server, attempt, code, network.send)
    finally:
        network.close()


@dataclass(frozen=True, slots=True)
class _Back:
    """The two ways in which a browser may come back."""

    callback: Callback
    attempt: Attempt
    issuer: str

    def read(self, query: str) -> Code:
        return self.attempt.read(query, self.issuer)

    def pasted(self, url: str) -> Code:
        return self.attempt.read_pasted(url, self.issuer)


def _code(back: _Back, url: str, say: Say, *, browser: bool, seconds: float) -> Code:
    opened = browser and _opens(url, say)
    if not opened:
        say(f"Continue with ChatGPT: open this address in a browser, on this machine or on another.\n\n  {url}\n")
        if sys.stdin.isatty():
            return _pasted(back, say)
    say(f"Waiting for the browser, at most {seconds:g} seconds; Ctrl-C ends it.")
    code = back.callback.wait(seconds)
    if code is None:
        raise LoginError(
            f"The browser did not come back within {seconds:g} seconds. Begin again, with a longer --timeout, "
            "or in a terminal with --no-browser when the browser is on another machine."
        )
    return code


def _opens(url: str, say: Say) -> bool:
    say(f"Continue with ChatGPT in the browser. If none opens, open this address:\n\n  {url}\n")
    return webbrowser.open(url)


def _pasted(back: _Back, say: Say) -> Code:
    """Ask until there is an answer; the browser of this machine may come by itself meanwhile."""
    say(
        "When the browser says that it is done, press Enter. When it ends at an address that it cannot show, because "
        "it runs on another machine, copy that address to here. It begins with\n\n  " + back.attempt.redirect_uri + "\n"
    )
    while True:
        told = click.prompt("Address, or Enter", default="", show_default=False, err=True)
        try:
            code = back.pasted(told) if told.strip() else back.callback.wait(_SECONDS_TO_COME)
        except ForeignCallback as error:
            say(str(error))
            continue
        if code is not None:
            return code
        say("The browser has not come back yet.")
