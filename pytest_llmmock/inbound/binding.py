"""The socket on which the server listens, or why there is none."""

from __future__ import annotations

import os
import socket
from errno import EADDRNOTAVAIL

from ..errors import ServerError

_BACKLOG = 128
_ANOTHER_PORT = "Choose another port (--port), or 0 for any that is free."
_ANOTHER_HOST = "Choose an address of this machine (--host): 127.0.0.1 is for itself only, 0.0.0.0 for everyone."


def bind(host: str, port: int, *, shared: bool = False) -> socket.socket:
    """The socket. `shared` says that other processes of ours listen there too. Raises `ServerError`."""
    if not 0 <= port < 1 << 16:
        raise ServerError(_explain(host, port, "There is no such port", _ANOTHER_PORT))
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=_BACKLOG, reuse_port=shared)
    except socket.gaierror as error:
        raise ServerError(_explain(host, port, error.strerror, _ANOTHER_HOST)) from error
    except OSError as error:
        fix = _ANOTHER_HOST if error.errno == EADDRNOTAVAIL else _ANOTHER_PORT
        why = os.strerror(error.errno) if error.errno else str(error)
        raise ServerError(_explain(host, port, why, fix)) from error


def _explain(host: str, port: int, why: object, fix: str) -> str:
    return f"The server cannot listen on {host}, port {port}: {why}.\n\nTo fix it:\n  * {fix}"
