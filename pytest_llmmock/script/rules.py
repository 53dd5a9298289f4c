"""Rules: which requests are answered by hand, how often, and what is told when none fits."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Unpack

from ..core.model import Exchange, Later, Reply
from ..core.summary import plural
from ..errors import ScriptError, UsageError
from .answers import unsuitable, write
from .conditions import Condition, conditions_of
from .functions import Computed
from .problems import Failing, error
from .replies import Arguments, Said, reply
from .templates import Values
from .view import View

Action = Said | Failing | Computed

_LISTED = 8
"""Rules that an explanation lists."""

_COLUMNS = 120


@dataclass(slots=True)
class Step:
    """One reply of a rule, and how often it is given."""

    action: Action
    times: int | None
    """None: once, or for ever when no other follows."""
    given: int = 0


class Rule:
    """Requests of one kind, and what they are answered: `when(model="gpt-*").reply("Hello")`.

    Several replies are a sequence. Each is given once, or `times` times; the last one stays, unless it has `times` as
    well. What is used up leaves its requests to the next rule.
    """

    def __init__(self, conditions: Sequence[Condition] = (), priority: int = 0, place: str = "") -> None:
        self._conditions = conditions
        self._steps: list[Step] = []
        self._lock = threading.Lock()
        self.priority = priority
        """Of several rules that fit, the one with the highest answers."""
        self.place = place
        """Where it is written, when that is a file."""

    # --- what a test says ---

    def reply(
        self,
        text: str | None = None,
        *,
        times: int | None = None,
        priority: int | None = None,
        **arguments: Unpack[Arguments],
    ) -> Rule:
        """What is answered. Raises `UsageError`."""
        action = reply(text, **arguments)
        self.priority = self.priority if priority is None else priority
        return self.add(action, times)

    def error(
        self,
        status: int,
        code: str | None = None,
        message: str | None = None,
        retry_after: float | None = None,
        times: int | None = None,
        *,
        type: str | None = None,
    ) -> Rule:
        """An error in the protocol's own shape. Raises `UsageError`."""
        return self.add(error(status, code, message, retry_after, type=type), times)

    def call(self, function: Callable[[View], Any], times: int | None = None) -> Rule:
        """What this function of the request returns.

        That is a text, a dict of what `reply` takes, `pytest_llmmock.reply(…)` or `pytest_llmmock.error(…)`.
        """
        if not callable(function):
            raise UsageError(f"call({function!r}): a function was expected.")
        return self.add(Computed(function), times)

    def add(self, action: Action, times: int | None = None) -> Rule:
        """One more step of the sequence. Raises `UsageError`."""
        if times is not None and (not isinstance(times, int) or times < 1):
            raise UsageError(f"times={times!r} is below 1.")
        with self._lock:
            self._steps.append(Step(action, times))
        return self

    # --- what comes of it ---

    @property
    def is_open(self) -> bool:
        """Whether it is for any request."""
        return not self._conditions

    @property
    def models(self) -> list[str]:
        """The models that it is for, where they are named in full."""
        return [condition.model for condition in self._conditions if condition.model]

    def misfit(self, view: View) -> str:
        """Why this rule is not for a request; '' when it is."""
        for condition in self._conditions:
            why = condition.misfit(view)
            if why:
                return why
        return ""

    def take(self, view: View) -> Action | str:
        """The step whose turn it is, which is used by this; or why there is none for this request."""
        with self._lock:
            step = self._step_for(view)
            if step is None:
                return self._used_up()
            why = self._unsuitable(step.action, view)
            if why:
                return why
            step.given += 1
            view.call = sum(each.given for each in self._steps)
        view.regex = next((found for one in self._conditions if one.search and (found := one.search(view.text))), None)
        return step.action

    def restart(self) -> None:
        """Begin its sequence anew."""
        with self._lock:
            for step in self._steps:
                step.given = 0

    @property
    def given(self) -> int:
        """How many requests it has answered."""
        return sum(step.given for step in self._steps)

    def why_not(self, view: View) -> str:
        """Why this rule does not answer a request."""
        step = self._step_for(view)
        return self.misfit(view) or (self._unsuitable(step.action, view) if step else self._used_up())

    def _step_for(self, view: View) -> Step | None:
        """The step whose turn it is; where it says what this request cannot be told, that of those that it can."""
        step = _current(self._steps)
        if step is None or not self._unsuitable(step.action, view):
            return step
        alike = [one for one in self._steps if isinstance(one.action, Said) and not self._unsuitable(one.action, view)]
        return _current(alike) or step

    def _used_up(self) -> str:
        return f"used up: it has answered {plural(self.given, 'request')}" if self.given else "it has no reply"

    def _unsuitable(self, action: Action, view: View) -> str:
        if not isinstance(action, Said) or action.status >= 400:
            return ""
        return unsuitable(action, view.operation, meant=any(each.names_place for each in self._conditions))

    def __str__(self) -> str:
        name = f"when({', '.join(each.name for each in self._conditions)})" if self._conditions else "for any request"
        return f"{self.place}  {name}" if self.place else name


def _current(steps: Sequence[Step]) -> Step | None:
    for number, step in enumerate(steps):
        is_last = number == len(steps) - 1
        if (step.times is None and is_last) or step.given < (step.times or 1):
            return step
    return None


def rule_for(conditions: Sequence[Any], named: Mapping[str, Any], priority: int) -> Rule:
    """The rule of `when(*conditions, **named)`. Raises `UsageError`."""
    return Rule(conditions_of(conditions, named), priority)


def answer(
    exchange: Exchange, rules: Iterable[Rule], seed: Callable[[], str], count: Callable[[str], int]
) -> Reply | Later | None:
    """The reply of the first rule that fits. `seed` is asked once, for what is drawn; `count` counts what is said."""
    view = View(exchange, count)
    for rule in rules:
        action = "" if rule.misfit(view) else rule.take(view)
        if not isinstance(action, str):
            return _made(action, view, Values(view, seed()))
    return None


def _made(action: Action, view: View, values: Values) -> Reply | Later:
    """What a function says is worked out where that may take time."""
    if not isinstance(action, Computed):
        return write(action, view, values)
    return Later(lambda: _worked_out(action, view, values))


def _worked_out(action: Computed, view: View, values: Values) -> Reply:
    result = action.result(view)
    if isinstance(result, Reply):
        result.source = "script"
        return result
    if isinstance(result, Said) and result.status < 400:
        why = unsuitable(result, view.operation, meant=True)
        if why:
            raise ScriptError(f"The function {action.name}() of a rule cannot answer this: {why}.")
    return write(result, view, values)


def explain(exchange: Exchange, rules: Sequence[Rule]) -> str:
    """Which rules there are, and why each is not for this request."""
    view = View(exchange)
    lines = [_line(number, rule, view) for number, rule in enumerate(rules[:_LISTED], 1)]
    lines += [f"  and {len(rules) - _LISTED} more"] if len(rules) > _LISTED else []
    head = "There is one rule, which does not fit:" if len(rules) == 1 else f"Of {len(rules)} rules none fits:"
    return "\n".join([head, *lines])


def _line(number: int, rule: Rule, view: View) -> str:
    name = str(rule)
    why = rule.why_not(view)
    line = f"  #{number}  {name if len(name) <= _COLUMNS // 2 else name[: _COLUMNS // 2 - 2] + ' …'}  ->  {why}"
    return line if len(line) <= _COLUMNS else line[: _COLUMNS - 2].rstrip() + " …"
