"""A cassette deck: the parts of the package put together around one set of cassettes."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Sequence
from pathlib import Path

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
from .errors import CassetteError
from .settings import Settings
from .upstreams import find as find_upstream
from .upstreams.http import Network

ASIDE = Path(".llmmock", "failed")
"""Below the folder of the cassettes: what failed tests and commands recorded."""


def aside(path: Path) -> Path:
    """Where recordings are kept that must not replace a cassette, because what made them failed."""
    return path.parent / ASIDE / path.name


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
