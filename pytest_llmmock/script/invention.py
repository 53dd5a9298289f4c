"""Values made up so that they satisfy a JSON schema: short, and the same ones each time.

All of what OpenAI's strict mode allows is understood: objects, arrays, enum, const, anyOf, $ref and $defs, patterns,
formats, limits; beside it allOf, oneOf and prefixItems. Where a schema refers to itself, the shortest way out is taken.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

from ..errors import ScriptError
from . import texts


class _Endless(Exception):
    """A schema that refers to itself: this way does not end."""


def invent(schema: Any) -> Any:
    """A value that satisfies the schema. Raises `ScriptError` when none can be made."""
    try:
        return _Inventor(schema).value(schema, "value", 0, ("#",))
    except _Endless:
        raise ScriptError("No value can satisfy this schema: it refers to itself without an end.") from None
    except (TypeError, ValueError, AttributeError, LookupError, ArithmeticError, RecursionError) as error:
        raise ScriptError(f"This is no JSON schema: {type(error).__name__}: {error}. It is: {schema!r:.200}") from None


Open = tuple[str, ...]
"""The references that are being followed."""


class _Inventor:
    """Knows the whole schema, to which its parts refer."""

    def __init__(self, root: Any) -> None:
        self._root = root

    def value(self, schema: Any, name: str, number: int, open: Open) -> Any:
        """A value for what is called `name`; another `number` gives another one where there are several."""
        if not isinstance(schema, Mapping):
            return None if schema is False else name
        if "$ref" in schema:
            return self._referred(schema, name, number, open)
        if "allOf" in schema:
            return self.value(self._merged(schema, open), name, number, open)
        if "const" in schema:
            return schema["const"]
        if schema.get("enum"):
            return schema["enum"][number % len(schema["enum"])]
        options = schema.get("anyOf") or schema.get("oneOf")
        if options:
            rest = {key: value for key, value in schema.items() if key not in ("anyOf", "oneOf")}
            return self._first([_joined(rest, option) for option in options], name, number, open)
        return self._typed(schema, name, number, open)

    def _referred(self, schema: Mapping[str, Any], name: str, number: int, open: Open) -> Any:
        reference = str(schema["$ref"])
        if reference in open:
            raise _Endless
        rest = {key: value for key, value in schema.items() if key != "$ref"}
        return self.value(_joined(rest, self._found(reference)), name, number, (*open, reference))

    def _found(self, reference: str) -> Any:
        """What a reference inside of the schema leads to."""
        found = self._root
        for step in reference.removeprefix("#").strip("/").split("/") if reference not in ("#", "#/") else ():
            step = step.replace("~1", "/").replace("~0", "~")
            found = found.get(step) if isinstance(found, Mapping) else None
        if found is None or not reference.startswith("#"):
            raise ScriptError(f"The schema refers to {reference!r}, which it does not hold.")
        return found

    def _merged(self, schema: Mapping[str, Any], open: Open) -> Mapping[str, Any]:
        merged: Any = {key: value for key, value in schema.items() if key != "allOf"}
        for part in schema["allOf"]:
            if isinstance(part, Mapping) and "$ref" in part:
                if part["$ref"] in open:
                    raise _Endless
                part = _joined({key: value for key, value in part.items() if key != "$ref"}, self._found(part["$ref"]))
            merged = _joined(merged, part)
        return merged  # type: ignore[no-any-return]

    def _first(self, options: list[Any], name: str, number: int, open: Open) -> Any:
        """The first option that ends; null only when nothing else does."""
        for option in sorted(options, key=_is_null):
            try:
                return self.value(option, name, number, open)
            except _Endless:
                continue
        raise _Endless

    def _typed(self, schema: Mapping[str, Any], name: str, number: int, open: Open) -> Any:
        kind = schema.get("type") or _kind_of(schema)
        if isinstance(kind, list):
            return self._first([{**schema, "type": each} for each in kind], name, number, open)
        if kind == "object":
            return self._object(schema, number, open)
        if kind == "array":
            return self._array(schema, name, open)
        make = _MAKERS.get(kind)
        if make is None:
            raise ScriptError(f"The schema asks for the type {kind!r}, which JSON does not have.")
        return make(schema, name, number)

    def _object(self, schema: Mapping[str, Any], number: int, open: Open) -> dict[str, Any]:
        """All properties; one that is not required is left out where it would not end."""
        required = schema.get("required", ())
        made: dict[str, Any] = {}
        for name, part in schema.get("properties", {}).items():
            try:
                made[name] = self.value(part, name, number, open)
            except _Endless:
                if name in required:
                    raise
        for name in (name for name in required if name not in made):
            made[name] = self.value(schema.get("additionalProperties", {}), name, number, open)
        return made

    def _array(self, schema: Mapping[str, Any], name: str, open: Open) -> list[Any]:
        """One item, or as many as there have to be."""
        least, most = schema.get("minItems", 0), schema.get("maxItems", math.inf)
        first = [self.value(part, name, n, open) for n, part in enumerate(schema.get("prefixItems", ()))]
        count = min(most, max(least, len(first), 1)) - len(first)
        if schema.get("items") is False:
            return first
        try:
            return first + [self.value(schema.get("items", {}), name, n, open) for n in range(int(count))]
        except _Endless:
            if len(first) < least:
                raise
            return first


def _joined(one: Mapping[str, Any], other: Any) -> Any:
    """Both schemas in one: what both say of properties and what is required counts together."""
    if not isinstance(other, Mapping):
        return other if not one else dict(one)
    joined = {**one, **other}
    if "properties" in one and "properties" in other:
        joined["properties"] = {**one["properties"], **other["properties"]}
    if "required" in one and "required" in other:
        joined["required"] = [*dict.fromkeys([*one["required"], *other["required"]])]
    for keyword, narrower in _NARROWER.items():
        if keyword in one and keyword in other:
            joined[keyword] = narrower(one[keyword], other[keyword])
    return joined


_NARROWER: Mapping[str, Callable[[Any, Any], Any]] = {
    **dict.fromkeys(("minimum", "exclusiveMinimum", "minLength", "minItems"), max),
    **dict.fromkeys(("maximum", "exclusiveMaximum", "maxLength", "maxItems"), min),
}


def _is_null(option: Any) -> bool:
    return isinstance(option, Mapping) and (option.get("type") == "null" or option.get("const", 0) is None)


def _kind_of(schema: Mapping[str, Any]) -> str:
    """What a schema without a type is about."""
    return next((kind for kind, words in _ABOUT.items() if any(word in schema for word in words)), "string")


_ABOUT = {
    "object": ("properties", "required", "additionalProperties"),
    "array": ("items", "prefixItems", "minItems", "maxItems"),
    "number": ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"),
}


# --- numbers --------------------------------------------------------------------------------------------


def _integer(schema: Mapping[str, Any], name: str, number: int) -> Any:
    low, high, step = _limits(schema, 1)
    first = math.ceil(low / step) * step if low > -math.inf else math.floor(min(high, 1) / step) * step
    if schema.get("exclusiveMinimum") == first:
        first += step
    found = first + number * step
    return _fitting(found if found <= high else first, schema)


def _number(schema: Mapping[str, Any], name: str, number: int) -> Any:
    low, high, step = _limits(schema, 0)
    if step:
        return _multiple(schema, low, high, step, number)
    if low > -math.inf and high < math.inf:
        return _fitting(low + (high - low) * (number % 7 + 1) / 8 if low < high else low, schema)
    if low > -math.inf:
        return _fitting(low + number + 0.5, schema)
    return _fitting((high if high < math.inf else 2.0) - number - 0.5, schema)


def _multiple(schema: Mapping[str, Any], low: float, high: float, step: float, number: int) -> Any:
    first = math.ceil(low / step) if low > -math.inf else math.floor(min(high, step) / step)
    if schema.get("exclusiveMinimum") == first * step:
        first += 1
    found = (first + number) * step
    return _fitting(found if found <= high else first * step, schema)


def _limits(schema: Mapping[str, Any], step: float) -> tuple[float, float, Any]:
    low = max(schema.get("minimum", -math.inf), schema.get("exclusiveMinimum", -math.inf))
    high = min(schema.get("maximum", math.inf), schema.get("exclusiveMaximum", math.inf))
    return low, high, schema.get("multipleOf", step)


def _fitting(found: Any, schema: Mapping[str, Any]) -> Any:
    low, high, _ = _limits(schema, 0)
    excluded = (schema.get("exclusiveMinimum"), schema.get("exclusiveMaximum"))
    if not low <= found <= high or found in excluded:
        raise ScriptError(f"No number satisfies this schema: {dict(schema)}.")
    return found


_MAKERS: Mapping[Any, Callable[[Mapping[str, Any], str, int], Any]] = {
    "string": texts.invent,
    "integer": _integer,
    "number": _number,
    "boolean": lambda schema, name, number: number % 2 == 0,
    "null": lambda schema, name, number: None,
}
"""Type -> what makes a value of it."""
