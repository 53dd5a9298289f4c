from __future__ import annotations

import json

import pytest

from pytest_llmmock.core.json_text import DEEPEST, is_json, json_error, parse_json


def nested(levels: int, opening: bytes, closing: bytes) -> bytes:
    return opening * levels + b"1" + closing * levels


@pytest.mark.parametrize(("opening", "closing"), [(b"[", b"]"), (b'{"a":', b"}")])
def test_what_is_nested_too_deeply_is_refused_before_anybody_walks_through_it(opening: bytes, closing: bytes) -> None:
    fits = nested(DEEPEST, opening, closing)
    assert parse_json(fits) == json.loads(fits)
    assert is_json(fits)
    for levels in (DEEPEST + 1, 900, 100_000):
        body = nested(levels, opening, closing)
        assert parse_json(body) is None
        assert json_error(body) == f"it is nested more than {DEEPEST} levels deep"


def test_many_brackets_side_by_side_are_not_deep() -> None:
    value = [{"a": [[]]}] * 500 + ["[" * 500]
    assert parse_json(json.dumps(value).encode()) == value
    assert json_error(json.dumps(value).encode()) is None


def test_what_is_no_json_is_none() -> None:
    assert parse_json(b"") is None
    assert parse_json(b"\xff") is None
    assert json_error(b"{") is not None
