"""Values that are made up satisfy their schemas."""

from __future__ import annotations

import json
import re
from typing import Any

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_llmmock import ScriptError
from pytest_llmmock.script.invention import invent
from pytest_llmmock.script.texts import FORMATS

NODE = {
    "type": "object",
    "properties": {"value": {"type": "integer"}, "next": {"anyOf": [{"$ref": "#/$defs/node"}, {"type": "null"}]}},
    "required": ["value", "next"],
    "additionalProperties": False,
}

SCHEMAS: list[Any] = [
    {},
    True,
    {"type": "null"},
    {"type": ["string", "null"]},
    {"type": "string", "minLength": 30, "maxLength": 31},
    {"type": "string", "maxLength": 0},
    {"type": "string", "pattern": "^[A-Z]{3}-\\d{2,4}$"},
    {"type": "string", "pattern": "^(?:cat|dog)s?(?P<n>[^a-z]+)\\.$"},
    {"type": "string", "pattern": "a*", "minLength": 7},
    {"type": "string", "pattern": "^@[a-zA-Z0-9_]+$"},
    *({"type": "string", "format": name} for name in FORMATS),
    {"type": "integer", "minimum": 5, "maximum": 5},
    {"type": "integer", "exclusiveMinimum": 5, "multipleOf": 5},
    {"type": "integer", "maximum": -3},
    {"type": "number", "exclusiveMinimum": 0, "exclusiveMaximum": 1},
    {"type": "number", "multipleOf": 0.5, "minimum": 0.7},
    {"type": "number", "maximum": -3},
    {"enum": ["a", 1, None]},
    {"const": {"a": [1]}},
    {"type": "array", "items": {"type": "string"}, "minItems": 3, "uniqueItems": True},
    {"type": "array", "items": {"enum": ["a", "b", "c"]}, "minItems": 3, "uniqueItems": True},
    {"type": "array", "maxItems": 0},
    {"type": "array", "prefixItems": [{"type": "integer"}, {"type": "boolean"}], "items": False},
    {"anyOf": [{"type": "null"}, {"type": "integer", "minimum": 3}]},
    {"oneOf": [{"type": "string", "format": "uuid"}]},
    {"allOf": [{"type": "object", "properties": {"a": {"type": "integer"}}}, {"required": ["a", "b"]}]},
    {"type": "object", "required": ["x"], "additionalProperties": {"type": "integer"}},
    {"$ref": "#/$defs/node", "$defs": {"node": NODE}},
    {"$defs": {"a/b": {"type": "integer"}}, "type": "object", "properties": {"x": {"$ref": "#/$defs/a~1b"}}},
    {"type": "object", "properties": {"children": {"type": "array", "items": {"$ref": "#"}}}, "required": ["children"]},
    {"type": "object", "properties": {"parent": {"$ref": "#"}, "name": {"type": "string"}}, "required": ["name"]},
    {"properties": {"a": {"minimum": 3}}, "required": ["a"]},
]


@pytest.mark.parametrize("schema", SCHEMAS, ids=lambda schema: json.dumps(schema)[:60])
def test_a_value_satisfies_its_schema_and_is_the_same_each_time(schema):
    value = invent(schema)
    jsonschema.Draft202012Validator(schema, format_checker=jsonschema.Draft202012Validator.FORMAT_CHECKER).validate(
        value
    )
    assert invent(schema) == value


def test_values_read_like_what_they_are_called():
    made = invent({"type": "object", "properties": {"city": {"type": "string"}, "tags": {"items": {}, "minItems": 2}}})
    assert made == {"city": "city", "tags": ["tags", "tags 2"]}


def test_what_may_be_null_is_not_where_it_can_be_something():
    assert invent({"type": ["null", "integer"]}) == 1


def test_a_schema_that_refers_to_itself_ends():
    assert invent({"$ref": "#/$defs/node", "$defs": {"node": NODE}}) == {"value": 1, "next": None}


