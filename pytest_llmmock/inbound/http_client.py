"""http.client in process, and with it all that is built on it: urllib, urllib3, requests, botocore, httplib2.

A request that is ours gets a wire for a socket. From there on the client does what it always does.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from .doors import Door, Patch, door_for, door_to, origin
from .wire import Wire

_ABSOLUTE = re.compile(r"(https?)://(?:[^/@]*@)?(\[[^\]]*\]|[^/:?]*)(?::(\d+))?", re.IGNORECASE)


def _putrequest(connection: type, original: Callable[..., Any]) -> Callable[..., Any]:
    """Where every request begins, whatever it is sent with."""

    def putrequest(self: Any, method: str, url: str, *arguments: Any, **options: Any) -> Any:
        _choose(self, method, url)
        return original(self, method, url, *arguments, **options)

    return putrequest


def _make_request(pool: type, original: Callable[..., Any]) -> Callable[..., Any]:
    """urllib3 connects before the request begins: here both are known."""

    def make_request(self: Any, connection: Any, method: str, url: str, *arguments: Any, **options: Any) -> Any:
        _choose(connection, method, url)
        return original(self, connection, method, url, *arguments, **options)

    return make_request


def _connect(connection: type, original: Callable[..., Any]) -> Callable[..., Any]:
    """To a host whose every request is ours nobody connects, nor to the proxy that leads there."""

    def connect(self: Any, *arguments: Any, **options: Any) -> Any:
        scheme, host, port = _target(self, "")
        door = door_to(host)
        if door is None:
            return original(self, *arguments, **options)
        return _lay(self, door, origin(scheme, host, port))

    return connect


def _choose(connection: Any, method: str, url: str) -> None:
    """A wire for what is ours. The client's own socket, if there is one, is not needed; nor is a wire for the rest."""
    scheme, host, port = _target(connection, url)
    door = door_for(method.upper(), host, _path(url))
    if door is not None:
        _lay(connection, door, origin(scheme, host, port))
    elif isinstance(connection.sock, Wire):
        connection.sock = None


def _lay(connection: Any, door: Door, target: str) -> None:
    if connection.sock is not None:
        connection.sock.close()
    connection.sock = Wire(door, target)
    if hasattr(connection, "is_verified"):
        connection.is_verified = True  # else urllib3 warns that nobody looked at a certificate


def _target(connection: Any, url: str) -> tuple[str, str, int | None]:
    """Scheme, host and port: those of an absolute address as a proxy is asked, else of the tunnel, else its own."""
    absolute = _ABSOLUTE.match(url)
    if absolute is not None:
        return absolute[1].lower(), absolute[2].strip("[]"), int(absolute[3]) if absolute[3] else None
    scheme = "https" if connection.default_port == 443 else "http"
    if connection._tunnel_host:
        return scheme, connection._tunnel_host.strip("[]"), connection._tunnel_port
    return scheme, connection.host.strip("[]"), connection.port


def _path(url: str) -> str:
    absolute = _ABSOLUTE.match(url)
    path = (url[absolute.end() :] if absolute else url).partition("?")[0].partition("#")[0]
    return path if path.startswith("/") else "/" + path


_PLAIN: tuple[Patch, ...] = (("HTTPConnection", "connect", _connect), ("HTTPSConnection", "connect", _connect))

PATCHES: dict[str, tuple[Patch, ...]] = {
    "http.client": (("HTTPConnection", "putrequest", _putrequest), *_PLAIN),
    "urllib3.connection": _PLAIN,
    "urllib3.connectionpool": (("HTTPConnectionPool", "_make_request", _make_request),),
    "httplib2": (
        ("HTTPConnectionWithTimeout", "connect", _connect),
        ("HTTPSConnectionWithTimeout", "connect", _connect),
    ),
}
