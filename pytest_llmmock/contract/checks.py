"""All checks of one request."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

from ..core.engine import unreadable
from ..core.json_text import parse_json
from ..core.model import Exchange
from ..core.violation import Violation
from ..dialects import forms
from . import (
    anthropic_tools,
    chat,
    hints,
    homes,
    leniency,
    messages,
    ollama,
    ranges,
    required,
    responses,
    schemas,
    sdk,
    shapes,
)
from .finding import Finding, once, violation
from .kinds import fields_of, is_object, members

Rule = Callable[[dict[str, Any]], Iterator[Finding]]

RULES: dict[str, tuple[Rule, ...]] = {
    "chat": (chat.check,),
    "responses": (responses.check,),
    "messages": (messages.check, anthropic_tools.check),
    "messages.count_tokens": (messages.answered_calls, anthropic_tools.check),
    "ollama.chat": (ollama.check,),
    "ollama.generate": (ollama.check,),
}
"""Operation -> what its types do not tell."""

SHARED: dict[str, Rule] = {"chat": chat.answered_calls, "messages": messages.answered_calls}
"""What every provider holds to that speaks a protocol."""


def check(exchange: Exchange, upstream: str, note: Callable[[str], object]) -> list[Violation]:
    """What the API would not take. `note` is told what cannot be checked."""
    place = sdk.type_of(exchange)
    if not place:
        return []
    home = homes.home_of(exchange, sdk.package_of(place), upstream)
    body = body_of(exchange)
    if body is None:
        return [_no_object(exchange)] if home == "own" else []
    found = _found(exchange, body, place, note) if home == "own" else _shared(exchange.operation, body, home)
    try:
        return [violation(finding, exchange.operation) for finding in once(found)]
    except RecursionError:
        return [Violation("", f"The body of {exchange.request.method} {exchange.request.path} is nested too deep.")]


def _no_object(exchange: Exchange) -> Violation:
    what = f"The body of {exchange.request.method} {exchange.request.path} has to be a JSON object."
    return Violation("", unreadable(exchange) or what)


def _shared(operation: str, body: dict[str, Any], home: homes.Home) -> Iterator[Finding]:
    """Elsewhere more or less is taken than where the types are from. What providers refuse, a server may pass over."""
    for finding in SHARED[operation](body) if operation in SHARED else ():
        yield replace(finding, refused=home == "provider")


def body_of(exchange: Exchange) -> dict[str, Any] | None:
    """The body as an object; of a form the fields, and its files as what they are."""
    if not _is_form(exchange):
        return exchange.json if isinstance(exchange.json, dict) else None
    form = forms.read_form(exchange.request)
    fields: dict[str, Any] = {name: value for name, value in form.fields.items() if "[" not in name}
    nested = {name.partition("[")[0]: _FILE for name in form.fields if "[" in name}
    files = {str(file.data["name"]).partition("[")[0]: _FILE for file in form.files}
    return {**fields, **nested, **files}


_FILE = object()
"""Stands for what has no JSON: a file, and fields that are written apart."""


def _is_form(exchange: Exchange) -> bool:
    return (exchange.request.header("content-type") or "").lower().startswith("multipart/form-data")


def _found(exchange: Exchange, body: dict[str, Any], place: str, note: Callable[[str], object]) -> Iterator[Finding]:
    operation = exchange.operation
    yield from _shaped(exchange, body, place, note)
    yield from required.check(body, operation)
    yield from ranges.check(_with_numbers(body) if _is_form(exchange) else body, operation)
    for rule in RULES.get(operation, ()):
        yield from rule(body)
    yield from hints.check(body, operation)


def _with_numbers(form: dict[str, Any]) -> dict[str, Any]:
    """A form whose texts are numbers where they look like it."""
    values = ((name, parse_json(value.encode()) if isinstance(value, str) else None) for name, value in form.items())
    return form | {name: value for name, value in values if isinstance(value, int | float)}


def _shaped(exchange: Exchange, body: dict[str, Any], place: str, note: Callable[[str], object]) -> Iterator[Finding]:
    """What the SDK's types tell."""
    hint, package = sdk.load(place), sdk.package_of(place)
    if not schemas.has_jsonschema() and any(body.get(name) for name in _HOLD_SCHEMAS):
        note("Whether schemas of tools are valid is not checked, because the package jsonschema is not installed.")
    if isinstance(hint, str):
        note(f"Names and types of parameters ({place.partition(':')[0]}) are not checked, because {hint}.")
        return
    options = _options(hint) if package == "ollama" else None
    manner = shapes.Manner(sdk.installed(package), _is_form(exchange), options is not None, leniency.of(package))
    try:
        for each in shapes.check_body(body, hint, manner):
            yield leniency.softened(each, exchange.operation) if options is None else ollama.softened(each, options)
    except NameError as error:
        note(f"Not all types of {sdk.installed(package)} can be read, and are checked: {error}.")


_HOLD_SCHEMAS = ("tools", "functions", "response_format", "text", "output_config")


def _options(hint: Any) -> list[str]:
    """The names that Ollama knows in `options`."""
    choices = members(fields_of(hint)["options"].hint)
    return [name for each in choices if is_object(each) for name in fields_of(each)]
