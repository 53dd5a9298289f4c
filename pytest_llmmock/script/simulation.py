"""A provider that is played: what it refuses, what it keeps, what it knows."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from ..core.model import Exchange, Reply, Source
from .batches import Ask
from .conversations import Conversations
from .provider import Provider
from .refusals import Methods, refuse_first, refuse_last


@dataclass(frozen=True, slots=True)
class Step:
    """A function as a source."""

    answer: Callable[[Exchange], Reply | None]


class Simulation:
    """The sources of a played provider: before the rules, behind them, and behind the recordings."""

    def __init__(
        self,
        *,
        models: Sequence[str],
        known: Callable[[], Iterable[str]],
        is_recorded: Callable[[str], bool],
        methods: Methods,
        ask: Ask,
    ) -> None:
        """`models` are all that there are, or none; `known` are names for a list. `ask` answers a line of a batch."""
        self._models = models
        self._methods = methods
        self._conversations = Conversations(is_recorded)
        self._provider = Provider(lambda: [name for name in models if "*" not in name] or known(), ask)
        self.first: Source = Step(self._first)
        """Refuses, and reads a conversation that goes on."""
        self.second: Source = Step(self._second)
        """Answers what needs no model, unless a rule did."""
        self.last: Source = Step(self._last)
        """Refuses what nobody knows, recordings neither."""

    def _first(self, exchange: Exchange) -> Reply | None:
        return _marked(refuse_first(exchange, self._models) or self._conversations.resolve(exchange))

    def _second(self, exchange: Exchange) -> Reply | None:
        return _marked(self._conversations.answer(exchange) or self._provider.answer(exchange))

    def _last(self, exchange: Exchange) -> Reply | None:
        return _marked(refuse_last(exchange, self._methods))

    def keep(self, exchange: Exchange, reply: Reply) -> None:
        """See what was answered, for it may be asked for again."""
        self._conversations.keep(exchange, reply)


def _marked(reply: Reply | None) -> Reply | None:
    """As one that no recording gave; what is refused once is refused again, so no client needs to retry."""
    if reply is not None:
        reply.source = "script"
    return reply
