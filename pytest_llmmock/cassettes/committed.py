"""Cassettes as git keeps them: what stands in a commit, and what has changed since."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Sequence
from pathlib import Path

from ..errors import CassetteError, CassetteFormatError, UsageError
from . import library
from .cassette import Cassette
from .format import Blob


class Commit:
    """A commit of the repository around a file or folder. Raises `CassetteError` and `UsageError`."""

    def __init__(self, place: Path, name: str = "HEAD") -> None:
        self.name = name
        self._folder = _existing(place)
        self._root = _line(_checked(self._folder, "rev-parse", "--show-toplevel"))
        self._id = self._named(name)

    def _named(self, name: str) -> str:
        found = _git(self._folder, "rev-parse", "--verify", "--quiet", "--end-of-options", name + "^{commit}")
        if found.returncode:
            raise UsageError(f"There is no commit {name!r} in the git repository {self._root}.")
        return _line(found.stdout)

    def open(self, path: Path, signature: bytes = b"") -> Cassette:
        """The cassette as it was committed; one that `exists` not when it was not. Raises `CassetteError`."""
        data = self._read(path)
        if data is None:
            return Cassette(path)
        return library.cassette_of(data, path, signature, self._blobs(path), called=f"{path} in {self.name}")

    def changed(self, folder: Path) -> list[Path]:
        """The cassettes below a folder that are not as they were committed: edited, new or gone."""
        names = ("diff", "--name-only", "-z", "--no-renames", "--no-ext-diff", "--relative", self._id, "--", ".")
        new = ("ls-files", "--others", "--exclude-standard", "-z", "--", ".")
        found = [name for command in (names, new) for name in _names(_checked(folder, *command))]
        return sorted(path for path in {folder / name for name in found} if library.is_visible(path, folder))

    def _read(self, path: Path) -> bytes | None:
        """The file as a checkout would write it, or None when the commit does not hold it."""
        folder = _existing(path.parent)
        place = f"{self._id}:./{_relative(path, folder)}"
        if _git(folder, "rev-parse", "--verify", "--quiet", place).returncode:
            return None
        return _checked(folder, "cat-file", "--filters", place)

    def _blobs(self, cassette: Path) -> Blob:
        """Large bodies by their hash: the same file is as good in the working tree as in the commit."""
        here = library.blob_finder(cassette)

        def find_blob(name: str) -> bytes:
            try:
                return here(name)
            except CassetteFormatError:
                for folder in cassette.absolute().parents:
                    content = self._read(folder / library.BLOBS / name) if _is_below(folder, self._root) else None
                    if content is not None:
                        return content
                raise

        return find_blob


def _existing(place: Path) -> Path:
    """The folder of a place, or the nearest above it that is still there."""
    return next(folder for folder in (place.absolute(), *place.absolute().parents) if folder.is_dir())


def _is_below(folder: Path, root: str) -> bool:
    return Path(os.path.realpath(folder)).is_relative_to(os.path.realpath(root))


def _relative(path: Path, folder: Path) -> str:
    return path.absolute().relative_to(folder).as_posix()


# --- git ------------------------------------------------------------------------------------------------


def _git(folder: Path, *arguments: str) -> subprocess.CompletedProcess[bytes]:
    command = ["git", "-C", os.fspath(folder), *arguments]
    try:
        return subprocess.run(
            command, stdin=subprocess.DEVNULL, capture_output=True, env={**os.environ, "LC_ALL": "C"}, check=False
        )
    except (FileNotFoundError, PermissionError):  # an empty PATH gives either
        raise CassetteError(
            "git was not found, and comparing with what is committed needs it. "
            "Two files can be compared without: llmmock diff OLD NEW"
        ) from None


def _checked(folder: Path, *arguments: str) -> bytes:
    done = _git(folder, *arguments)
    if done.returncode:
        raise CassetteError(_why(folder, done.stderr.decode(errors="replace")))
    return done.stdout


def _why(folder: Path, said: str) -> str:
    if "not a git repository" in said:
        return (
            f"{folder} is not in a git repository, so there is nothing committed to compare with. "
            "Two files can be compared without: llmmock diff OLD NEW"
        )
    return f"git failed in {folder}: {' '.join(said.split()) or 'it gave no reason'}"


def _line(output: bytes) -> str:
    return os.fsdecode(output).removesuffix("\n").removesuffix("\r")


def _names(output: bytes) -> Sequence[str]:
    return [os.fsdecode(name) for name in output.split(b"\0") if name]
