"""In process: the transports of httpx and httpx2, patched so that model requests come to us.

The patch sits on the transport classes, so clients made before it are covered too. It is put in when the
first door opens and taken out when the last one closes; a module that is imported in between is patched
when it comes. Where one module is an alias of the other, each class is patched once.
"""

from __future__ import annotations

import importlib.abc
import importlib.machinery
import sys
import threading
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextvars import ContextVar
from dataclasses import dataclass
from functools import cache, lru_cache
from types import ModuleType
from typing import Any, TypeVar

from ..core.model import OURS, Frame, Headers, LiveFrames, Reply, Request
from ..errors import CutConnection

MODULES = ("httpx", "httpx2")

_INCOMPLETE = "peer closed connection without sending complete message body (incomplete chunked read)"

_ORIGINAL = "_llmmock_original"

T = TypeVar("T")


@dataclass(eq=False)
class Door:
    """One way into the engine: while it is open, the requests that it takes are answered by it."""

    takes: Callable[[str, str, str], bool]
    """Whether a request is for us: method, host in lower case, and path."""
    handle: Callable[[Request], Reply]
    blocks: bool = False
    """Whether answering may take time (record mode): an async client is then served from a worker thread."""
    open: bool = False

    def __enter__(self) -> Door:
        self.open = True
        _DOORS.enter(self)
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.open = False
        _DOORS.leave(self)


class _Doors:
    """The open doors of this process. The innermost of a context wins, else the one opened last."""

    def __init__(self) -> None:
        self._open: list[Door] = []
        self._outer: dict[Door, Door | None] = {}
        self._here: ContextVar[Door | None] = ContextVar("llmmock_door", default=None)
        self._lock = threading.RLock()
        self._patches = _Patches()

    def enter(self, door: Door) -> None:
        with self._lock:
            self._outer[door] = self.current()
            self._open.append(door)
            self._here.set(door)
            self._patches.put_in()

    def leave(self, door: Door) -> None:
        with self._lock:
            self._open.remove(door)
            outer = self._outer.pop(door)
            self._here.set(outer if outer is not None and outer.open else None)
            if not self._open:
                self._patches.take_out()

    def current(self) -> Door | None:
        here = self._here.get()
        if here is not None and here.open:
            return here
        return next(reversed(self._open), None)  # another thread may close the last one meanwhile


# --- the patch ------------------------------------------------------------------------------------------


class _Patches:
    """What was replaced, so that it can be put back."""

    def __init__(self) -> None:
        self._undo: list[tuple[type, str, Any, Any]] = []
        self._finder: _Finder | None = None

    def put_in(self) -> None:
        if self._finder is not None:
            return
        for name in MODULES:
            if name in sys.modules:
                self.patch(sys.modules[name])
        self._finder = _Finder(self.patch)
        sys.meta_path.insert(0, self._finder)

    def take_out(self) -> None:
        if self._finder is not None:
            sys.meta_path.remove(self._finder)
            self._finder = None
        while self._undo:
            patched, name, ours, original = self._undo.pop()
            if getattr(patched, name) is ours:  # else another patcher came later, and will put back what it found
                setattr(patched, name, original)

    def patch(self, module: ModuleType) -> None:
        self._replace(module, "HTTPTransport", "handle_request", _sync_handler)
        self._replace(module, "AsyncHTTPTransport", "handle_async_request", _async_handler)

    def _replace(self, module: ModuleType, class_name: str, name: str, make: Callable[..., Any]) -> None:
        patched = getattr(module, class_name, None)
        if patched is None or any(patched is done for done, *_ in self._undo):
            return
        found = getattr(patched, name)
        original = getattr(found, _ORIGINAL, found)  # another patcher may have put ours back after it was taken out
        ours = make(_library(patched), original)
        setattr(ours, _ORIGINAL, original)
        self._undo.append((patched, name, ours, original))
        setattr(patched, name, ours)


class _Finder(importlib.abc.MetaPathFinder):
    """Patches httpx and httpx2 when they are imported while a door is open."""

    def __init__(self, patch: Callable[[ModuleType], None]) -> None:
        self._patch = patch

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        if fullname not in MODULES:
            return None
        spec = importlib.machinery.PathFinder.find_spec(fullname, path, target)
        if spec is not None and spec.loader is not None:
            spec.loader = _Loader(spec.loader, self._patch)
        return spec


class _Loader(importlib.abc.Loader):
    """The module's own loader, and the patch behind it."""

    def __init__(self, loader: importlib.abc.Loader, patch: Callable[[ModuleType], None]) -> None:
        self._loader = loader
        self._patch = patch

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> ModuleType | None:
        return self._loader.create_module(spec)

    def exec_module(self, module: ModuleType) -> None:
        assert module.__spec__ is not None
        module.__spec__.loader = module.__loader__ = self._loader
        self._loader.exec_module(module)
        self._patch(module)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._loader, name)


