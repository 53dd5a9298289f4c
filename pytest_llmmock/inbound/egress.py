"""The egress guard: a connection to a model provider that no way in took is stopped, and told.

It listens to Python's own audit events (https://docs.python.org/3/library/audit_events.html), so it patches nothing
and sees every thread and library that goes through the standard library. A hook cannot be taken out again: it is
put in with the first guard that is armed, and after that costs one look into a dictionary for each event.
"""

from __future__ import annotations

import re
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from ..errors import EgressError
from .wire import Wire

Target = tuple[object, object]
"""Host and port, as an event tells them."""

_ABSOLUTE = re.compile(rb"[A-Z]+ https?://(?:[^/@ ]*@)?(\[[^\]]*\]|[^/:? ]*)(?::(\d+))?")


@dataclass(eq=False)
class Guard:
    """While it is armed, no connection goes to the hosts that it watches."""

    watches: Callable[[str], bool] | None
    """Whether a host, in lower case, must not be reached; None to let all pass, whatever other guards say."""
    tell: Callable[[str], object]
    """Told, in words, of each connection that was stopped."""
    why: str = ""
    """Why no way in took it."""
    gives_way: bool = False
    """Whether it ends when another one is armed."""

    def __enter__(self) -> Guard:
        _GUARDS.arm(self)
        return self

    def __exit__(self, *exc_info: object) -> None:
        _GUARDS.disarm(self)


class _Guards:
    """The guards of this process that are armed. The one that was armed last is told."""

    def __init__(self) -> None:
        self._armed: tuple[Guard, ...] = ()
        self._lock = threading.Lock()
        self._listening = False

    def arm(self, guard: Guard) -> None:
        with self._lock:
            self._armed = (*(each for each in self._armed if not each.gives_way), guard)
            if guard.watches is not None and not self._listening:
                self._listening = True
                sys.addaudithook(_hook)

    def disarm(self, guard: Guard) -> None:
        with self._lock:
            self._armed = tuple(each for each in self._armed if each is not guard)

    def meet(self, target: Target | None) -> None:
        """Let a connection pass, or stop it. Raises `EgressError`."""
        armed = self._armed
        if not armed or target is None:
            return
        host = _name(target[0])
        if host and all(guard.watches is not None and guard.watches(host) for guard in armed):
            text = explain(host, target[1], [guard.why for guard in armed])
            armed[-1].tell(text)
            raise EgressError(text)


_GUARDS = _Guards()


def _hook(event: str, arguments: tuple[Any, ...]) -> None:
    """Called for every event of the process: imports, files, everything."""
    if event in _WATCHED:
        _GUARDS.meet(_WATCHED[event](*arguments))


# --- where a connection goes ----------------------------------------------------------------------------


def _looked_up(host: object, port: object = None, *_: object) -> Target:
    return host, port


def _connected(sock: object, address: object) -> Target | None:
    """A socket's address: host and port, or the path of a Unix socket."""
    return (address[0], address[1]) if isinstance(address, tuple) and len(address) > 1 else None


def _opened(connection: Any, host: object, port: object) -> Target:
    """http.client's connection; behind a proxy the host it asks the proxy for."""
    tunnel = getattr(connection, "_tunnel_host", None)
    return (tunnel, getattr(connection, "_tunnel_port", None)) if tunnel else (host, port)


def _sent(connection: Any, data: object) -> Target | None:
    """What goes over http.client's connection, also over one that was opened before the guard was armed."""
    if isinstance(connection.sock, Wire):
        return None
    asked = _ABSOLUTE.match(data) if isinstance(data, bytes) else None
    if asked is not None:  # as a proxy is asked
        return asked[1], asked[2]
    return _opened(connection, connection.host, connection.port)


_WATCHED: dict[str, Callable[..., Target | None]] = {
    "socket.getaddrinfo": _looked_up,
    "socket.gethostbyname": _looked_up,
    "socket.connect": _connected,
    "http.client.connect": _opened,
    "http.client.send": _sent,
}
"""Event -> what reads from its arguments where it leads."""


def _name(host: object) -> str:
    """A host as it is compared: lower case, without the dot that may end it and the brackets around an address."""
    text = host.decode("latin-1") if isinstance(host, bytes) else host
    return text.lower().rstrip(".").strip("[]") if isinstance(text, str) else ""


# --- what is told ---------------------------------------------------------------------------------------


def explain(host: str, port: object, reasons: list[str]) -> str:
    """What was stopped, who asked for it, why no way in took it, and what to do."""
    from . import callers

    if isinstance(port, bytes):
        port = port.decode("latin-1")
    caller = callers.find(sys._getframe(), host)
    target = f"{host}:{port}" if port else host
    paragraphs = [
        "A connection to a model provider was stopped, because no way in took it.",
        f"  {target}   by {caller.library}\n  {caller.place}",
        *dict.fromkeys(filter(None, reasons)),
        _TO_FIX.format(host=host),
    ]
    return "\n\n".join(paragraphs)


_TO_FIX = """To fix it:
  * Send this client to llm_server: give it `llm_server.base_url`, or let it read OPENAI_BASE_URL.
  * If it is meant to go out, name the host in the settings:  ignore_hosts=["{host}"]
  * To let every connection pass:  --llm-egress=allow, or the setting egress="allow\""""
