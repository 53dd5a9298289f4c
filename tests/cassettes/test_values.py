from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_llmmock.cassettes.values import parsed

BLANKS = st.text(" \t\n\r", max_size=3)
ODD = ' \t\n\r\x0b\x0c\xa0\ufeff[]{},:1"a'
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
)


@given(BLANKS, VALUES, BLANKS)
def test_blanks_around_a_value_do_not_count(before: str, value: object, behind: str) -> None:
    assert parsed((before + json.dumps(value) + behind).encode()) == value


@given(st.text(ODD, max_size=5), VALUES, st.text(ODD, max_size=5))
def test_what_the_standard_library_does_not_read_is_not_json(before: str, value: object, behind: str) -> None:
    text = before + json.dumps(value) + behind
    try:
        expected = json.loads(text)
    except ValueError:
        expected = None
    assert parsed(text.encode()) == expected


@pytest.mark.parametrize("text", ["", " ", "[", "{", "[1,]", '{"a"}', "{} {}", "[1] x", "\ufeff{}", "\x0b{}", "{}\x0c"])
def test_what_is_not_json_is_none(text: str) -> None:
    assert parsed(text.encode()) is None


def test_a_whole_number_is_the_same_with_and_without_a_point() -> None:
    assert repr(parsed(b'[1.0, 1, 1.5, 1e2, "1.0"]')) == "[1, 1, 1.5, 100, '1.0']"
