"""YAML and JSON with the line of each value."""

from __future__ import annotations

from pathlib import Path

import pytest

from pytest_llmmock.script.documents import Document, read

YAML = """\
# a comment
rules:
  - when:
      model: gpt-5   # here
    reply: >
      folded
      text
  - {when: {turn: 2},
     reply: x}
"""


def document(folder: Path, text: str, name: str = "a.yaml") -> Document:
    (folder / name).write_text(text, "utf-8")
    return read(folder / name)


@pytest.mark.parametrize(
    ("steps", "line", "key"),
    [
        ((), 2, ""),
        (("rules",), 2, "rules"),
        (("rules", 0), 3, "rules[0]"),
        (("rules", 0, "when"), 3, "rules[0].when"),
        (("rules", 0, "when", "model"), 4, "rules[0].when.model"),
        (("rules", 0, "reply"), 5, "rules[0].reply"),
        (("rules", 1, "reply"), 9, "rules[1].reply"),
        (("rules", 0, "when", "nope", 3), 3, "rules[0].when.nope[3]"),
    ],
)
def test_every_value_has_its_line(tmp_path, steps, line, key):
    place = document(tmp_path, YAML).root
    for step in steps:
        place = place / step
    assert (place.line, place.key, place.short) == (line, key, f"a.yaml:{line}")
    assert str(place) == f"{tmp_path / 'a.yaml'}, line {line}" + (f", {key}" if key else "")


def test_json_with_tabs_and_a_byte_order_mark_has_lines_too(tmp_path):
    found = document(tmp_path, '\ufeff{\n\t"a": [\n\t\t1,\n\t\t{"b": "\\ud83d\\ude00\\/"}\n\t]\n}', "a.json")
    assert found.value == {"a": [1, {"b": "😀/"}]}
    assert (found.root / "a" / 1 / "b").line == 4


def test_aliases_are_followed_once(tmp_path):
    rows = ["a0: &a0 [x, x]"] + [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 40)]
    found = document(tmp_path, "\n".join(rows))
    assert (found.root / "a39" / 0).line == 39
    assert len(found.lines) < 500


def test_what_refers_to_itself_is_read(tmp_path):
    assert document(tmp_path, "a: &a [*a]").lines[("a", 0)] == 1


def test_an_empty_file_holds_nothing(tmp_path):
    found = document(tmp_path, "")
    assert (found.value, found.root.line) == (None, 1)
