"""Cassettes as files: opened by path, saved whole or not at all."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from .. import files
from ..errors import CassetteError, CassetteFormatError
from ..files import write as write
from . import format
from .cassette import Cassette, Interaction, Recorded
from .findings import refuse
from .secrets import Secrets

SUFFIXES = (".yaml", ".yml", ".json", ".yaml.gz", ".yml.gz", ".json.gz")
"""What cassettes are called. We write `.yaml`."""

OPENED: dict[str, float] = {}
"""Every cassette that this process has looked for, and when: one that a test opens by hand is in use as well."""

BLOBS = "blobs"
_SCHEME = re.compile(r"[a-z][a-z0-9+.:-]+")
"""How an address begins: in two characters at least, for a single one is a disk of Windows."""
_BLOB_NAME = re.compile(r"[0-9a-f]{64}")
_NAMES_BLOB = re.compile(rb"\n +blob: ['\"]?([0-9a-f]{64})\b")


RULES = (".rules.yaml", ".rules.yml", ".rules.json")
"""What files of rules may be called that lie among cassettes."""

FOREIGN = (*SUFFIXES, ".toml", ".har", ".toml.gz", ".har.gz")
"""What recordings of all tools are called whose files can be taken over."""


def is_cassette(path: Path, suffixes: tuple[str, ...] = SUFFIXES) -> bool:
    return path.name.endswith(suffixes) and not path.name.startswith(".") and not path.name.endswith(RULES)


def find(places: Sequence[Path], suffixes: tuple[str, ...] = SUFFIXES) -> Iterator[Path]:
    """The cassettes among files and below folders, each folder's in the order of their names.

    Raises `CassetteError` for a place that does not exist.
    """
    for place in places:
        must_be_file(place)
        if place.is_dir():
            yield from sorted(path for path in place.rglob("*") if is_visible(path, place, suffixes) and path.is_file())
        elif exists(place):
            yield place
        else:
            raise CassetteError(f"There is no cassette and no folder at {place}.")


def must_be_file(path: Path) -> None:
    """Raises `CassetteError` for an address, of which a path has one slash left."""
    scheme, slash, rest = path.as_posix().partition(":/")
    if slash and _SCHEME.fullmatch(scheme) and not Path(scheme + ":").exists():
        raise CassetteError(
            f"{scheme}://{rest} is an address. Only `llmmock replay` reads cassettes from one, and nothing writes them "
            "there: copy the files here, and name their folder."
        )


def find_some(places: Sequence[Path], suffixes: tuple[str, ...] = SUFFIXES) -> list[Path]:
    """The same. Raises `CassetteError` also where there are none."""
    found = list(find(places, suffixes))
    if not found:
        raise CassetteError(f"There are no cassettes in {', '.join(map(str, places))}.")
    return found


def is_visible(path: Path, place: Path, suffixes: tuple[str, ...] = SUFFIXES) -> bool:
    """Whether a path below a folder is a cassette's, and not in a folder that is kept aside."""
    return is_cassette(path, suffixes) and not any(part.startswith(".") for part in path.relative_to(place).parts)


def open_cassette(
    path: Path,
    signature: bytes | None = b"",
    blob: format.Blob | None = None,
    *,
    wanted: format.Wanted | None = None,
) -> Cassette:
    """The cassette in a file; an empty one where there is none. Raises `CassetteError`.

    With `signature=None` it is opened to be written back: stored keys are taken as they stand. Of a HAR what is
    `wanted` is read.
    """
    must_be_file(path)
    OPENED[os.path.abspath(path)] = time.time()
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        return Cassette(path)
    except OSError as error:
        raise CassetteError(f"The cassette {path} cannot be read: {error.strerror or error}.") from None
    return cassette_of(data, path, signature, blob, wanted=wanted)


def open_ours(path: Path) -> Cassette:
    """The cassette in a file, to be written back: its interactions keep their text.

    Raises `CassetteError`, also for one in another layout.
    """
    cassette = open_cassette(path, None)
    if not all(each.source for each in cassette.interactions):
        raise CassetteError(f"{path} is not in our layout. Take it over first: llmmock import {path} --out DIR.")
    return cassette


def cassette_of(
    data: bytes,
    path: Path,
    signature: bytes | None = b"",
    blob: format.Blob | None = None,
    *,
    called: str = "",
    wanted: format.Wanted | None = None,
) -> Cassette:
    """The cassette that these bytes are, as if they stood in a file. Raises `CassetteFormatError`."""
    called = called or str(path)
    try:
        interactions = format.loads(data, signature, blob or blob_finder(path), called, wanted)
    except CassetteFormatError as error:
        raise CassetteFormatError(f"{called} is not a cassette that can be read. {error}") from None
    return Cassette(path, interactions, exists=True)


