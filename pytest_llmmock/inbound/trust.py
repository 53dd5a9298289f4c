"""The certificates that clients trust, read when a connection needs them: replay makes none.

A client of httpx or httpx2 reads all of them when it is made. That takes about forty milliseconds, and is nearly all
that a test with a client of its own would spend with us.
"""

from __future__ import annotations

import os
import ssl
import threading
from collections.abc import Callable
from typing import Any


class Deferred(ssl.SSLContext):
    """Stands for a context that is made at the first look at it, and from then on is that one."""

    _llmmock_made: Made

    def __new__(cls, make: Callable[[], ssl.SSLContext]) -> Deferred:
        context = super().__new__(cls, ssl.PROTOCOL_TLS_CLIENT)
        object.__setattr__(context, "_llmmock_made", Made(make))
        return context

    def __init__(self, make: Callable[[], ssl.SSLContext]) -> None:
        """All is done in `__new__`, as in the class above."""

    def __getattribute__(self, name: str) -> Any:
        if name == "__class__":
            return Deferred  # who asks for the class only, asks for no certificate
        return getattr(object.__getattribute__(self, "_llmmock_made").context(), name)

    def __setattr__(self, name: str, value: Any) -> None:
        setattr(object.__getattribute__(self, "_llmmock_made").context(), name, value)


class Made:
    """What is made once, by whoever needs it first."""

    def __init__(self, make: Callable[[], ssl.SSLContext]) -> None:
        self._make = make
        self._context: ssl.SSLContext | None = None
        self._lock = threading.Lock()

    def context(self) -> ssl.SSLContext:
        with self._lock:
            if self._context is None:
                self._context = self._make()
            return self._context


def _deferring(module: object, original: Callable[..., ssl.SSLContext]) -> Callable[..., ssl.SSLContext]:
    """The library's own function, called later where it is asked for nothing but what this machine trusts."""

    def create_ssl_context(*args: Any, **options: Any) -> ssl.SSLContext:
        if args or "trust_env" not in options or not _is_default(**options):
            return original(*args, **options)
        if not options["trust_env"]:
            return Deferred(lambda: original(**options))
        return _as_named(lambda trust_env: original(**{**options, "trust_env": trust_env}))

    return create_ssl_context


def _is_default(verify: object = True, cert: object = None, trust_env: object = True, **others: object) -> bool:
    return verify is True and cert is None and not others


def _as_named(original: Callable[[bool], ssl.SSLContext]) -> ssl.SSLContext:
    """What the environment names now is trusted, whatever it names when a connection is made."""
    file, folder = (os.environ.get(name) for name in ("SSL_CERT_FILE", "SSL_CERT_DIR"))
    if not file and not folder:
        return Deferred(lambda: original(False))
    if not os.path.exists(file or folder or ""):
        return original(True)  # says so at once
    if file:
        return Deferred(lambda: ssl.create_default_context(cafile=file))
    return Deferred(lambda: ssl.create_default_context(capath=folder))


_CREATE = (("", "create_ssl_context", _deferring),)

PATCHES = {"httpx._transports.default": _CREATE, "httpx2._transports.default": _CREATE}
