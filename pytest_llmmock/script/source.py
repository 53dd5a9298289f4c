"""The source of replies that are written by hand. What rules need is loaded with the first one."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterable, Sequence
from hashlib import blake2b
from typing import TYPE_CHECKING, Any

from ..core.engine import unreadable
from ..core.model import Exchange, Later, Reply

if TYPE_CHECKING:
    from .rules import Rule


class Script:
    """The rules of one test."""

    def __init__(self, seed: str = "") -> None:
        self._rules: list[Rule] = []
        self._put: list[Rule] = []
        self._lock = threading.Lock()
        self._seed = seed
        self.answered = 0
        """Requests that rules have answered."""
        self._drawn = 0
        """The same since the last reset: what is drawn for the next one hangs on it."""
        self._said: Counter[bytes] = Counter()

    def when(self, *conditions: Any, priority: int = 0, **named: Any) -> Rule:
        """A rule for the requests that are all of this. Raises `UsageError`."""
        from .rules import rule_for

        return self.add(rule_for(conditions, named, priority))

    def add(self, rule: Rule) -> Rule:
        with self._lock:
            self._rules.append(rule)
        return rule

    def extend(self, rules: Iterable[Rule]) -> None:
        for rule in rules:
            self.add(rule)

    def put(self, rules: Iterable[Rule]) -> None:
        """Rules that may be taken back, before those of files."""
        with self._lock:
            self._put.extend(rules)

    def take_back(self) -> int:
        """Forget the rules that were put here; how many there were."""
        with self._lock:
            count = len(self._put)
            self._put.clear()
        return count

    def reset(self) -> None:
        """Take back what was put here, and begin the sequences of all others anew."""
        self.take_back()
        for rule in self.rules:
            rule.restart()
        with self._lock:
            self._drawn = 0
            self._said.clear()

    @property
    def was_put(self) -> Sequence[Rule]:
        with self._lock:
            return tuple(self._put)

    def for_any(self, priority: int = 0) -> Rule:
        """The rule for any request, of which there is one for each priority: so its replies are a sequence."""
        with self._lock:
            own = (rule for rule in self._rules if rule.is_open and not rule.place)
            found = next((rule for rule in own if rule.priority == priority), None)
        return found or self.when(priority=priority)

    @property
    def rules(self) -> list[Rule]:
        """The highest priority first, what is for any request last, a test's own before those of files."""
        with self._lock:
            return sorted([*self._put, *self._rules], key=lambda rule: (-rule.priority, rule.is_open, bool(rule.place)))

    @property
    def models(self) -> list[str]:
        """The models that rules name, in full."""
        return [model for rule in self.rules for model in rule.models]

    def answer(self, exchange: Exchange) -> Reply | Later | None:
        """The reply of the first rule that fits. What nobody can read is left to the engine, which refuses it."""
        if not (self._rules or self._put) or (exchange.json is None and unreadable(exchange)):
            return None
        from .rules import answer

        return answer(exchange, self.rules, self._next_seed, self._said_before)

    def explain(self, exchange: Exchange, others: Iterable[Rule] = ()) -> str:
        """Which rules there are, these and others, and why each is not for this request; '' without rules."""
        rules = [*self.rules, *others]
        if not rules:
            return ""
        from .rules import explain

        return explain(exchange, rules)

    def _said_before(self, said: str) -> int:
        """How often this was said since the last reset."""
        digest = blake2b(said.encode(errors="replace"), digest_size=12).digest()
        with self._lock:
            self._said[digest] += 1
            return self._said[digest] - 1

    def _next_seed(self) -> str:
        with self._lock:
            self.answered += 1
            self._drawn += 1
            return f"{self._seed}:{self._drawn}"
