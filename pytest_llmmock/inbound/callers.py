"""Who is calling: the library and the user's own line, read from the stack."""

from __future__ import annotations

import gc
import os
import sys
import threading
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from types import FrameType
from typing import Any

_OURS = str(Path(__file__).parents[1]) + os.sep

_STANDARD = os.path.dirname(os.__file__) + os.sep

_INSTALLED = (f"{os.sep}site-packages{os.sep}", f"{os.sep}dist-packages{os.sep}")

_TYPED = ("<string>", "<stdin>")
"""Code that its user typed, and is in no file."""

_CLIENTS = ("aiohttp", "httpx", "httpx2", "tornado", "websockets")
"""Libraries that let worker threads look up names."""


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asked for something."""

    library: str
    """Name and version; of several the one that the user's code called first."""
    place: str
    """The line of the user's own code, or what is known instead."""


def find(frame: FrameType | None, host: str) -> Caller:
    """Who asks for this host: told by the stack from this frame outwards, else by the task that waits for it."""
    return _read(_frames(frame)) or _read(_waiting_for(host)) or _unknown()


def _read(frames: Iterable[FrameType]) -> Caller | None:
    """The caller that a stack shows, from its innermost frame on; None when it is the standard library's alone."""
    libraries: dict[str, None] = {}
    standard = "socket"
    for each in frames:
        name = each.f_globals.get("__name__") or "?"
        kind = _kind(each.f_code.co_filename)
        if kind == "user":
            return Caller(_linked(libraries) or standard, f"asked for in {_place(each)}")
        if kind == "library":
            libraries[_top(name)] = None
        elif kind == "standard":
            standard = name
    return Caller(_linked(libraries), "asked for by a task or thread of its own") if libraries else None


def _frames(frame: FrameType | None) -> Iterator[FrameType]:
    while frame is not None:
        yield frame
        frame = frame.f_back


def _waiting_for(host: str) -> list[FrameType]:
    """The frames, the innermost first, of what waits while a worker thread looks this host up for it.

    It may still run, and then it is on the stack of its loop's thread; a moment later it is a task that waits.
    """
    here = threading.get_ident()
    running = [[*_frames(frame)] for thread, frame in sys._current_frames().items() if thread != here]
    waiting = ([*_suspended(task.get_coro())][::-1] for task in chain.from_iterable(map(_tasks, running)))
    return next((frames for frames in chain(running, waiting) if any(_looks_up(each, host) for each in frames)), [])


def _tasks(stack: list[FrameType]) -> Iterable[Any]:
    """The tasks of the event loop that this stack runs."""
    if "asyncio" not in sys.modules:
        return []
    asyncio = sys.modules["asyncio"]
    run = asyncio.BaseEventLoop.run_forever.__code__
    loops = (each.f_locals["self"] for each in stack if each.f_code is run)
    return [task for loop in loops for task in asyncio.all_tasks(loop)]


def _suspended(awaited: Any) -> Iterator[FrameType]:
    """The frames of a coroutine that waits, the outermost first."""
    while awaited is not None:
        frame = getattr(awaited, "cr_frame", None) or getattr(awaited, "gi_frame", None)
        if frame is not None:
            yield frame
        awaited = _awaited_by(awaited)


def _awaited_by(awaited: Any) -> Any:
    """What a coroutine waits for, also through an `__await__` that is a generator, or a coroutine's own."""
    if type(awaited).__name__ == "coroutine_wrapper":  # has no attribute that tells
        return next(iter(gc.get_referents(awaited)), None)
    return getattr(awaited, "cr_await", None) or getattr(awaited, "gi_yieldfrom", None)


def _looks_up(frame: FrameType, host: str) -> bool:
    """Whether this is asyncio's look-up of the host, which libraries write as text or bytes."""
    return frame.f_code.co_name == "getaddrinfo" and host in str(frame.f_locals.get("host")).lower()


def _kind(file: str) -> str:
    """Whose code a file is."""
    if file.startswith(_OURS):
        return "ours"
    if any(folder in file for folder in _INSTALLED):
        return "library"
    if file.startswith(_STANDARD) or (file.startswith("<") and file not in _TYPED):
        return "standard"
    return "user"


def _top(name: str) -> str:
    """The name that people know: the first, behind a namespace the first two."""
    first, _, rest = name.partition(".")
    is_namespace = getattr(sys.modules.get(first), "__file__", None) is None
    return f"{first}.{rest.partition('.')[0]}" if rest and is_namespace else first


def _linked(libraries: dict[str, None]) -> str:
    """`requests 2.32.0 via urllib3 2.2.0`: who was called by the user, and who opened the connection."""
    outward = [*libraries]
    ends = dict.fromkeys([outward[-1], outward[0]]) if outward else ()
    return " via ".join(map(_with_version, ends))


def _with_version(name: str) -> str:
    from importlib import metadata

    version = getattr(sys.modules.get(name), "__version__", None)
    if not isinstance(version, str):
        try:
            version = metadata.version(name.replace(".", "-"))
        except metadata.PackageNotFoundError:
            return name
    return f"{name} {version}"


def _place(frame: FrameType) -> str:
    file, inside = frame.f_code.co_filename, frame.f_code.co_name
    near = os.path.relpath(file) if file.startswith(os.getcwd() + os.sep) else file
    return f"{near}:{frame.f_lineno}" + (f" ({inside})" if inside != "<module>" else "")


def _unknown() -> Caller:
    """No stack shows who gave a worker thread its work, so tell who it may have been."""
    loaded = ", ".join(_with_version(name) for name in _CLIENTS if name in sys.modules) or "unknown"
    thread = threading.current_thread().name
    return Caller(f"the thread {thread}", f"asked for by a task that does not show; clients that may have: {loaded}")
