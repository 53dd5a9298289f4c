"""What becomes of recordings: into their cassette when all went well, aside when it did not, lost never."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from . import dialects, files
from .cassettes import library
from .cassettes.aside import Aside, make_private
from .cassettes.cassette import Cassette, Interaction, Recorded
from .cassettes.growing import Growing
from .cassettes.matchers import Keys
from .cassettes.recorder import now
from .cassettes.recordings import Recordings
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


class _WhileLarge:
    """Keeps recordings safe as long as their cassette is too large to be written for each of them."""

    def __init__(self, unsaved: Unsaved, growing: Growing) -> None:
        self._unsaved = unsaved
        self._growing = growing

    def open(self) -> None:
        """Raises `CassetteError`."""
        if self._growing.is_large:
            self._unsaved.open()

    def keep(self, place: int, interaction: Interaction) -> None:
        """Raises `CassetteError`."""
        if self._growing.is_large:
            self._unsaved.keep(place, interaction)


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
        self._at_once = at_once
        self._lock = threading.Lock()
        self._written: dict[int, Interaction] = {}
        """What stands in the file of ours, by its place among the recordings."""
        self._left: list[LeftBehind] = []
        self._growing = Growing(cassette.path, keys.secrets)
        self._unsaved = Unsaved(home, cassette.path, keys.signature, describe, keys.secrets)
        store = _WhileLarge(self._unsaved, self._growing) if at_once else self._unsaved
        self.recordings = Recordings(store, lambda: cassette.last_played)

    @property
    def writes_later(self) -> bool:
        """Whether the cassette is so large that a recording need not wait for it to be written."""
        return self._growing.is_large

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
        drops = alone and self._mode == "changed" and bool(self._cassette.unplayed)
        path = self._cassette.path
        if self.recordings or drops:
            with self._lock, library.locked(path):
                self._save(self.recordings.fresh, anew=alone and self._mode == "changed")
        self._settle(goes_on=self._at_once and not alone)
        return len(self.recordings)

    def _save(self, fresh: dict[int, Interaction], *, anew: bool) -> None:
        again = not fresh.keys().isdisjoint(self._written)  # recorded once more, to its real end
        if anew or again or not self._is_added(list(fresh.values())):
            self._write(self._cassette.path, self._contents(fresh, anew=anew), self._growing)
        self._written |= fresh
        self.recordings.note_written(fresh, self._unsaved.forget)

    def _is_added(self, fresh: Sequence[Interaction]) -> bool:
        """Whether it was enough to write what is new, behind the rest."""
        if not self._growing.is_as_left():
            return False
        generation = self._keys.secrets.generation
        fit = [self._fit(each) for each in fresh]
        try:
            self._add_behind(fit)
        except CassetteError:
            return False  # who writes all of it says where
        self._growing.note(self._growing.count + len(fit), generation)
        return True

    def _add_behind(self, fit: Sequence[Interaction]) -> None:
        if fit:
            path, count = self._cassette.path, self._growing.count
            signature, secrets = self._keys.signature, self._keys.secrets
            library.add(
                path, fit, behind=count, signature=signature, describe=describe, blobs_in=self._home, secrets=secrets
            )
            files.sweep(path)

    def _contents(self, fresh: Mapping[int, Interaction], *, anew: bool) -> list[Interaction]:
        """What is to stand in the file: another test, or process, may have recorded to it meanwhile."""
        found = library.open_cassette(self._cassette.path, self._keys.signature).interactions
        if anew:
            behind = self._without(found[len(self._cassette) :], list(self._written.values()))
            return [*self.recordings.woven_into(self._cassette.played), *behind]
        stay = filter(self.is_of_this_run, found) if self._mode == "all" else found
        gone = [self._written[place] for place in fresh if place in self._written]
        return [*self._without(stay, gone), *fresh.values()]

    def _without(self, found: Iterable[Interaction], written: Sequence[Interaction]) -> list[Interaction]:
        """What stands in the file, without these of our own."""
        return [each for each in found if not any(_are_one(each, own) for own in written)]

    def _write(self, path: Path, interactions: Sequence[Interaction], growing: Growing | None = None) -> None:
        if interactions:
            generation = self._keys.secrets.generation
            fit = [self._fit(each) for each in interactions]
            secrets = self._keys.secrets
            library.save(
                path, fit, signature=self._keys.signature, describe=describe, blobs_in=self._home, secrets=secrets
            )
            files.sweep(path)
            if growing is not None:
                growing.note(len(fit), generation)
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

    def _settle(self, *, goes_on: bool = False) -> None:
        """All has found its place: nothing has to be recovered any more. `goes_on`: more may be coming right now."""
        if not goes_on:
            self._unsaved.clear()
        left, self._left = self._left, []
        for each in left:
            each.discard()

    def close(self) -> None:
        """Let go of what has found no place: the next run finds it."""
        self._unsaved.close()
        for each in self._left:
            each.close()
