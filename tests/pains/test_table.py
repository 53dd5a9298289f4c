"""The table in README.md is true: what it names exists, and what is here it names."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
ROWS = re.findall(r"^\| (?!failure |---)(.+) \| (.+) \|$", (HERE / "README.md").read_text(), re.MULTILINE)
NAMED = [name for _, held in ROWS for name in re.findall(r"`(tests/[^`]+)`", held)]


@cache
def scenarios_in(path: Path) -> dict[str, str | None]:
    """The tests of a file and what their docstrings say."""
    nodes = ast.walk(ast.parse(path.read_text()))
    functions = [node for node in nodes if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
    return {each.name: ast.get_docstring(each) for each in functions if each.name.startswith("test_")}


def here() -> Iterator[tuple[str, str | None]]:
    """The scenarios of this folder."""
    for path in sorted(HERE.glob("test_*.py")):
        if path != Path(__file__):
            yield from ((f"tests/pains/{path.name}::{name}", told) for name, told in scenarios_in(path).items())


def test_there_is_a_table():
    assert len(ROWS) > 60
    assert len(NAMED) > len(ROWS) / 2


@pytest.mark.parametrize("name", sorted(set(NAMED)))
def test_a_test_that_is_named_exists(name):
    path, _, function = name.partition("::")
    assert function in scenarios_in(ROOT / path)


def test_every_failure_is_held_by_a_test_or_open_for_a_reason():
    assert [failure for failure, held in ROWS if not re.match(r"`tests/|open: .", held)] == []


def test_every_scenario_of_this_folder_is_named():
    assert [name for name, _ in here() if name not in NAMED] == []


def test_every_scenario_says_what_goes_wrong_elsewhere():
    assert [name for name, told in here() if not told] == []
