"""The listening socket, the thread that accepts, and a thread for each connection.

werkzeug's server would do, and did: it was a quarter of what a server takes to start, most of it for what it never
uses, and looks only twice a second whether it should stop.
"""

from __future__ import annotations

import os
import selectors
import socket
import threading
import time
from contextlib import suppress

from .connection import SECONDS_TO_LEAVE, Connection, Owner
from .watch import Watch


class Listener:
    """Accepts connections for its owner from `start` to `stop`."""

    def __init__(self, listening: socket.socket, owner: Owner) -> None:
        self.socket = listening
        self.owner = owner
        self.watch = Watch()
        self.stopping = False
        self._acceptor = threading.Thread(target=self._accept_all, name="llmmock-server", daemon=True)
        self._threads_of: dict[socket.socket, threading.Thread] = {}
        self._process = os.getpid()
        self._alarm, self._bell = socket.socketpair()

    @property
    def port(self) -> int:
        port: int = self.socket.getsockname()[1]
        return port

    def start(self) -> None:
        """Accept in a thread. A client may connect already: the system keeps it waiting."""
        self.socket.setblocking(False)  # a client may be gone again when it is accepted
        self._acceptor.start()

    def stop(self) -> None:
        """Close the port and every connection; return when their threads have ended."""
        # A forked child has a copy of the sockets, but the connections are its parent's.
        if os.getpid() == self._process:
            self._end_threads()
        for each in (self.socket, self._alarm, self._bell):
            each.close()

    def _end_threads(self) -> None:
        self.stopping = True
        self._bell.send(b"!")
        self._acceptor.join()
        for sock in (self.socket, *self._threads_of):
            with suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)
        self.watch.stop()
        deadline = time.monotonic() + SECONDS_TO_LEAVE
        for thread in self._threads_of.values():
            if thread is not threading.current_thread():
                thread.join(max(0.0, deadline - time.monotonic()))

    # --- in its thread ---

    def _accept_all(self) -> None:
        with selectors.DefaultSelector() as selector:
            selector.register(self.socket, selectors.EVENT_READ)
            selector.register(self._alarm, selectors.EVENT_READ)
            while not self.stopping:
                if any(key.fileobj is self.socket for key, _ in selector.select()):
                    with suppress(OSError):
                        self._accept()

    def _accept(self) -> None:
        """Answer a connection in a thread of its own, and remember both."""
        sock, _ = self.socket.accept()
        self._threads_of = {sock: thread for sock, thread in self._threads_of.items() if thread.is_alive()}
        thread = threading.Thread(target=self._serve, args=(sock,), name="llmmock-connection", daemon=True)
        self._threads_of[sock] = thread
        thread.start()

    # --- in the threads of connections ---

    def _serve(self, sock: socket.socket) -> None:
        try:
            with sock, suppress(OSError):  # the client went away, or the server stops
                Connection(sock, self).serve()
                sock.shutdown(socket.SHUT_WR)
        except Exception as error:
            self.owner.note(error)
