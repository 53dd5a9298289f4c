"""Calls of tools as a test writes them: a name, a name with arguments, or a mapping as some protocol has it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

from ..core.json_text import compact
from ..core.prompt import ToolCall
from ..errors import UsageError


@dataclass(frozen=True, slots=True)
class Call:
    """A tool that the model is to call."""

    name: str
    arguments: Any = None
    """An object; a text that is sent as it is, broken or not; None for none, True for ones that are made up."""
    id: str = ""
    """'' for one that is made up."""


def calls_of(given: Any) -> tuple[Call, ...]:
    """The calls that `tool_calls=` names: one, or several at once. Raises `UsageError`."""
    if given is None:
        return ()
    several = isinstance(given, list) or (isinstance(given, tuple) and not _is_one(given))
    return tuple(_call(one) for one in (given if several else [given]))


def _is_one(given: tuple[Any, ...]) -> bool:
    """Whether a tuple is one call: a name, and arguments that are no name of another."""
    return bool(given) and isinstance(given[0], str)


def _call(given: Any) -> Call:
    if isinstance(given, str):
        return Call(given)
    if isinstance(given, ToolCall):
        return Call(given.name, given.arguments, given.id)
    if isinstance(given, tuple) and given and len(given) <= 3:
        return _checked(Call(*given), given)
    if isinstance(given, Mapping):
        return _checked(_of_mapping(given), given)
    raise _wrong(given)


_FIELDS = ("name", "arguments", "id", "type", "function", "call_id", "input")


def _of_mapping(given: Mapping[str, Any]) -> Call:
    """As we write it, or as Chat Completions, Responses or Anthropic have it."""
    for key in given:
        if key not in _FIELDS:
            near = get_close_matches(str(key), _FIELDS, n=1)
            raise _wrong(given, f"There is no {key!r}" + (f"; did you mean {near[0]!r}?" if near else "."))
    inner = given.get("function", given)
    if not isinstance(inner, Mapping):
        raise _wrong(given)
    arguments = inner.get("arguments", inner.get("input"))
    return Call(inner.get("name", ""), arguments, given.get("id") or given.get("call_id") or "")


def _checked(call: Call, given: Any) -> Call:
    named = isinstance(call.name, str) and call.name and isinstance(call.id, str)
    if not named or not (call.arguments is None or call.arguments is True or isinstance(call.arguments, str | Mapping)):
        raise _wrong(given)
    try:
        compact(dict(call.arguments) if isinstance(call.arguments, Mapping) else None)
    except (TypeError, ValueError) as error:
        raise _wrong(given, f"Its arguments are not JSON: {error}.") from None
    return call


def _wrong(given: Any, why: str = "") -> UsageError:
    forms = "'name', ('name', {arguments}) or {'name': …, 'arguments': {…}, 'id': …}"
    return UsageError(f"tool_calls: {given!r} is no call. {why} A call is {forms}.".replace("  ", " "))
