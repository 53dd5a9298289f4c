"""One test and its cassette: how it is named, what is in force, and what is done when the test is over."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from . import dialects
from .cassettes.advice import Advice
from .contract import source as contract
from .core.json_text import writable
from .core.summary import tokens
from .deck import Deck
from .errors import LLMMockError
from .mock import LLMMock, LLMServer, is_guarded, late_guard, new_server
from .naming import cassette_path, is_alone, relative, settings_of, shown
from .plugin import BEGAN, CLEANUP, PROPERTY
from .recording import PROGRESS
from .settings import Settings

if TYPE_CHECKING:
    from .inbound.server import Server

_SERVER = pytest.StashKey["Server"]()
_GUARDED = pytest.StashKey[list[Settings | None]]()
"""The settings of every test that was guarded, and None for each that was not; of several alike one after the other,
those of one."""


class Case:
    """What one test plays, records and reports."""

    def __init__(self, item: pytest.Item, deck: Deck, name: str) -> None:
        self._item = item
        self._deck = deck
        self._alone = is_alone(item, name)
        """Whether no other test has this cassette."""
        self._ran = False
        self._passed = False
        self._failed = False
        self._shown = False
        self.told: dict[str, Any] | None = None
        """What the run is told of this test, when it is over."""

    @classmethod
    def open(cls, request: pytest.FixtureRequest, llm_config: Mapping[str, Any]) -> Case:
        """The case of the test that asks for a fixture. What is wrong with it fails the test's set-up."""
        item: pytest.Item = request.node
        with _readable():
            name, settings = settings_of(item, llm_config)
            root = item.config.rootpath / settings.cassette_dir
            since = "" if settings.mode == "none" else _began(item.config)
            if settings.rules and isinstance(settings.rules, str | Path):
                settings = replace(settings, rules=item.config.rootpath / settings.rules)
            deck = Deck.open(cassette_path(root, name), settings, advice=advice(item), home=root, since=since)
            if PROGRESS in item.config.stash:
                deck.follow(item.config.stash[PROGRESS])
            guarded = item.config.stash.setdefault(_GUARDED, [])
            if guarded[-1:] != [in_force := settings if is_guarded(deck) else None]:
                guarded.append(in_force)
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
            self._ran = True
            self._passed = report.passed and not self._failed and not hasattr(report, "wasxfail")
        text = self._explanation() if report.failed and not self._shown else ""
        if text and report.when == "call":
            report.sections.append(("llmmock", text))
            self._shown = True
        broken = contract.report(self._deck.requests) if report.failed and report.when == "call" else []
        if broken:
            report.sections.append(("llmmock contract", "\n".join(broken)))
        chances = self._chances() if report.failed else ""
        if chances:
            report.sections.append(("llmmock chance", chances))

    def _explanation(self) -> str:
        refused = [
            f"The upstream answered {entry.method} {entry.path} with status {entry.status}"
            f" ({entry.content_type or 'no content type'}); it was passed on and not recorded."
            for entry in self._deck.refused
        ]
        return "\n\n".join([*filter(None, [self._deck.report()]), *refused])

    def _chances(self) -> str:
        """What fell as chance would have it, and how it falls the same way again; '' when nothing did."""
        lines = [f"Chance had a hand in this: {seed}" for seed in self._deck.faults.seeds]
        chunking = self._deck.delivery.chunking
        if chunking.kind == "hostile" and self._deck.requests:
            lines.append(f"Streams were cut by chance. To have them cut so again:  --llm-chunking={chunking}")
        return "\n".join(lines)

    def finish(self) -> None:
        """Save what was recorded, and fail the test when a request had no answer."""
        aside = None
        try:
            with _readable():
                aside = self._save()
        finally:
            self.told = self._tell(aside)
            text = self._deck.report() if self._deck.failed else self._left_over()
            self._deck.close()  # who still waits for an answer is told that there is none: no trouble of the test
        if text and not self._shown:
            self._shown = True
            pytest.fail("llmmock: " + text, pytrace=False)

    def _save(self) -> Path | None:
        """Where recordings were kept aside."""
        if self._ran:  # else it was interrupted, and nobody waits for an upstream
            self._deck.finish()
        if not self._passed or self._deck.failed:
            return self._deck.put_aside()
        self._deck.save(alone=self._alone)
        return None

    def _left_over(self) -> str:
        """What the test did not use of its own cassette, when that is to fail it."""
        settings = self._deck.settings
        if settings.unplayed != "fail" or settings.mode in ("all", "changed") or not (self._passed and self._alone):
            return ""
        record = f'pytest --llm-record=changed "{shown(self._item)}"'
        from .cassettes import unplayed

        return unplayed.report(self._deck.cassette, dialects.read, record)

    def _tell(self, aside: Path | None) -> dict[str, Any]:
        """What the run is told of this test: plain values, for they go from xdist's workers to the controller."""
        deck, requests = self._deck, list(self._deck.requests)
        replayed = [entry for entry in requests if entry.source == "cassette"]
        recorded = [entry for entry in requests if entry.source == "upstream" and entry.status == 200]
        counts = {
            "replayed": len(replayed),
            "recorded": len(deck.recorded),
            "unmatched": len([entry for entry in requests if entry.source == "unmatched"]),
            "tokens": sum(tokens(entry.usage) for entry in replayed),
            "scripted": deck.scripted,
            "tokens_recorded": sum(tokens(entry.usage) for entry in recorded),
            "abandoned": deck.abandoned,
            "refused": len(deck.refused),
            "egress": len(deck.escapes),
            **_contract(deck),
            "aside": 1 if aside else 0,
        }
        self._count(counts)
        return {
            "test": shown(self._item),
            "cassette": relative(deck.cassette.path, self._item.config.rootpath),
            "mode": deck.settings.mode,
            "unplayed": deck.settings.unplayed,
            "passed": self._passed and not deck.failed,
            "alone": self._alone,
            "counts": counts,
            "models": sorted({writable(entry.model) for entry in requests if entry.model}),
            "size": len(deck.cassette),
            "played": deck.cassette.played_numbers,
            "trouble": deck.report(),
            "contract": contract.report(deck.requests),
            "unchecked": [*deck.contract.unchecked],
            "warnings": deck.warnings,
        }

    def _count(self, counts: Mapping[str, int]) -> None:
        """As properties they reach JUnit's report. Of a test that is run again, the last ones."""
        always = ("replayed", "recorded", "unmatched", "tokens")
        properties = self._item.user_properties
        properties[:] = [pair for pair in properties if not pair[0].startswith(PROPERTY)]
        properties += [(PROPERTY + what, count) for what, count in counts.items() if count or what in always]


