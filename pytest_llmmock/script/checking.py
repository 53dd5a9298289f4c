"""What a person has written in a file, checked with pydantic: each error names file, line and key."""

from __future__ import annotations

from collections.abc import Callable
from difflib import get_close_matches
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from ..errors import LLMMockError, UsageError
from .documents import Place

M = TypeVar("M", bound=BaseModel)
T = TypeVar("T")


class Part(BaseModel):
    """A part of a file: what it does not know it refuses, and a number is no text."""

    model_config = ConfigDict(extra="forbid", strict=True, arbitrary_types_allowed=True)


def checked(make: Callable[[], T], place: Place) -> T:
    """What this makes; what is wrong with it is told with its place."""
    try:
        return make()
    except LLMMockError as wrong:
        raise UsageError(f"{place}: {wrong}") from None


def read_part(kind: type[M], value: Any, place: Place) -> M:
    """A part of the file. Raises `UsageError` that lists all that is wrong with it."""
    if not isinstance(value, dict):
        known = ", ".join(_keys(kind))
        raise UsageError(f"{place}: {_called(value)} stands where keys were expected: {known}.")
    try:
        return kind.model_validate(value)
    except ValidationError as wrong:
        raise UsageError("\n".join(dict.fromkeys(_told(kind, place, each) for each in wrong.errors()))) from None


def _told(kind: type[BaseModel], place: Place, wrong: Any) -> str:
    """One error; of a choice of types pydantic tells one for each, after the key."""
    name = str(wrong["loc"][0])
    if wrong["type"] == "extra_forbidden":
        near = get_close_matches(name, _keys(kind), n=1)
        hint = f"Did you mean {near[0]!r}?" if near else f"Known are: {', '.join(_keys(kind))}."
        return f"{place / name}: there is no such key. {hint}"
    if wrong["type"] == "missing":
        return f"{place / name}: this key is missing."
    return f"{place / name}: {wrong['input']!r} is not possible. {wrong['msg']}."


def _keys(kind: type[BaseModel]) -> list[str]:
    return [field.alias or name for name, field in kind.model_fields.items()]


def _called(value: Any) -> str:
    return "nothing" if value is None else f"{type(value).__name__} {value!r}"
