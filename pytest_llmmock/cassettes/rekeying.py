"""Keys and stamps computed anew: after an edit by hand, for other settings, or for a newer way of computing them."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from ..core.model import Exchange, Request
from ..errors import CassetteError
from . import format, library
from .cassette import Interaction, Recorded
from .matchers import Keys

Read = Callable[[Request], Exchange]

_COMMENT = re.compile(rb"\A# (\d+)[^\n]*\n")


@dataclass(slots=True)
class Rekeyed:
    """A cassette with the keys that hold."""

    path: Path
    interactions: int = 0
    changed: list[int] = field(default_factory=list)
    """The numbers of the interactions whose key or stamp is another now."""
    is_foreign: bool = False
    """Whether its layout has no keys."""


def rekey(path: Path, keys: Keys, read: Read, describe: Callable[[Recorded], str], *, dry_run: bool = False) -> Rekeyed:
    """Key one cassette anew, the whole file or nothing of it. Raises `CassetteError`."""
    _must_be_writable(path)
    with library.locked(path):
        cassette = library.open_cassette(path)
        sources = format.cut(path.read_bytes())
        if sources is None:
            return Rekeyed(path, len(cassette), is_foreign=bool(cassette.interactions))
        done = Rekeyed(path, len(sources))
        texts = [
            _keyed(number, each, source, keys, read, describe)
            for number, (each, source) in enumerate(zip(cassette.interactions, sources, strict=True), 1)
        ]
        done.changed = [number for number, pair in enumerate(zip(texts, sources, strict=True), 1) if pair[0] != pair[1]]
        if done.changed and not dry_run:
            _write(path, format.HEAD + b"".join(texts))
    return done


def _must_be_writable(path: Path) -> None:
    """A rename would replace a link, and also a file that nobody may write."""
    if path.is_symlink():
        raise CassetteError(f"{path} is a symbolic link to {path.resolve()}: name that file to have it keyed anew.")
    if path.exists() and not path.stat().st_mode & 0o222:
        raise CassetteError(f"{path} is read-only: it was not keyed anew. Allow writing (chmod u+w) if it is yours.")


def _keyed(
    number: int, interaction: Interaction, source: bytes, keys: Keys, read: Read, describe: Callable[[Recorded], str]
) -> bytes:
    """An interaction's text with the key that holds; where that is another one, with a comment that holds too."""
    key, stamp = keys.key(read(interaction.request)), format.stamp(source, keys.signature)
    marks = format.marks(source)
    if marks is None:
        raise CassetteError(
            f"{interaction.place}: its line `llmmock:` does not begin with a key and a stamp. Restore it."
        )
    if marks == (key, stamp):
        return source
    text = format.marked(source, key, stamp)
    return text if marks[0] == key else _commented(text, describe(interaction.recorded))


def _commented(source: bytes, words: str) -> bytes:
    """Our comment above the interaction, if it still stands there, with these words."""
    return _COMMENT.sub(lambda found: format.comment(int(found[1]), words), source)


def _write(path: Path, data: bytes) -> None:
    try:
        library.write(path, data)
    except OSError as error:
        raise CassetteError(f"{path} cannot be written: {error.strerror or error}. It is as it was.") from None
