from __future__ import annotations

import math
from typing import Any

import pytest
import yaml
from hypothesis import example, given, settings
from hypothesis import strategies as st

from pytest_llmmock.cassettes import yaml_text
from pytest_llmmock.cassettes.yaml_text import LONGEST_KEY, UnwritableError

LOADERS = [pytest.param(loader, id=loader.__name__) for loader in (yaml.CSafeLoader, yaml.SafeLoader)]

ODD = ["\n", " ", "\t", "\r", "\x00", "\x1b", "\x7f", "\x85", "\xa0", "\u2028", "\ufeff", "\ufffe", "\U0001f600"]
LIKE_YAML = [": ", " #", "- ", "'", '"', "\\", "{", "]", "|", ">", "%", "@", "&a", "*a", "!b", "---", "...", "a", "é"]
TEXTS = (
    st.text()
    | st.lists(st.sampled_from(ODD + LIKE_YAML)).map("".join)
    | st.lists(st.sampled_from(["long ", "words ", "  ", "#", "\n"]), min_size=18, max_size=40).map("".join)
)
KEYS = st.text(max_size=20) | st.lists(st.sampled_from(ODD + LIKE_YAML), max_size=8).map("".join)
SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | TEXTS
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=4), max_leaves=12
)

TRICKY_TEXTS = [
    *(
        "",
        " ",
        "  ",
        "\n",
        "\n\n",
        "\t",
        "\t\n",
        " \n",
        "\n ",
        "a\n",
        "a\n\n",
        "\na",
        "\n\na\n\n\n",
        " a\nb",
        "a\n b",
        "a \nb",
    ),
    *("a\n   \nb", "a\n ", "a\r\nb", "a\rb", "a\x85b\n", "\u2028\n", "\ufeffa", "x\x00y\nz", "\x1b[31mred\x1b[0m\n"),
    *("yes", "No", "on", "y", "null", "Null", "~", "true", "1", "1.5", "1e5", "1e-05", "0x1f", "0o7", "1_000", "1:30"),
    *(
        "2024-01-01",
        "2024-01-01T00:00:00Z",
        ".5",
        ".nan",
        "-",
        "- a",
        "? a",
        "a: b",
        "a:",
        ":a",
        "a #b",
        "#a",
        "<<",
        "=",
    ),
    *("---", "...", "--- a", "...\n---\n", "%YAML 1.1", "@a", "`a", "!!str a", "&a", "*a", "a\\\nb", "'", '"', "it's"),
    *(" " * 120, "x" * 120, "x " * 60, " x" * 60, "a: " * 50, "\t" * 120, "é" * 120, "\ufeff" * 120, "🙂" * 120),
    *("{{ template }}", "[a, b]", "a, b", "C:\\dir\\n", "🙂\n🙂", "#" + "\n#" * 3, "- request:\n  response:\n"),
]


def written(value: Any, pad: str) -> str:
    """The value as the second of three entries, so that it can spoil what stands around it."""
    return f"{pad}before: 1\n{pad}value:{yaml_text.block(value, pad)}\n{pad}after: 2\n"


def same(one: Any, other: Any) -> bool:
    """Equal in value and in type, in the order of keys, in the sign of zero; nan is nan."""
    if type(one) is not type(other):
        return False
    if isinstance(one, float):
        return repr(one) == repr(other)
    if isinstance(one, dict):
        return list(one) == list(other) and all(same(one[key], other[key]) for key in one)
    if isinstance(one, list):
        return len(one) == len(other) and all(map(same, one, other))
    return bool(one == other)


def assert_survives(value: Any, loader: type, pad: str) -> None:
    text = f"outer:\n{written(value, pad)}" if pad else written(value, pad)
    loaded = yaml.load(text.encode(), loader)
    loaded = loaded["outer"] if pad else loaded
    assert list(loaded) == ["before", "value", "after"]
    assert same(loaded["value"], value)


@pytest.mark.parametrize("loader", LOADERS)
@pytest.mark.parametrize("pad", ["", "    "])
@given(value=VALUES)
@example(value={"b": [[[]], [{}], {"a": {"": []}}], "a": {"c": [[1, [2]], {"d": [{"e": "f\n"}]}]}})
def test_every_json_value_is_read_back_the_same(loader: type, pad: str, value: Any) -> None:
    assert_survives(value, loader, pad)


@pytest.mark.parametrize("loader", LOADERS)
@pytest.mark.parametrize("text", TRICKY_TEXTS)
def test_tricky_texts_are_read_back_the_same_wherever_they_stand(loader: type, text: str) -> None:
    for value in (text, [text], [[text]], {"a": text}, {"a": [text, {"b": text}]}, {text[:30]: text}):
        assert_survives(value, loader, "    ")


