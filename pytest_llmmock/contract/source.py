"""The source in front of all others: it refuses what the API would refuse, or says so."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

from ..core.journal import Entry
from ..core.model import Exchange, Problem, Reply
from ..core.violation import Violation


class Contract:
    """Checks each request. `error` answers it with the provider's 400, `warn` lets it pass."""

    def __init__(self, mode: str, upstream: Callable[[Exchange], str], clean: Callable[[str], str]) -> None:
        """`upstream` is where a request would go."""
        self.mode = mode
        self.tell: Callable[[str], object] = lambda told: None
        """Told, in words, of each request that breaks the contract."""
        self.unchecked: dict[str, None] = {}
        """What could not be checked, and why."""
        self._upstream = upstream
        self._clean = clean
        """Takes secrets out of what is told."""

    def answer(self, exchange: Exchange) -> Reply | None:
        from .checks import check

        found = check(exchange, self._upstream(exchange), self._note)
        exchange.violations = [replace(each, message=self._clean(each.message)) for each in found]
        if not exchange.violations:
            return None
        exchange.notes += [f"contract: {each.message}" for each in exchange.violations]
        self.tell(told(exchange.request.method, exchange.request.path, exchange.violations))
        first = exchange.violations[0]
        return _refusal(exchange, first) if self.mode == "error" and first.refused else None

    def _note(self, what: str) -> None:
        if what not in self.unchecked:
            self.unchecked[what] = None
            self.tell(what)


def _refusal(exchange: Exchange, first: Violation) -> Reply:
    """As providers do, the first thing that is wrong; the journal has them all."""
    problem = Problem(400, first.message, first.code, "invalid_request_error", first.param)
    reply = exchange.dialect.write_error(problem)
    reply.source = "script"
    return reply


def broken(journal: Iterable[Entry]) -> list[Entry]:
    """The entries whose API would not take them, or would take them in another way than it seems."""
    return [entry for entry in journal if entry.violations]


def report(journal: Iterable[Entry]) -> list[str]:
    """Each of them in words, and once."""
    return [*dict.fromkeys(told(entry.method, entry.path, entry.violations) for entry in broken(journal))]


def told(method: str, path: str, violations: Sequence[Violation]) -> str:
    """What is wrong with a request, a line for each thing."""
    refused = [each.message for each in violations if each.refused]
    hints = [f"hint: {each.message}" for each in violations if not each.refused]
    head = f"The API would refuse {method} {path}:" if refused else f"About {method} {path}:"
    return "\n  ".join([head, *refused, *hints])