@pytest.mark.parametrize(
    ("schema", "words"),
    [
        (
            {"type": "object", "properties": {"a": {"$ref": "#"}}, "required": ["a"]},
            "it refers to itself without an end",
        ),
        ({"$ref": "#/$defs/nope"}, "refers to '#/$defs/nope', which it does not hold"),
        ({"$ref": "https://example.com/schema"}, "which it does not hold"),
        ({"type": "integer", "minimum": 3, "maximum": 2}, "No number satisfies this schema"),
        ({"type": "integer", "multipleOf": 10, "minimum": 11, "maximum": 19}, "No number satisfies this schema"),
        ({"type": "string", "pattern": r"(a)\1"}, r"'\1' is not understood. Give the value."),
        ({"type": "string", "pattern": "(?=a)a"}, "'(?=' is not understood"),
        ({"type": "string", "pattern": "("}, "missing ), unterminated subpattern"),
        ({"type": "string", "pattern": "^a$", "minLength": 3}, "No text can be made up for the pattern '^a$'"),
        ({"type": "integer", "minimum": "5"}, "This is no JSON schema: TypeError"),
        ({"type": "object", "properties": ["a"]}, "This is no JSON schema: AttributeError"),
        ({"type": "integer", "multipleOf": 0, "minimum": 1}, "This is no JSON schema: ZeroDivisionError"),
        ({"type": {"a": 1}}, "This is no JSON schema: TypeError"),
        ({"type": "text"}, "asks for the type 'text', which JSON does not have"),
    ],
    ids=lambda given: json.dumps(given)[:60],
)
def test_what_cannot_be_made_up_says_why(schema, words):
    with pytest.raises(ScriptError, match=re.escape(words)):
        invent(schema)


_NUMBERS = st.integers(-20, 20)

_LEAVES = st.one_of(
    st.sampled_from([{"type": "boolean"}, {"type": "null"}, {"type": "string"}, {"const": 3}, {"enum": ["x", 2]}]),
    st.builds(
        lambda low, more: {"type": "integer", "minimum": low, "maximum": low + more}, _NUMBERS, st.integers(0, 9)
    ),
    st.builds(lambda low, more: {"type": "number", "minimum": low, "maximum": low + more}, _NUMBERS, st.integers(0, 9)),
    st.builds(lambda low: {"type": "number", "exclusiveMinimum": low}, _NUMBERS),
    st.builds(lambda high, step: {"type": "integer", "maximum": high, "multipleOf": step}, _NUMBERS, st.integers(1, 9)),
    st.builds(
        lambda least, more: {"type": "string", "minLength": least, "maxLength": least + more},
        st.integers(0, 20),
        st.integers(0, 9),
    ),
    st.sampled_from([{"type": "string", "format": name} for name in FORMATS]),
    st.sampled_from(["^[a-f]{2,}$", "\\d+-\\w", "^(x|y)*z$"]).map(lambda found: {"type": "string", "pattern": found}),
    st.just({"$ref": "#/$defs/leaf"}),
    st.just({"anyOf": [{"$ref": "#"}, {"type": "null"}]}),
)


def _objects(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    properties = st.dictionaries(st.text("abc_", min_size=1, max_size=4), inner, max_size=4)
    strict = {"type": "object", "additionalProperties": False}
    return properties.map(lambda found: {**strict, "properties": found, "required": [*found]})


def _arrays(items: Any, least: int, more: int) -> Any:
    return {"type": "array", "items": items, "minItems": least, "maxItems": least + more}


_SCHEMAS: st.SearchStrategy[Any] = st.deferred(
    lambda: st.one_of(
        _LEAVES,
        _objects(_SCHEMAS),
        st.builds(_arrays, _SCHEMAS, st.integers(0, 3), st.integers(0, 2)),
        st.lists(_SCHEMAS, min_size=1, max_size=3).map(lambda options: {"anyOf": options}),
    )
)


@given(_objects(_SCHEMAS))
def test_a_value_satisfies_every_strict_schema(schema):
    whole = {**schema, "$defs": {"leaf": {"type": "integer", "minimum": 7}}}
    jsonschema.Draft202012Validator(whole).validate(invent(whole))
