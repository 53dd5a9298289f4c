"""How a deck asks upstreams: which one, how many at once, how long, and for how much."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache
from pathlib import Path

from .cassettes.budget import InFile, InMemory, read_budget
from .cassettes.endings import Endings
from .cassettes.matchers import Keys
from .cassettes.recorder import Recorder, Witness
from .cassettes.recordings import Recordings
from .cassettes.spending import Spending
from .cassettes.underway import Underway
from .core.model import Exchange, Forgetful, Reply, Request, Upstream
from .settings import OF_UPSTREAMS, Settings, told_to_upstreams
from .upstreams import HEEDING, UPSTREAMS, find
from .upstreams.http import Network
from .upstreams.patience import Patience
from .upstreams.retries import Retries
from .upstreams.routing import Routes


class Asking:
    """The network of one deck, and what stands before it. Nothing is opened before something is asked."""

    def __init__(self, settings: Settings, *, home: Path | None = None, run: str = "") -> None:
        """`run` is when the run began that this is a part of; what it spends is kept below `home`."""
        self._settings = settings
        self._network = Network(settings.timeout)
        self._patience = Patience(
            self._network.send,
            # Who records errors wants to see them.
            Retries(0 if settings.record_errors else settings.retries, settings.retry_seconds),
            most=settings.max_concurrency,
            waiting=settings.queue_limit,
            seconds=settings.timeout,
        )
        self.earlier: Callable[[], Iterable[tuple[Exchange, Reply]]] = tuple
        """What was asked and answered before: some upstreams forget it."""
        self.underway = Underway(finishes=settings.record_abandoned)
        usual = Settings()
        wished = [name for name in OF_UPSTREAMS if getattr(settings, name) != getattr(usual, name)]
        self.witnesses: list[Witness] = [Endings(), *([Unheeded(wished)] if wished else [])]
        """Who sees what is asked and answered; to be there before the recorder is."""
        if settings.budget:
            ledger = InFile(home, run) if home and run else InMemory()
            self.witnesses.append(Spending(read_budget(settings.budget), ledger))

    def recorder(self, default: Callable[[], str], keys: Keys, recordings: Recordings) -> Recorder:
        """The source that asks. Raises `UsageError` for an upstream that was named and cannot be asked."""
        return Recorder(
            self._routes(default),
            self.send,
            keys,
            recordings,
            errors=self._settings.record_errors,
            underway=self.underway,
            witnesses=self.witnesses,
        )

    def send(self, request: Request) -> Reply:
        """Ask in turn, and again where an upstream was busy. Raises `UpstreamError`."""
        return self._patience.send(request)

    def _routes(self, default: Callable[[], str]) -> Routes:
        """An upstream that was named is looked up now; a default, or one of a model, only when it is needed."""
        named, owns = self._settings.upstream, self._settings.upstreams
        environ = told_to_upstreams(self._settings, os.environ)  # as it is now: a server of ours will change it
        found = cache(lambda name: self._found(name, environ))  # one of each: it may know what it has answered
        if named:
            found(named)
        return Routes(lambda: found(named or default()), self._settings.models, found, {*UPSTREAMS, *owns})

    def _found(self, name: str, environ: Mapping[str, str]) -> Upstream:
        upstream = find(name, environ, self._settings.upstreams)
        if isinstance(upstream, Forgetful):
            upstream.remember(lambda: self.earlier())
        return upstream

    def close(self) -> None:
        """End all waiting, and hang up on what is still coming."""
        self._patience.close()
        self._network.close()


class Unheeded:
    """Sees who is asked, and tells of wishes that this upstream does not hear of."""

    def __init__(self, wished: Sequence[str]) -> None:
        self._wished = ", ".join(wished)

    def asks(self, exchange: Exchange) -> None:
        if exchange.upstream not in HEEDING:
            exchange.warnings.append(
                f"{exchange.upstream} was asked as its client asked: {self._wished} is for {' and '.join(HEEDING)} only"
            )

    def begins(self, exchange: Exchange, reply: Reply) -> None:
        """All was told before."""

    def fails(self, exchange: Exchange) -> None:
        """It is true all the same."""

    def keeps(self, exchange: Exchange, reply: Reply) -> None:
        """It changes nothing of what is recorded."""
