"""Clients that go away while a stream still comes: their threads wait for the upstream, and cannot see it."""

from __future__ import annotations

import selectors
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from ..core.leaving import Closable

_PEEK = socket.MSG_PEEK | getattr(socket, "MSG_DONTWAIT", 0)


class Watch:
    """Closes a live stream when its client has hung up. Its thread begins with the first stream."""

    def __init__(self) -> None:
        self._streams: dict[socket.socket, Closable] = {}
        self._watched: dict[socket.socket, Closable] = {}
        """Those of clients of which nothing was heard since they asked."""
        self._lock = threading.Lock()
        self._alarm, self._bell = socket.socketpair()
        self._bell.setblocking(False)
        self._thread: threading.Thread | None = None
        self._stopping = False

    @contextmanager
    def over(self, client: socket.socket, frames: Closable) -> Iterator[None]:
        """While this stream, or what is waited for before it, is for this client."""
        with self._lock:
            self._streams[client] = self._watched[client] = frames
            self._start()
        self._ring()
        try:
            yield
        finally:
            with self._lock:
                del self._streams[client]
                self._watched.pop(client, None)
            self._ring()
            frames.close()

    def _start(self) -> None:
        if self._thread is None and not self._stopping:
            self._thread = threading.Thread(target=self._look, name="llmmock-watch", daemon=True)
            self._thread.start()

    def _ring(self) -> None:
        with suppress(OSError):  # it rings already, or everything has stopped
            self._bell.send(b"!")

    def stop(self) -> None:
        """Close every stream, and end."""
        with self._lock:
            self._stopping = True
            streams = list(self._streams.values())
        for frames in streams:
            frames.close()
        self._ring()
        if self._thread is not None:
            self._thread.join()
        self._bell.close()
        self._alarm.close()

    # --- in its thread ---

    def _look(self) -> None:
        while not self._stopping:
            with selectors.DefaultSelector() as selector:
                selector.register(self._alarm, selectors.EVENT_READ)
                self._register_clients(selector)
                for key, _ in selector.select():
                    self._heard(key.fileobj)  # type: ignore[arg-type]  # what we have registered are sockets

    def _register_clients(self, selector: selectors.BaseSelector) -> None:
        with self._lock:
            clients = list(self._watched)
        for client in clients:
            with suppress(ValueError, OSError):  # it was closed meanwhile
                selector.register(client, selectors.EVENT_READ)

    def _heard(self, sock: socket.socket) -> None:
        """A client that has hung up, or one that asks for more already: that one is there."""
        if sock is self._alarm:
            self._alarm.recv(1 << 12)
            return
        with self._lock:
            frames = self._watched.pop(sock, None)
        if frames is not None and _has_hung_up(sock):
            frames.close()


def _has_hung_up(client: socket.socket) -> bool:
    try:
        return not client.recv(1, _PEEK)
    except BlockingIOError:
        return False
    except OSError:
        return True
