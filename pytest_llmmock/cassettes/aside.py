"""What is ours beside the cassettes and not for git; and recordings in it that failed, until somebody accepts them."""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from . import library
from .cassette import Cassette, Interaction

PRIVATE = Path(".llmmock")
"""Below the folder of the cassettes."""

FAILED = PRIVATE / "failed"
"""What failed tests and commands recorded: a file for each cassette and run."""

_IGNORE = ".gitignore"
_NAME = re.compile(r"(?P<name>.+)\.(?P<run>\d{4}-\d\d-\d\dT\d{9}Z)(?P<all>\.all)?\.yaml")


def beside(home: Path, kind: Path, cassette: Path) -> Path:
    """Where a cassette's recordings of a kind are kept, below the folder of the cassettes."""
    home, cassette = Path(os.path.abspath(home)), Path(os.path.abspath(cassette))
    return home / kind / (cassette.relative_to(home) if cassette.is_relative_to(home) else cassette.name)


def make_private(home: Path) -> None:
    """The folder that git is not to see. Raises `OSError`."""
    ignored = home / PRIVATE / _IGNORE
    if not ignored.is_file():
        library.write(ignored, b"*\n")


def remove_empty(folder: Path, home: Path) -> None:
    """Folders that nothing is left in, up to our own. Another run may fill one again at any time."""
    while folder != home and folder.is_relative_to(home):
        try:
            if folder == home / PRIVATE:
                _remove_ignored(folder)
            folder.rmdir()
        except OSError:
            return  # not empty, or gone: both are fine
        folder = folder.parent


def _remove_ignored(folder: Path) -> None:
    """The file that hides the rest from git, and what was left of writing it, when there is no rest."""
    names = [each.name for each in folder.iterdir()]
    if all(_IGNORE in name for name in names):
        for name in names:
            (folder / name).unlink()


@dataclass(frozen=True, slots=True)
class Aside:
    """What one run recorded to one cassette, and did not write there because what made it failed."""

    home: Path
    path: Path
    cassette: Path
    run: str
    """When the run began, as recordings say when they were made."""
    replaces: bool
    """Whether it was to replace what earlier runs had recorded (mode `all`)."""

    @classmethod
    def of(cls, home: Path, cassette: Path, run: str, *, replaces: bool) -> Aside:
        place = beside(home, FAILED, cassette)
        name = f"{place.name}.{re.sub('[:.]', '', run)}{'.all' if replaces else ''}.yaml"
        return cls(home, place.with_name(name), cassette, run, replaces)

    def discard(self) -> None:
        """Take it away: it has found its place. Raises `CassetteError`."""
        library.remove(self.path)
        remove_empty(self.path.parent, self.home)


def failed(home: Path) -> Iterator[Aside]:
    """What waits below a folder of cassettes to be accepted, the oldest first."""
    for path in sorted((home / FAILED).rglob("*.yaml"), key=lambda path: path.name):
        found = _NAME.fullmatch(path.name)
        if found is not None:
            cassette = home / path.relative_to(home / FAILED).with_name(found["name"])
            day, _, time = found["run"].partition("T")
            run = f"{day}T{time[:2]}:{time[2:4]}:{time[4:6]}.{time[6:]}"
            yield Aside(home, path, cassette, run, found["all"] is not None)


Run = tuple[str, bool, Sequence[Interaction]]
"""When a run began, whether its recordings replace earlier ones, and the recordings."""


def run_of(interactions: Sequence[Interaction]) -> Run:
    """Recordings of which nobody knows when their run began."""
    return min(map(_recorded, interactions), default=""), False, interactions


def accepted(cassette: Cassette, runs: Sequence[Run]) -> list[Interaction]:
    """The cassette with what runs have recorded to it, the oldest run first.

    Of the same request the recordings of the latest run are taken, and none where it has been recorded anew since.
    """
    replacing = max((run for run, replaces, _ in runs if replaces), default="")
    stay = [each for each in cassette.interactions if not replacing or _recorded(each) >= replacing]
    latest = {each.key: run for run, _, interactions in runs if run >= replacing for each in interactions}
    taken: list[Interaction] = []
    for run, _, interactions in runs:
        since = Counter(each.key for each in stay if each.key in latest and _recorded(each) >= run)
        for each in interactions:
            if latest.get(each.key) == run and since[each.key] == 0:
                taken.append(each)
            since[each.key] -= since[each.key] > 0
    return [*stay, *taken]


def _recorded(interaction: Interaction) -> str:
    return str(interaction.meta.get("recorded", ""))
