"""Types of an SDK, taken apart: which JSON they are for, which names they have."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, NotRequired, Required, Union, get_args, get_origin, get_type_hints

WORDS = {
    "null": "null",
    "boolean": "a boolean",
    "integer": "an integer",
    "number": "a number",
    "string": "a string",
    "array": "an array",
    "object": "an object",
}
"""What kinds of JSON are called."""

_KINDS: dict[Any, str] = {
    NoneType: "null",
    bool: "boolean",
    int: "integer",
    float: "number",
    str: "string",
    list: "array",
    Iterable: "array",
    Sequence: "array",
    dict: "object",
    Mapping: "object",
}
_WRAPPERS = (Annotated, Required, NotRequired)


@dataclass(frozen=True, slots=True)
class Field:
    """One name of an object."""

    hint: Any
    required: bool


def unwrapped(hint: Any) -> Any:
    """The type without what is said about it."""
    while get_origin(hint) in _WRAPPERS:
        hint = get_args(hint)[0]
    return hint


@cache
def members(hint: Any) -> tuple[Any, ...]:
    """The types of which it is one; of a union all, also of unions in it."""
    hint = unwrapped(hint)
    if get_origin(hint) not in (Union, UnionType):
        return (hint,)
    return tuple(member for each in get_args(hint) for member in members(each))


def kind_of_value(value: object) -> str:
    """The kind of a JSON value; '' of what is none, such as a file in a form."""
    return _KINDS.get(type(value), "")


@cache
def kind_of_type(hint: Any) -> str:
    """The kind of JSON that a type is for; '' when it may be anything."""
    origin = get_origin(hint) or hint
    if origin is Literal:
        kinds = {kind_of_value(value) for value in get_args(hint)}
        return kinds.pop() if len(kinds) == 1 else ""
    if is_object(hint):
        return "" if writes_itself(hint) else "object"
    return _KINDS.get(origin, "")


def is_object(hint: Any) -> bool:
    """Whether a type names the fields of an object: a TypedDict, or a model of pydantic's."""
    return hasattr(hint, "__required_keys__") or _is_model(hint)


def _is_model(hint: Any) -> bool:
    return isinstance(hint, type) and hasattr(hint, "model_fields")


def writes_itself(hint: Any) -> bool:
    """Whether a model of pydantic's has a way of its own to be written, so that its fields may tell nothing."""
    return _is_model(hint) and bool(hint.__pydantic_decorators__.model_serializers)


@cache
def fields_of(hint: Any) -> dict[str, Field]:
    """The names of an object, each as it stands in JSON."""
    if _is_model(hint):
        models = hint.model_fields.items()
        return {field.alias or name: Field(field.annotation, field.is_required()) for name, field in models}
    hints = get_type_hints(hint, include_extras=True)
    return {_alias(each) or name: Field(each, _is_required(hint, name, each)) for name, each in hints.items()}


def _is_required(hint: Any, name: str, declared: Any) -> bool:
    """Annotations that are texts hide `Required` from the class itself."""
    if get_origin(declared) in (Required, NotRequired):
        return get_origin(declared) is Required
    return name in hint.__required_keys__


def _alias(hint: Any) -> str:
    """The name in JSON of a field whose own is a word of Python's: both SDKs note it beside the type."""
    while get_origin(hint) in _WRAPPERS:
        notes = (getattr(note, "alias", None) for note in getattr(hint, "__metadata__", ()))
        found = next(filter(None, notes), "")
        if found:
            return str(found)
        hint = get_args(hint)[0]
    return ""
