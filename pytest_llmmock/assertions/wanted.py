"""What is wanted of a request: conditions as rules have them, and values of the journal's entries."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from difflib import get_close_matches
from functools import partial
from typing import Any

from ..core.journal import Entry
from ..core.model import Exchange
from ..errors import UsageError
from ..script.view import View

_LONGEST = 60
"""Characters of a value that are shown."""


class Seen(View):
    """A request as rules see it, and its entry: without secrets, when it is to be told of."""

    def __init__(self, entry: Entry, clean: Callable[[str], str] | None = None) -> None:
        super().__init__(cleaned(entry.exchange, clean) if clean else entry.exchange)
        self.entry = entry
        self.clean = clean or str


def cleaned(exchange: Exchange, clean: Callable[[str], str]) -> Exchange:
    """The same without secrets, so that nothing of one is left where a text is cut."""
    asked = exchange.request
    body = clean(asked.body.decode(errors="surrogateescape")).encode(errors="surrogateescape")
    headers = tuple((name, clean(value)) for name, value in asked.headers)
    request = replace(asked, path=clean(asked.path), query=clean(asked.query), headers=headers, body=body)
    return exchange if request == asked else Exchange(request, exchange.operation, exchange.target, exchange.dialect)


@dataclass(frozen=True, slots=True)
class Wanted:
    """One thing that has to be so."""

    name: str
    """As it was written: `contains='weather'`."""
    misfit: Callable[[Seen], str]
    """Why it is not so; '' when it is."""

    def fits(self, entry: Entry) -> bool:
        return not self.misfit(Seen(entry))

    def told(self, clean: Callable[[str], str]) -> str:
        """What it is, for people: without secrets, and short."""
        return _cut(clean(self.name))

    def why(self, entry: Entry, clean: Callable[[str], str]) -> str:
        """Why it is not so, without secrets; '' when it is."""
        if self.fits(entry):
            return ""
        return self.misfit(Seen(entry, clean)) or f"{self.told(clean)} does not fit"


_OF_RULES = ("model", "contains", "regex", "system", "tool", "turn", "operation", "header", "path")
"""What rules know by name: `script.conditions.NAMES`, which is loaded with the first of them."""

_OF_ENTRIES = tuple(name for name in dir(Entry) if not name.startswith("_") and name not in _OF_RULES)
"""The other values that an entry has."""


def wanted_of(of: str, given: Sequence[Any], named: Mapping[str, Any]) -> Iterator[Wanted]:
    """What `of(*given, **named)` asks for. Raises `UsageError`."""
    values = {name: value for name, value in named.items() if name in _OF_ENTRIES}
    others = {name: value for name, value in named.items() if name not in _OF_ENTRIES}
    if given or others:
        yield from _of_rules(of, given, others)
    yield from (Wanted(f"{name}={value!r}", partial(_unequal, name, value)) for name, value in values.items())


def _of_rules(of: str, given: Sequence[Any], named: Mapping[str, Any]) -> Iterator[Wanted]:
    from ..script.conditions import conditions_of, is_lookup  # loads what rules need

    odd = next((name for name in named if name not in _OF_RULES and not is_lookup(name)), None)
    if odd is not None:
        raise _unknown(of, odd)
    empty = next((name for name, value in named.items() if value is None), None)
    if empty is not None:
        raise UsageError(f"{of}({empty}=None): a value was expected. For any request leave {empty} out.")
    yield from (Wanted(each.name, each.misfit) for each in conditions_of(given, named, of))


def _unknown(of: str, name: str) -> UsageError:
    known = (*_OF_RULES, *_OF_ENTRIES)
    near = get_close_matches(name, known, n=1)
    hint = f"Did you mean {near[0]!r}?" if near else f"Known are: {', '.join(known)}."
    return UsageError(f"{of}({name}=…): there is no such condition. {hint}")


def _unequal(name: str, wanted: Any, seen: Seen) -> str:
    """Why a value of an entry is not the one that is wanted."""
    found = getattr(seen.entry, name)
    return "" if found == wanted else seen.clean(_difference(name, wanted, found, seen.clean))


def _difference(name: str, wanted: Any, found: Any, clean: Callable[[str], str]) -> str:
    if isinstance(wanted, str) and isinstance(found, str) and found and len(wanted + found) > _LONGEST:
        return _by_words(name, clean(wanted), clean(found))
    if isinstance(wanted, dict | list) and type(found) is type(wanted):
        from ..cassettes.difference import MISSING, differences

        first = next(differences(wanted, found, name))
        return f"{first.path} is " + ("not there" if first.asked is MISSING else _shown(first.asked, clean))
    return f"{name} is {_shown(found, clean)}"


def _by_words(name: str, wanted: str, found: str) -> str:
    """Long texts are told apart word by word."""
    from ..cassettes.difference import Difference, show

    _, *sides = show(Difference(name, wanted, found))
    return "\n".join([f"{name} is another (- expected, + found):", *sides])


def _shown(value: Any, clean: Callable[[str], str]) -> str:
    return _cut(clean(repr(value)))


def _cut(text: str) -> str:
    flat = " ".join(text.split())
    return flat if len(flat) <= _LONGEST else flat[: _LONGEST - 2].rstrip() + " …"
