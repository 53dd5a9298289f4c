"""A JSON value held against a type of an SDK. Nothing is converted, and of a union only what fits is told."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_args, get_origin

from . import unions
from .finding import Finding, Steps, meant, missing, wrong_value
from .kinds import WORDS, fields_of, is_object, kind_of_type, kind_of_value, members

_FITS = {"integer": ("integer", "number"), "number": ("number",)}
"""Kinds of value -> further kinds of type that take them."""


@dataclass(frozen=True, slots=True)
class Manner:
    """How a body is read."""

    types: str
    """Whose types these are: `openai 3.52.0`."""
    form: bool = False
    """Whether it was a form, where everything is text."""
    prefers_named: bool = False
    """Whether a type that names its fields is meant also where any object is taken."""
    forgives: Callable[[Finding], bool] = lambda finding: False
    """Whether the API takes what the types do not."""


def check_body(body: dict[str, Any], hint: Any, manner: Manner) -> Iterator[Finding]:
    """What does not fit of a whole body."""
    yield from _object(body, members(hint), (), manner)


def check(value: Any, hint: Any, steps: Steps, manner: Manner) -> Iterator[Finding]:
    """What does not fit. Of what nobody can judge, such as a file in a form, nothing is said."""
    kind = kind_of_value(value)
    choices = members(hint)
    if not kind or any(not kind_of_type(each) and get_origin(each) is not Literal for each in choices):
        return
    fitting = [each for each in choices if _takes(each, kind, value, manner)]
    if not fitting:
        yield wrong_type(steps, value, choices)
    elif kind == "object":
        yield from _object(value, fitting, steps, manner)
    elif kind == "array":
        yield from _array(value, fitting, steps, manner)
    else:
        yield from _plain(value, fitting, steps, manner)


def wrong_type(steps: Steps, value: Any, choices: Sequence[Any]) -> Finding:
    wanted = dict.fromkeys(WORDS[kind] for each in choices for kind in _kinds(each) if kind != "null")
    words = f"has to be {' or '.join(wanted)}, and is {WORDS[kind_of_value(value)]}."
    return Finding(steps, words, "invalid_type")


def _kinds(hint: Any) -> list[str]:
    if get_origin(hint) is Literal:
        return [kind_of_value(value) for value in get_args(hint)]
    return [kind_of_type(hint)]


def _takes(hint: Any, kind: str, value: Any, manner: Manner) -> bool:
    """Whether a type is for this kind of value. `5.0` is a whole number too; in a form all is text."""
    kinds = _kinds(hint)
    if kind == "number" and value.is_integer() and "integer" in kinds:
        return True
    if manner.form and kind == "string":
        return any(_is_text_of(value, each) for each in kinds)
    return any(each in kinds for each in (kind, *_FITS.get(kind, ())))


def _is_text_of(value: str, kind: str) -> bool:
    if kind in ("integer", "number"):
        return value.lstrip("-").replace(".", "", kind == "number").isdigit()
    return kind == "string" or (kind == "boolean" and value.lower() in ("true", "false"))


def _plain(value: Any, choices: Sequence[Any], steps: Steps, manner: Manner) -> Iterator[Finding]:
    """A text, a number or a boolean: one that is listed, if only lists take it."""
    if any(get_origin(each) is not Literal for each in choices):
        return
    allowed = [one for each in choices for one in get_args(each)]
    if not any(is_literally(value, one, form=manner.form) for one in allowed):
        yield wrong_value(steps, value, allowed)


def is_literally(value: Any, allowed: Any, *, form: bool = False) -> bool:
    """Whether it is this very value: 1 is not True."""
    return (type(value) is type(allowed) and value == allowed) or (form and value == str(allowed).lower())


def _array(value: list[Any], choices: Sequence[Any], steps: Steps, manner: Manner) -> Iterator[Finding]:
    """The list that fits best: of texts, of parts …"""
    found = (_items(value, each, steps, manner) for each in choices)
    yield from min(found, key=len)


def _items(value: list[Any], hint: Any, steps: Steps, manner: Manner) -> list[Finding]:
    inner = get_args(hint)
    if not inner:
        return []
    return [finding for at, item in enumerate(value) for finding in check(item, inner[0], (*steps, at), manner)]


def _object(value: dict[str, Any], choices: Sequence[Any], steps: Steps, manner: Manner) -> Iterator[Finding]:
    """An object of the one type that it calls itself, else of the one that fits best."""
    named = [each for each in choices if is_object(each)]
    free = [each for each in choices if not is_object(each)]
    if free and not (named and manner.prefers_named):
        yield from min((_values(value, each, steps, manner) for each in free), key=len)
        return
    told = unions.narrow(value, named, steps)
    if isinstance(told, Finding):
        yield told
        return
    yield from min((list(_fields(value, each, steps, manner)) for each in told), key=len)


def _values(value: dict[str, Any], hint: Any, steps: Steps, manner: Manner) -> list[Finding]:
    inner = get_args(hint)
    if len(inner) < 2:
        return []
    return [finding for name, each in value.items() for finding in check(each, inner[1], (*steps, name), manner)]


def _fields(value: dict[str, Any], hint: Any, steps: Steps, manner: Manner) -> Iterator[Finding]:
    """What is missing, unknown or wrong. A name with null is as good as none, where it may be left out."""
    yield from (each for each in _names(value, hint, steps, manner) if not manner.forgives(each))
    for name, field in fields_of(hint).items():
        if name in value and (value[name] is not None or field.required):
            yield from check(value[name], field.hint, (*steps, name), manner)


def _names(value: dict[str, Any], hint: Any, steps: Steps, manner: Manner) -> Iterator[Finding]:
    """The names that are missing, and those that nobody knows."""
    fields = fields_of(hint)
    yield from (missing((*steps, name)) for name, field in fields.items() if field.required and name not in value)
    for name in value:
        if name not in fields and value[name] is not None:
            yield _unknown(name, list(fields), steps, manner)


def _unknown(name: str, known: list[str], steps: Steps, manner: Manner) -> Finding:
    more = "" if steps else " What is added by extra_body is unknown to the API too."
    words = f"is not known here: {manner.types} has no such parameter.{meant(name, known)}{more}"
    return Finding((*steps, name), words, "unknown_parameter")
