"""A provider that is played: what it refuses, what it keeps, what it knows."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

from ..core.conversations import Conversations
from ..core.model import Exchange, Reply, Request, Source
from .batches import Ask
from .provider import Provider
from .refusals import Methods, refuse_first, refuse_last


class Recording(Protocol):
    """Something that was asked and answered before."""

    @property
    def request(self) -> Request: ...
    @property
    def reply(self) -> Reply: ...


@dataclass(frozen=True, slots=True)
class Around:
    """What a played provider has around it."""

    recordings: Callable[[], Iterable[Recording]]
    read: Callable[[Request], Exchange]
    methods: Methods
    ask: Ask
    """Answers a line of a batch."""
    named: Callable[[], Iterable[str]] = tuple
    """Models that are named elsewhere: by rules."""

    def models(self) -> list[str]:
        """The models that are known without a list of them."""
        recorded = (self.read(recording.request).prompt.model for recording in self.recordings())
        return sorted({*recorded, *self.named()} - {""})

    def is_recorded(self, id: str) -> bool:
        """Whether a recording tells of this id."""
        return any(id.encode(errors="replace") in recording.reply.body for recording in self.recordings())


@dataclass(frozen=True, slots=True)
class Step:
    """A function as a source."""

    answer: Callable[[Exchange], Reply | None]


class Simulation:
    """The sources of a played provider: before the rules, behind them, and behind the recordings."""

    def __init__(self, models: Sequence[str], around: Around) -> None:
        """`models` are all that there are, or patterns; without any, there is every model."""
        self._models = models
        self._around = around
        self._conversations = Conversations(around.is_recorded)
        self._provider = Provider(self._listed, around.ask)
        self.first: Source = Step(self._first)
        """Refuses, and reads a conversation that goes on."""
        self.second: Source = Step(self._second)
        """Answers what needs no model, unless a rule did."""
        self.last: Source = Step(self._last)
        """Refuses what nobody knows, recordings neither."""

    def _listed(self) -> list[str]:
        return [name for name in self._models if "*" not in name] if self._models else self._around.models()

    def _first(self, exchange: Exchange) -> Reply | None:
        return _marked(refuse_first(exchange, self._models) or self._conversations.resolve(exchange))

    def _second(self, exchange: Exchange) -> Reply | None:
        return _marked(self._conversations.answer(exchange) or self._provider.answer(exchange))

    def _last(self, exchange: Exchange) -> Reply | None:
        return _marked(refuse_last(exchange, self._around.methods))

    def keep(self, exchange: Exchange, reply: Reply) -> None:
        """See what was answered, for it may be asked for again."""
        if reply.source == "script":
            self._conversations.keep(exchange, reply)


def _marked(reply: Reply | None) -> Reply | None:
    """As one that no recording gave."""
    if reply is not None:
        reply.source = "script"
    return reply
