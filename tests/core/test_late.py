from __future__ import annotations

import re

import pytest

from pytest_llmmock.core.late import late


def test_it_is_compiled_once_and_not_before_it_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    compiled, compile = list[str](), re.compile
    monkeypatch.setattr("re.compile", lambda source: compiled.append(source) or compile(source))
    pattern = late("a+")
    assert compiled == []
    for _ in range(2):
        assert pattern.fullmatch("aaa")
        assert not pattern.fullmatch("b")
    assert compiled == ["a+"]


def test_it_does_what_a_pattern_does() -> None:
    pattern = late(rb"(\d)(x)?")
    assert pattern.sub(b"-", b"1x 2") == b"- -"
    assert [found.span() for found in pattern.finditer(b"1x 2", 1)] == [(3, 4)]
    assert (pattern.pattern, pattern.groups) == (rb"(\d)(x)?", 2)
    with pytest.raises(AttributeError, match="nothing"):
        pattern.nothing  # type: ignore[attr-defined]  # noqa: B018