@pytest.mark.parametrize("loader", LOADERS)
@pytest.mark.parametrize(
    "number",
    [0, -1, 10**30, 2**63, 1e-05, 1e16, 1e22, 1.5e-07, 1e300, 5e-324, 0.1, -0.0, 1.0, math.inf, -math.inf, math.nan],
)
def test_numbers_keep_their_value_and_their_kind(loader: type, number: float) -> None:
    assert_survives([number, {"a": number}], loader, "")


@pytest.mark.parametrize("loader", LOADERS)
@given(content=st.binary())
@example(content=b"")
@example(content=bytes(range(256)) * 10)
def test_bytes_are_read_back_the_same(loader: type, content: bytes) -> None:
    assert_survives({"a": content}, loader, "    ")


@pytest.mark.parametrize("loader", LOADERS)
@given(value=VALUES)
def test_every_value_fits_on_one_line(loader: type, value: Any) -> None:
    line = yaml_text.flow({"value": value, "after": 2})
    assert "\n" not in line
    loaded = yaml.load(line.encode(), loader)
    assert list(loaded) == ["value", "after"]
    assert same(loaded["value"], value)


@pytest.mark.parametrize("loader", LOADERS)
@settings(max_examples=30)
@given(key=st.text(min_size=150, max_size=LONGEST_KEY) | st.sampled_from(ODD).map(lambda odd: odd * LONGEST_KEY))
@example(key="\ufeff" * LONGEST_KEY)
def test_long_keys_are_read_back_the_same_or_refused(loader: type, key: str) -> None:
    try:
        yaml_text.block({key: 1}, "")
    except UnwritableError:
        return
    assert_survives({key: 1}, loader, "    ")


@pytest.mark.parametrize(
    "value",
    [
        pytest.param("a\ud800", id="half a surrogate pair"),
        pytest.param(["\udfff"], id="half a surrogate pair in a list"),
        pytest.param({"\ud800": 1}, id="half a surrogate pair in a key"),
        pytest.param({"k" * (LONGEST_KEY + 1): 1}, id="a key that is too long"),
        pytest.param({1: 1}, id="a key that is no text"),
    ],
)
def test_what_has_no_faithful_form_is_refused(value: Any) -> None:
    with pytest.raises(UnwritableError):
        yaml_text.block(value, "    ")


def deep(levels: int, leaf: Any, *, lists: bool) -> Any:
    value = leaf
    for _ in range(levels):
        value = [value] if lists else {"a": value}
    return value


@pytest.mark.parametrize("leaf", [1, "a", None])
@pytest.mark.parametrize("lists", [True, False])
def test_what_is_nested_too_deeply_is_refused(lists: bool, leaf: Any) -> None:
    assert_survives(deep(20, leaf, lists=lists), yaml.SafeLoader, "    ")
    with pytest.raises(UnwritableError, match="nested too deeply"):
        yaml_text.block(deep(200, leaf, lists=lists), "    ")


def test_values_are_laid_out_for_people() -> None:
    value = {
        "model": "gpt-5",
        "messages": [
            {"role": "user", "content": "Plan a day in Rome.\nKeep it short, please: it's hot. "},
            {"role": "tool", "content": "line\n", "parts": [[1, 2.5], []]},
        ],
        "note": "x" * 50 + ": " + "y" * 60,
        "answer": "yes",
        "odd key": {},
        "ansi": "\x1b[31mred\nplain",
        "on": None,
        "stream": True,
    }
    assert yaml_text.block(value, "    ") == "\n" + "\n".join(
        [
            "      model: gpt-5",
            "      messages:",
            "      - role: user",
            "        content: |-",
            "          Plan a day in Rome.",
            "          Keep it short, please: it's hot. ",
            "      - role: tool",
            "        content: |",
            "          line",
            "        parts:",
            "        - - 1",
            "          - 2.5",
            "        - []",
            "      note: |-",
            "        " + "x" * 50 + ": " + "y" * 60,
            "      answer: 'yes'",
            "      odd key: {}",
            '      ansi: "\\x1b[31mred\\n\\',
            '        plain"',
            "      'on': null",
            "      stream: true",
        ]
    )


@given(text=TEXTS, pad=st.sampled_from(["    ", "      "]))
def test_no_line_of_a_text_stands_left_of_its_place(text: str, pad: str) -> None:
    lines = yaml_text.text(text, pad).split("\n")
    assert all(line.startswith(pad + "  ") for line in lines[1:] if line)
