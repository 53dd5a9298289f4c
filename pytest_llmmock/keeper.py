"""What becomes of recordings: into their cassette when all went well, aside when it did not, lost never."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Sequence
from pathlib import Path

from . import dialects, files
from .cassettes import library
from .cassettes.aside import Aside, make_private
from .cassettes.cassette import Cassette, Interaction, Recorded
from .cassettes.matchers import Keys
from .cassettes.recorder import Recordings, now
from .cassettes.scrub import scrub
from .cassettes.unsaved import LeftBehind, Unsaved, left_behind
from .core import summary
from .errors import CassetteError
from .settings import Mode


def describe(recorded: Recorded) -> str:
    """The line that stands above an interaction in a cassette."""
    return summary.line(dialects.read(recorded.request), recorded.reply)


def cleaned(interaction: Interaction, keys: Keys) -> Interaction:
    """A recording without the secrets in it, keyed as what is left."""
    clean = scrub(interaction.recorded, keys.secrets)
    return Interaction.of(clean, keys.key(dialects.read(clean.request)))


def _are_one(one: Interaction, other: Interaction) -> bool:
    """Whether two are the same recording, one of them perhaps read from a file, where times are rounded."""
    return one.key == other.key and _marks(one) == _marks(other)


def _marks(interaction: Interaction) -> tuple[object, ...]:
    return interaction.meta.get("recorded"), interaction.reply.status, interaction.reply.body


class Keeper:
    """Keeps what is recorded to one cassette."""

    def __init__(
        self, cassette: Cassette, mode: Mode, keys: Keys, home: Path, *, since: str = "", at_once: bool = False
    ) -> None:
        self._cassette = cassette
        self._mode = mode
        self._keys = keys
        self._home = home
        self._since = since or now()
        self._lock = threading.Lock()
        self._written: list[Interaction] = []
        """What was written by an earlier save, where there are several."""
        self._left: list[LeftBehind] = []
        self._unsaved = None if at_once else Unsaved(home, cassette.path, keys.signature, describe, keys.secrets)
        self.recordings = Recordings(self._unsaved, lambda: cassette.last_played)

    def recover(self) -> list[Interaction]:
        """Take over what runs that were killed had recorded. Raises `CassetteError`."""
        self._left = left_behind(self._home, self._cassette.path)
        left = [each for left in self._left for each in left.interactions(self._keys.signature)]
        found = [each for each in left if not self._holds(each)]
        self.recordings.restore(found)
        return found

    def _holds(self, interaction: Interaction) -> bool:
        """Whether the run was killed when its cassette was written already."""
        return any(_are_one(each, interaction) for each in self._cassette.interactions)

    def is_of_this_run(self, interaction: Interaction) -> bool:
        return str(interaction.meta.get("recorded", "")) >= self._since

    # --- when all went well ---

    def save(self, *, alone: bool = True) -> int:
        """Write the cassette; the number of new interactions. Raises `CassetteError`.

        In mode `changed` what was not played is dropped, if nobody else uses the cassette.
        """
        new = self.recordings.interactions
        drops = alone and self._mode == "changed" and bool(self._cassette.unplayed)
        path = self._cassette.path
        if new or drops:
            with self._lock, library.locked(path):
                self._write(path, self._contents(new, alone=alone))
                self._written = list(new)
        self._settle()
        return len(new)

    def _contents(self, new: Sequence[Interaction], *, alone: bool) -> list[Interaction]:
        """What is to stand in the file: another test, or process, may have recorded to it meanwhile."""
        found = library.open_cassette(self._cassette.path, self._keys.signature).interactions
        if self._mode == "changed" and alone:
            behind = self._without(found[len(self._cassette) :], self._written)
            return [*self.recordings.woven_into(self._cassette.played), *behind]
        stay = filter(self.is_of_this_run, found) if self._mode == "all" else found
        written = {id(each) for each in self._written}
        gone = [each for each in self._written if each not in new]  # recorded once more, to its real end
        return [*self._without(stay, gone), *(each for each in new if id(each) not in written)]

    def _without(self, found: Iterable[Interaction], written: Sequence[Interaction]) -> list[Interaction]:
        """What stands in the file, without these of our own."""
        return [each for each in found if not any(_are_one(each, own) for own in written)]

    def _write(self, path: Path, interactions: Sequence[Interaction]) -> None:
        if interactions:
            fit = [self._fit(each) for each in interactions]
            secrets = self._keys.secrets
            library.save(
                path, fit, signature=self._keys.signature, describe=describe, blobs_in=self._home, secrets=secrets
            )
            files.sweep(path)
        else:
            library.remove(path)

    def _fit(self, interaction: Interaction) -> Interaction:
        """A recording as it may be written again: one in a layout that is not ours may hold what must not be."""
        secrets = self._keys.secrets
        if interaction.source and interaction.key and not secrets.spans(interaction.source):
            return interaction
        if interaction.key and not interaction.source:
            return self._clean(interaction)
        return cleaned(interaction, self._keys)

    def _clean(self, interaction: Interaction) -> Interaction:
        """A new recording without what was found to be secret only after it was made. Its key stays as it was then."""
        if interaction.checked != self._keys.secrets.generation:
            interaction.rewrite(scrub(interaction.recorded, self._keys.secrets))
        return interaction

    # --- when it did not ---

    def put_aside(self) -> Path | None:
        """Keep what was recorded out of the cassette, until it is accepted. Raises `CassetteError`."""
        new = self.recordings.interactions
        aside = Aside.of(self._home, self._cassette.path, self._since, replaces=self._mode == "all")
        if new:
            self._add(aside.path, new)
        self._settle()
        return aside.path if new else None

    def _add(self, path: Path, new: Sequence[Interaction]) -> None:
        try:
            make_private(self._home)
        except OSError as error:
            raise CassetteError(f"{path} cannot be written: {error.strerror or error}.") from None
        with library.locked(path):
            self._write(path, [*library.open_cassette(path, self._keys.signature).interactions, *new])

    def _settle(self) -> None:
        """All has found its place: nothing has to be recovered any more."""
        if self._unsaved is not None:
            self._unsaved.clear()
        left, self._left = self._left, []
        for each in left:
            each.discard()

    def close(self) -> None:
        """Let go of what has found no place: the next run finds it."""
        if self._unsaved is not None:
            self._unsaved.close()
        for each in self._left:
            each.close()
