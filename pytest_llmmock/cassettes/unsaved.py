"""Recordings on disk from the moment that they are whole until their cassette is written: they cost money.

Each run that records to a cassette has a folder of its own here, with one file an exchange. Beside the folder lies a
file that the run holds locked: a folder whose file is free was left behind by a run that was killed.
"""

from __future__ import annotations

import errno
import os
import re
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from glob import escape
from pathlib import Path
from typing import BinaryIO

from .. import files
from ..errors import CassetteError
from . import library
from .aside import PRIVATE, beside, make_private, remove_empty
from .cassette import Interaction, Recorded
from .secrets import Secrets

UNSAVED = PRIVATE / "unsaved"

_LOCK = ".lock"
_FREE = re.compile(rf"\.\d+-\d+{re.escape(_LOCK)}")
_TRIES = 100


class Unsaved:
    """What one run has recorded to one cassette and not written there yet."""

    def __init__(
        self,
        home: Path,
        cassette: Path,
        signature: bytes,
        describe: Callable[[Recorded], str],
        secrets: Secrets | None = None,
    ) -> None:
        self._home = Path(os.path.abspath(home))
        self._cassette = cassette
        self._signature = signature
        self._describe = describe
        self._secrets = secrets
        self._folder: Path | None = None
        self._held: BinaryIO | None = None
        self._lock = threading.Lock()

    def open(self) -> Path:
        """Make sure that there is a place, before an upstream is asked. Raises `CassetteError`."""
        with self._lock:
            if self._folder is None:
                self._folder = self._made()
            return self._folder

    def _made(self) -> Path:
        name = beside(self._home, UNSAVED, self._cassette)
        folder = name.with_name(f"{name.name}.{time.time_ns()}-{os.getpid()}")
        try:
            self._held = _locked(self._home, folder)
        except OSError as error:
            raise CassetteError(
                f"The cassette {self._cassette} cannot be recorded to, and nothing was asked of the upstream: "
                f"{folder.parent} cannot be written ({error.strerror or error})."
            ) from None
        return folder

    def keep(self, place: int, interaction: Interaction) -> None:
        """Write an exchange, whole or not at all. Raises `CassetteError`."""
        library.save(
            _file_of(self.open(), place),
            [interaction],
            signature=self._signature,
            describe=self._describe,
            blobs_in=self._home,
            secrets=self._secrets,
            called=self._cassette,
        )

    def forget(self, place: int) -> None:
        """It has found its place. Raises `CassetteError`."""
        folder = self._folder
        if folder is not None:
            try:
                _file_of(folder, place).unlink(missing_ok=True)
            except OSError as error:
                raise CassetteError(f"{folder} cannot be emptied: {error.strerror or error}.") from None

    def clear(self) -> None:
        """Forget all: it has found its place. Raises `CassetteError`."""
        with self._lock:
            folder, self._folder = self._folder, None
        if folder is not None:
            _remove(folder)
            self._release(folder)

    def _release(self, folder: Path) -> None:
        held, self._held = self._held, None
        if held is not None:
            held.close()
            _lock_of(folder).unlink(missing_ok=True)
            remove_empty(folder.parent, self._home)

    def close(self) -> None:
        """Let go of what could not be written: the next run finds it."""
        held, self._held = self._held, None
        if held is not None:
            held.close()


class LeftBehind:
    """What a run that was killed had recorded."""

    def __init__(self, home: Path, folder: Path, held: BinaryIO) -> None:
        self.folder = folder
        self._home = home
        self._held = held

    def interactions(self, signature: bytes | None) -> list[Interaction]:
        """In the order of asking. Raises `CassetteError`."""
        found = sorted(path for path in self.folder.iterdir() if library.is_cassette(path))
        return [each for path in found for each in library.open_cassette(path, signature).interactions]

    def discard(self) -> None:
        """Remove it: it has found its place. Raises `CassetteError`."""
        _remove(self.folder)
        _lock_of(self.folder).unlink(missing_ok=True)
        self.close()
        remove_empty(self.folder.parent, self._home)

    def close(self) -> None:
        """Let go, and leave it where it is."""
        self._held.close()


def left_behind(home: Path, cassette: Path) -> list[LeftBehind]:
    """What killed runs left of a cassette, the oldest first; claimed until closed or discarded.

    Raises `CassetteError`.
    """
    home = Path(os.path.abspath(home))
    name = beside(home, UNSAVED, cassette)
    if not name.parent.is_dir():
        return []
    found = name.parent.glob(f"{escape(name.name)}.*{_LOCK}")
    left = list(_claimed(home, [lock for lock in found if _FREE.fullmatch(lock.name.removeprefix(name.name))]))
    remove_empty(name.parent, home)
    return left


def all_left_behind(home: Path) -> Iterator[tuple[Path, LeftBehind]]:
    """What killed runs left below a folder: the cassette that it is of, and what it is. Raises `CassetteError`."""
    for left in _claimed(home, list((home / UNSAVED).rglob(f"*{_LOCK}"))):
        inside = left.folder.relative_to(home / UNSAVED)
        yield home / inside.with_name(inside.name.rpartition(".")[0]), left


def _claimed(home: Path, locks: list[Path]) -> Iterator[LeftBehind]:
    """The folders that nobody holds; a lock without a folder is of a run that was killed before it had made one."""
    for lock in sorted(locks):
        try:
            held = files.try_lock(lock)
        except OSError as error:
            raise CassetteError(f"{lock} cannot be locked: {error.strerror or error}.") from None
        if held is None:
            continue
        left = LeftBehind(home, lock.with_name(lock.name.removesuffix(_LOCK)), held)
        if left.folder.is_dir():
            yield left
        else:
            left.discard()


def _locked(home: Path, folder: Path) -> BinaryIO:
    """A new folder and its lock. Locked first, so that nobody takes the folder for left behind. Raises `OSError`."""
    for _ in range(_TRIES):
        try:
            make_private(home)
            folder.parent.mkdir(parents=True, exist_ok=True)
            held = files.try_lock(_lock_of(folder))
            if held is not None:
                folder.mkdir()
                return held
        except FileNotFoundError:
            continue  # another run has just removed the folder above, which was empty
    raise FileNotFoundError(errno.ENOENT, "it is removed again and again", str(folder.parent))


def _file_of(folder: Path, place: int) -> Path:
    return folder / f"{place:06}.yaml"


def _lock_of(folder: Path) -> Path:
    return folder.with_name(folder.name + _LOCK)


def _remove(folder: Path) -> None:
    try:
        shutil.rmtree(folder)
    except FileNotFoundError:
        return  # somebody cleaned up meanwhile
    except OSError as error:
        raise CassetteError(f"{folder} cannot be removed: {error.strerror or error}.") from None
