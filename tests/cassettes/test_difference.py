from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_llmmock.cassettes.difference import MISSING, Difference, differences, shortened, show

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner, max_size=4),
    max_leaves=12,
)


def places(recorded: Any, asked: Any) -> list[str]:
    return [each.path for each in differences(recorded, asked)]


@given(JSON)
def test_a_value_does_not_differ_from_itself(value: Any) -> None:
    assert places(value, json.loads(json.dumps(value))) == []


@given(JSON, JSON)
def test_two_values_differ_somewhere_exactly_when_they_are_not_the_same(one: Any, other: Any) -> None:
    same = json.dumps(one, sort_keys=True) == json.dumps(other, sort_keys=True)
    assert (places(one, other) == []) == same


@given(JSON, JSON)
def test_every_difference_can_be_shown_in_a_few_short_lines(one: Any, other: Any) -> None:
    for each in differences(one, other):
        lines = show(each)
        assert len(lines) == 3
        assert all("\n" not in line and len(line) <= 120 for line in lines)


def test_a_difference_is_named_by_its_path() -> None:
    recorded = {"model": "a", "messages": [{"content": "x"}, {"content": "y"}], "top": 1}
    asked = {"model": "a", "messages": [{"content": "x"}, {"content": "z"}], "new": [1]}
    assert places(recorded, asked) == ["messages[1].content", "top", "new"]


def test_a_message_that_was_put_in_does_not_make_all_behind_it_differ() -> None:
    talk = [{"content": str(number)} for number in range(6)]
    asked = [*talk[:2], {"content": "new"}, *talk[2:]]
    assert list(differences(talk, asked, "messages")) == [Difference("messages[2]", MISSING, {"content": "new"})]
    assert list(differences(asked, talk, "messages")) == [Difference("messages[2]", {"content": "new"}, MISSING)]


def test_true_is_not_one() -> None:
    assert places({"a": True}, {"a": 1}) == ["a"]


def test_a_long_text_is_shown_around_the_words_that_changed() -> None:
    text = (
        "one day a big brown fox jumps over the very lazy dog and then goes home to sleep until the next morning comes"
    )
    lines = show(Difference("messages[0].content", text, text.replace("lazy dog", "busy cat")))
    assert lines == [
        "  messages[0].content",
        "  - … a big brown fox jumps over the very [lazy dog] and then goes home to sleep until the …",
        "  + … a big brown fox jumps over the very [busy cat] and then goes home to sleep until the …",
    ]


@pytest.mark.parametrize(
    ("recorded", "asked", "minus", "plus"),
    [
        ("1", 1, '"1"', "1"),
        ("true", True, '"true"', "true"),
        ("a b", "a\nb", '"a b"', '"a\\nb"'),
        ("x" * 60 + " end", "x" * 60 + "\u00a0end", f'… "{"x" * 20} end"', f'… "{"x" * 20}\\u00a0end"'),
        ("e\u0301", "\u00e9", '"e\\u0301"', '"\\u00e9"'),
        ("text", "text ", '"text"', '"text "'),
    ],
)
def test_what_looks_the_same_is_shown_so_that_one_sees_the_difference(
    recorded: object, asked: object, minus: str, plus: str
) -> None:
    assert show(Difference("a", recorded, asked)) == ["  a", f"  - {minus}", f"  + {plus}"]


def test_in_very_long_lists_and_texts_a_change_is_still_found() -> None:
    words = [f"w{number}" for number in range(50_000)]
    changed = [*words[:40_000], "new", *words[40_001:]]
    assert list(differences(words, changed, "input")) == [Difference("input[40000]", "w40000", "new")]
    minus, plus = show(Difference("input", " ".join(words), " ".join(changed)))[1:]
    assert "w39999 [w40000] w40001" in minus
    assert "w39999 [new] w40001" in plus


def test_images_are_shown_by_kind_size_and_hash() -> None:
    data = base64.b64encode(b"x" * 3000).decode()
    assert shortened(f"data:image/png;base64,{data}").startswith("<image/png, 3,000 bytes, sha256 ")
    assert shortened(data).startswith("<base64, 3,000 bytes, sha256 ")
    other = base64.b64encode(b"y" * 3000).decode()
    minus, plus = show(Difference("image", data, other))[1:]
    assert minus != plus
    assert len(minus) < 80


@pytest.mark.parametrize(
    ("recorded", "asked", "kind"),
    [
        ("3f2b8c1e-0b1d-4c7e-9f3a-2d1e5a6b7c8d", "00000000-1111-2222-3333-444444444444", "a UUID"),
        ("run 2026-11-20T10:30:01Z ends", "run 2026-11-21T09:00:59.123Z ends", "a time"),
        ("today is 2026-11-20", "today is 2027-01-01", "a time"),
        (1795204692, 1795209999, "a time"),
        ("/tmp/pytest-of-me/a.txt", "/tmp/xyz/a.txt", "a temporary path"),
        ("/tmp/xyz/a.txt", "/tmp/xyz/b.txt", ""),
        ("4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7aa00f067aa0ba902", "a UUID"),
        ("00f067aa0ba902b7", "53995c3f42cd8ad8", "a trace id"),
        ("Plan a day in Rome", "Plan a day in Paris", ""),
        ("3f2b8c1e-0b1d-4c7e-9f3a-2d1e5a6b7c8d a", "3f2b8c1e-0b1d-4c7e-9f3a-2d1e5a6b7c8d b", ""),
        (5, 6, ""),
    ],
)
def test_what_changes_on_every_run_is_recognised(recorded: object, asked: object, kind: str) -> None:
    assert Difference("x", recorded, asked).volatile == kind
