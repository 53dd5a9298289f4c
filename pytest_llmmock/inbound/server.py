"""The local HTTP server: one address prefix for each test."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import suppress
from itertools import count
from typing import Self

from ..core.leaving import Client
from ..core.model import Problem, Reply, Request
from ..errors import CutConnection
from . import mounts
from .binding import bind
from .listener import Listener
from .refusals import WriteError, gone, nobody, refusal
from .replies import Ready
from .seen import Seen

Handle = Callable[[Request], Reply]

_THIS_MACHINE = {"": "127.0.0.1", "0.0.0.0": "127.0.0.1", "::": "::1"}


class Server:
    """Answers HTTP/1.1 in threads, from `start` to `stop`.

    Each test mounts its own function under its own prefix; `handle` answers what no prefix takes.
    """

    def __init__(
        self,
        handle: Handle | None = None,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        write_error: WriteError | None = None,
        shared: bool = False,
    ) -> None:
        """`shared` says that other processes of ours listen at the same address."""
        self.host = host
        self.port = port
        """Once started, the real one."""
        self.errors: list[str] = []
        """The traceback of everything that went wrong inside a `handle` or its frames."""
        self.seen = Seen()
        self.ready = Ready()
        self._handle = handle or (lambda request: self.refuse(request, nobody(request)))
        self._write_error = write_error
        self._mounts: dict[str, Handle] = {}
        self._numbers = count(1)
        self._wanted_port = port
        self._shared = shared
        self._listener: Listener | None = None
        self._stopped = threading.Event()

    @property
    def url(self) -> str:
        """Where this machine reaches the server, without a slash at the end."""
        host = _THIS_MACHINE.get(self.host, self.host)
        return f"http://[{host}]:{self.port}" if ":" in host else f"http://{host}:{self.port}"

    def start(self) -> Self:
        """Listen, and answer in the background. A client may connect as soon as this returns."""
        if self._listener is None:
            self._listener = Listener(bind(self.host, self._wanted_port, shared=self._shared), self)
            self._stopped.clear()
            self.port = self._listener.port
            self._listener.start()
        return self

    def stop(self) -> None:
        """Close the port and every connection; return when their threads have ended."""
        listener, self._listener = self._listener, None
        if listener is not None:
            listener.stop()
        self._stopped.set()

    def serve_forever(self) -> None:
        """Answer until Ctrl-C, or until another thread or a signal handler calls `stop`."""
        # Not a join of the accepting thread: one that Ctrl-C interrupts takes the thread for ended (bpo-45274).
        with self, suppress(KeyboardInterrupt):
            while not self._stopped.wait(0.5):  # on Windows Ctrl-C cannot end a wait that has no end of its own
                pass

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *exc_info: object) -> None:
        self.stop()

    def mount(self, handle: Handle) -> str:
        """A new path prefix; requests below it go to `handle`, without the prefix."""
        prefix = mounts.prefix(next(self._numbers))
        self._mounts[prefix] = handle
        return prefix

    def unmount(self, prefix: str) -> None:
        """Answer later requests below this prefix with 410, so that nobody else's recording answers them."""
        self._mounts[prefix] = lambda request: self.refuse(request, gone(request))

    def respond(self, request: Request, client: Client | None = None) -> Reply:
        """The reply of whoever is mounted where the request goes; 500 when that fails."""
        try:
            return self._route(request, client)
        except CutConnection:
            raise
        except BaseException as error:  # pytest.fail() is no Exception, and would end the thread without an answer
            return self.failed(error, request)

    def refuse(self, request: Request | None, problem: Problem) -> Reply:
        """What the server says by itself, in the shape of the protocol where there is somebody who knows it."""
        return refusal(problem, request, self._write_error)

    def _route(self, request: Request, client: Client | None) -> Reply:
        handle, path, base = self._handle, request.path, request.base or self.url
        if self._mounts:
            first, _, rest = path[1:].partition("/")
            mounted = self._mounts.get("/" + first)
            if mounted is not None:
                handle, path, base = mounted, "/" + rest, f"{base}/{first}"
        # Not `replace`, which takes three times as long.
        each = request.method, request.origin, path, request.query, request.headers, request.body
        return handle(Request(*each, base=base, client=client))

    def failed(self, error: BaseException, request: Request) -> Reply:
        """Keep an error that nobody expected, and tell the client."""
        self.note(error)
        what = f"{type(error).__name__}: {error}"
        return self.refuse(request, Problem(500, what, "handler_error", "server_error"))

    def note(self, error: BaseException) -> None:
        import logging  # both take longer than to start
        import traceback

        text = "".join(traceback.format_exception(error)).encode(errors="backslashreplace").decode()
        self.errors.append(text)
        logging.getLogger("pytest_llmmock").error("A request could not be answered\n%s", text)
