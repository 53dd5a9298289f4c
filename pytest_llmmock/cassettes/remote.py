"""Cassettes at an address, `s3://bucket/folder`, read through fsspec: once, whole, and never written."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import Any

from ..errors import CassetteError, CassetteFormatError
from . import library
from .cassette import Cassette

_ADDRESS = re.compile(r"(?i)[a-z][a-z0-9+.:-]+://")
_USER = re.compile(r"(?<=://)[^/\s]*@")
_BACKENDS = {
    "s3": "s3fs",
    "s3a": "s3fs",
    "gs": "gcsfs",
    "gcs": "gcsfs",
    "az": "adlfs",
    "abfs": "adlfs",
    "abfss": "adlfs",
}
"""What fsspec needs beside it for the storages that are asked for most."""


def is_address(place: str) -> bool:
    return _ADDRESS.match(place) is not None


def root_of(address: str) -> Path:
    """The folder below which the cassettes at an address have their names."""
    path = Path(_USER.sub("", address))
    return path.parent if library.is_cassette(path) else path


def open_all(address: str, signature: bytes) -> list[Cassette]:
    """The cassettes in a file or below a folder at an address. Raises `CassetteError`, also when there is none."""
    called = _USER.sub("", address)
    with _told(called):
        files = _Files(address)
        names = files.cassettes()
        texts = files.read(names)
        blobs = files.read(files.blobs(set().union(*map(library.blob_names, texts.values()))))
    if not names:
        endings = ", ".join(library.SUFFIXES)
        raise CassetteError(f"There are no cassettes at {called}: files that end in {endings} were looked for.")
    by_hash = {PurePosixPath(name).name: content for name, content in blobs.items()}

    def find_blob(name: str) -> bytes:
        if name not in by_hash:
            raise CassetteFormatError(f"its body is in {library.BLOBS}/{name}, which is not at {called} nor above it.")
        return by_hash[name]

    def opened(name: str) -> Cassette:
        relative = files.relative(name)
        place = f"{called.rstrip('/')}/{relative}" if relative else called
        path = Path(called) / relative if relative else Path(called)
        cassette = library.cassette_of(texts[name], path, signature, find_blob, called=place)
        cassette.called = place
        return cassette

    return [opened(name) for name in names]


class _Files:
    """The files at an address."""

    def __init__(self, address: str) -> None:
        self._system, self._root = _fsspec(address).core.url_to_fs(address)
        self._system.invalidate_cache()  # of what was listed before, in a process that lives long
        self._is_file = bool(self._system.isfile(self._root))
        self._names: list[str] = [self._root] if self._is_file else sorted(self._system.find(self._root))

    def relative(self, name: str) -> str:
        """A file's path below the folder; '' for the file that the address names."""
        return "" if self._is_file else name[len(self._root) :].lstrip("/")

    def cassettes(self) -> list[str]:
        if self._is_file:
            return self._names
        return [name for name in self._names if library.is_visible(Path(self.relative(name)), Path())]

    def blobs(self, hashes: set[str]) -> list[str]:
        """The files of these large bodies, below the folder or in one above it."""
        inside = [PurePosixPath(name) for name in self._names]
        found = {path.name: str(path) for path in inside if path.parent.name == library.BLOBS}
        for name in hashes - set(found):
            above = (str(folder / library.BLOBS / name) for folder in PurePosixPath(self._root).parents)
            found[name] = next((place for place in above if self._system.isfile(place)), "")
        return sorted(found[name] for name in hashes if found[name])

    def read(self, names: Sequence[str]) -> dict[str, bytes]:
        """What these files hold, read at once where the storage can do that."""
        # Not by `cat`, for which brackets are a pattern: the cassettes of parametrised tests have them in their names.
        contents = self._system.cat_ranges(list(names), None, None) if names else []
        for content in contents:
            if isinstance(content, Exception):
                raise content
        return dict(zip(names, contents, strict=True))


def _fsspec(address: str) -> Any:
    try:
        import fsspec
    except ImportError:
        raise CassetteError(
            "Cassettes at an address are read with fsspec, which is not installed:  "
            f"pip install 'pytest-llmmock[remote]'{_backend(address, ' ')}"
        ) from None
    return fsspec


def _backend(address: str, before: str) -> str:
    """What else has to be installed for an address, if that is known."""
    name = _BACKENDS.get(address.rpartition("://")[0].rpartition(":")[2])
    return before + name if name else ""


@contextmanager
def _told(address: str) -> Iterator[None]:
    """Errors of a storage in our words."""
    try:
        yield
    except CassetteError:
        raise
    except ImportError as error:
        install = _backend(address, "  pip install ")
        raise CassetteError(f"{address} cannot be read: {_reason(error)}.{install}") from None
    except FileNotFoundError:
        raise CassetteError(f"There is no cassette and no folder at {address}, or its bucket is not there.") from None
    except PermissionError as error:
        why = _reason(error) or "no permission"
        raise CassetteError(f"{address} may not be read: {why}. Check the credentials and their rights.") from None
    except Exception as error:  # each storage has errors of its own
        why = _reason(error) or "it gave no reason"
        raise CassetteError(f"{address} cannot be read: {type(error).__name__}: {why}.") from None


def _reason(error: Exception) -> str:
    """What a storage says, on one line, without users and passwords."""
    return _USER.sub("", " ".join(str(error).split())).rstrip(".")
