"""One test and its cassette: how it is named, what is in force, and what is done when the test is over."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from hashlib import blake2b
from pathlib import Path
from typing import Any

import pytest

from .beside import given, ini
from .cassettes import library
from .cassettes.mismatch import Advice
from .cassettes.recorder import written
from .core.summary import plural
from .deck import ASIDE, Deck
from .errors import LLMMockError, UsageError
from .inbound.server import Server
from .mock import LLMMock, LLMServer
from .plugin import BEGAN, CLEANUP, PROPERTY
from .settings import Layer, Settings, combine, from_environment

_LONGEST_NAME = 150
"""Bytes."""

_ODD = re.compile(r"[^\w.\-\[\]]+")

_SERVER = pytest.StashKey[Server]()


class Case:
    """What one test plays, records and reports."""

    def __init__(self, item: pytest.Item, deck: Deck, name: str) -> None:
        self._item = item
        self._deck = deck
        self._name = name
        self._passed = False
        self._failed = False
        self._shown = False

    @classmethod
    def open(cls, request: pytest.FixtureRequest, llm_config: Mapping[str, Any]) -> Case:
        """The case of the test that asks for a fixture. What is wrong with it fails the test's set-up."""
        item: pytest.Item = request.node
        with _readable():
            name, settings = settings_of(item, llm_config)
            root = item.config.rootpath / settings.cassette_dir
            since = written(item.config.stash[BEGAN])
            deck = Deck.open(cassette_path(root, name), settings, advice=advice(item), blobs_in=root, since=since)
            return cls(item, deck, name)

    @contextmanager
    def mock(self) -> Iterator[LLMMock]:
        with _readable(), LLMMock(self._deck).opened() as mock:
            self._configure(mock)
            yield mock

    @contextmanager
    def server(self) -> Iterator[LLMServer]:
        with _readable(), LLMServer(self._deck, server=running_server(self._item.config)).opened() as server:
            self._configure(server)
            yield server

    def _configure(self, mock: LLMMock) -> None:
        self._item.ihook.pytest_llmmock_configure(config=self._item.config, mock=mock)

    # --- when the test is over ---

    def note(self, report: pytest.TestReport) -> None:
        """See how a phase of the test ended, and explain a failure that is ours to explain."""
        self._failed = self._failed or report.failed  # a subtest has a report of its own, before that of the test
        if report.when == "call":
            self._passed = report.passed and not self._failed and not hasattr(report, "wasxfail")
        text = self._explanation() if report.failed and not self._shown else ""
        if text and report.when == "call":
            report.sections.append(("llmmock", text))
            self._shown = True

    def _explanation(self) -> str:
        refused = [
            f"The upstream answered {entry.method} {entry.path} with status {entry.status}"
            f" ({entry.content_type or 'no content type'}); it was passed on and not recorded."
            for entry in self._deck.refused
        ]
        return "\n\n".join([*([self._deck.report()] if self._deck.troubles else []), *refused])

    def finish(self) -> None:
        """Save what was recorded, and fail the test when a request had no answer."""
        try:
            with _readable():
                self._count()
                self._save()
        finally:
            self._deck.close()
        if self._deck.troubles and not self._shown:
            self._shown = True
            pytest.fail("llmmock: " + self._deck.report(), pytrace=False)

    def _save(self) -> None:
        if self._passed and not self._deck.troubles:
            self._deck.save()
            return
        aside = self._item.config.rootpath / self._deck.settings.cassette_dir / ASIDE
        if self._deck.save(cassette_path(aside, self._name)):
            library.write(aside.parent / ".gitignore", b"*\n")
            self._add("aside", 1)

    def _count(self) -> None:
        self._forget()
        self._add("replayed", len(self._deck.requests.where(source="cassette")))
        self._add("recorded", len(self._deck.recordings.interactions))
        self._add("unmatched", len(self._deck.requests.where(source="unmatched")))
        if self._deck.abandoned:
            self._add("abandoned", self._deck.abandoned)
        if self._deck.refused:
            self._add("refused", len(self._deck.refused))

    def _forget(self) -> None:
        """What an earlier try of the same test told is not told again."""
        properties = self._item.user_properties
        properties[:] = [pair for pair in properties if not pair[0].startswith(PROPERTY)]

    def _add(self, what: str, count: int) -> None:
        """Tell a count with the test's report."""
        self._item.user_properties.append((PROPERTY + what, count))


@contextmanager
def _readable() -> Iterator[None]:
    """An error of ours in a fixture is a message, not a traceback."""
    try:
        yield
    except LLMMockError as error:
        failure = pytest.fail.Exception(str(error), pytrace=False)
    else:
        return
    raise failure  # outside, so that pytest does not show the same words twice


