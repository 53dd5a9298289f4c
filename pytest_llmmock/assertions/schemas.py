"""Whether calls of tools satisfy the schemas with which the tools were offered."""

from __future__ import annotations

import re
from collections.abc import Iterator
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

from ..core.json_text import json_error
from ..core.prompt import Tool
from .listing import among, listed
from .scope import Scope
from .tools import Called, calls_of, offered

if TYPE_CHECKING:
    from jsonschema.exceptions import ValidationError

_ERRORS = 3
"""Errors of one call that are shown."""


def failure(scope: Scope) -> str:
    """Which calls are not what their tool takes; '' when all are."""
    calls = list(calls_of(scope))
    wrong = [(called, found) for called in calls if (found := list(_errors(called)))]
    if not wrong:
        return ""

    def told(found: tuple[Called, list[str]]) -> list[str]:
        return [found[0].told(scope.clean), *map(scope.clean, _shortened(found[1]))]

    count = "The only call of a tool is" if len(calls) == 1 else f"{len(wrong)} of {len(calls)} calls of tools are"
    return f"{count} not what was offered to the model{among(scope)}:\n\n{listed(wrong, told)}"


def _shortened(errors: list[str]) -> list[str]:
    lines = [" ".join(error.split()) for error in errors[:_ERRORS]]
    return lines + ([f"and {len(errors) - _ERRORS} more"] if len(errors) > _ERRORS else [])


def _errors(called: Called) -> Iterator[str]:
    """What is wrong with a call."""
    name = called.call.name
    tools = offered(called.entry)
    found = [tool for tool in tools if tool.name == name]
    if not found:
        yield _not_offered(name, [tool.name for tool in tools if tool.name])
    elif called.call.kind == "function" and found[0].kind == "function":
        yield from _of_arguments(called, found[0])


def _not_offered(name: str, names: list[str]) -> str:
    if not names:
        return "no tools were offered"
    near = get_close_matches(name, names, n=1)
    mean = f"; the nearest is {near[0]}" if near else ""
    return f"no such tool was offered{mean}. Offered: {', '.join(names)}"


def _of_arguments(called: Called, tool: Tool) -> Iterator[str]:
    text = called.call.arguments.strip()
    why = json_error(text.encode(errors="replace")) if text else ""
    if why:
        yield f"the arguments are not JSON: {why}"
    elif not isinstance(called.arguments, dict):
        yield "the arguments are JSON, and no object"
    elif tool.parameters is not None:
        yield from _against(tool.parameters, called.arguments)


def _against(schema: Any, value: Any) -> Iterator[str]:
    """What the schema says against a value. References are looked up in it, never fetched."""
    from jsonschema.exceptions import SchemaError, best_match
    from referencing.exceptions import Unresolvable

    try:
        found = _validated(schema, value)
    except SchemaError as error:
        yield f"the schema that was offered is none: {error.json_path}: {error.message}"
        return
    except Unresolvable as error:
        yield f"the schema that was offered refers to {error.ref!r}, which it does not hold"
        return
    except (re.error, RecursionError) as error:
        yield f"the schema that was offered cannot be followed: {error}"
        return
    for each in sorted(found, key=lambda wrong: str(wrong.json_path)):
        deepest = best_match([each]) or each
        yield f"{deepest.json_path.removeprefix('$').removeprefix('.') or 'the arguments'}: {deepest.message}"


def _validated(schema: Any, value: Any) -> list[ValidationError]:
    """In the draft that the schema names, else the latest."""
    from jsonschema import FormatChecker
    from jsonschema.validators import Draft202012Validator, validator_for
    from referencing import Registry

    kind = validator_for(schema if isinstance(schema, dict) else {}, default=Draft202012Validator)
    kind.check_schema(schema, format_checker=FormatChecker(formats=()))  # its patterns need not be Python's
    return list(kind(schema, registry=Registry()).iter_errors(value))
