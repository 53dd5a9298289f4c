"""The listening socket, the thread that accepts, and a thread for each connection: werkzeug's server, woken at once."""

from __future__ import annotations

import os
import selectors
import socket
import sys
import threading
import time
from contextlib import suppress
from typing import Any, Protocol

from werkzeug.exceptions import NotFound
from werkzeug.serving import ThreadedWSGIServer

from .connection import SECONDS_TO_LEAVE, Connection, Owner
from .watch import Watch


class Listening(Owner, Protocol):
    """Whose connections they are."""

    host: str
    port: int


class Listener(ThreadedWSGIServer):
    """Accepts connections for its owner from `start` to `stop`."""

    timeout = 0  # handle_request() does not wait for a client that is gone again

    def __init__(self, listening: socket.socket, owner: Listening) -> None:
        # The socket is ours because werkzeug prints and exits the process when it cannot bind. It wants a WSGI
        # application; our connections answer by themselves and never ask it.
        with listening:
            super().__init__(owner.host, owner.port, NotFound(), fd=listening.fileno())
        self.owner = owner
        self.watch = Watch()
        self.stopping = False
        self._acceptor = threading.Thread(target=self.serve_forever, name="llmmock-server", daemon=True)
        self._threads_of: dict[socket.socket, threading.Thread] = {}
        self._process = os.getpid()
        self._alarm, self._bell = socket.socketpair()

    def start(self) -> None:
        """Accept in a thread. A client may connect already: the system keeps it waiting."""
        self._acceptor.start()

    def stop(self) -> None:
        """Close the port and every connection; return when their threads have ended."""
        # A forked child has a copy of the sockets, but the connections are its parent's.
        if os.getpid() == self._process:
            self._end_threads()
        self.server_close()
        self._alarm.close()
        self._bell.close()

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

    def serve_forever(self, poll_interval: float | None = None) -> None:
        """Accept until `stop`. The standard library's loop looks only twice a second whether it should end."""
        with selectors.DefaultSelector() as selector:
            selector.register(self.socket, selectors.EVENT_READ)
            selector.register(self._alarm, selectors.EVENT_READ)
            while not self.stopping:
                if any(key.fileobj is self.socket for key, _ in selector.select(poll_interval)):
                    self.handle_request()

    def process_request(self, request: Any, client_address: Any) -> None:
        """Answer a connection in a thread of its own, and remember both."""
        self._threads_of = {sock: thread for sock, thread in self._threads_of.items() if thread.is_alive()}
        thread = threading.Thread(
            target=self.process_request_thread, args=(request, client_address), name="llmmock-connection", daemon=True
        )
        self._threads_of[request] = thread
        try:
            thread.start()
        except RuntimeError:
            del self._threads_of[request]  # there are too many: such a thread could not be waited for
            raise

    # --- in the threads of connections ---

    def finish_request(self, request: Any, client_address: Any) -> None:
        with suppress(OSError):  # the client went away, or the server stops
            Connection(request, self).serve()

    def handle_error(self, request: Any, client_address: Any) -> None:
        error = sys.exception()
        if error is not None:
            self.owner.note(error)
