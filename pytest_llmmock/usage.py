"""What the last run of all tests did not use, as pytest's cache keeps it for `llmmock prune` and `check`."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from typing import Any

from .errors import UsageError

CACHE = "llmmock/unused"
"""Where pytest's cache keeps it."""

CACHE_DIR = Path(".pytest_cache")
"""Where pytest keeps its cache, unless its ini option cache_dir says otherwise."""


@dataclass(frozen=True, slots=True)
class Unused:
    """Interactions of a cassette, or all of it, that no test used."""

    name: str
    """The cassette, as it is told."""
    path: Path
    numbers: tuple[int, ...]
    """The interactions, from 1; () for the whole cassette."""
    outdated: str
    """Why it may not be true any more; '' when it is."""


def written(root: Path, home: str, unused: Mapping[str, Sequence[int]], orphaned: Sequence[str]) -> dict[str, Any]:
    """What is kept, with what tells whether it still holds."""
    return {
        "root": str(root),
        "home": home,
        "when": time.time(),
        "unused": [
            {"path": path, "numbers": list(numbers), "digest": _digest(root / path)} for path, numbers in unused.items()
        ],
        "orphans": [{"path": path, "digest": _digest(root / path)} for path in orphaned],
    }


def without(known: dict[str, Any], used: set[str]) -> dict[str, Any]:
    """What is kept when some of it has been used since."""
    return {**known, **{what: [each for each in known[what] if each["path"] not in used] for what in _LISTS}}


_LISTS = ("unused", "orphans")


class Usage:
    """What is known of the last run of all tests."""

    def __init__(self, known: dict[str, Any]) -> None:
        self._known = known
        self._root = Path(known["root"])
        self.home = self._root / known["home"]
        """The folder of the cassettes."""

    @classmethod
    def read(cls, cache_dir: Path) -> Usage | None:
        """None before there was such a run. Raises `UsageError`."""
        path = cache_dir / "v" / CACHE
        try:
            return cls(json.loads(path.read_text(encoding="utf-8")))
        except FileNotFoundError:
            return None
        except (ValueError, KeyError, TypeError) as error:
            raise UsageError(f"{path} cannot be read: {error}. Run the whole suite once more.") from None

    def unused(self) -> Iterator[Unused]:
        """What no test used: first single interactions, then whole cassettes."""
        for what in _LISTS:
            for each in self._known[what]:
                path = self._root / each["path"]
                yield Unused(each["path"], path, tuple(each.get("numbers", ())), self._outdated(path, each["digest"]))

    def _outdated(self, path: Path, digest: str) -> str:
        if _digest(path) != digest:
            return "it has changed"
        tests = self._root / path.relative_to(self.home).parent.with_suffix(".py")
        if tests.is_file() and tests.stat().st_mtime > self._known["when"]:
            return f"{tests.relative_to(self._root)} has changed"
        return ""


def _digest(path: Path) -> str:
    """Tells whether a file is still what it was; '' when it is gone."""
    return blake2b(path.read_bytes(), digest_size=16).hexdigest() if path.is_file() else ""
