"""What the tests of one run did with their cassettes, taken together: what nobody used, and what is dropped of it."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b
from pathlib import Path
from typing import Any

import pytest

from .cassettes import library
from .errors import CassetteError
from .naming import cassettes_of, home_of, relative

COUNTS = ("replayed", "recorded", "unmatched", "egress", "abandoned", "refused", "aside", "tokens")
"""What is counted of each test."""

CACHE = "llmmock/unused"
"""Where pytest's cache keeps what the last whole run did not use, for `llmmock prune`."""

_SELECTS = ("keyword", "markexpr", "deselect", "ignore", "ignore_glob", "lf", "stepwise", "collectonly")
"""Options after which a run is not a whole one."""


@dataclass
class CassetteUse:
    """One cassette and the tests that used it."""

    path: str
    tests: list[dict[str, Any]] = field(default_factory=list)

    def count(self, what: str) -> int:
        return sum(int(test["counts"].get(what, 0)) for test in self.tests)

    @property
    def shared(self) -> bool:
        """Whether tests that did not run may use it as well."""
        return not all(test["alone"] for test in self.tests)

    @property
    def unused(self) -> list[int]:
        """The numbers of the interactions that no test played, if every test passed that could have."""
        if not all(test["passed"] for test in self.tests):
            return []
        played = {number for test in self.tests for number in test["played"]}
        size = min(int(test["size"]) for test in self.tests)  # what lies behind was recorded by this run
        return [number for number in range(1, size + 1) if number not in played]


class Uses:
    """What the tests of a run used."""

    def __init__(self, tests: Iterable[dict[str, Any]], *, whole: bool) -> None:
        self.tests = list(tests)
        self.whole = whole
        self.cassettes: dict[str, CassetteUse] = {}
        for test in self.tests:
            self.cassettes.setdefault(test["cassette"], CassetteUse(test["cassette"])).tests.append(test)

    def total(self, what: str) -> int:
        return sum(cassette.count(what) for cassette in self.cassettes.values())

    @property
    def unused(self) -> dict[str, list[int]]:
        """The interactions by their cassettes that are known not to be used by any test."""
        known = (each for each in self.cassettes.values() if self.whole or not each.shared)
        return {each.path: each.unused for each in known if each.unused}

    def in_mode(self, mode: str) -> set[str]:
        """The cassettes that were used in a record mode."""
        return {test["cassette"] for test in self.tests if test["mode"] == mode}


def is_whole(config: pytest.Config) -> bool:
    """Whether pytest was asked for all tests of the project."""
    if any(config.getoption(name, None) for name in _SELECTS):
        return False
    here = config.invocation_params.dir
    given = {Path(os.path.abspath(here / argument)) for argument in config.args}
    wanted = {Path(os.path.abspath(config.rootpath / path)) for path in config.getini("testpaths")}
    return config.rootpath in given or (bool(wanted) and wanted <= given)


def orphans(root: Path, cassette_dir: Path, used: set[str]) -> list[str]:
    """The cassettes below a folder that no test used and that are no test's."""
    if not cassette_dir.is_dir():
        return []
    found = (relative(path, root) for path in library.find([cassette_dir]) if library.BLOBS not in path.parts)
    return [path for path in found if path not in used]


def drop(path: Path, numbers: Sequence[int]) -> int:
    """Take interactions out of a cassette, the others untouched; how many. Raises `CassetteError`."""
    gone = set(numbers)
    with library.locked(path):
        interactions = library.open_cassette(path, None).interactions
        if not all(each.source for each in interactions):
            raise CassetteError(f"{path} is not in our layout. Take it over first: llmmock import {path} --out DIR.")
        left = [each for number, each in enumerate(interactions, 1) if number not in gone]
        if left:
            library.save(path, left)
        else:
            library.remove(path)
    return len(interactions) - len(left)


def digest(path: Path) -> str:
    """Tells whether a file is still what it was; '' when it is gone."""
    return blake2b(path.read_bytes(), digest_size=16).hexdigest() if path.is_file() else ""


def to_prune(root: Path, home: Path, unused: Mapping[str, Sequence[int]], orphaned: Sequence[str]) -> dict[str, Any]:
    """What `llmmock prune` has to know, with what tells whether it still holds."""
    return {
        "root": str(root),
        "homes": [relative(home, root)],
        "unused": [
            {"path": path, "numbers": list(numbers), "digest": digest(root / path)} for path, numbers in unused.items()
        ],
        "orphans": [{"path": path, "digest": digest(root / path)} for path in orphaned],
    }


def collected(session: pytest.Session, began: float, *, whole: bool) -> dict[str, Any]:
    """What one process knows of the tests, plain values: it may be a worker of xdist."""
    root = session.config.rootpath
    return {
        "whole": whole,
        "collected": len(session.items),
        "named": sorted(set(cassettes_of(session.items, home_of(session.config)))),
        "opened": [relative(Path(path), root) for path, when in library.OPENED.items() if when >= began],
    }


class Session:
    """The end of a run: judges what was used, drops what is to be dropped, and tells `llmmock prune` of the rest."""

    def __init__(
        self,
        config: pytest.Config,
        tests: Iterable[dict[str, Any]],
        workers: Sequence[dict[str, Any]],
        *,
        whole: bool,
    ) -> None:
        whole = whole and is_whole(config) and all(worker["whole"] for worker in workers)
        self._config = config
        self._in_use = {name for worker in workers for name in (*worker["named"], *worker["opened"])}
        self.uses = Uses(tests, whole=whole)
        self.dropped = 0
        self.orphans: list[str] = []
        self.troubles: list[str] = []
        """What went wrong at the end."""

    def finish(self) -> None:
        """Do all that has to wait for the last test."""
        root, home = self._config.rootpath, home_of(self._config)
        if self.uses.whole:
            self.orphans = orphans(root, home, self._in_use | set(self.uses.cassettes))
        self._drop(root)
        cache = getattr(self._config, "cache", None)
        if self.uses.whole and cache is not None:
            cache.set(CACHE, to_prune(root, home, self.unused, self.orphans))

    def _drop(self, root: Path) -> None:
        """In mode `changed`, of the cassettes that tests share: those of one test are done already."""
        changed = self.uses.in_mode("changed")
        for path, numbers in self.uses.unused.items():
            if path in changed and self.uses.cassettes[path].shared:
                try:
                    self.dropped += drop(root / path, numbers)
                except CassetteError as error:
                    self.troubles.append(str(error))

    @property
    def unused(self) -> dict[str, list[int]]:
        """What no test used and is still there, of the tests that care."""
        changed = self.uses.in_mode("changed")
        cares = {test["cassette"] for test in self.uses.tests if test["unplayed"] != "ignore"}
        return {path: found for path, found in self.uses.unused.items() if path in cares - changed}

    @property
    def fails(self) -> bool:
        """Whether a cassette that tests share holds what none of them used, and that is to fail the run."""
        strict = {test["cassette"] for test in self.uses.tests if test["unplayed"] == "fail"}
        return any(self.uses.cassettes[path].shared for path in self.unused if path in strict)
