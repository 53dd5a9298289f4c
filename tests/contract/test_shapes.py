"""Types as the SDKs write them, and values held against them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import IO, Annotated, Any, Literal, Optional, Required, TypedDict, Union

import pytest
import typing_extensions
from pydantic import BaseModel, Field, model_serializer

from pytest_llmmock.contract.finding import Finding, bracketed
from pytest_llmmock.contract.shapes import Manner, check


class Note:
    """As the SDKs note another name beside a type."""

    def __init__(self, alias: str) -> None:
        self.alias = alias


class Text(TypedDict, total=False):
    type: Required[Literal["text"]]
    text: Required[str]


class Picture(typing_extensions.TypedDict, total=False):
    type: typing_extensions.Required[typing_extensions.Literal["picture"]]
    url: typing_extensions.Required[str]
    detail: Literal["low", "high"]


class Whole(TypedDict):
    name: str
    size: int


class Loose(TypedDict, total=False):
    """It need not say its type."""

    type: Literal["loose"]
    role: Required[str]


class Params(TypedDict, total=False):
    parts: Iterable[Text | Picture]
    words: str | Iterable[str]
    open: Union[str, Literal["a", "b"]]  # noqa: UP007
    closed: Optional[Literal["auto", "none"]]  # noqa: UP045
    number: float | None
    count: int | None
    flag: bool
    whole: Whole
    table: Mapping[str, int]
    anything: object
    file: IO[bytes] | bytes
    either: Text | Loose
    from_: Annotated[str, Note("from")]
    parameters: dict[str, Any]
    ids: Sequence[int] | Sequence[str]


def told(body: object, hint: Any = Params, **manner: Any) -> list[str]:
    return [f"{bracketed(each.steps)} {each.words}" for each in check(body, hint, (), Manner("types 1.0", **manner))]


RIGHT: list[dict[str, Any]] = [
    {},
    {"parts": [{"type": "text", "text": "a"}, {"type": "picture", "url": "b", "detail": "low"}]},
    {"words": "a"},
    {"words": ["a"]},
    {"words": []},
    {"open": "zzz", "closed": "auto"},
    {"closed": None, "count": None, "flag": None},
    {"number": 5, "count": 5.0},
    {"whole": {"name": "a", "size": 3}},
    {"table": {"a": 1}},
    {"anything": [{}], "file": "x", "parameters": {"a": [None]}},
    {"either": {"role": "user"}},
    {"from": "x"},
    {"unknown": None},
    {"ids": [1, 2]},
    {"ids": ["a"]},
]


@pytest.mark.parametrize("body", RIGHT)
def test_what_fits_is_passed_over(body):
    assert told(body) == []


EXTRA = " What is added by extra_body is unknown to the API too."

WRONG: list[tuple[object, str]] = [
    ([], " has to be an object, and is an array."),
    ({"partz": []}, f"partz is not known here: types 1.0 has no such parameter. Did you mean 'parts'?{EXTRA}"),
    ({"parts": "a"}, "parts has to be an array, and is a string."),
    ({"parts": ["a"]}, "parts[0] has to be an object, and is a string."),
    ({"parts": [{"text": "a"}]}, "parts[0].type is required, and is missing. It can be 'picture' or 'text'."),
    (
        {"parts": [{"type": "txt"}]},
        "parts[0].type cannot be 'txt'. It can be 'picture' or 'text'. Did you mean 'text'?",
    ),
    ({"parts": [{"type": "text"}]}, "parts[0].text is required, and is missing."),
    ({"parts": [{"type": "text", "text": None}]}, "parts[0].text has to be a string, and is null."),
    (
        {"parts": [{"type": "picture", "url": "a", "detail": "lo"}]},
        "parts[0].detail cannot be 'lo'. It can be 'low' or 'high'. Did you mean 'low'?",
    ),
    (
        {"parts": [{"type": "text", "text": "a", "b": 1}]},
        "parts[0].b is not known here: types 1.0 has no such parameter.",
    ),
    ({"words": 5}, "words has to be a string or an array, and is an integer."),
    ({"words": ["a", 5]}, "words[1] has to be a string, and is an integer."),
    ({"closed": "nona"}, "closed cannot be 'nona'. It can be 'auto' or 'none'. Did you mean 'none'?"),
    ({"closed": True}, "closed has to be a string, and is a boolean."),
    ({"number": "5"}, "number has to be a number, and is a string."),
    ({"number": True}, "number has to be a number, and is a boolean."),
    ({"count": 5.5}, "count has to be an integer, and is a number."),
    ({"flag": 1}, "flag has to be a boolean, and is an integer."),
    ({"whole": {"name": "a"}}, "whole.size is required, and is missing."),
    ({"table": {"a": "b"}}, "table.a has to be an integer, and is a string."),
    ({"either": {"type": "other", "role": "a"}}, "either.type cannot be 'other'. It can be 'loose' or 'text'."),
    ({"from_": "x"}, f"from_ is not known here: types 1.0 has no such parameter. Did you mean 'from'?{EXTRA}"),
    ({"parameters": "{}"}, "parameters has to be an object, and is a string."),
]


@pytest.mark.parametrize(("body", "words"), WRONG, ids=lambda value: None)
def test_what_does_not_fit_is_told_once_and_of_a_union_only_the_member_that_was_meant(body, words):
    assert told(body) == [words]


def test_a_long_list_of_values_is_cut():
    values = Literal["a1", "a2", "a3", "a4", "a5", "a6", "a7", "a8", "a9", "b1", "b2", "b3", "b4"]
    assert told("zz", values) == [
        " cannot be 'zz'. It can be 'a1', 'a2', 'a3', 'a4', 'a5', 'a6', 'a7', 'a8', 'a9', 'b1', 'b2', 'b3' or one of 1 "
        "others."
    ]


def test_a_long_value_is_cut():
    assert told("z" * 100, Literal["a"]) == [f" cannot be '{'z' * 58}…. It can be 'a'."]


FORM = [
    ({"number": "0.5", "count": "3", "flag": "true", "closed": "auto"}, []),
    ({"number": "-1"}, []),
    ({"count": "3.5"}, ["count has to be an integer, and is a string."]),
    ({"flag": "yes"}, ["flag has to be a boolean, and is a string."]),
    ({"file": object(), "parts": object()}, []),
]


@pytest.mark.parametrize(("body", "words"), FORM, ids=lambda value: None)
def test_in_a_form_numbers_are_text_and_a_file_is_whatever_it_is(body, words):
    assert told(body, form=True) == words


class Inner(BaseModel):
    name: str
    size: int | None = None


class Self(BaseModel):
    value: str

    @model_serializer
    def text(self) -> str:
        return self.value


class Model(BaseModel):
    inner: Inner | None = None
    named: str = Field("", alias="$named")
    options: Mapping[str, Any] | Inner | None = None
    pictures: Sequence[Self] | None = None


def test_models_of_pydantic_are_read_as_well():
    assert told({"inner": {"name": "a"}, "$named": "b", "pictures": [{"any": 1}]}, Model) == []
    assert told({"inner": {"size": "b"}}, Model) == [
        "inner.name is required, and is missing.",
        "inner.size has to be an integer, and is a string.",
    ]


def test_where_any_object_will_do_only_ollamas_own_type_is_looked_at():
    body = {"options": {"anything": 1}}
    assert told(body, Model) == []
    found = [*check(body, Model, (), Manner("types 1.0", prefers_named=True))]
    assert [each.code for each in found] == ["missing_required_parameter", "unknown_parameter"]


def test_what_the_api_forgives_does_not_speak_against_a_member():
    def forgives(finding: Finding) -> bool:
        return finding.code == "missing_required_parameter"

    assert told({"whole": {"name": "a"}}, forgives=forgives) == []
