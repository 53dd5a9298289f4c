from __future__ import annotations

import math
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from pytest_llmmock.declared import Misfit, conforming
from pytest_llmmock.settings import MODES, NAMES, Settings

words = st.text(max_size=5) | st.sampled_from([*MODES, "fail", "guard", "o3", "rules", "error"])
values: st.SearchStrategy[Any] = st.one_of(
    words,
    st.booleans(),
    st.integers(),
    st.floats(allow_nan=False),
    st.lists(words | st.integers(), max_size=3),
    st.lists(words | st.integers(), max_size=3).map(tuple),
    st.dictionaries(words, words, max_size=2),
    st.sampled_from([Path("a"), re.compile("a"), math.inf, b"a"]),
)


def outcome(check: Callable[[], dict[str, Any]]) -> object:
    """The values with their types, or that there are none."""
    try:
        return {name: (type(value), value) for name, value in check().items()}
    except (Misfit, ValidationError) as error:
        return type(error).__name__ in ("Misfit", "ValidationError")


@given(st.dictionaries(st.sampled_from(NAMES), values, max_size=3))
def test_what_plainly_fits_is_what_pydantic_makes_of_it(told: dict[str, Any]) -> None:
    def by_pydantic() -> dict[str, Any]:
        checked = TypeAdapter(Settings).validate_python(told)
        return {name: getattr(checked, name) for name in told}

    assert outcome(lambda: conforming(Settings, told)) == outcome(by_pydantic)


def test_a_value_inside_another_is_named_with_its_place() -> None:
    with pytest.raises(Misfit) as caught:
        conforming(Settings, {"hosts": ["a", 5], "repeat": True})
    assert (caught.value.name, caught.value.value) == ("hosts.1", 5)


def test_what_plainly_fits_is_checked_without_pydantic() -> None:
    program = """
import sys
from pytest_llmmock.settings import combine
combine([("marker", {"mode": "once", "repeat": True, "ignore": ("a",), "speed": "x2", "max_concurrency": 2})])
assert "pydantic" not in sys.modules
"""
    subprocess.run([sys.executable, "-c", program], check=True, timeout=60)
