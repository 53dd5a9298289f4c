"""A cassette that one run writes again and again: as long as nobody else touches it, it is not read for that."""

from __future__ import annotations

import os
from pathlib import Path

from .secrets import Secrets

AT_ONCE = 256 * 1024
"""Bytes up to which a cassette is written anew for each recording. That takes a millisecond or two."""


class Growing:
    """The file as this run has left it. To be asked, and told, while the file is locked."""

    def __init__(self, path: Path, secrets: Secrets) -> None:
        self._path = path
        self._secrets = secrets
        self._left: tuple[int, ...] = ()
        self._generation = -1
        """Of the secrets of which none stands in the file."""
        self.count = 0
        """How many interactions stand in it."""

    @property
    def is_large(self) -> bool:
        """Whether it takes time to write it."""
        left = _state(self._path)
        return bool(left) and left[_SIZE] > AT_ONCE

    def is_as_left(self) -> bool:
        """Whether it may be added to as it stands: it is what we wrote, and nothing in it has become a secret since."""
        if not self._left or _state(self._path) != self._left:
            return False
        generation = self._secrets.generation
        if generation != self._generation:
            if self._secrets.has_come(self._generation, self._path.read_bytes()):
                return False
            self._generation = generation
        return True

    def note(self, count: int, generation: int) -> None:
        """So many interactions were just written, without the secrets that were known at this generation."""
        self._left, self._generation, self.count = _state(self._path), generation, count


_SIZE = 2


def _state(path: Path) -> tuple[int, ...]:
    """Changes with each writing of a file, whoever writes it; () where there is none."""
    try:
        found = os.stat(path)
    except OSError:
        return ()
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns
