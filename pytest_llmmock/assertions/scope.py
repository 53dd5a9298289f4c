"""Which requests an assertion is about."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from ..core.journal import Entry
from .wanted import Wanted, wanted_of

Numbered = tuple[int, Entry]
"""An entry and its number in the journal, from 1."""


@dataclass(frozen=True)
class Scope:
    """The requests of a journal, and what is wanted of those that count."""

    entries: Sequence[Numbered]
    clean: Callable[[str], str] = str
    """Takes secrets out of what is told."""
    wanted: tuple[Wanted, ...] = ()

    def narrowed(self, of: str, given: Sequence[Any], named: Mapping[str, Any]) -> Scope:
        """The same with more conditions; `of` is who is given them. Raises `UsageError`."""
        return replace(self, wanted=(*self.wanted, *wanted_of(of, given, named)))

    @property
    def fitting(self) -> list[Numbered]:
        """The requests that count."""
        return [each for each in self.entries if all(wanted.fits(each[1]) for wanted in self.wanted)]

    @property
    def described(self) -> str:
        """`model='gpt-5', contains='Rome'`; '' when all requests count."""
        return ", ".join(wanted.told(self.clean) for wanted in self.wanted)
