"""Which tools the answers have called, and what they called instead of the one that was expected."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher, get_close_matches
from fnmatch import fnmatchcase
from typing import Any

from ..cassettes.difference import MISSING, Difference, show
from ..core.journal import Entry
from ..core.json_text import parse_json
from ..core.prompt import Tool, ToolCall
from ..core.summary import plural
from .listing import among, cut, listed, nothing_asked, whole_line, without_secrets
from .scope import Scope

_PLACES = 4
"""Arguments of one call that are shown."""

_WIDTH = 90


@dataclass(frozen=True, slots=True)
class Called:
    """A call of a tool in an answer."""

    number: int
    """Of the entry."""
    entry: Entry
    call: ToolCall

    @property
    def arguments(self) -> Any:
        """As an object. Of broken ones None; the text that a custom tool is given is its `input`."""
        if self.call.kind == "custom":
            return {"input": self.call.arguments}
        return parse_json(self.call.arguments.encode(errors="replace")) if self.call.arguments.strip() else {}

    def told(self, clean: Callable[[str], str]) -> str:
        """`#1  get_weather(city="Rome")`"""
        arguments = self.arguments
        if isinstance(arguments, dict):
            given = ", ".join(f"{name}={json.dumps(value, ensure_ascii=False)}" for name, value in arguments.items())
        else:
            given = self.call.arguments
        line = f"  #{self.number}  {clean(self.call.name)}({_flat(clean(given))}"
        return f"{line})" if len(line) < _WIDTH else f"{line[: _WIDTH - 3].rstrip()} …)"


def calls_of(scope: Scope) -> Iterator[Called]:
    """All calls in the answers of the requests that count."""
    for number, entry in scope.fitting:
        answer = entry.answer
        yield from (Called(number, entry, call) for index in answer.choices for call in answer.calls_of(index))


def offered(entry: Entry) -> tuple[Tool, ...]:
    """The tools of a request, with the functions of the time before tools."""
    functions = entry.exchange.prompt.options.get("functions")
    older = [each for each in functions if isinstance(each, dict)] if isinstance(functions, list) else []
    return (*entry.tools, *(Tool(str(each.get("name", "")), parameters=each.get("parameters")) for each in older))


def failure(scope: Scope, name: str, wanted: Mapping[str, Any]) -> str:
    """Why no call is the one that was expected; '' when one is."""
    found = [_Held(called, name, wanted) for called in calls_of(scope)]
    if any(each.fits for each in found):
        return ""
    given = ", ".join(f"{argument}={_named(value)}" for argument, value in wanted.items())
    head = cut(scope.clean(f"The tool {name} was not called{f' with {given}' if given else ''}{among(scope)}."))
    paragraphs = (head, nothing_asked(scope), _instead(scope, found), _hint(scope, name))
    return "\n\n".join(paragraph for paragraph in paragraphs if paragraph)


# --- what was called --------------------------------------------------------------------------------------


class _Held:
    """A call, held against what was expected."""

    def __init__(self, called: Called, name: str, wanted: Mapping[str, Any]) -> None:
        self._called = called
        self._name = name
        self.named = fnmatchcase(called.call.name, name)
        """Whether it is of the tool."""
        arguments = called.arguments
        self.broken = bool(wanted) and not isinstance(arguments, dict)
        """Whether there are no arguments that have names."""
        given = arguments if isinstance(arguments, dict) else {}
        self.wrong = [each for key in wanted for each in _misfits(wanted[key], given.get(key, MISSING), key)]

    @property
    def fits(self) -> bool:
        return self.named and not self.wrong

    @property
    def distance(self) -> tuple[bool, float, int]:
        """A call of the tool is nearer the fewer arguments are wrong, one of another the more its name is alike."""
        if self.named:
            return False, len(self.wrong), self._called.number
        return True, -SequenceMatcher(None, self._called.call.name, self._name).ratio(), self._called.number

    def lines(self, clean: Callable[[str], str]) -> list[str]:
        """The call, and what is wrong with it."""
        head = self._called.told(clean)
        if not self.named or self.broken:
            return [head, "its arguments are no JSON object"] if self.named else [head]
        wrong = [without_secrets(each, clean) for each in self.wrong]
        more = [f"and {plural(len(wrong) - _PLACES, 'argument')} more"] if len(wrong) > _PLACES else []
        return [head, *(line[2:] for each in wrong[:_PLACES] for line in show(each)), *more]


def _instead(scope: Scope, found: Sequence[_Held]) -> str:
    if found:
        nearest = sorted(found, key=lambda each: each.distance)
        signs = " (- expected, + called)" if any(each.named and not each.broken for each in nearest) else ""
        return f"Called instead, the nearest first{signs}:\n{listed(nearest, lambda each: each.lines(scope.clean))}"
    answers = listed(scope.fitting, lambda each: [whole_line(*each, scope.clean)])
    return f"No tool was called. Answered instead:\n{answers}" if answers else ""


def _hint(scope: Scope, name: str) -> str:
    """What is told when the tool was never offered."""
    fitting = scope.fitting
    names = list(dict.fromkeys(tool.name for _, entry in fitting for tool in offered(entry) if tool.name))
    if not fitting or any(fnmatchcase(each, name) for each in names):
        return ""
    if not names:
        return "No tools were offered."
    near = get_close_matches(name, names, n=1)
    mean = f" Did you mean {near[0]!r}?" if near else ""
    return cut(scope.clean(f"No request offered a tool of this name. Offered: {', '.join(names)}.")) + mean


# --- arguments --------------------------------------------------------------------------------------------


def _misfits(wanted: Any, found: Any, path: str) -> Iterator[Difference]:
    """The places at which an argument is not what is wanted."""
    if isinstance(wanted, Mapping) and isinstance(found, dict):
        for name in dict.fromkeys([*wanted, *found]):
            yield from _misfits(wanted.get(name, MISSING), found.get(name, MISSING), f"{path}.{name}")
    elif isinstance(wanted, list | tuple) and isinstance(found, list) and len(wanted) == len(found):
        for number, (one, other) in enumerate(zip(wanted, found, strict=True)):
            yield from _misfits(one, other, f"{path}[{number}]")
    elif not _fits(wanted, found):
        yield Difference(path, wanted if wanted is MISSING or _is_json(wanted) else _named(wanted), found)


def _fits(wanted: Any, found: Any) -> bool:
    if found is MISSING or wanted is MISSING:
        return False
    if isinstance(wanted, re.Pattern):
        return isinstance(found, str) and wanted.search(found) is not None
    if isinstance(wanted, bool) or isinstance(found, bool):  # True is equal to 1, and is not the same
        return bool(wanted == found) and (wanted is found or not isinstance(wanted, int | float))
    return bool(wanted == found) or (callable(wanted) and _says_yes(wanted, found))


def _says_yes(function: Callable[[Any], Any], found: Any) -> bool:
    """A function may stumble over a value that it was not written for: then it does not say yes."""
    try:
        return bool(function(found))
    except (AttributeError, ArithmeticError, LookupError, TypeError, ValueError):
        return False


def _is_json(value: Any) -> bool:
    return value is None or isinstance(value, str | int | float | Mapping | list | tuple)


def _named(value: Any) -> str:
    """A value as a test writes it: functions by their names."""
    if isinstance(value, re.Pattern):
        return f"re.compile({value.pattern!r})"
    return str(getattr(value, "__name__", None) or repr(value)) if callable(value) else repr(value)


def _flat(text: str) -> str:
    return " ".join(text.split())
