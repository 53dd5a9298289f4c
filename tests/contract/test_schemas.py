from __future__ import annotations

from typing import Any

import pytest

from pytest_llmmock.contract import schemas
from pytest_llmmock.contract.finding import bracketed


def closed(**properties: Any) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "required": [*properties], "additionalProperties": False}


def told(schema: Any, check: Any = schemas.strict) -> list[str]:
    return [f"{bracketed(each.steps)} {each.words}" for each in check(schema, ("s",), "code")]


def nested(depth: int) -> dict[str, Any]:
    return closed(a=nested(depth - 1)) if depth > 1 else closed(a={"type": "string"})


STRICT = [
    closed(),
    closed(
        a={"type": ["string", "null"], "enum": ["x", None]}, b={"type": "array", "items": closed(c={"type": "integer"})}
    ),
    {**closed(a={"$ref": "#/$defs/A"}), "$defs": {"A": closed(b={"anyOf": [closed(), {"type": "null"}]})}},
    closed(
        a={"type": "string", "pattern": "^a", "format": "date"}, b={"type": "number", "minimum": 1, "multipleOf": 2}
    ),
    closed(additionalProperties={"type": "string"}, properties={"type": "string"}),
    nested(10),
]


@pytest.mark.parametrize("schema", STRICT)
def test_a_strict_schema_passes(schema):
    assert told(schema) == []
    assert told(schema, schemas.invalid) == []
    assert told(schema, schemas.function) == []


FALSE = "has to be there and to be false, because the schema is strict."

LOOSE: list[tuple[dict[str, Any], list[str]]] = [
    ({"type": "string"}, ["s has to be of type 'object' at its root, because it is strict, and not a choice (anyOf)."]),
    (
        {"anyOf": [closed(), closed()]},
        ["s has to be of type 'object' at its root, because it is strict, and not a choice (anyOf)."],
    ),
    ({"type": "object", "properties": {}}, [f"s.additionalProperties {FALSE}"]),
    ({**closed(), "additionalProperties": True}, [f"s.additionalProperties {FALSE}"]),
    (closed(a={"type": "object"}), [f"s.properties.a.additionalProperties {FALSE}"]),
    (
        {**closed(a={"type": "string"}, b={"type": "string"}), "required": ["a"]},
        [
            "s.required has to name every property, because the schema is strict, and leaves out 'b'. "
            "What may be missing can be null instead."
        ],
    ),
    (
        closed(a={"allOf": [{"type": "string"}]}),
        ["s.properties.a.allOf is a keyword that a strict schema cannot have."],
    ),
    (
        closed(a={"type": "array", "items": {"oneOf": []}}),
        ["s.properties.a.items.oneOf is a keyword that a strict schema cannot have."],
    ),
    (
        {**closed(), "$defs": {"A": {"not": {}}}},
        ["s.$defs.A.not is a keyword that a strict schema cannot have."],
    ),
    (nested(11), ["s has 11 objects in each other, and a strict schema may have 10."]),
    (
        closed(a={"enum": list(range(1001))}),
        ["s has 1001 listed values (enum), and a strict schema may have 1000."],
    ),
    (
        closed(**{f"p{number}": {"type": "string"} for number in range(5001)}),
        ["s has 5001 properties, and a strict schema may have 5000."],
    ),
    (
        closed(a={"enum": ["x" * 120_000]}),
        ["s has 120001 characters of names and listed values, and a strict schema may have 120000."],
    ),
]


@pytest.mark.parametrize(("schema", "words"), LOOSE, ids=lambda value: None)
def test_what_strict_mode_does_not_take_is_told_with_its_place(schema, words):
    assert told(schema) == words


def test_the_error_names_the_whole_schema_as_its_param():
    found = next(schemas.strict(closed(a={"type": "object"}), ("tools", 0, "parameters"), "code"))
    assert (found.param, found.code) == ("tools[0].parameters", "code")


INVALID = [
    ({"type": "objekt"}, "s.type is no valid JSON schema: 'objekt' is not valid under any of the given schemas."),
    ({"properties": []}, "s.properties is no valid JSON schema: [] is not of type 'object'."),
    (
        {"properties": {"a": {"required": True}}},
        "s.properties.a.required is no valid JSON schema: True is not of type 'array'.",
    ),
    (
        {"$schema": "http://json-schema.org/draft-07/schema#", "minimum": "1"},
        "s.minimum is no valid JSON schema: '1' is not of type 'number'.",
    ),
]


@pytest.mark.parametrize(("schema", "words"), INVALID, ids=lambda value: None)
def test_what_is_no_json_schema_is_told(schema, words):
    assert told(schema, schemas.invalid) == [words]


def test_drafts_by_their_own_rules_and_unknown_ones_by_the_newest():
    old = {"$schema": "http://json-schema.org/draft-07/schema#", "items": [{"type": "string"}]}
    assert told(old, schemas.invalid) == []
    assert told({"$schema": "https://example.org/mine", "type": "object"}, schemas.invalid) == []


FUNCTIONS = [
    ({}, []),
    ({"type": "object"}, []),
    ({"type": ["object", "null"]}, []),
    ({"type": "string"}, ["s.type has to be 'object', and is 'string'."]),
    (
        {"type": "object", "properties": {"a": {"type": "array"}}},
        ["s.properties.a is an array and does not say what its items are."],
    ),
    ({"type": "object", "properties": {"a": {"type": "array", "prefixItems": []}}}, []),
]


@pytest.mark.parametrize(("schema", "words"), FUNCTIONS, ids=lambda value: None)
def test_the_parameters_of_a_function_are_an_object_whose_lists_say_what_they_hold(schema, words):
    assert told(schema, schemas.function) == words


@pytest.mark.parametrize("check", [schemas.strict, schemas.invalid, schemas.function])
@pytest.mark.parametrize("value", [None, 5, "x", []])
def test_what_is_no_object_is_left_to_the_types(check, value):
    assert told(value, check) == []


def test_odd_schemas_break_nothing():
    odd = {"type": "object", "properties": [1], "required": 5, "$defs": [2], "anyOf": {"a": 1}, "items": 3, "enum": 4}
    assert told(odd)
    assert told({"type": 5, "properties": 5, "$defs": 5, "enum": {}, "required": {}, "items": [], "anyOf": 1})
