"""aiohttp in process: its connectors give connections that end here.

The client writes to a transport of ours and its own parser reads what comes back, so the response is aiohttp's own.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from ..core.model import LiveFrames, Reply
from ..core.pacing import Paced
from ..errors import CutConnection
from . import http1, replies, wire
from .doors import Door, Patch, door_for, origin
from .threads import ask, in_thread, until_due


def _connect(connector: type, original: Callable[..., Any]) -> Callable[..., Any]:
    library = sys.modules[connector.__module__]

    async def connect(self: Any, request: Any, *arguments: Any, **options: Any) -> Any:
        url = request.url
        door = door_for(request.method, url.raw_host or "", url.raw_path)
        if door is None:
            return await original(self, request, *arguments, **options)
        protocol = self._factory()
        protocol.connection_made(_Transport(door, origin(_SCHEMES[url.scheme], url.raw_host, url.port), protocol))
        self._acquired.add(protocol)  # closed with the connector, if nobody closes it before
        return library.Connection(self, request.connection_key, protocol, asyncio.get_running_loop())

    return connect


_SCHEMES = {"http": "http", "https": "https", "ws": "http", "wss": "https"}


class _Transport(asyncio.Transport):
    """The client's end of a connection: one request, one reply."""

    def __init__(self, door: Door, origin: str, protocol: Any) -> None:
        super().__init__()
        self._door = door
        self._origin = origin
        self._protocol = protocol
        self._sent = bytearray()
        self._closing = False
        self._frames: LiveFrames | None = None
        self._head = True
        self._task: asyncio.Task[None] | None = None
        self._flowing = asyncio.Event()
        self._flowing.set()

    # --- what the client does with it ---

    def write(self, data: Any) -> None:
        self._sent += data
        if self._task is not None:
            return
        loop = asyncio.get_running_loop()
        if wire.is_whole(self._sent):
            self._task = loop.create_task(self._answer())
        elif wire.is_held_back(self._sent):
            loop.call_soon(self._protocol.data_received, wire.PROCEED)

    def writelines(self, list_of_data: Iterable[Any]) -> None:
        self.write(b"".join(list_of_data))

    def pause_reading(self) -> None:
        self._flowing.clear()

    def resume_reading(self) -> None:
        self._flowing.set()

    def is_closing(self) -> bool:
        return self._closing

    def close(self) -> None:
        self._leave(None)
        if self._frames is not None:
            self._frames.close()
        if self._task is not None:
            self._task.cancel()

    abort = close

    # --- what comes back ---

    async def _answer(self) -> None:
        try:
            blocks = await self._blocks()
            while (block := await self._next(blocks)) is not None:
                await self._flowing.wait()
                self._protocol.data_received(block)
                await asyncio.sleep(0)  # the reader sees this piece before the next one comes
        except CutConnection as error:
            self._leave(ConnectionResetError(str(error)))
        except Exception as error:
            self._leave(error)

    async def _blocks(self) -> Iterator[bytes]:
        try:
            asked = wire.read(self._sent, self._origin)
        except http1.BadRequest as bad:
            return iter(wire.refuse(bad))
        reply = await self._ask(asked)
        return iter(replies.write_blocks(asked, reply))

    async def _ask(self, asked: http1.Asked) -> Reply:
        reply = await ask(self._door, asked.request)
        if not isinstance(reply.frames, Sequence):
            self._frames = reply.frames
        return reply

    async def _next(self, blocks: Iterator[bytes]) -> bytes | None:
        head, self._head = self._head, False
        if isinstance(self._frames, Paced):
            if self._frames.holds_head or not head:
                await until_due(self._frames)
            return next(blocks, None)
        return next(blocks, None) if self._frames is None else await in_thread(next, blocks, None)

    def _leave(self, error: Exception | None) -> None:
        """Tell the client that the connection is over, once, and not from inside of what it is doing."""
        if not self._closing:
            self._closing = True
            asyncio.get_running_loop().call_soon(self._protocol.connection_lost, error)


PATCHES: dict[str, tuple[Patch, ...]] = {"aiohttp.connector": (("BaseConnector", "connect", _connect),)}
