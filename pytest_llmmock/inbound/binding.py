"""The socket on which the server listens, or why there is none."""

from __future__ import annotations

import os
import socket
from errno import EADDRNOTAVAIL

from ..errors import ServerError

_BACKLOG = 128
_ANOTHER_PORT = "Choose another port (--port), or 0 for any that is free."
_ANOTHER_HOST = "Choose an address of this machine (--host): 127.0.0.1 is for itself only, 0.0.0.0 for everyone."


def bind(host: str, port: int, *, shared: bool = False, listens: bool = True) -> socket.socket:
    """The socket. `shared` says that other processes of ours listen there too. Raises `ServerError`.

    One that does not listen only finds out whether it could: no client can connect to it.
    """
    if not 0 <= port < 1 << 16:
        raise ServerError(_explain(host, port, "There is no such port", _ANOTHER_PORT))
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        if not listens:
            return _bound(host, port, family)
        return socket.create_server((host, port), family=family, backlog=_BACKLOG, reuse_port=shared)
    except socket.gaierror as error:
        raise ServerError(_explain(host, port, error.strerror, _ANOTHER_HOST)) from error
    except OSError as error:
        fix = _ANOTHER_HOST if error.errno == EADDRNOTAVAIL else _ANOTHER_PORT
        why = os.strerror(error.errno) if error.errno else str(error)
        raise ServerError(_explain(host, port, why, fix)) from error


def _bound(host: str, port: int, family: socket.AddressFamily) -> socket.socket:
    """As `create_server` makes one, which always listens. Raises `OSError`."""
    sock = socket.socket(family)
    try:
        if os.name == "posix":
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        sock.bind((host, port))
    except OSError:
        sock.close()
        raise
    return sock


def _explain(host: str, port: int, why: object, fix: str) -> str:
    return f"The server cannot listen on {host}, port {port}: {why}.\n\nTo fix it:\n  * {fix}"
