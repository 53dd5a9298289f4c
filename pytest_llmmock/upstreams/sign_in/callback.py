"""The address on this machine to which the browser comes back, as a function of requests."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from urllib.parse import urlsplit

from ...core.live import Live
from ...core.model import Frame, Reply, Request
from ...errors import LoginError
from .attempt import CALLBACK, Code, ForeignCallback

_PAGE = """<!doctype html><html lang="en"><meta charset="utf-8"><title>pytest-llmmock</title>
<style>body {{ font: 1.1rem sans-serif; margin: 20vh auto; max-width: 34rem }}</style>
<h1>{head}</h1><p>{text}</p></html>
"""

_HEADERS = (
    ("content-type", "text/html; charset=utf-8"),
    ("cache-control", "no-store"),
    ("content-security-policy", "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'"),
    ("referrer-policy", "no-referrer"),
    ("x-content-type-options", "nosniff"),
)

_SECONDS_TO_LEAVE = 0.2

_BACK = "Go back to the terminal; this page can be closed."


class Callback:
    """Takes the browser once. Whoever else comes is turned away, and changes nothing."""

    def __init__(self) -> None:
        self._origin = ""
        self._read: Callable[[str], Code] | None = None
        self._lock = threading.Lock()
        self._came = threading.Event()
        self._result: Code | LoginError | None = None

    def expect(self, redirect_uri: str, read: Callable[[str], Code]) -> None:
        """From now on the browser may come to this address; `read` reads its query."""
        self._origin = urlsplit(redirect_uri).netloc
        self._read = read

    def handle(self, request: Request) -> Reply:
        """A page without a token, a code or a script."""
        if request.header("host") != self._origin:  # a page elsewhere has had its own name point here
            return _page(421, "Not here", "This address is for this machine's own browser.")
        if request.path != CALLBACK or self._read is None:
            return _page(404, "Nothing here", "This is where a browser comes back from signing in.")
        if request.method != "GET":
            return _page(405, "Not like this", "A browser comes back with GET.", ("allow", "GET"))
        with self._lock:
            return self._take(request.query, self._read)

    def _take(self, query: str, read: Callable[[str], Code]) -> Reply:
        if self._result is not None:
            return _page(410, "This was done before", _BACK)
        try:
            self._result = read(query)
            return self._last(_page(200, "The browser is done", _BACK))
        except ForeignCallback:
            return _page(400, "This is not the sign-in that was begun", "Begin again in the terminal.")
        except LoginError as error:
            self._result = error
            return self._last(_page(400, "The sign-in was refused", _BACK))

    def _last(self, page: Reply) -> Reply:
        """The page with which the waiting ends, and not before the browser has it: then nobody listens any more."""
        live = Live([page.body], self._ends_soon, since=time.monotonic())
        return Reply(page.status, page.headers, live, source="script", live=True)

    def _ends_soon(self) -> None:
        """Behind the page comes the end of the reply, which nobody tells us of."""
        threading.Timer(_SECONDS_TO_LEAVE, self._came.set).start()

    def wait(self, seconds: float) -> Code | None:
        """What the browser has brought; None when it did not come in time. Raises `LoginError` when it was refused."""
        if not self._came.wait(seconds):
            return None
        if isinstance(self._result, LoginError):
            raise self._result
        return self._result


def _page(status: int, head: str, text: str, *headers: tuple[str, str]) -> Reply:
    body = _PAGE.format(head=head, text=text).encode()
    return Reply(status, (*_HEADERS, *headers), [Frame(body)], source="script")
