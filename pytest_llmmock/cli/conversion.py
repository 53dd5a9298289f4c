"""What `import` and `export` share: files and folders in, files in a folder out, one after the other."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import click

from ..cassettes import library
from ..core.summary import plural
from ..errors import CassetteError, LLMMockError
from .printing import one_line


@dataclass(slots=True)
class Conversion:
    """Takes cassettes to files below another folder. What fails is told, and does not stop the others."""

    out: Path
    convert: Callable[[Path, Path], int]
    """Writes one file from another, unless it is a dry run; gives the number of its interactions."""
    done: str
    """What has been done with a cassette, in a word: `imported`."""
    place_of: Callable[[str, Path], Path] = lambda name, source: Path(f"{name}.yaml")
    """Where a cassette of this name, in this file, goes below the folder."""
    suffixes: tuple[str, ...] = library.SUFFIXES
    """How files in folders are called that are taken."""
    force: bool = False
    dry_run: bool = False
    failed: int = 0
    counts: Counter[str] = field(default_factory=Counter)
    """How many interactions, and how many rules."""
    taken: set[Path] = field(default_factory=set)

    def run(self, sources: Sequence[Path]) -> None:
        """Convert all of them, and exit: with 1 when one of them failed."""
        places = [pair for source in sources for pair in self._places(source)]
        for number, (source, target) in enumerate(places, 1):
            try:
                count = self._one(source, target)
            except LLMMockError as error:
                self._fail(error)
                continue
            self.counts[_noun(target)] += count
            click.echo(f"[{number}/{len(places)}] {source} -> {target}  {plural(count, _noun(target))}")
        verb = f"would be {self.done}" if self.dry_run else self.done
        click.echo(f"{' and '.join(self._amounts())} {verb}, {self.failed} failed")
        sys.exit(1 if self.failed else 0)

    def _amounts(self) -> Iterator[str]:
        rules = sum(_noun(path) == "rule" for path in self.taken)
        if rules < len(self.taken) or not rules:
            interactions = plural(self.counts["interaction"], "interaction")
            yield f"{plural(len(self.taken) - rules, 'cassette')} with {interactions}"
        if rules:
            yield f"{plural(rules, 'file')} of {plural(self.counts['rule'], 'rule')}"

    def _places(self, source: Path) -> list[tuple[Path, Path]]:
        """Each file with the file that it becomes: folders keep their structure."""
        root = source if source.is_dir() else source.parent
        try:
            found = library.find_some([source], self.suffixes)
        except LLMMockError as error:
            self._fail(error)
            return []
        return [(path, self.out / self.place_of(library.name_of(path, root), path)) for path in found]

    def _one(self, source: Path, target: Path) -> int:
        if target in self.taken:
            raise CassetteError(f"{source} would become {target}, which another file has become already.")
        if target.exists() and not self.force:
            raise CassetteError(f"{target} is there already; {source} was not {self.done}. Use --force to replace it.")
        count = self.convert(source, target)
        self.taken.add(target)
        return count

    def _fail(self, error: LLMMockError) -> None:
        self.failed += 1
        click.echo(f"failed: {one_line(error)}", err=True)


def _noun(target: Path) -> str:
    """What a file has several of."""
    return "rule" if target.name.endswith(library.RULES) else "interaction"
