"""Texts in quotes are what PyYAML makes of them, or a `ValueError`."""

from __future__ import annotations

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from pytest_llmmock.cassettes import yaml_quoted

INSIDE = st.lists(
    st.sampled_from(
        ["a", " ", "''", '\\"', "\\\\", "\n  ", "\\\n  ", "\n\n  ", "\\ ", "\\n", "\\xe9", "\\U0001f600", "\t", "é"]
    )
)


def read(text: str) -> str | None:
    """What is read; None where it is left to PyYAML."""
    first, *more = text.split("\n")
    try:
        found = yaml_quoted.of_line(first) if not more else None
        return yaml_quoted.of_lines(first, [*more, "."], 0)[0] if found is None else found
    except ValueError:
        return None


@pytest.mark.parametrize("mark", ["'", '"'])
@given(inside=INSIDE.map("".join))
def test_what_is_read_is_what_pyyaml_reads(mark: str, inside: str) -> None:
    text = mark + inside + mark
    try:
        expected = yaml.safe_load(f"key: {text}\n")["key"]
    except yaml.YAMLError:
        expected = None
    assert read(text) in (None, expected)


@pytest.mark.parametrize(
    "text",
    [
        "'it''s'",
        "'a\n  b\n\n  c'",
        "''",
        '"a \\"b\\" \\\\ c"',
        '"caf\\xe9 \\\n  \\ and \\u2028"',
        '"one\n  two"',
        '"\\U0001F600"',
    ],
)
def test_the_usual_texts_are_read(text: str) -> None:
    assert read(text) == yaml.safe_load(f"key: {text}\n")["key"]


@pytest.mark.parametrize("text", ["'a", "'a' b", '"a\nb"', '"\\ud83d"', '"\\e"', '"a\n\n\n  b"'])
def test_other_texts_are_left_to_pyyaml(text: str) -> None:
    assert read(text) is None


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("'it''s': b", ("it's", "b")),
        ('"a\\n":', ("a\n", "")),
        ("'a' b", None),
        ("'a'", None),
        ("a: b", None),
        ("'" + "a" * 1001 + "': b", None),
    ],
)
def test_keys_may_be_in_quotes(text: str, expected: tuple[str, str] | None) -> None:
    assert yaml_quoted.key(text) == expected
