"""Which type of a union an object is meant to be: the one that it calls itself by its `type` or its `role`."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any, Literal, get_args, get_origin

from .finding import Finding, Steps, missing, wrong_value
from .kinds import fields_of, members

TELLING = ("type", "role")
"""Names whose value tells the type of an object."""


def narrow(value: dict[str, Any], choices: Sequence[Any], steps: Steps) -> Sequence[Any] | Finding:
    """The types that are left when the object is taken at its word, or why there is none."""
    for name in TELLING:
        if len(choices) < 2:
            return choices
        told = _told_by(name, value, choices, steps)
        if isinstance(told, Finding):
            return told
        choices = told
    return choices


def _told_by(name: str, value: dict[str, Any], choices: Sequence[Any], steps: Steps) -> Sequence[Any] | Finding:
    if not any(_values(each, name) for each in choices):
        return choices
    if value.get(name) is None:
        left = [each for each in choices if not _demands(each, name)]
        return left or missing((*steps, name), _known(name, choices))
    left = [each for each in choices if _may_be(each, name, value[name])]
    return left or wrong_value((*steps, name), value[name], _known(name, choices))


def _may_be(hint: Any, name: str, value: Any) -> bool:
    """Whether the type has this value, or takes any."""
    field = fields_of(hint).get(name)
    return field is not None and (not _values(hint, name) or value in _values(hint, name))


def _demands(hint: Any, name: str) -> bool:
    field = fields_of(hint).get(name)
    return field is not None and field.required


@cache
def _values(hint: Any, name: str) -> tuple[Any, ...]:
    """The values that a name can have in a type; none when it can have any."""
    field = fields_of(hint).get(name)
    choices = members(field.hint) if field else ()
    return tuple(one for each in choices if get_origin(each) is Literal for one in get_args(each))


def _known(name: str, choices: Sequence[Any]) -> list[Any]:
    return sorted(dict.fromkeys(value for each in choices for value in _values(each, name)), key=str)
