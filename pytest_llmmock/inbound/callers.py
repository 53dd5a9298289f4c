"""Who is calling: the library and the user's own line, read from the stack."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

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


def find(frame: FrameType | None) -> Caller:
    """The caller that the stack from this frame outwards shows."""
    libraries: dict[str, None] = {}
    standard = "socket"
    for each in _frames(frame):
        name = each.f_globals.get("__name__") or "?"
        kind = _kind(each.f_code.co_filename)
        if kind == "user":
            return Caller(_chain(libraries) or standard, f"asked for in {_place(each)}")
        if kind == "library":
            libraries[_top(name)] = None
        elif kind == "standard":
            standard = name
    worker = f"the thread {threading.current_thread().name}"
    return Caller(_chain(libraries) or worker, _elsewhere())


def _frames(frame: FrameType | None) -> Iterator[FrameType]:
    while frame is not None:
        yield frame
        frame = frame.f_back


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


def _chain(libraries: dict[str, None]) -> str:
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


def _elsewhere() -> str:
    """In a worker thread the stack does not show who gave it its work, so tell who it may have been."""
    loaded = ", ".join(_with_version(name) for name in _CLIENTS if name in sys.modules)
    return f"asked for by another thread, which the stack does not show; clients that may have: {loaded or 'unknown'}"
