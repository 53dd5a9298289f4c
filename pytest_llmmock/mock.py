"""What a test holds. The parts are put together here and nowhere else."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from . import dialects
from .cassettes import library
from .cassettes.cassette import Cassette, Interaction, Recorded
from .cassettes.matchers import Keys
from .cassettes.mismatch import Advice, explain
from .cassettes.player import Player
from .cassettes.recorder import Recorder, Recordings, now
from .cassettes.scrub import scrub
from .core import summary
from .core.engine import Engine
from .core.journal import Entry, Journal
from .core.model import Exchange, Source
from .core.providers import is_provider, matches
from .errors import CassetteError, UnmatchedError, UsageError
from .inbound.server import MOUNTED, Server
from .inbound.transport import Door
from .settings import Mode, Settings, combine
from .upstreams import find as find_upstream
from .upstreams.base_url import DUMMY_KEY
from .upstreams.http import Network

ASIDE = Path(".llmmock", "failed")
"""Below the folder of the cassettes: what failed tests and commands recorded."""


def describe(recorded: Recorded) -> str:
    """The line that stands above an interaction in a cassette."""
    return summary.line(dialects.read(recorded.request), recorded.reply)


class Deck:
    """A cassette deck: plays what was recorded, records what is to be, and keeps a journal."""

    def __init__(
        self,
        cassettes: Sequence[Cassette],
        settings: Settings,
        keys: Keys,
        *,
        advice: Advice,
        blobs_in: Path | None = None,
        journal_limit: int | None = None,
        since: str = "",
    ) -> None:
        self.settings = settings
        self.keys = keys
        self.requests = Journal(journal_limit)
        self.recordings = Recordings()
        self.player = Player(cassettes, keys, dialects.read, repeat=settings.repeat)
        self._advice = advice
        self._blobs_in = blobs_in
        self._network = Network()
        self._saving = threading.Lock()
        self._since = since or now()
        self._kept: list[Interaction] | None = None

    @classmethod
    def open(
        cls, path: Path, settings: Settings, *, advice: Advice, blobs_in: Path | None = None, since: str = ""
    ) -> Deck:
        """The deck with this cassette in it.

        `since` is when the run began that this is a part of: what another part of it has recorded to the same
        cassette is not replaced, whatever the mode. Raises `CassetteError`.
        """
        keys = Keys(settings.match_on, settings.ignore)
        cassette = library.open_cassette(path, keys.signature)
        if settings.mode == "all":
            cassette = Cassette(path, exists=cassette.exists)
        if settings.mode != "none" and path.suffix not in (".yaml", ".yml"):
            raise CassetteError(
                f"{path} can be replayed but not recorded to: recordings are written as .yaml. "
                f"Take it over with `llmmock import {path} --out DIR`, or name a .yaml file."
            )
        return cls([cassette], settings, keys, advice=advice, blobs_in=blobs_in, since=since)

    @property
    def cassette(self) -> Cassette:
        return self.player.cassettes[0]

    @property
    def records(self) -> bool:
        """Whether an upstream may be asked."""
        return self.settings.mode in ("new_episodes", "all") or (
            self.settings.mode == "once" and (not self.cassette.exists or self._began_here(self.cassette.interactions))
        )

    def _began_here(self, interactions: Sequence[Interaction]) -> bool:
        """Whether a cassette was made by the run that this is a part of."""
        return bool(interactions) and all(self._is_of_this_run(each) for each in interactions)

    def _is_of_this_run(self, interaction: Interaction) -> bool:
        return str(interaction.meta.get("recorded", "")) >= self._since

    def engine(
        self, default_upstream: Callable[[], str], on_trouble: Callable[[str], object] = lambda trouble: None
    ) -> Engine:
        """The engine of one way in. A record mode is a list of sources."""
        replays = self.settings.mode != "all"
        sources: list[Source] = [self.player] if replays else []
        if self.records:
            sources.append(self._recorder(default_upstream))
        return Engine(dialects.read, sources, self._explain, self.requests, on_trouble)

    def _recorder(self, default_upstream: Callable[[], str]) -> Recorder:
        """An upstream that was named is looked up now; a default only when it is needed."""
        named = self.settings.upstream
        environ = dict(os.environ)  # as it is now: a server of ours will change what its clients see
        upstream = find_upstream(named, environ) if named else None
        return Recorder(
            lambda: upstream or find_upstream(default_upstream(), environ),
            self._network.send,
            self.keys,
            self.recordings,
            errors=self.settings.record_errors,
        )

    def _explain(self, exchange: Exchange) -> str:
        return explain(exchange, self.player, dialects.read, self.settings.mode, self._advice)

    @property
    def troubles(self) -> list[Entry]:
        """The entries that could not be answered."""
        return [entry for entry in self.requests if entry.trouble]

    @property
    def refused(self) -> list[Entry]:
        """The upstream's own errors, which were passed on and not recorded."""
        if self.settings.record_errors:
            return []
        return [entry for entry in self.requests.where(source="upstream", trouble="") if entry.status >= 400]

    @property
    def abandoned(self) -> int:
        """How many of the upstream's streams the client left before their end; they are not recorded."""
        left = self.requests.where(source="upstream", whole=False, trouble="")
        return len([entry for entry in left if entry.status < 400])

    def report(self) -> str:
        """Everything that could not be answered, explained; '' when all was."""
        return "\n\n".join(dict.fromkeys(entry.trouble for entry in self.troubles))

    def save(self, path: Path | None = None) -> int:
        """Write what was recorded, behind what is kept; the number of new interactions. Raises `CassetteError`."""
        new = self.recordings.interactions
        if new:
            path = path or self.cassette.path
            with self._saving, library.locked(path):
                library.save(
                    path,
                    [*self._behind(path), *new],
                    signature=self.keys.signature,
                    describe=describe,
                    blobs_in=self._blobs_in,
                )
        return len(new)

    def _behind(self, path: Path) -> list[Interaction]:
        """What stays in the file, as it is now: another test, or process, may have recorded to it meanwhile."""
        if path != self.cassette.path:
            return [self._fit(each) for each in self.cassette.interactions]
        if self._kept is None:
            found = library.open_cassette(path, self.keys.signature).interactions
            if self.settings.mode == "all":
                found = [each for each in found if self._is_of_this_run(each)]
            self._kept = [self._fit(each) for each in found]
        return self._kept

    def _fit(self, interaction: Interaction) -> Interaction:
        """A recording as it may be written again: one in a layout that is not ours may hold what must not be."""
        if interaction.source and interaction.key:
            return interaction
        clean = scrub(interaction.recorded)
        return Interaction.of(clean, self.keys.key(dialects.read(clean.request)))

    def close(self) -> None:
        self._network.close()