def exists(path: Path) -> bool:
    """Whether there is a file. Raises `CassetteError` where that cannot be known."""
    try:
        return path.exists()
    except OSError as error:
        raise CassetteError(f"The cassette {path} cannot be looked for: {error.strerror or error}.") from None


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Keep other processes, and threads, that record to the same cassette out for the time of the block.

    Raises `CassetteError`.
    """
    with ExitStack() as held:
        try:
            held.enter_context(files.locked(path))
        except OSError as error:
            raise CassetteError(f"The cassette {path} cannot be locked: {error.strerror or error}.") from None
        yield


def blob_finder(cassette: Path) -> format.Blob:
    """Finds large bodies in a folder `blobs` beside the cassette or in a folder above it."""

    def find_blob(name: str) -> bytes:
        if not _BLOB_NAME.fullmatch(name):
            raise CassetteFormatError(f"its body names the file {name!r}, which is not a SHA-256.")
        path = blob_path(cassette, name)
        if path is None:
            raise CassetteFormatError(
                f"its body is in {BLOBS}/{name}, which is neither beside {cassette} nor above it."
            )
        return path.read_bytes()

    return find_blob


def blob_path(cassette: Path, name: str) -> Path | None:
    """The file that holds a large body of this cassette."""
    places = (folder / BLOBS / name for folder in cassette.absolute().parents)
    return next((place for place in places if place.is_file()), None)


def blob_names(data: bytes) -> set[str]:
    """The large bodies that a cassette's text names."""
    return {name.decode() for name in _NAMES_BLOB.findall(data)}


def save(
    path: Path,
    interactions: Sequence[Interaction],
    *,
    signature: bytes = b"",
    describe: Callable[[Recorded], str] = lambda recorded: "",
    blobs_in: Path | None = None,
    secrets: Secrets | None = None,
    called: Path | None = None,
) -> None:
    """Write a cassette: whole, through a temporary file and a rename, and only when there is no secret in it.

    Large bodies go to `blobs_in`/blobs (the cassette's own folder unless told). Unless told, secrets are those
    of the environment, and what looks like one. `called`: the file that is named when there is one in it.
    Raises `CassetteError`.
    """
    blobs: dict[str, bytes] = {}
    data = format.dumps(interactions, signature, describe, blobs)
    refuse(called or path, interactions, data, blobs, secrets or Secrets.of())
    _put(path, data, write, blobs, blobs_in)


def add(
    path: Path,
    interactions: Sequence[Interaction],
    *,
    behind: int,
    signature: bytes,
    describe: Callable[[Recorded], str],
    blobs_in: Path,
    secrets: Secrets,
) -> None:
    """Write interactions behind those that are there, in our layout, so many. All or nothing, as `save` does.

    Raises `CassetteError`.
    """
    blobs: dict[str, bytes] = {}
    data = format.more(interactions, behind + 1, signature, describe, blobs)
    refuse(path, interactions, data, blobs, secrets)
    _put(path, data, files.append, blobs, blobs_in)


def _put(
    path: Path, data: bytes, put: Callable[[Path, bytes], None], blobs: dict[str, bytes], blobs_in: Path | None
) -> None:
    home = (blobs_in or path.parent) / BLOBS
    try:
        for name, content in blobs.items():
            if not (home / name).is_file():
                write(home / name, content)
        put(path, data)
    except OSError as error:
        raise CassetteError(
            f"The cassette {path} cannot be written: {error.strerror or error}. What was there before is unchanged."
        ) from None


def drop(path: Path, numbers: Sequence[int]) -> int:
    """Take interactions out of a cassette, the others untouched; how many. Raises `CassetteError`."""
    gone = set(numbers)
    with locked(path):
        interactions = open_ours(path).interactions
        left = [each for number, each in enumerate(interactions, 1) if number not in gone]
        if left:
            save(path, left)
        else:
            remove(path)
    return len(interactions) - len(left)


def remove(path: Path) -> None:
    """Take a cassette away in which nothing is left. Raises `CassetteError`."""
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        raise CassetteError(f"The cassette {path} cannot be removed: {error.strerror or error}.") from None


def is_ours(path: Path) -> bool:
    """Whether a file is a cassette in our own layout, and not one that another tool plays."""
    try:
        return bool(format.cut(path.read_bytes()))
    except OSError:
        return False  # who opens it is told


def open_all(
    places: Sequence[Path], signature: bytes = b"", on_error: Callable[[CassetteError], object] | None = None
) -> list[Cassette]:
    """Every cassette among files and below folders. Raises `CassetteError`, also when there is none.

    With `on_error` a cassette that cannot be read is told to it, and passed over.
    """
    cassettes, errors = [], []
    for path in find(places):
        try:
            cassettes.append(open_cassette(path, signature))
        except CassetteError as error:
            errors.append(error)
    if on_error is not None:
        for each in errors:
            on_error(each)
    elif errors:
        raise type(errors[0])("\n".join(map(str, errors)))
    if not cassettes and not errors:
        where = ", ".join(str(place) for place in places)
        raise CassetteError(
            f"There are no cassettes in {where}: files that end in {', '.join(SUFFIXES)} were looked for."
        )
    return cassettes


def name_of(cassette: Path, root: Path) -> str:
    """The name by which a cassette below a folder is picked: its path there, without the suffix."""
    relative = cassette.relative_to(root) if cassette.is_relative_to(root) else Path(cassette.name)
    return re.sub(r"\.(ya?ml|json|toml|har)(\.gz)?$", "", relative.as_posix())
