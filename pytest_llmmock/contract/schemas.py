"""JSON schemas that a request holds: of tools, of structured output."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from typing import Any

from .finding import Finding, Steps, bracketed, listed

REFUSED = frozenset(
    [
        "allOf",
        "not",
        "oneOf",
        "if",
        "then",
        "else",
        "dependentRequired",
        "dependentSchemas",
        "dependencies",
        "patternProperties",
        "propertyNames",
        "unevaluatedProperties",
        "unevaluatedItems",
        "minProperties",
        "maxProperties",
        "contains",
        "minContains",
        "maxContains",
        "uniqueItems",
    ]
)
"""Keywords that are no part of what a strict schema may say."""

CLOSED = "has to be there and to be false, because the schema is strict."

DEEPEST = 10
MOST_PROPERTIES = 5_000
MOST_VALUES = 1_000
LONGEST_NAMES = 120_000
"""Characters of all names and listed values together."""


def invalid(schema: Any, steps: Steps, code: str | None) -> Iterator[Finding]:
    """Why something is no JSON schema at all; nothing where jsonschema is not installed."""
    if not isinstance(schema, dict) or not has_jsonschema():
        return
    from jsonschema import Draft7Validator, Draft202012Validator, SchemaError

    validator = Draft7Validator if "draft-07" in str(schema.get("$schema")) else Draft202012Validator
    try:
        validator.check_schema(schema)
    except SchemaError as error:
        words = f"is no valid JSON schema: {error.message}."
        yield Finding((*steps, *error.absolute_path), words, code, bracketed(steps))


@cache
def has_jsonschema() -> bool:
    return find_spec("jsonschema") is not None


def function(schema: Any, steps: Steps, code: str | None) -> Iterator[Finding]:
    """What any function's parameters have to be: an object, whose lists say what they hold."""
    if not isinstance(schema, dict) or not schema:
        return
    kind = schema.get("type", "object")
    if kind != "object" and not (isinstance(kind, list) and "object" in kind):
        yield Finding((*steps, "type"), f"has to be 'object', and is {kind!r}.", code, bracketed(steps))
    for at, each in walk(schema, steps):
        if each.get("type") == "array" and "items" not in each and "prefixItems" not in each:
            yield Finding(at, "is an array and does not say what its items are.", code, bracketed(steps))


def strict(schema: Any, steps: Steps, code: str | None) -> Iterator[Finding]:
    """What OpenAI's strict mode does not take."""
    if not isinstance(schema, dict):
        return
    param, found = bracketed(steps), _Sums()
    for at, words in _strict(schema, steps, found):
        yield Finding(at, words, code, param)
    for words in found.beyond(depth(schema)):
        yield Finding(steps, words, code, param)


def _strict(schema: dict[str, Any], steps: Steps, found: _Sums) -> Iterator[tuple[Steps, str]]:
    if schema.get("type") != "object" or "anyOf" in schema:
        yield steps, "has to be of type 'object' at its root, because it is strict, and not a choice (anyOf)."
    for at, each in walk(schema, steps):
        found.count(each)
        for keyword in sorted(REFUSED & each.keys()):
            yield (*at, keyword), "is a keyword that a strict schema cannot have."
        if "properties" in each or each.get("type") == "object":
            yield from _strict_object(each, at)


def _strict_object(schema: dict[str, Any], steps: Steps) -> Iterator[tuple[Steps, str]]:
    if schema.get("additionalProperties") is not False:
        yield (*steps, "additionalProperties"), CLOSED
    properties, required = schema.get("properties"), schema.get("required")
    names = properties if isinstance(properties, dict) else {}
    left = [name for name in names if name not in (required if isinstance(required, list) else [])]
    if left:
        words = f"has to name every property, because the schema is strict, and leaves out {listed(left, 'and')}."
        yield (*steps, "required"), f"{words} What may be missing can be null instead."


def walk(schema: Any, steps: Steps) -> Iterator[tuple[Steps, dict[str, Any]]]:
    """Every schema in a schema, itself first."""
    if not isinstance(schema, dict):
        return
    yield steps, schema
    for keyword in ("properties", "$defs", "definitions"):
        inner = schema.get(keyword)
        for name, each in inner.items() if isinstance(inner, dict) else ():
            yield from walk(each, (*steps, keyword, name))
    for keyword in ("items", "additionalProperties"):
        yield from walk(schema.get(keyword), (*steps, keyword))
    for keyword in ("anyOf", "prefixItems"):
        inner = schema.get(keyword)
        for at, each in enumerate(inner) if isinstance(inner, list) else ():
            yield from walk(each, (*steps, keyword, at))


def depth(schema: Any) -> int:
    """How many objects lie in each other; what is referred to counts where it is defined."""
    if not isinstance(schema, dict):
        return 0
    inner = [schema.get("items"), *_inner(schema, "properties"), *_inner(schema, "anyOf")]
    return max(map(depth, inner), default=0) + ("properties" in schema)


def _inner(schema: dict[str, Any], keyword: str) -> list[Any]:
    value = schema.get(keyword)
    return list(value.values()) if isinstance(value, dict) else value if isinstance(value, list) else []


@dataclass
class _Sums:
    """How much there is in a schema."""

    properties: int = 0
    values: int = 0
    characters: int = 0

    def count(self, schema: dict[str, Any]) -> None:
        held = [schema.get(keyword) for keyword in ("properties", "$defs")]
        names = [name for each in held if isinstance(each, dict) for name in each]
        values = schema["enum"] if isinstance(schema.get("enum"), list) else []
        self.properties += len(_inner(schema, "properties"))
        self.values += len(values)
        self.characters += sum(len(each) for each in [*names, *values] if isinstance(each, str))

    def beyond(self, deep: int) -> Iterator[str]:
        """What is more than a strict schema may have."""
        sizes = (
            (deep, DEEPEST, "objects in each other"),
            (self.properties, MOST_PROPERTIES, "properties"),
            (self.values, MOST_VALUES, "listed values (enum)"),
            (self.characters, LONGEST_NAMES, "characters of names and listed values"),
        )
        for size, limit, what in sizes:
            if size > limit:
                yield f"has {size} {what}, and a strict schema may have {limit}."