def summary_line(counts: Mapping[str, int]) -> str:
    pieces = [f"{counts.get(what, 0)} {what}" for what in ("replayed", "recorded", "unmatched")]
    if "abandoned" in counts:
        pieces.append(f"{plural(counts['abandoned'], 'stream')} left by the client before the end, and not recorded")
    if "refused" in counts:
        pieces.append(f"{plural(counts['refused'], 'error')} of the upstream not recorded (record_errors is off)")
    if "aside" in counts:
        tests = plural(counts["aside"], "test")
        pieces.append(f"recordings of {tests} kept aside, because their test did not pass: {ASIDE}")
    return "llmmock: " + ", ".join(pieces)


def running_server(config: pytest.Config) -> Server:
    """The server of this pytest process, started when the first test asks for it."""
    server = config.stash.get(_SERVER, None)
    if server is None:
        server = config.stash[_SERVER] = Server()
        server.start()
        config.stash[CLEANUP].append(server.stop)
    return server


# --- settings -------------------------------------------------------------------------------------------


def settings_of(item: pytest.Item, llm_config: Mapping[str, Any]) -> tuple[str, Settings]:
    """The name of the test's cassette and its settings. Raises `UsageError`."""
    if not isinstance(llm_config, Mapping):
        raise UsageError(f"The fixture llm_config has to return a dict, and returned {llm_config!r}.")
    name, marked = _marked(item)
    config = item.config
    in_file = {name: ini(config, f"llm_{name}") for name in ("upstream", "cassette_dir")}
    options = {
        "mode": given(config, "llm_record"),
        "upstream": given(config, "llm_upstream"),
        "cassette_dir": given(config, "llm_cassette_dir"),
    }
    layers: list[Layer] = [
        ("ini file", in_file),
        ("llm_config", llm_config),
        from_environment(os.environ),
        ("command line", options),
        ("@pytest.mark.llm_cassette", marked),
    ]
    return name or default_name(item), combine(layers)


def _marked(item: pytest.Item) -> tuple[str, dict[str, Any]]:
    """What the markers say, a test's own over its class's over its module's."""
    name, settings = "", {}
    for marker in reversed(list(item.iter_markers("llm_cassette"))):
        if len(marker.args) > 1:
            raise UsageError(f"@pytest.mark.llm_cassette takes one name, and was given {marker.args!r}.")
        arguments = dict(marker.kwargs)
        name = arguments.pop("name", None) or (marker.args[0] if marker.args else None) or name
        settings.update(arguments)
    if not isinstance(name, str):
        raise UsageError(f"@pytest.mark.llm_cassette takes the name of a cassette, and was given {name!r}.")
    return name, settings


# --- names ----------------------------------------------------------------------------------------------


def default_name(item: pytest.Item) -> str:
    """`tests/test_agent/TestPlan.test_rome[gpt-5]` for that test of `tests/test_agent.py`."""
    file, _, inside = item.nodeid.partition("::")
    if item.path.is_relative_to(item.config.rootpath):
        file = item.path.relative_to(item.config.rootpath).as_posix()
    folders = [safe(part) for part in Path(file).with_suffix("").parts if part not in ("..", "/")]
    names, bracket, parameters = inside.partition("[")
    return "/".join([*folders, safe((names.replace("::", ".") + bracket + parameters) or item.name)])


def safe(name: str) -> str:
    """A name for every file system. Where something has to be replaced, a digest keeps it unique."""
    plain = _ODD.sub("-", name)
    size = len(plain.encode(errors="replace"))
    if plain == name and size <= _LONGEST_NAME and not name.startswith("."):
        return name
    digest = blake2b(name.encode(errors="surrogatepass"), digest_size=4).hexdigest()
    short = plain.encode(errors="replace")[:_LONGEST_NAME].decode(errors="ignore")
    return f"{short.strip('-.')}-{digest}"


def cassette_path(root: Path, name: str) -> Path:
    """The file of a cassette. Raises `UsageError` for a name that leads out of the cassette folder."""
    path = Path(os.path.normpath(root / name))
    if not path.is_relative_to(os.path.normpath(root)):
        raise UsageError(f"The cassette name {name!r} leads out of the cassette folder {root}.")
    known = (".yaml", ".yml", ".json", ".gz")
    return path if path.suffix in known else path.with_name(path.name + ".yaml")


def advice(item: pytest.Item) -> Advice:
    """How a miss of this test is mended."""
    return Advice(
        record=f'pytest --llm-record "{item.nodeid}"',
        ignore="@pytest.mark.llm_cassette(ignore=[{paths}])",
        repeat="@pytest.mark.llm_cassette(repeat=True)",
    )
