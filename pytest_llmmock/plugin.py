"""pytest: the options, the marker and the fixtures.

pytest imports this module in every run of every user. So it takes pytest and the standard library only, and
everything else is imported inside the fixtures.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Generator, Iterator
from typing import TYPE_CHECKING, Any

import pytest

from .alone import MODES, VALIDATE, RecordMode, Validation, refusing_others
from .beside import Beside, given
from .recording import PROGRESS, add_options, begin_progress, see

if TYPE_CHECKING:
    from .case import Case
    from .mock import LLMMock, LLMServer
    from .session import Session

UNPLAYED = ("ignore", "warn", "fail")

EGRESS = ("guard", "allow")

CASE = pytest.StashKey["Case"]()
BEGAN = pytest.StashKey[float]()
CLEANUP = pytest.StashKey[list[Callable[[], None]]]()

_BEGAN = "llmmock_began"

PROPERTY = "llmmock_"
"""How the properties begin that a test's report carries: so they reach the summary from xdist's workers, and JUnit."""

MARKER = (
    "llm_cassette(name=None, *, mode=None, match_on=None, ignore=None, normalisers=None, repeat=None, upstream=None, "
    "speed=None, chunking=None): "
    "replay the model traffic of this test from a cassette of this name (default: named after the test)"
)


def pytest_addoption(parser: pytest.Parser, pluginmanager: pytest.PytestPluginManager) -> None:
    parser.parse_known_and_unknown_args = refusing_others(  # type: ignore[method-assign]
        parser.parse_known_and_unknown_args
    )
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
        help="where record mode gets its answers: 'original' (where the client is going), a provider such as 'openai', "
        "codex, or a base URL",
    )
    group.addoption(
        "--llm-cassette-dir", metavar="DIR", help="where cassettes are, relative to the rootdir (default: cassettes)"
    )
    group.addoption(
        "--llm-speed",
        metavar="SPEED",
        help="how fast recorded replies come: instant (default), recorded, x10 (ten times faster), tps=40 (tokens a "
        "second), ttft=0.3,tps=40 (seconds to the first)",
    )
    group.addoption(
        "--llm-chunking",
        metavar="HOW",
        help="in which pieces recorded replies come: recorded (default), event, bytes=N, hostile (by chance, where "
        "readers of streams stumble), hostile=SEED",
    )
    group.addoption(
        "--llm-unplayed",
        choices=UNPLAYED,
        help="what is done about recordings of a test's cassette that it did not use (default: warn)",
    )
    group.addoption(
        "--llm-egress",
        choices=EGRESS,
        help="in replay, a connection to a model provider that no way in took fails the test (default: guard)",
    )
    group.addoption(
        "--llm-validate",
        *(f"--llm-validate={word}" for word in VALIDATE),
        action=Validation,
        dest="llm_validate",
        default=None,
        help="check requests as their API would (default: off); warn: tell at the end what it would refuse; error, or "
        "alone: answer with its error 400",
    )
    group.addoption("--llm-report", metavar="FILE", help="write what the run did to a file: .html, .json or .md")
    add_options(group)
    group.addini("llm_upstream", "where record mode gets its answers")
    group.addini("llm_cassette_dir", "where cassettes are, relative to the rootdir")
    group.addini("llm_speed", "how fast recorded replies come")
    group.addini("llm_chunking", "in which pieces recorded replies come")
    group.addini("llm_unplayed", "ignore, warn or fail: recordings that the test did not use")
    group.addini("llm_egress", "guard or allow: connections to model providers that no way in took")
    group.addini("llm_validate", "off, warn or error: requests are checked as their API would")
    group.addini("llm_reasoning_effort", "how hard a model is to think where a request does not say (upstream codex)")
    group.addini("llm_reasoning_summary", "auto, concise, detailed or none: how its thoughts are told")
    group.addini("llm_reasoning_compat", "off, think-tags, o3 or legacy: how thoughts are told to clients")
    group.addini("llm_web_search", "true: the model may search the web")
    group.addini("llm_debug_model", "the model that is asked, whatever a request names")
    group.addini("llm_record_errors", "true: an upstream's 4xx and 5xx are recorded, and what breaks off")
    group.addini("llm_record_abandoned", "true: a stream that its client leaves early is read to its end, and recorded")


def pytest_addhooks(pluginmanager: pytest.PytestPluginManager) -> None:
    from . import hooks

    pluginmanager.add_hookspecs(hooks)


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", MARKER)
    config.stash[CLEANUP] = []
    config.stash[BEGAN] = getattr(config, "workerinput", {}).get(_BEGAN) or time.time()
    config.pluginmanager.register(Run(config), "llmmock-run")
    begin_progress(config, os.environ)
    report = given(config, "llm_report")
    if report:
        from .errors import UsageError
        from .reports import check

        try:
            check(report)
        except UsageError as error:
            raise pytest.UsageError(str(error)) from None


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
        # Before other fixtures, which may ask a model as well. A new list: all parameters of a test share the old one.
        item.fixturenames = ["llm_mock", *names]  # type: ignore[attr-defined]


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    case = item.stash.get(CASE, None)
    if case is not None:
        case.note(report)
        if report.when == "teardown":
            report.llmmock = case.told  # type: ignore[attr-defined]
            del item.stash[CASE]  # else the cassettes of all tests stay to the end of the run
    return report


class Run:
    """Gathers what the tests of a run tell, also from xdist's workers, and has it judged and told at the end."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        self._tests: dict[str, dict[str, Any]] = {}
        """Of a test that is run again, the last time counts."""
        self._workers: list[dict[str, Any]] = []
        self._finished: set[str] = set()
        self._items = 0
        self._whole = True
        """Whether nothing is known to be left out."""
        self._certain = True
        """Whether every test has run to its end."""
        self._session: Session | None = None

    def pytest_deselected(self) -> None:
        self._whole = False

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        self._whole = self._whole and report.passed

    def pytest_itemcollected(self) -> None:
        self._items += 1

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        """Who shards a run takes items away without a word."""
        self._whole = self._whole and self._items <= len(session.items)

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if PROGRESS in self._config.stash:
            see(report, self._config.stash[PROGRESS])
        self._certain = self._certain and report.passed
        if report.when == "teardown":
            self._finished.add(report.nodeid)
            told = getattr(report, "llmmock", None)
            if told is not None:
                self._tests[report.nodeid] = told

    @pytest.hookimpl(optionalhook=True)
    def pytest_configure_node(self, node: Any) -> None:
        """A worker of xdist, which may come late in place of one that crashed, is part of this run."""
        node.workerinput[_BEGAN] = self._config.stash[BEGAN]

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any, error: object) -> None:
        """A worker of xdist has ended."""
        told = getattr(node, "workeroutput", {}).get("llmmock")
        self._workers += [told] if told else []
        self._whole = self._whole and not error

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        if not self._tests and "pytest_llmmock.cassettes.library" not in sys.modules:
            return
        if "pytest_llmmock.case" in sys.modules:
            from .case import guard_behind_tests

            guard_behind_tests(self._config)
        from .session import collected

        began = self._config.stash[BEGAN]
        output = getattr(self._config, "workeroutput", None)
        if output is not None:
            output["llmmock"] = collected(session, began, whole=self._whole)
        elif self._tests:
            workers = self._workers or [collected(session, began, whole=True)]
            self._finish(session, workers)

    def _finish(self, session: pytest.Session, workers: list[dict[str, Any]]) -> None:
        from .session import Session

        whole = self._whole and all(worker["collected"] <= len(self._finished) for worker in workers)
        self._session = Session(self._config, self._tests.values(), workers, whole=whole, certain=self._certain)
        self._session.finish()
        if self._session.fails and session.exitstatus == pytest.ExitCode.OK:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        if self._session is not None:
            from .reports import tell

            tell(self._session, self._config, terminalreporter.write_line)