# --- what a test holds ----------------------------------------------------------------------------------


class LLMMock:
    """In process: the requests of this process's clients are answered from the cassette."""

    def __init__(self, deck: Deck) -> None:
        self._deck = deck
        self.env: dict[str, str] = {}
        """What was set for clients: nothing, in process."""

    @property
    def requests(self) -> Journal:
        """What was asked and answered, in the order of asking."""
        return self._deck.requests

    @property
    def cassette(self) -> Cassette:
        """The cassette in use."""
        return self._deck.cassette

    @contextmanager
    def opened(self) -> Iterator[LLMMock]:
        """While this is open, model requests of this process come here."""
        deck = self._deck
        takes = _Takes(deck.settings)
        engine = deck.engine(lambda: "original")
        with Door(takes, engine.handle, blocks=deck.records):
            yield self


@dataclass(frozen=True, slots=True)
class _Takes:
    """Whether a request in process is for us."""

    settings: Settings

    def __call__(self, method: str, host: str, path: str) -> bool:
        if matches(host, self.settings.ignore_hosts) or (_is_loopback(host) and MOUNTED.match(path)):
            return False  # what is sent to a server of ours goes over HTTP, as it was meant to
        known = is_provider(host) or matches(host, self.settings.hosts)
        return known or dialects.is_named(method, path)


def _is_loopback(host: str) -> bool:
    return host in ("localhost", "::1") or host.startswith("127.")


@contextmanager
def use_cassette(path: str | os.PathLike[str], *, mode: Mode = "none", **settings: Any) -> Iterator[LLMMock]:
    """Replay a cassette in this process, or record to it, without pytest.

    `settings` are those of `llm_config`. What was recorded is saved when the block ends without an exception.
    Raises `UsageError`, `CassetteError`, and at the end `UnmatchedError` when a request had no answer.
    """
    chosen = combine([("use_cassette", {"mode": mode, **settings})])
    deck = Deck.open(Path(path), chosen, advice=_IN_CODE)
    with _finished(deck), LLMMock(deck).opened() as mock:
        yield mock