def _began(config: pytest.Config) -> str:
    """When the run began, as it stands in recordings."""
    from .cassettes.dates import written

    return written(config.stash[BEGAN])


def _contract(deck: Deck) -> dict[str, int]:
    """How many requests were refused, how many would have been, and how many there is a hint about."""
    found = contract.broken(deck.requests)
    refused = len([entry for entry in found if any(each.refused for each in entry.violations)])
    kind = "contract_refused" if deck.settings.validate == "error" else "contract_warned"
    return {kind: refused, "contract_hints": len(found) - refused}


@contextmanager
def _readable() -> Iterator[None]:
    """An error of ours in a fixture is a message, not a traceback."""
    try:
        yield
    except LLMMockError as error:
        raise pytest.fail.Exception(str(error), pytrace=False) from None  # else pytest shows the same words twice


def running_server(config: pytest.Config) -> Server:
    """The server of this pytest process, started when the first test asks for it."""
    server = config.stash.get(_SERVER, None)
    if server is None:
        server = config.stash[_SERVER] = new_server()
        server.start()
        config.stash[CLEANUP].append(server.stop)
    return server


def guard_behind_tests(config: pytest.Config) -> None:
    """Keep threads that tests have left from asking, to the end of the process; not where a test was free to ask."""
    every = config.stash.get(_GUARDED, [])
    guarded = [settings for settings in every if settings is not None]
    if guarded and len(guarded) == len(every):
        late_guard(guarded).__enter__()


def advice(item: pytest.Item) -> Advice:
    """How a miss of this test is mended."""
    return Advice(
        record=f'pytest --llm-record "{shown(item)}"',
        ignore="@pytest.mark.llm_cassette(ignore=[{paths}])",
        normalise="@pytest.mark.llm_cassette(normalisers=[{names}])",
        repeat="@pytest.mark.llm_cassette(repeat=True)",
    )
