"""Values on one line are what PyYAML makes of them, or a `ValueError`."""

from __future__ import annotations

from typing import Any

import pytest
import yaml
from hypothesis import example, given
from hypothesis import strategies as st

from pytest_llmmock.cassettes import yaml_flow, yaml_text

TEXTS = st.text(max_size=12) | st.lists(st.sampled_from([", ", ": ", "[", "}", '"', "\\", "a", "yes", "1", "é"])).map(
    "".join
)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | TEXTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4),
    max_leaves=10,
)
PIECES = st.sampled_from(
    [*'{}[]",:\\ -1', ", ", ": ", "a", "yes", "null", "1.5", "1e5", "0x1", "\\u00e9", "NaN", "#", "\t"]
)


def of_line(text: str) -> Any:
    """What is read; `ValueError` where it is left to PyYAML."""
    try:
        return yaml_flow.read(text)
    except ValueError:
        return ValueError


@given(value=st.dictionaries(TEXTS, VALUES, min_size=1, max_size=4))
@example(value={"date": ["Thu, 20 Nov 2025 15:00:00 GMT"], "alt-svc": ['h3=":443"; ma=86400'], "a": ["b", "c"]})
def test_what_we_write_is_read_as_pyyaml_reads_it(value: dict[str, Any]) -> None:
    text = yaml_text.flow(value)
    found = of_line(text)
    assert found is ValueError or repr(found) == repr(yaml.safe_load(text))


def test_a_key_longer_than_yaml_allows_is_left_to_it() -> None:
    assert of_line(yaml_text.flow({"k" * 1100: 1})) is ValueError
    assert of_line(yaml_text.flow({"k " * 600: 1})) is ValueError


@given(text=st.lists(PIECES, max_size=12).map(lambda pieces: "{a: " + "".join(pieces) + "}"))
@example(text='{a: "b\\u00e9 [c], d"}')
@example(text='{a: "]')
def test_what_is_read_is_what_pyyaml_reads(text: str) -> None:
    found = of_line(text)
    assert found is ValueError or repr(found) == repr(yaml.safe_load(text))


@pytest.mark.parametrize(
    "text",
    [
        "{code: 200, message: OK}",
        '{content-type: [application/json], x: ["1", "2"], "odd name": [a, "b, c"]}',
        '{key: "7d9b", stamp: a1, style: {request: spaced}, timing: "0.312:15", by: null, of: [1, 1.5, true]}',
        "[]",
    ],
)
def test_the_usual_lines_are_read(text: str) -> None:
    assert of_line(text) == yaml.safe_load(text)


@pytest.mark.parametrize(
    "text", ["{a: yes}", "{a: 1e5}", "{a: b c}", "{a:b}", "{a: &b c}", "{a: b} # c", '{a: "\\e"}', "{a: 01}"]
)
def test_what_yaml_reads_in_its_own_way_is_not_read(text: str) -> None:
    assert of_line(text) is ValueError
