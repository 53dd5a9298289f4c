"""The doors of this process: who answers a request in process, and which libraries are patched so that it comes here.

Patches sit on the libraries' own classes, so clients made before are covered too. They are put in when the first
door opens and taken out when the last one closes; a module that is imported in between is patched when it comes.
A library that nobody has imported costs nothing.
"""

from __future__ import annotations

import importlib.abc
import importlib.machinery
import sys
import threading
from collections.abc import Callable, Sequence
from contextvars import ContextVar
from dataclasses import dataclass
from functools import cache, lru_cache, partial
from importlib import import_module
from types import ModuleType
from typing import Any

from ..core.model import Reply, Request

PATCHED = {
    "httpx": "transport",
    "httpx2": "transport",
    "httpx._transports.default": "trust",
    "httpx2._transports.default": "trust",
    "http.client": "http_client",
    "urllib3.connection": "http_client",
    "urllib3.connectionpool": "http_client",
    "httplib2": "http_client",
    "aiohttp.connector": "aiohttp_client",
}
"""Module -> the module of ours whose `PATCHES` tell what to replace in it."""

_ORIGINAL = "_llmmock_original"

Patch = tuple[str, str, Callable[[Any, Callable[..., Any]], Callable[..., Any]]]
"""The name of a class ('' is the module itself), of the function in it, and what makes the replacement from the two."""


@dataclass(eq=False)
class Door:
    """One way into the engine: while it is open, the requests that it takes are answered by it."""

    takes: Callable[[str, str, str], bool]
    """Whether a request is for us: method, host in lower case, and path."""
    handle: Callable[[Request], Reply]
    blocks: bool = False
    """Whether answering may take time (record mode): an async client is then served from a worker thread."""
    begin: Callable[[Request], Reply | Callable[[], Reply]] | None = None
    """Answers what can be answered at once, for an async client; the rest is called in a worker thread."""
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


class _Patches:
    """What was replaced, so that it can be put back."""

    def __init__(self) -> None:
        self._undo: list[tuple[Any, str, Any, Any]] = []
        self._finder: _Finder | None = None

    def put_in(self) -> None:
        if self._finder is not None:
            return
        for name in PATCHED:
            if name in sys.modules:
                self.patch(name, sys.modules[name])
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

    def patch(self, name: str, module: ModuleType) -> None:
        """One module may be an alias of another: what is replaced already stays as it is."""
        for class_name, attribute, make in _patches(name):
            patched = getattr(module, class_name, None) if class_name else module
            if not hasattr(patched, attribute) or any((patched, attribute) == done[:2] for done in self._undo):
                continue
            found = getattr(patched, attribute)
            original = getattr(found, _ORIGINAL, found)  # another patcher may have put ours back after it was taken out
            replacement = _replacement(make, patched, original)
            self._undo.append((patched, attribute, replacement, original))
            setattr(patched, attribute, replacement)


@cache
def _patches(name: str) -> Sequence[Patch]:
    """What is to be replaced in a module: looked up once, for each test puts it in and takes it out."""
    patches: Sequence[Patch] = import_module(f".{PATCHED[name]}", __package__).PATCHES.get(name, ())
    return patches


@lru_cache(maxsize=64)
def _replacement(
    make: Callable[[Any, Callable[..., Any]], Callable[..., Any]], patched: Any, original: Callable[..., Any]
) -> Callable[..., Any]:
    replacement = make(patched, original)
    setattr(replacement, _ORIGINAL, original)
    return replacement


class _Finder(importlib.abc.MetaPathFinder):
    """Patches libraries when they are imported while a door is open."""

    def __init__(self, patch: Callable[[str, ModuleType], None]) -> None:
        self._patch = patch

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        if fullname not in PATCHED:
            return None
        spec = importlib.machinery.PathFinder.find_spec(fullname, path, target)
        if spec is not None and spec.loader is not None:
            spec.loader = _Loader(spec.loader, partial(self._patch, fullname))
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


_DOORS = _Doors()


def door_for(method: str, host: str, path: str) -> Door | None:
    """The open door that takes this request; None sends it to the real network. `path` is without a query."""
    door = _DOORS.current()
    return door if door is not None and door.takes(method, host.lower(), path) else None


def door_to(host: str) -> Door | None:
    """The open door that takes every request to this host, whatever it is."""
    return door_for("CONNECT", host, "")


def origin(scheme: str, host: str, port: int | None) -> str:
    """Scheme and authority, as clients write them: the port only where it is not the scheme's own."""
    authority = f"[{host}]" if ":" in host else host
    standard = {"http": 80, "https": 443}.get(scheme)
    return f"{scheme}://{authority}" if port in (None, standard) else f"{scheme}://{authority}:{port}"
