"""What may take time, away from an event loop."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import Any, TypeVar

from ..core.leaving import Caller
from ..core.model import Reply, Request
from ..core.pacing import Paced
from .doors import Door

T = TypeVar("T")


async def in_thread(function: Callable[..., T], *arguments: Any) -> T:
    """Both httpx and httpx2 bring anyio, which knows whether asyncio or trio runs.

    A caller that is cancelled does not wait: the thread ends by itself, when its connection is closed. There is no
    limit: of forty streams that wait, which is as many as anyio lets, none might go on before the next one is asked.
    """
    from anyio import CapacityLimiter, to_thread

    return await to_thread.run_sync(function, *arguments, abandon_on_cancel=True, limiter=CapacityLimiter(math.inf))


async def until_due(frames: Paced, patience: float | None = None) -> bool:
    """Wait on the event loop until the next frame is due; False when the reader's patience, in seconds, ends before."""
    from anyio import sleep

    delay = frames.delay
    try:
        await sleep(delay if patience is None else min(delay, patience))
    except BaseException:  # cancelled: nobody reads on
        frames.close()
        raise
    return patience is None or delay <= patience


async def ask(door: Door, request: Request) -> Reply:
    """The reply of a door, without making an event loop wait for it."""
    caller = Caller()
    request = replace(request, client=caller) if door.blocks else request
    if door.begin is not None:
        begun = door.begin(request)
    elif door.blocks:
        begun = partial(door.handle, request)
    else:
        return door.handle(request)
    return begun if isinstance(begun, Reply) else await _ask_in_thread(begun, caller)


async def _ask_in_thread(answer: Callable[[], Reply], caller: Caller) -> Reply:
    """The reply; when nobody waits for it any more, it is let go as soon as it comes."""
    waiting, come = True, list[Reply]()

    def ask() -> Reply:
        come.append(answer())
        if not waiting:
            _let_go(come)
        return come[0]

    try:
        return await in_thread(ask)
    except BaseException:
        waiting = False
        caller.leave()
        _let_go(come)  # it may have come already, and nobody was told
        raise


def _let_go(replies: list[Reply]) -> None:
    for reply in replies:
        if not isinstance(reply.frames, Sequence):
            reply.frames.close()