@pytest.fixture
def llm_config() -> dict[str, Any]:
    """Settings of pytest-llmmock, as a dict. Override this fixture, in any scope, to change them."""
    return {}


@pytest.fixture
def llm_mock(request: pytest.FixtureRequest, llm_config: dict[str, Any]) -> Iterator[LLMMock]:
    """Model requests of this process are answered from the test's cassette."""
    with _case(request, llm_config).mock() as mock:
        yield mock


@pytest.fixture
def llm_server(request: pytest.FixtureRequest, llm_config: dict[str, Any]) -> Iterator[LLMServer]:
    """An OpenAI-compatible server that answers from the test's cassette; clients are told by the environment."""
    with _case(request, llm_config).server() as server:
        yield server


def _case(request: pytest.FixtureRequest, llm_config: dict[str, Any]) -> Case:
    """The cassette of this test, shared by its fixtures: the first one finishes it, for it is torn down last.

    It is no fixture itself: pytest takes as long to set one up as we to open a cassette.
    """
    from .case import Case

    stash: pytest.Stash = request.node.stash
    if CASE not in stash or stash[CASE].told is not None:  # the test has run before, and is run again
        stash[CASE] = Case.open(request, llm_config)
        request.addfinalizer(stash[CASE].finish)
    return stash[CASE]
