from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pytest_llmmock.cassettes.bodies import STYLES, as_text, in_style, structure, style_of

ANY_TEXT = st.text(st.characters(exclude_categories=()))
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | ANY_TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(ANY_TEXT, inner, max_size=3),
    max_leaves=8,
)


@pytest.mark.parametrize("name", STYLES)
@pytest.mark.parametrize("ending", ["", "\n", "\r\n", "\n\n"])
@given(value=VALUES)
@example(value={"b": 1e-05, "a": [1.0, -0.0, "é\u2028🙂"]})
def test_a_layout_is_known_and_written_again_byte_for_byte(name: str, ending: str, value: Any) -> None:
    text = json.dumps(value, **STYLES[name]) + ending
    style = style_of(value, text)
    assert style is not None
    try:
        body = text.encode()
    except UnicodeEncodeError:  # half a surrogate pair, unescaped: no bytes are written like this
        return
    assert in_style(value, style) == body


@pytest.mark.parametrize(
    "body",
    [
        b'{"a":1, "b":2}',
        b'{"a":1,"a":2}',
        b'{"a":1.50}',
        b'{"a":1E5}',
        b'{"a":-0}',
        b'{"a":"\\/"}',
        b'{"a":"\\u00E9"}',
        b' {"a":1}',
        b'{"a":1} ',
        b'{"a":1}{"a":1}',
        b'{"a":',
        b"[" * 100_000,
        b"[" + b"9" * 5000 + b"]",
        b"\xef\xbb\xbf{}",
        b"\xff",
        b"",
    ],
)
def test_json_that_would_not_come_back_byte_for_byte_is_no_structure(body: bytes) -> None:
    assert structure(body, "application/json") is None


@pytest.mark.parametrize(
    ("content_type", "found"),
    [
        ("application/json", True),
        ("Application/JSON; charset=utf-8", True),
        ("application/problem+json", True),
        ("", True),
        ("text/plain", False),
        ("application/x-ndjson", False),
        ("text/event-stream", False),
    ],
)
def test_structure_is_looked_for_where_the_content_type_allows_it(content_type: str, found: bool) -> None:
    assert (structure(b'{"a":1}', content_type) is not None) is found


def test_without_a_content_type_only_collections_are_structure() -> None:
    assert structure(b"5", "") is None
    assert structure(b"5", "application/json") == (5, "compact")
    assert structure(b"null", "application/json") == (None, "compact")


@given(st.binary())
def test_bytes_are_text_exactly_when_they_are_utf8(body: bytes) -> None:
    content = as_text(body)
    assert (content if isinstance(content, bytes) else content.encode()) == body