@contextmanager
def _finished(deck: Deck) -> Iterator[None]:
    """At the end of a block: keep what was recorded, and tell what had no answer."""
    try:
        yield
    except BaseException:
        deck.save(aside(deck.cassette.path))
        raise
    else:
        deck.save(aside(deck.cassette.path) if deck.troubles else None)
        if deck.troubles:
            raise UnmatchedError(deck.report())
    finally:
        deck.close()


def aside(path: Path) -> Path:
    """Where recordings are kept that must not replace a cassette, because what made them failed."""
    return path.parent / ASIDE / path.name


_IN_CODE = Advice(record='mode="new_episodes"', ignore="ignore=[{paths}]")


class LLMServer(LLMMock):
    """Over HTTP: whoever is given the address is answered from the cassette.

    In a test it comes as the fixture `llm_server`. By itself it is a context manager:
    `with LLMServer("cassettes/plan.yaml") as server: …`. `settings` are those of `llm_config`.
    """

    def __init__(
        self, cassette: str | os.PathLike[str] | Deck, *, server: Server | None = None, **settings: Any
    ) -> None:
        if not isinstance(cassette, Deck):
            chosen = combine([("LLMServer", settings)])
            cassette = Deck.open(Path(cassette), chosen, advice=_IN_CODE)
        super().__init__(cassette)
        self._server = server
        self._running = ExitStack()
        self.url = ""
        """The server's root for this test, without a slash at the end."""

    @property
    def base_url(self) -> str:
        """What OpenAI clients take as their base URL: ends in `/v1`."""
        return self.url + "/v1"

    @contextmanager
    def opened(self) -> Iterator[LLMServer]:
        """While this is open, requests below `url` come here, and clients of this process know of it."""
        environ = dict(os.environ)
        engine = self._deck.engine(lambda: default_upstream(environ))
        with _running(self._server) as server:
            prefix = server.mount(engine.handle)
            self.url = server.url + prefix
            self.env = client_environment(self.url, os.environ)
            try:
                with environment(self.env):
                    yield self
            finally:
                server.unmount(prefix)

    def __enter__(self) -> LLMServer:
        self._running.enter_context(_finished(self._deck))
        return self._running.enter_context(self.opened())

    def __exit__(self, *exc_info: Any) -> None:
        self._running.__exit__(*exc_info)


@contextmanager
def _running(server: Server | None) -> Iterator[Server]:
    """A server that runs already, or one for the time of the block."""
    if server is not None:
        yield server
        return
    with Server() as own:
        yield own


def default_upstream(environ: Mapping[str, str]) -> str:
    """Where a server's recordings come from when nothing was chosen. Raises `UsageError`."""
    if environ.get("OPENAI_API_KEY") not in (None, "", DUMMY_KEY):
        return "openai"
    raise UsageError(
        "Record mode needs an upstream, and none was chosen. "
        "Name one with --llm-upstream (pytest), --upstream (llmmock) or LLMMOCK_UPSTREAM: "
        "a base URL such as http://127.0.0.1:8000/v1, or 'openai', which is the default when OPENAI_API_KEY is set."
    )


def client_environment(url: str, environ: Mapping[str, str]) -> dict[str, str]:
    """The variables that send clients to a server of ours. Keys are given only where there are none."""
    addresses = {
        "OPENAI_BASE_URL": url + "/v1",
        "OPENAI_API_BASE": url + "/v1",
        "OLLAMA_HOST": url,
        "OLLAMA_API_BASE": url,
        "ANTHROPIC_BASE_URL": url,
        "ANTHROPIC_API_BASE": url,
    }
    keys = {name: DUMMY_KEY for name in ("OPENAI_API_KEY", "ANTHROPIC_API_KEY") if not environ.get(name)}
    return {**addresses, **keys, **dict.fromkeys(("NO_PROXY", "no_proxy"), _without_proxy(environ))}


def _without_proxy(environ: Mapping[str, str]) -> str:
    """A proxy of the environment must not get between a client and our server. Clients read either spelling."""
    given = ",".join(environ.get(name, "") for name in ("no_proxy", "NO_PROXY"))
    hosts = dict.fromkeys(host.strip() for host in given.split(",") if host.strip())
    return "*" if "*" in hosts else ",".join(hosts | dict.fromkeys(("127.0.0.1", "localhost")))


@contextmanager
def environment(values: Mapping[str, str]) -> Iterator[None]:
    """Set variables for this process and its children, and put back what was there."""
    before = {name: os.environ.get(name) for name in values}
    os.environ.update(values)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
