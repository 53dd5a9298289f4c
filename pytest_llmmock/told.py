"""What the requests of a deck come to, for whoever runs the tests."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from .assertions.requests import Requests
from .cassettes.matchers import Keys
from .cassettes.scrubber import Scrubber
from .core.journal import Entry
from .core.json_text import writable


class Told:
    """A journal, and what is told of it: without secrets, and each thing once."""

    def __init__(self, keys: Keys, journal_limit: int | None, *, errors: bool) -> None:
        """`errors`: whether those of an upstream are recorded."""
        self.clean = _for_people(Scrubber(keys.secrets))
        """A text that people read, without secrets. No method: what is given it would keep the deck alive."""
        self.requests = Requests(journal_limit, self.clean)
        self.escapes: list[str] = []
        """Connections to model providers that no way in took, each explained."""
        self._errors = errors

    @property
    def troubles(self) -> list[Entry]:
        """The entries that could not be answered."""
        return [entry for entry in self.requests if entry.trouble]

    @property
    def refused(self) -> list[Entry]:
        """The upstream's own errors, which were passed on and not recorded."""
        if self._errors:
            return []
        asked = (entry for entry in self.requests if entry.source == "upstream" and not entry.trouble)
        return [entry for entry in asked if entry.upstream and entry.status >= 400]

    @property
    def warnings(self) -> list[str]:
        """What whoever runs the tests should know, each once."""
        return self.warnings_of(self.requests)

    def warnings_of(self, entries: Iterable[Entry]) -> list[str]:
        """The same of some requests."""
        told = (warning for entry in entries for warning in entry.warnings)
        return [self.clean(warning) for warning in dict.fromkeys(told)]

    def escaped(self, text: str) -> None:
        """Note a connection that was stopped. Clients try again: the same one is told once."""
        if text not in self.escapes:
            self.escapes.append(text)

    @property
    def failed(self) -> bool:
        """Whether something could not be answered, or would have gone where nothing of ours answers."""
        return bool(self.troubles or self.escapes)

    def report(self) -> str:
        """Everything that could not be answered, explained; '' when all was."""
        told = [*(entry.trouble for entry in self.troubles), *self.escapes]
        return self.clean("\n\n".join(dict.fromkeys(told))) if told else ""


def _for_people(scrubber: Scrubber) -> Callable[[str], str]:
    """What makes a text that can be shown and written anywhere; JSON may hold halves of characters."""
    return lambda text: writable(scrubber.text(text))
