"""In which ways an answer of today can differ from the one that was recorded."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Literal, get_args

from ..cassettes.difference import Difference
from ..errors import UsageError

Class = Literal[
    "failed",
    "status-differs",
    "type-changed",
    "field-removed",
    "field-added",
    "tools-changed",
    "finish-differs",
    "model-differs",
    "text-differs",
    "same-shape",
]
"""The graver first: a recording is told by the first that it has."""

CLASSES: tuple[Class, ...] = get_args(Class)

FAILING: tuple[Class, ...] = ("field-removed", "type-changed", "status-differs", "failed")
"""What breaks an application that was tested with the recording. That a model says something else does not."""

IN_SHAPE: tuple[Class, ...] = ("type-changed", "field-removed", "field-added")
"""Classes whose differences are of types, told in words, and not of values."""

_NEVER = "none"
"""Said where no class is to fail."""


@dataclass(frozen=True, slots=True)
class Found:
    """One way in which an answer differs."""

    name: Class
    difference: Difference


def words(name: Class) -> str:
    """As people read it: `field removed`."""
    return name.replace("-", " ")


def gravest(found: Iterable[Found]) -> Class:
    return min((each.name for each in found), key=CLASSES.index, default="same-shape")


def read_classes(text: str) -> tuple[Class, ...]:
    """The classes of a list with commas, in either spelling. Raises `UsageError`."""
    names = [name.strip().lower().replace(" ", "-").replace("_", "-") for name in text.split(",") if name.strip()]
    if names == [_NEVER]:
        return ()
    return tuple(dict.fromkeys(_class(name) for name in names))


def _class(name: str) -> Class:
    for known in CLASSES:
        if name == known:
            return known
    near = get_close_matches(name, CLASSES, 1)
    meant = f" Did you mean {near[0]!r}?" if near else ""
    raise UsageError(
        f"There is no class {name!r}.{meant} The classes are {', '.join(CLASSES)}; {_NEVER!r} for no class."
    )
