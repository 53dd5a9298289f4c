"""What the tests of one run did with their cassettes, taken together: what nobody used, and what is dropped of it."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import pytest

from . import usage
from .cassettes import library
from .errors import CassetteError
from .naming import SHARED, cassettes_of, home_of, names_on_markers, relative

_IGNORES = ("collect_ignore", "collect_ignore_glob")

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

    def __init__(self, tests: Iterable[dict[str, Any]], named: Mapping[str, int], *, whole: bool) -> None:
        self.tests = list(tests)
        self.whole = whole
        self._named = named
        self.cassettes: dict[str, CassetteUse] = {}
        for test in self.tests:
            self.cassettes.setdefault(test["cassette"], CassetteUse(test["cassette"])).tests.append(test)

    def total(self, what: str) -> int:
        return sum(cassette.count(what) for cassette in self.cassettes.values())

    @property
    def unused(self) -> dict[str, list[int]]:
        """The interactions by their cassettes that are known not to be used by any test."""
        known = (each for each in self.cassettes.values() if not each.shared or self._all_used(each))
        return {each.path: each.unused for each in known if each.unused}

    def _all_used(self, cassette: CassetteUse) -> bool:
        """Whether every test that has this cassette has used it: one that was skipped may need what is left."""
        return self.whole and len(cassette.tests) >= self._named.get(cassette.path, 0)

    def in_mode(self, mode: str) -> set[str]:
        """The cassettes that were used in a record mode."""
        return {test["cassette"] for test in self.tests if test["mode"] == mode}


def is_whole(config: pytest.Config) -> bool:
    """Whether pytest was asked for all tests of the project."""
    if any(config.getoption(name, None) for name in _SELECTS) or _ignores_tests(config):
        return False
    here = config.invocation_params.dir
    given = {Path(os.path.abspath(here / argument)) for argument in config.args}
    wanted = {Path(os.path.abspath(config.rootpath / path)) for path in config.getini("testpaths")}
    return config.rootpath in given or (bool(wanted) and wanted <= given)


def _ignores_tests(config: pytest.Config) -> bool:
    """Whether a conftest.py leaves out test files, or folders that may hold some."""
    lists = (getattr(plugin, name, ()) for plugin in config.pluginmanager.get_plugins() for name in _IGNORES)
    ignored = [Path(str(each)).name for given in lists if isinstance(given, list | tuple) for each in given]
    return any(not name.endswith(".py") or _is_test_file(name, config) for name in ignored)


def _is_test_file(name: str, config: pytest.Config) -> bool:
    return any(fnmatch(name, pattern) for pattern in config.getini("python_files"))


def orphans(config: pytest.Config, home: Path, used: set[str], *, certain: bool) -> list[str]:
    """The cassettes below a folder that no test used and that are no test's.

    `certain` is that every test ran to its end. Else a test that did not may open one by hand, and only those are
    told that lie where the cassettes of a test file lie. Files that are not ours are nobody's concern.
    """
    if not home.is_dir():
        return []
    found = (path for path in library.find([home]) if relative(path, config.rootpath) not in used)
    wanted = (path for path in found if certain or _is_of_test_file(path, home, config))
    return [relative(path, config.rootpath) for path in wanted if library.is_ours(path)]


def _is_of_test_file(path: Path, home: Path, config: pytest.Config) -> bool:
    """Whether a cassette lies where those of a test file are, which may be gone."""
    return _is_test_file(path.relative_to(home).parent.name + ".py", config)


def collected(session: pytest.Session, began: float, *, whole: bool) -> dict[str, Any]:
    """What one process knows of the tests, plain values: it may be a worker of xdist."""
    root = session.config.rootpath
    return {
        "whole": whole,
        "collected": len(session.items),
        "named": dict(Counter(cassettes_of(session.items, home_of(session.config)))),
        "opened": [relative(Path(path), root) for path, when in library.OPENED.items() if when >= began],
        "shared": sorted(set(names_on_markers(session.items))),
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
        certain: bool,
    ) -> None:
        whole = whole and is_whole(config) and all(worker["whole"] for worker in workers)
        self._config = config
        self._workers = workers
        self._certain = certain
        named: dict[str, int] = {path: count for worker in workers for path, count in worker["named"].items()}
        self._in_use = {*named, *(path for worker in workers for path in worker["opened"])}
        self.uses = Uses(tests, named, whole=whole)
        self.dropped = 0
        self.orphans: list[str] = []
        self.troubles: list[str] = []
        """What went wrong at the end."""

    def finish(self) -> None:
        """Do all that has to wait for the last test."""
        home = home_of(self._config)
        if self.uses.whole:
            used = self._in_use | set(self.uses.cassettes)
            self.orphans = orphans(self._config, home, used, certain=self._certain)
        self._drop(self._config.rootpath)
        cache = getattr(self._config, "cache", None)
        if cache is not None:
            self._remember(cache, home)

    def _remember(self, cache: pytest.Cache, home: Path) -> None:
        """For `llmmock prune`, and for runs that do not see all tests. What was used since is not unused any more."""
        if self.uses.whole:
            root = self._config.rootpath
            cache.set(usage.CACHE, usage.written(root, relative(home, root), self.unused, self.orphans))
            cache.set(SHARED, sorted({name for worker in self._workers for name in worker["shared"]}))
            return
        known = cache.get(usage.CACHE, None)
        if known is not None:
            cache.set(usage.CACHE, usage.without(known, self._in_use))

    def _drop(self, root: Path) -> None:
        """In mode `changed`, of the cassettes that tests share: those of one test are done already."""
        changed = self.uses.in_mode("changed")
        for path, numbers in self.uses.unused.items():
            if path in changed and self.uses.cassettes[path].shared:
                try:
                    self.dropped += library.drop(root / path, numbers)
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
