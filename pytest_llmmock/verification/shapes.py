"""The shape of JSON: which fields there are and of which types, whatever they hold."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from typing import Any

from ..cassettes.difference import MISSING, Difference
from .classes import Found

VOLATILE = (
    *("encrypted_content", "obfuscation", "signature", "thoughtSignature", "system_fingerprint", "x_groq", "timings"),
    *("total_duration", "load_duration", "prompt_eval_duration", "eval_duration", "prompt_eval_count"),
)
"""Fields that come and go between two answers of the same upstream: nothing depends on them."""

OPTIONAL = (
    *("annotations", "citations", "stop_sequence", "stop_details", "incomplete_details", "error"),
    *("prompt_tokens_details", "completion_tokens_details", "server_tool_use"),
)
"""Fields that hold something when there is something to tell: a source, a stop word that was met, cached tokens."""

_GIVEN = ("arguments", "args", "input", "metadata", "schema", "parameters", "input_schema")
"""Fields whose members are named by a model or by the request, and not by the protocol."""

_PLAIN_LISTS = ("tool_calls",)
"""Lists whose elements are told piece by piece in streams, so that only the first piece tells its type."""


@dataclass(slots=True)
class Shape:
    """What all values at one place have in common."""

    types: set[str] = field(default_factory=set)
    fields: dict[str, Shape] = field(default_factory=dict)
    elements: dict[str, Shape] = field(default_factory=dict)
    """Of lists, by the `type` that their elements have."""

    def add(self, value: Any, name: str = "") -> Shape:
        """Take in one more value at this place."""
        self.types.add(type_of(value))
        if isinstance(value, dict) and name not in _GIVEN:
            for key, item in value.items():
                if key not in VOLATILE:
                    self.fields.setdefault(key, Shape()).add(item, key)
        elif isinstance(value, list):
            for item in value:
                self.elements.setdefault(_variant(item, name), Shape()).add(item)
        return self

    @property
    def known(self) -> set[str]:
        """The types without null: an empty field may hold anything."""
        return self.types - {"null"}

    @property
    def tells(self) -> bool:
        """Whether any value here holds something."""
        return bool(self.fields or self.elements or self.known - {"list", "object"})

    def __str__(self) -> str:
        return " or ".join(sorted(self.types))


def shape_of(value: Any) -> Shape:
    return Shape().add(value)


def type_of(value: Any) -> str:
    """As JSON calls it; 1 and 1.0 are the same."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, str):
        return "string"
    return "number" if isinstance(value, int | float) else "list" if isinstance(value, list) else "object"


def _variant(item: Any, name: str) -> str:
    kind = item.get("type") if isinstance(item, dict) and name not in _PLAIN_LISTS else None
    return kind if isinstance(kind, str) else ""


def compared(old: Shape, new: Shape, path: str, excused: Collection[str] = ()) -> Iterator[Found]:
    """Where two shapes differ, and how. `excused` are names of fields that may come and go.

    What only one side has is told once, and not what is in it; an element of a list that only one side has is something
    that was said, and no shape.
    """
    if old.known and new.known - old.known:
        yield Found("type-changed", Difference(path, str(old), str(new)))
        return
    yield from _of_fields(old, new, path, excused)
    for variant, shape in old.elements.items():
        if variant in new.elements:
            yield from compared(shape, new.elements[variant], f"{path}[{variant}]", excused)


def _of_fields(old: Shape, new: Shape, path: str, excused: Collection[str]) -> Iterator[Found]:
    if "object" not in old.types & new.types:
        return
    for name in dict.fromkeys((*old.fields, *new.fields)):
        place = f"{path}.{name}" if path else name
        one, other = old.fields.get(name), new.fields.get(name)
        if _is_excused(name, one, other, excused):
            continue
        if one is None or other is None:
            yield _alone(one, other, place)
        elif bool(one.known) != bool(other.known):
            yield Found("field-removed" if one.known else "field-added", Difference(place, str(one), str(other)))
        else:
            yield from compared(one, other, place, excused)


def _is_excused(name: str, old: Shape | None, new: Shape | None, excused: Collection[str]) -> bool:
    """Whether it means nothing that only one side has something here."""
    if old and new and old.known and new.known:
        return False
    return name in excused or (name in OPTIONAL and any(side is not None and side.tells for side in (old, new)))


def _alone(old: Shape | None, new: Shape | None, place: str) -> Found:
    """A field that one side does not have."""
    if new is None:
        return Found("field-removed", Difference(place, str(old), MISSING))
    return Found("field-added", Difference(place, MISSING, str(new)))
