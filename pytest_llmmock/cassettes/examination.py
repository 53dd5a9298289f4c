"""Cassettes examined: each file and interaction by all checks, and what lies around them."""

from __future__ import annotations

import re
import time
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path

from ..core.summary import plural
from ..errors import CassetteError
from . import format, library
from .cassette import Cassette
from .checks import OF_FILES, OF_INTERACTIONS, RECORD_AGAIN, Finding, Given, Piece, Subject

OF_PLACES = ("unreadable", "blob", "names", "leftover")
"""What is found without a check in `OF_FILES` and `OF_INTERACTIONS`."""

KINDS = (*OF_FILES, *OF_INTERACTIONS, *OF_PLACES)
"""The names of all kinds of findings."""

_TEMPORARY = re.compile(r"\..*\.[0-9a-f]{8}\.tmp")
_YOUNG = 60
"""Seconds for which a temporary file may be one that is being written."""


@dataclass(slots=True)
class Report:
    """What an examination found."""

    cassettes: int = 0
    interactions: int = 0
    oldest: str = ""
    """When the oldest recording was made; '' when none of them says it."""
    findings: list[Finding] = field(default_factory=list)


def examine(places: Sequence[Path], given: Given, skip: Iterable[str] = ()) -> Report:
    """Everything that is wrong below these places, except what is to be skipped. Raises `CassetteError`."""
    report = Report()
    paths = list(dict.fromkeys(library.find(places)))
    for path in paths:
        report.findings += _of_cassette(path, given, report)
    report.findings += _same_names(paths)
    for place in places:
        if place.is_dir():
            report.findings += [*_lone_blobs(place), *_leftovers(place)]
    skipped = set(skip)
    report.findings = [each for each in report.findings if each.kind not in skipped]
    return report


def _of_cassette(path: Path, given: Given, report: Report) -> Iterator[Finding]:
    report.cassettes += 1
    broken: dict[str, Path] = {}
    try:
        data = path.read_bytes()
        subject = Subject(path, data, given)
        found = [finding for check in OF_FILES.values() for finding in check(subject)]
        yield from found
        if any(finding.kind == "conflict" for finding in found):
            return
        cassette = library.cassette_of(data, path, given.keys.signature, _hashed(path, broken))
    except OSError as error:
        yield _unreadable(path, None, f"it cannot be read: {error.strerror or error}.")
    except CassetteError as error:
        yield _unreadable(path, None, str(error).removeprefix(f"{path} is not a cassette that can be read. "))
    else:
        yield from _of_interactions(subject, cassette, report)
        yield from (_not_its_hash(file) for file in broken.values())


def _of_interactions(subject: Subject, cassette: Cassette, report: Report) -> Iterator[Finding]:
    sources = format.cut(subject.data) or [b""] * len(cassette)
    for number, (interaction, source) in enumerate(zip(cassette.interactions, sources, strict=True), 1):
        report.interactions += 1
        piece = Piece(subject, number, interaction, source)
        try:
            recorded = str(interaction.meta.get("recorded") or "")
            report.oldest = min(filter(None, (report.oldest, recorded)), default="")
            yield from (finding for check in OF_INTERACTIONS.values() for finding in check(piece))
        except CassetteError as error:
            yield _unreadable(subject.path, number, str(error).removeprefix(f"{interaction.place}: "))


def _unreadable(path: Path, number: int | None, why: str) -> Finding:
    return Finding("unreadable", path, number, " ".join(why.split()), f"Mend it, or: {RECORD_AGAIN.lower()}")


# --- large bodies ---------------------------------------------------------------------------------------


def _hashed(cassette: Path, broken: dict[str, Path]) -> format.Blob:
    """Finds large bodies, and notes the files whose content is not what their name says."""

    def find_blob(name: str) -> bytes:
        content = find(name)
        path = library.blob_path(cassette, name)
        if path is not None and sha256(content).hexdigest() != name:
            broken[name] = path
        return content

    find = library.blob_finder(cassette)
    return find_blob


def _not_its_hash(path: Path) -> Finding:
    what = "its content is not the one that its name is the hash of."
    return Finding("blob", path, None, what, "Take it back from git, or record again.")


def _lone_blobs(place: Path) -> Iterator[Finding]:
    """Large bodies that no cassette names any more, those that are kept aside included."""
    for folder in sorted(path for path in place.rglob(library.BLOBS) if path.is_dir()):
        cassettes = [path for path in folder.parent.rglob("*") if library.is_cassette(path) and path.is_file()]
        named = {name for path in cassettes for name in library.blob_names(path.read_bytes())}
        for file in sorted(folder.iterdir()):
            if file.name not in named and not _TEMPORARY.fullmatch(file.name):
                what = "no cassette names it."
                yield Finding("blob", file, None, what, "Delete it, or take back the cassette that it belongs to.")


# --- names ----------------------------------------------------------------------------------------------


def _same_names(paths: Sequence[Path]) -> Iterator[Finding]:
    """Names that are one file on a disk that does not tell A from a, or é in one character from é in two."""
    seen: dict[str, Path] = {}
    for path in paths:
        other = seen.setdefault(unicodedata.normalize("NFC", str(path)).casefold(), path)
        if other != path:
            what = f"its name and {other} are the same on a disk that does not tell capital letters apart."
            yield Finding("names", path, None, what, "Give the test or the cassette another name.")


def _leftovers(place: Path) -> Iterator[Finding]:
    """Temporary files of a process that was killed while it wrote."""
    for path in sorted(place.rglob("*.tmp")):
        if _TEMPORARY.fullmatch(path.name) and time.time() - path.stat().st_mtime > _YOUNG:
            what = f"a process was killed while it wrote this ({plural(path.stat().st_size, 'byte')})."
            yield Finding("leftover", path, None, what, "Delete it.")
