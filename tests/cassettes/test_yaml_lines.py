"""What is read line by line is what PyYAML gives, or it is not read."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import example, given
from hypothesis import strategies as st

from pytest_llmmock.cassettes import format, yaml_text
from pytest_llmmock.cassettes.pieces import request_of
from pytest_llmmock.cassettes.yaml_lines import UnusualError, read

HERE = Path(__file__).resolve().parents[2]
SHARED = HERE.parent / "shared/data/vcr"
FILES = sorted([*(HERE / "cassettes").rglob("*.yaml"), *SHARED.rglob("*.yaml")])

MARKS = [
    ": ",
    " #",
    "- ",
    "'",
    '"',
    "\\",
    "{",
    "]",
    "|",
    ">",
    "&a",
    "*a",
    "!b",
    "---",
    "...",
    "é",
    "🙂",
    "\n",
    " ",
    "\t",
]
MORE_MARKS = [
    "\x85",
    "\u2028",
    "\ufeff",
    "\x1b",
    "<<",
    "yes",
    "1",
    "1.5",
    "0x1",
    "1e5",
    "2024-01-01",
    "~",
    "?",
    "\\n",
    "''",
]
TEXTS = (
    st.text(max_size=20)
    | st.lists(st.sampled_from(MARKS + MORE_MARKS + ["word"]), max_size=8).map("".join)
    | st.lists(st.sampled_from(["long ", "words ", "'it''s' ", '\\"', "  ", "\n", "é"]), max_size=60).map("".join)
)
SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | TEXTS | st.binary(max_size=90)
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4), max_leaves=10
)
DOCUMENTS = st.dictionaries(st.sampled_from(["request", "response", "llmmock", "a b"]), VALUES, min_size=1, max_size=3)


def parsed(text: str) -> Any:
    return yaml.load(text.encode(), yaml.CSafeLoader)


def of_lines(text: str) -> Any:
    """What is read line by line; None where it is left to PyYAML."""
    try:
        return read(text.encode())
    except UnusualError:
        return None


def assert_nothing_else_is_read(text: str) -> None:
    found = of_lines(text)
    assert found is None or repr(found) == repr(parsed(text))  # types, order and the sign of zero as well


def ours(value: dict[str, Any]) -> str:
    return yaml_text.mapping(value, "  ") + "\n"


def dumped(value: dict[str, Any], **how: Any) -> str:
    text = yaml.dump(value, Dumper=yaml.CSafeDumper, **how)
    return "".join(f"  {line}" if line.strip("\n") else line for line in text.splitlines(keepends=True))


# --- what we write --------------------------------------------------------------------------------------


@given(value=DOCUMENTS)
def test_what_we_write_is_read_as_pyyaml_reads_it(value: dict[str, Any]) -> None:
    try:
        text = ours(value)
    except yaml_text.UnwritableError:
        return
    assert_nothing_else_is_read(text)


@pytest.mark.parametrize(
    "value",
    [
        {"model": "gpt-5", "n": 1, "top_p": 0.2, "stream": True, "stop": None, "tools": [], "metadata": {}},
        {"messages": [{"role": "user", "content": "Plan a day.\nKeep it short.\n"}, {"role": "a", "content": ""}]},
        {"a": [[1, [2]], {"b": [{"c": "d\n\n"}]}], "e": [[], {}, "x: y", "- z", " \n"]},
        {"string": "data: {}\n\ndata: [DONE]\n\n", "long": "it's " * 40, "key: with marks": 1, "$ref": "#/a"},
        {"number": -0.0, "large": 10**30, "small": 1e-05, "word": "yes please", "é": "à la carte"},
        {"audio": bytes(range(256)) * 3},
    ],
)
def test_the_usual_shapes_are_read_line_by_line(value: dict[str, Any]) -> None:
    found = of_lines(ours(value))
    assert repr(found) == repr(value)


# --- what PyYAML writes ---------------------------------------------------------------------------------


@given(value=DOCUMENTS, unicode=st.booleans(), width=st.sampled_from([20, 80]))
@example(value={"a": "it's\n\nfolded  twice " * 9, "b": '"\\ \x07 quoted" ' * 20}, unicode=False, width=20)
def test_what_pyyaml_writes_is_read_as_it_reads_it(value: dict[str, Any], unicode: bool, width: int) -> None:
    assert_nothing_else_is_read(dumped(value, allow_unicode=unicode, width=width))


@pytest.mark.parametrize(
    "value",
    [
        {"body": '{"messages":[{"role":"user","content":"it\'s a long one, ' + "and so on " * 30 + '"}]}'},
        {"body": '{"content":"caf\u00e9 \U0001f600 \\n' + "and so on " * 30 + '"}'},
        {"headers": {"date": ["Thu, 20 Nov 2025 15:00:00 GMT"], "cf-ray": ["9b6d9d20acc1f608-ORD"], "v": ["1.99.7"]}},
        {
            "headers": {
                "set-cookie": ["_cfuvid=" + "x" * 40 + "; path=/; expires=Thu, 20-Nov-25 15:00:00 GMT; HttpOnly"]
            }
        },
    ],
)
def test_the_usual_shapes_of_vcrpy_are_read_line_by_line(value: dict[str, Any]) -> None:
    assert of_lines(dumped(value)) == value


# --- what somebody has changed --------------------------------------------------------------------------


@st.composite
def edited(draw: st.DrawFn) -> str:
    """A text of either kind in which something else stands somewhere."""
    value = draw(DOCUMENTS)
    try:
        text = draw(st.sampled_from([ours, dumped]))(value)
    except yaml_text.UnwritableError:
        text = dumped(value)
    for _ in range(draw(st.integers(1, 3))):
        at, gone = draw(st.integers(0, len(text))), draw(st.integers(0, 4))
        put = draw(st.sampled_from([*MARKS, *MORE_MARKS, "", "  ", "\n    ", "\n  a: b", "\n  - c", "|-\n", "# d\n"]))
        text = text[:at] + put + text[at + gone :]
    return text


@given(text=edited())
@example(text="  a: b\n   \n    c\n")
@example(text="  a:\n  - - |+\n      0\n\n")
@example(text="  a: |\n    b\n   \n  c: 1\n")
@example(text="  a: 'b\n  --- c'\n")
@example(text="  a:\n  - b\n   c\n  - 'd'\n   e\n")
@example(text="  a: {b:c}\n")
@example(text="  a: {b: 1e5, c: yes, d: -Infinity}\n")
@example(text='  a: {b: "x\\u00e9 [c], d"}\n')
@example(text="  a: b\\\n  y: on\n")
def test_what_was_edited_is_read_as_pyyaml_reads_it_or_left_to_it(text: str) -> None:
    try:
        expected = parsed(text)
    except (yaml.YAMLError, ValueError):
        assert of_lines(text) is None
        return
    found = of_lines(text)
    assert found is None or repr(found) == repr(expected)


@pytest.mark.parametrize(
    "text",
    [
        *(
            "  a: &b c\n",
            "  a: *b\n",
            "  a: !!str b\n",
            "  a: b # c\n",
            "  # b\n  a: c\n",
            "  ? a\n  : b\n",
            "  a: >-\n    b\n",
        ),
        *(
            "  a: yes\n",
            "  a: 0x1f\n",
            "  a: 2024-01-01\n",
            "  a: ~\n",
            "  a:\n",
            "  <<: b\n",
            "  a: |\n      b\n    c\n",
        ),
        *("  a: 'b\n", '  a: "b\\e"\n', '  a: "\\ud83d"\n', "  a: {b: [c}\n", "  a: b\x85c\n", "   a: b\n  c: d\n", ""),
    ],
)
def test_other_shapes_are_left_to_pyyaml(text: str) -> None:
    with pytest.raises(UnusualError):
        read(text.encode())


def test_what_is_no_text_is_left_to_pyyaml() -> None:
    with pytest.raises(UnusualError):
        read(b"  a: \xff\n")


def test_what_is_nested_too_deeply_is_left_to_pyyaml() -> None:
    lines = [f"{' ' * number}a:" for number in range(2, 6000, 2)]
    with pytest.raises(UnusualError):
        read("\n".join([*lines, " " * 6000 + "a: b", ""]).encode())


# --- real recordings ------------------------------------------------------------------------------------


def pieces(path: Path) -> Iterator[str]:
    """The interactions of a file as mappings, if it is laid out as we or vcrpy do it."""
    for piece in format.cut(path.read_bytes()) or path.read_bytes().removesuffix(b"version: 1\n").split(
        b"\n- request:"
    ):
        text = piece[piece.find(b"- request:") + 1 :] if b"- request:" in piece else b"  request:" + piece
        yield (b" " + text if text[:1] == b" " else text).decode(errors="replace").rstrip("\n") + "\n"


def unlike(paths: Iterable[Path]) -> Iterator[str]:
    for path in paths:
        for text in pieces(path):
            found = of_lines(text)
            if found is not None and repr(found) != repr(parsed(text)):
                yield str(path)


@pytest.mark.skipif(not FILES, reason="there are no recordings beside the tests")
def test_real_recordings_are_read_as_pyyaml_reads_them() -> None:
    assert list(unlike(FILES)) == []
    assert any(of_lines(text) for path in FILES for text in pieces(path))


def test_our_own_recordings_are_all_read_line_by_line() -> None:
    own = [path for path in FILES if format.cut(path.read_bytes())]
    assert own
    for path in own:
        for piece in format.cut(path.read_bytes()) or []:
            assert request_of(piece).startswith(b"- request:\n")
            assert of_lines(" " + piece[piece.find(b"- request:\n") + 1 :].decode()) is not None, path
