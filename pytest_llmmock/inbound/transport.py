"""httpx and httpx2 in process: their transports, patched so that model requests come to us."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from functools import cache, lru_cache
from itertools import islice
from typing import Any

from ..core.model import OURS, Frame, Headers, LiveFrames, Reply, Request, header
from ..core.pacing import Paced
from ..errors import CutConnection
from .doors import Door, Patch, door_for
from .head import STATUS_WITHOUT_BODY
from .threads import ask, in_thread, until_due

MODULES = ("httpx", "httpx2")

_INCOMPLETE = "peer closed connection without sending complete message body (incomplete chunked read)"


def _library(transport: type) -> Any:
    """The library that a transport class is from, whatever name it was imported under."""
    return sys.modules[transport.__module__.partition(".")[0]]


# --- requests in, replies out ---------------------------------------------------------------------------


def _sync_handler(transport: type, original: Callable[..., Any]) -> Callable[..., Any]:
    respond = _responder(_library(transport))

    def handle_request(self: Any, request: Any) -> Any:
        place = _place(request.url)
        door = _door_for(request, place)
        if door is None:
            return original(self, request)
        reply = door.handle(_read(request, place, b"".join(request.stream)))
        response = respond(reply, request)
        if isinstance(reply.frames, Paced) and reply.frames.holds_head:
            response.stream.wait()
        return response

    return handle_request


def _async_handler(transport: type, original: Callable[..., Any]) -> Callable[..., Any]:
    respond = _responder(_library(transport))

    async def handle_async_request(self: Any, request: Any) -> Any:
        place = _place(request.url)
        door = _door_for(request, place)
        if door is None:
            return await original(self, request)
        asked = _read(request, place, b"".join([chunk async for chunk in request.stream]))
        reply = await ask(door, asked)
        response = respond(reply, request)
        if isinstance(reply.frames, Paced) and reply.frames.holds_head:
            await response.stream.wait_async()
        return response

    return handle_async_request


_Place = tuple[str, str, str]
"""Origin, path and query."""


def _door_for(request: Any, place: _Place) -> Door | None:
    """The open door that takes this request; None sends it to the real network."""
    return None if OURS in request.extensions else door_for(request.method, request.url.host, place[1])


def _read(request: Any, place: _Place, body: bytes) -> Request:
    return Request(request.method, *place, _decoded(tuple(request.headers.raw)), body)


def _place(url: Any) -> _Place:
    return _decoded_place(url.scheme, url.netloc, url.raw_path)


@lru_cache(maxsize=64)
def _decoded_place(scheme: str, netloc: bytes, raw_path: bytes) -> _Place:
    """A client asks at the same places again and again."""
    path, _, query = raw_path.decode("ascii").partition("?")
    return f"{scheme}://{netloc.decode('ascii')}", path, query


@lru_cache(maxsize=64)
def _decoded(raw: tuple[tuple[bytes, bytes], ...]) -> Headers:
    """A client sends the same headers again and again."""
    return tuple([(name.decode("latin-1").lower(), value.decode("latin-1")) for name, value in raw])


@cache
def _responder(library: Any) -> Callable[[Reply, Any], Any]:
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
            while (chunk := await in_thread(next, chunks, None)) is not None:
                yield chunk

        def close(self) -> None:
            if not isinstance(self._frames, Sequence):
                self._frames.close()

        async def aclose(self) -> None:
            self.close()  # never awaits: in a cancelled task that would be cancelled too

    class Timed(Frames):
        """Frames that are held back until they are due, or until the client's own timeout is over."""

        def __init__(self, frames: Paced, request: Any) -> None:
            super().__init__(frames)
            self._paced = frames
            self._request = request
            self._patience = request.extensions.get("timeout", {}).get("read")

        def wait(self) -> None:
            if not self._paced.wait(self._patience):
                self._give_up()

        async def wait_async(self) -> None:
            if not await until_due(self._paced, self._patience):
                self._give_up()

        def _give_up(self) -> None:
            self.close()
            raise library.ReadTimeout("The read operation timed out", request=self._request)

        def __iter__(self) -> Iterator[bytes]:
            chunks = super().__iter__()
            while not self._paced.over:
                self.wait()
                yield from islice(chunks, 1)
            yield from chunks

        async def __aiter__(self) -> AsyncIterator[bytes]:
            chunks = super().__iter__()
            while not self._paced.over:
                await self.wait_async()
                for chunk in islice(chunks, 1):
                    yield chunk
            for chunk in chunks:
                yield chunk

    @lru_cache(maxsize=256)
    def encoded(headers: Headers, length: int | None) -> tuple[Any, str]:
        """A recorded reply has the same headers each time. The response makes a copy of its own."""
        told = length is None or header(headers, "content-length") is not None  # as an answer to HEAD tells it
        ready = library.Headers(headers if told else (*headers, ("content-length", str(length))))
        return ready, ready.encoding

    def streamed(frames: Sequence[Frame] | LiveFrames, request: Any) -> tuple[Any, int | None]:
        """A body that comes in one piece has a length, as it would have on the wire."""
        if isinstance(frames, (list, tuple)) and len(frames) < 2:
            body = frames[0].data if frames else b""
            return library.ByteStream(body), len(body)
        if isinstance(frames, Paced):
            return Timed(frames, request), frames.length if frames.holds_head else None
        return Frames(frames), None

    def respond(reply: Reply, request: Any) -> Any:
        extensions = {"http_version": b"HTTP/1.1"}
        if reply.reason:
            extensions["reason_phrase"] = reply.reason.encode("ascii", errors="replace")
        stream, length = streamed(reply.frames, request)
        headers, encoding = encoded(reply.headers, None if reply.status in STATUS_WITHOUT_BODY else length)
        response = library.Response(reply.status, headers=headers, stream=stream, extensions=extensions)
        response.headers.encoding = encoding  # which the copy would find out anew, by decoding every header
        return response

    return respond


_TRANSPORTS: tuple[Patch, ...] = (
    ("HTTPTransport", "handle_request", _sync_handler),
    ("AsyncHTTPTransport", "handle_async_request", _async_handler),
)

PATCHES = dict.fromkeys(MODULES, _TRANSPORTS)
