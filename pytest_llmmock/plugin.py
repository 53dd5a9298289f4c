"""pytest: the options, the marker and the fixtures.

pytest imports this module in every run of every user. So it takes pytest and the standard library only, and
everything else is imported inside the fixtures.
"""

from __future__ import annotations

import argparse
import time
from collections import Counter
from collections.abc import Callable, Generator, Iterator
from typing import TYPE_CHECKING, Any

import pytest

from .beside import Beside, Given

if TYPE_CHECKING:
    from .case import Case
    from .mock import LLMMock, LLMServer

MODES = ("none", "once", "new_episodes", "all")

CASE = pytest.StashKey["Case"]()
BEGAN = pytest.StashKey[float]()
CLEANUP = pytest.StashKey[list[Callable[[], None]]]()

PROPERTY = "llmmock_"
"""How the properties begin that a test's report carries: so they reach the summary from xdist's workers, and JUnit."""

MARKER = (
    "llm_cassette(name=None, *, mode=None, match_on=None, ignore=None, repeat=None, upstream=None): "
    "replay the model traffic of this test from a cassette of this name (default: named after the test)"
)


class RecordMode(Given):
    """`--llm-record` and `--llm-record=MODE`.

    Every mode is an option string of its own, because with an optional value argparse would take the path
    in `pytest --llm-record tests/` for the mode.
    """

    def __init__(self, option_strings: list[str], dest: str, **attributes: Any) -> None:
        super().__init__(option_strings, dest, nargs=0, **attributes)

    def __call__(
        self, parser: argparse.ArgumentParser, namespace: argparse.Namespace, values: Any, option: str | None = None
    ) -> None:
        super().__call__(parser, namespace, (option or "").partition("=")[2] or "new_episodes", option)


def pytest_addoption(parser: pytest.Parser, pluginmanager: pytest.PytestPluginManager) -> None:
    group = Beside.join(parser, pluginmanager, "recorded traffic of language models (pytest-llmmock)")
    group.addoption(
        "--llm-record",
        *(f"--llm-record={mode}" for mode in MODES),
        action=RecordMode,
        dest="llm_record",
        default=None,
        help="ask the upstream and record; alone it means new_episodes: replay, and record what is missing",
    )
    group.addoption(
        "--llm-upstream",
        metavar="NAME|URL",
        help="where record mode gets its answers: 'original' (where the client is going), 'openai', or a base URL",
    )
    group.addoption(
        "--llm-cassette-dir", metavar="DIR", help="where cassettes are, relative to the rootdir (default: cassettes)"
    )
    group.addini("llm_upstream", "where record mode gets its answers")
    group.addini("llm_cassette_dir", "where cassettes are, relative to the rootdir")


def pytest_addhooks(pluginmanager: pytest.PytestPluginManager) -> None:
    from . import hooks

    pluginmanager.add_hookspecs(hooks)


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", MARKER)
    config.stash[CLEANUP] = []
    config.stash[BEGAN] = time.time()
    config.pluginmanager.register(Summary(), "llmmock-summary")


def pytest_unconfigure(config: pytest.Config) -> None:
    cleanup = config.stash.get(CLEANUP, None) or []
    while cleanup:
        cleanup.pop()()


def pytest_itemcollected(item: pytest.Item) -> None:
    """The marker alone acts like the fixture `llm_mock`."""
    names = getattr(item, "fixturenames", None)
    if names is None or item.get_closest_marker("llm_cassette") is None:
        return
    if "llm_mock" not in names and "llm_server" not in names:
        names.insert(0, "llm_mock")  # before other fixtures, which may ask a model as well


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    case = item.stash.get(CASE, None)
    if case is not None:
        case.note(report)
    return report


class Summary:
    """Counts what the tests' reports tell, for one line at the end. Of a test that is run again the last try counts."""

    def __init__(self) -> None:
        self._tests: dict[str, dict[str, int]] = {}

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.when == "teardown":
            told = [pair for pair in report.user_properties if pair[0].startswith(PROPERTY)]
            if told:
                self._tests[report.nodeid] = {name.removeprefix(PROPERTY): int(str(value)) for name, value in told}

    @property
    def counts(self) -> dict[str, int]:
        """What happened how often in all tests."""
        total: Counter[str] = Counter()
        for counts in self._tests.values():
            total.update(counts)
        return dict(total)

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        if self._tests:
            from .case import summary_line

            terminalreporter.write_line(summary_line(self.counts))


@pytest.fixture
def llm_config() -> dict[str, Any]:
    """Settings of pytest-llmmock, as a dict. Override this fixture, in any scope, to change them."""
    return {}


@pytest.fixture
def _llm_case(request: pytest.FixtureRequest, llm_config: dict[str, Any]) -> Iterator[Case]:
    """The cassette of this test, shared by `llm_mock` and `llm_server`."""
    from .case import Case

    case = request.node.stash[CASE] = Case.open(request, llm_config)
    yield case
    case.finish()


@pytest.fixture
def llm_mock(_llm_case: Case) -> Iterator[LLMMock]:
    """Model requests of this process are answered from the test's cassette."""
    with _llm_case.mock() as mock:
        yield mock


@pytest.fixture
def llm_server(_llm_case: Case) -> Iterator[LLMServer]:
    """An OpenAI-compatible server that answers from the test's cassette; clients are told by the environment."""
    with _llm_case.server() as server:
        yield server