def _library(transport: type) -> Any:
    """The library that a transport class is from, whatever name it was imported under."""
    return sys.modules[transport.__module__.partition(".")[0]]


# --- requests in, replies out ---------------------------------------------------------------------------


def _sync_handler(library: Any, original: Callable[..., Any]) -> Callable[..., Any]:
    respond = _responder(library)

    def handle_request(self: Any, request: Any) -> Any:
        door = _door_for(request)
        if door is None:
            return original(self, request)
        return respond(door.handle(_read(request, b"".join(request.stream))))

    return handle_request


def _async_handler(library: Any, original: Callable[..., Any]) -> Callable[..., Any]:
    respond = _responder(library)

    async def handle_async_request(self: Any, request: Any) -> Any:
        door = _door_for(request)
        if door is None:
            return await original(self, request)
        asked = _read(request, b"".join([chunk async for chunk in request.stream]))
        return respond(await _ask_in_thread(door.handle, asked) if door.blocks else door.handle(asked))

    return handle_async_request


async def _in_thread(function: Callable[..., T], *arguments: Any) -> T:
    """Both httpx and httpx2 bring anyio, which knows whether asyncio or trio runs.

    A caller that is cancelled does not wait: the thread ends by itself, when its connection is closed.
    """
    from anyio import to_thread

    return await to_thread.run_sync(function, *arguments, abandon_on_cancel=True)


async def _ask_in_thread(handle: Callable[[Request], Reply], request: Request) -> Reply:
    """The reply; when nobody waits for it any more, it is let go as soon as it comes."""
    waiting = True

    def ask() -> Reply:
        reply = handle(request)
        if not waiting and not isinstance(reply.frames, Sequence):
            reply.frames.close()
        return reply

    try:
        return await _in_thread(ask)
    except BaseException:
        waiting = False
        raise


def _door_for(request: Any) -> Door | None:
    """The open door that takes this request; None sends it to the real network."""
    door = _DOORS.current()
    if door is None or OURS in request.extensions:
        return None
    url = request.url
    path = url.raw_path.partition(b"?")[0].decode("ascii")
    return door if door.takes(request.method, url.host.lower(), path) else None


def _read(request: Any, body: bytes) -> Request:
    url = request.url
    path, _, query = url.raw_path.decode("ascii").partition("?")
    origin = f"{url.scheme}://{url.netloc.decode('ascii')}"
    return Request(request.method, origin, path, query, _decoded(tuple(request.headers.raw)), body)


@lru_cache(maxsize=64)
def _decoded(raw: tuple[tuple[bytes, bytes], ...]) -> Headers:
    """A client sends the same headers again and again."""
    return tuple([(name.decode("latin-1").lower(), value.decode("latin-1")) for name, value in raw])


@cache
def _responder(library: Any) -> Callable[[Reply], Any]:
    """Makes the library's own response from a reply, with a stream that serves both kinds of client."""

    class Frames(library.SyncByteStream, library.AsyncByteStream):  # type: ignore[misc]
        """The frames of a reply, each handed over by itself."""

        def __init__(self, frames: Sequence[Frame] | LiveFrames) -> None:
            self._frames = frames

        def __iter__(self) -> Iterator[bytes]:
            try:
                for frame in self._frames:
                    yield frame.data
            except CutConnection as error:
                raise library.RemoteProtocolError(_INCOMPLETE) from error

        async def __aiter__(self) -> AsyncIterator[bytes]:
            chunks = iter(self)
            if isinstance(self._frames, Sequence):
                for chunk in chunks:
                    yield chunk
                return
            while (chunk := await _in_thread(next, chunks, None)) is not None:
                yield chunk

        def close(self) -> None:
            if not isinstance(self._frames, Sequence):
                self._frames.close()

        async def aclose(self) -> None:
            self.close()  # never awaits: in a cancelled task that would be cancelled too

    @lru_cache(maxsize=256)
    def encoded(headers: Headers, length: int | None) -> Any:
        """A recorded reply has the same headers each time. The response makes a copy of its own."""
        return library.Headers(headers if length is None else (*headers, ("content-length", str(length))))

    def streamed(frames: Sequence[Frame] | LiveFrames) -> tuple[Any, int | None]:
        """A body that comes in one piece has a length, as it would have on the wire."""
        if not isinstance(frames, list | tuple) or len(frames) > 1:
            return Frames(frames), None
        body = frames[0].data if frames else b""
        return library.ByteStream(body), len(body)

    def respond(reply: Reply) -> Any:
        extensions = {"http_version": b"HTTP/1.1"}
        if reply.reason:
            extensions["reason_phrase"] = reply.reason.encode("ascii", errors="replace")
        stream, length = streamed(reply.frames)
        headers = encoded(reply.headers, length)
        return library.Response(reply.status, headers=headers, stream=stream, extensions=extensions)

    return respond


_DOORS = _Doors()
