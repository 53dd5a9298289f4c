"""Which requests meet which faults, and how often."""

from __future__ import annotations

import threading
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase

from ..core.model import Exchange
from .fault import Fault


@dataclass(frozen=True, slots=True)
class When:
    """Which requests a fault is for."""

    calls: Collection[int] = ()
    model: str = ""
    operation: str = ""

    def fits(self, exchange: Exchange) -> bool:
        """Whatever its number is."""
        model = not self.model or fnmatchcase(exchange.prompt.model, self.model)
        return model and (not self.operation or fnmatchcase(exchange.operation, self.operation))


@dataclass(slots=True)
class SetFault:
    """A fault that was set, and how often it was met."""

    fault: Fault
    when: When
    times: int | None
    asked: int = 0
    met: int = 0

    def meets(self, exchange: Exchange) -> Fault | None:
        if not self.when.fits(exchange):
            return None
        self.asked += 1
        if self.times is not None and self.met >= self.times:
            return None
        if self.when.calls and self.asked not in self.when.calls:
            return None
        return self.fault.draw(self.asked) if self.fault.draw else self.fault


@dataclass(slots=True)
class Store:
    """The faults of one test, in the order in which they were set."""

    faults: list[SetFault] = field(default_factory=list)
    seeds: list[str] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)


def met_by(faults: Sequence[SetFault], exchange: Exchange) -> list[Fault]:
    """The faults that a request meets: one that answers by itself, else all that change the answer."""
    found = [(each, fault) for each in faults if (fault := each.meets(exchange)) is not None]
    refusing = [pair for pair in found if pair[1].refusal is not None][:1]
    for each, _ in refusing or found:
        each.met += 1
    return [fault for _, fault in refusing or found]
