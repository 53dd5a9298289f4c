"""Files that several processes write: one at a time, and each whole or not at all."""

from __future__ import annotations

import getpass
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from glob import escape
from hashlib import blake2b
from pathlib import Path
from secrets import token_hex
from typing import BinaryIO


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Keep other processes, and threads, that write the same file out for the time of the block. Raises `OSError`."""
    with _lock_file(path) as file:
        _lock(file.fileno())
        yield


@contextmanager
def locked_for_all(path: Path) -> Iterator[None]:
    """The same, and against processes that have another temporary folder: of a container, a job, another session.

    The folder of the file is locked as well, which leaves nothing in it. Raises `OSError`.
    """
    with locked(path), ExitStack() as held:
        # Where a folder cannot be locked (Windows, some network drives) there is the first lock still.
        with suppress(OSError):
            folder = os.open(Path(os.path.realpath(path)).parent, os.O_RDONLY)
            held.callback(os.close, folder)
            _lock(folder)
        yield


def _lock_file(path: Path) -> BinaryIO:
    """It lies with our other locks: beside the file it would stand in a repository, or in another tool's folder."""
    name = blake2b(os.path.realpath(path).encode(errors="surrogateescape"), digest_size=16).hexdigest()
    user = os.getuid() if hasattr(os, "getuid") else getpass.getuser()
    folder = Path(tempfile.gettempdir(), f"llmmock-locks-{user}")
    folder.mkdir(mode=0o700, exist_ok=True)
    return open(folder / name, "ab")


def try_lock(path: Path) -> BinaryIO | None:
    """A lock file, locked until it is closed; None when another holds it, or has just removed it. Raises `OSError`."""
    file = open(path, "ab")  # noqa: SIM115 - held by the caller
    try:
        _lock(file.fileno(), wait=False)
        if os.path.samestat(os.fstat(file.fileno()), os.stat(path)):
            return file
    except (BlockingIOError, FileNotFoundError):
        pass  # the same: somebody else had it
    except BaseException:
        file.close()
        raise
    file.close()
    return None


def _lock(descriptor: int, *, wait: bool = True) -> None:
    """Lock an open file; closing the file gives it back. Raises `BlockingIOError` instead of waiting."""
    if sys.platform == "win32":
        import msvcrt

        try:
            msvcrt.locking(descriptor, msvcrt.LK_LOCK if wait else msvcrt.LK_NBLCK, 1)
        except PermissionError as error:
            raise BlockingIOError(*error.args) from None
    else:
        import fcntl

        fcntl.flock(descriptor, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))


def write(path: Path, data: bytes, *, mode: int | None = None) -> None:
    """Put data in place of a file at once: a reader sees the old or the new, never a part. Raises `OSError`.

    `mode` holds from the first byte on; without it, the file has the rights that new files have.
    """
    with _replaced(path, mode) as file:
        file.write(data)


def append(path: Path, data: bytes) -> None:
    """Put data behind what a file holds, at once as well. What it holds is copied unread. Raises `OSError`."""
    with _replaced(path) as file:
        with open(path, "rb") as old:
            shutil.copyfileobj(old, file, _BLOCK)
        file.write(data)


_BLOCK = 1 << 20


@contextmanager
def _replaced(path: Path, mode: int | None = None) -> Iterator[BinaryIO]:
    """A new file that takes the place of an old one when it is whole and on the disk."""
    target = Path(os.path.realpath(path))
    target.parent.mkdir(parents=True, exist_ok=True)
    temporary = target.with_name(f"{_temporary(target)}{token_hex(4)}.tmp")
    try:
        with open(temporary, "xb", opener=None if mode is None else _private) as file:
            if mode is not None:
                os.chmod(temporary, mode)
            yield file
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, target)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def sweep(path: Path) -> None:
    """Take away what writers left beside a file when they were killed; only who holds its lock may."""
    target = Path(os.path.realpath(path))
    for temporary in target.parent.glob(f"{escape(_temporary(target))}????????.tmp"):
        temporary.unlink(missing_ok=True)


def _temporary(target: Path) -> str:
    return f".{target.name[:50]}."
