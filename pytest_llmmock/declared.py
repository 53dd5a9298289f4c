"""Values held against the types that a dataclass declares for its fields."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from functools import cache
from typing import TYPE_CHECKING, Any, get_args

if TYPE_CHECKING:
    from pydantic import TypeAdapter


class Misfit(Exception):
    """A value that its field does not take."""

    def __init__(self, name: str, value: object, why: str) -> None:
        super().__init__(why)
        self.name = name
        """Of the field, and behind a dot where inside it."""
        self.value = value


_PLAIN = {"bool": bool, "int": int, "float": float, "str": str}


def conforming(kind: type, given: Mapping[str, Any]) -> dict[str, Any]:
    """The values as the fields of these names want them. Raises `Misfit`.

    pydantic is only asked about what does not plainly fit: its import alone takes longer than all that a server does
    before its first answer.
    """
    odd = {name: value for name, value in given.items() if not _fits(kind, kind.__annotations__[name], value)}
    return {**given, **_converted(kind, odd)} if odd else dict(given)


def _converted(kind: type, given: Mapping[str, Any]) -> dict[str, Any]:
    from pydantic import ValidationError

    try:
        checked = _adapter(kind).validate_python(given)
    except ValidationError as error:
        first = error.errors()[0]
        raise Misfit(".".join(map(str, first["loc"])), first["input"], first["msg"]) from None
    return {name: getattr(checked, name) for name in given}


def _fits(kind: type, declared: str, value: object) -> bool:
    """Whether pydantic would give back this very value."""
    types = declared.split(" | ")
    if type(value) is tuple:
        return "tuple[str, ...]" in types and all(type(item) is str for item in value)
    if any(_PLAIN.get(each) is type(value) for each in types):
        return True
    return type(value) is str and value in get_args(vars(sys.modules[kind.__module__]).get(declared))


@cache
def _adapter(kind: type) -> TypeAdapter[Any]:
    """Made once: building its schema takes longer than reading a cassette."""
    from pydantic import TypeAdapter

    return TypeAdapter(kind)
