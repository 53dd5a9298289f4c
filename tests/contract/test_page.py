"""docs/contract.md, run."""

from __future__ import annotations

import json
import re
from fnmatch import fnmatchcase
from pathlib import Path

import pytest
from checking import violations

PAGE = (Path(__file__).parents[2] / "docs/contract.md").read_text()

FENCE = re.compile(r"^```(\w+)(?: title=(\S+))?\n(.*?)^```$", re.MULTILINE | re.DOTALL)

BLOCKS = {language: (title, text) for language, title, text in FENCE.findall(PAGE)}


def test_every_block_is_run_by_a_test_below():
    assert set(BLOCKS) == {"python", "console", "json"}
    assert len(FENCE.findall(PAGE)) == 3


def test_the_readers_test_does_what_the_page_says(pytester, monkeypatch):
    for name in ("OPENAI_BASE_URL", "LLMMOCK_VALIDATE", "GITHUB_STEP_SUMMARY"):
        monkeypatch.delenv(name, raising=False)
    title, text = BLOCKS["python"]
    (pytester.path / title).write_text(text)
    result = pytester.runpytest_subprocess("-q", title, "-p", "no:cacheprovider", "--rootdir", str(pytester.path))
    command, *expected = BLOCKS["console"][1].strip().splitlines()
    assert command == f"$ pytest -q {title}"
    for line in expected[1:]:
        wanted = line.replace("[", "[[]").replace("...", "*")
        assert any(fnmatchcase(each, wanted) for each in result.outlines), line


@pytest.mark.parametrize("case", json.loads(BLOCKS["json"][1]))
def test_a_request_is_told_as_the_page_says(case):
    first = violations(case["operation"], **case["body"])[0]
    assert (first.message, first.param, first.code) == (case["message"], case["param"], case["code"])


def test_the_page_names_the_settings_that_there_are():
    from pytest_llmmock.plugin import VALIDATE
    from pytest_llmmock.settings import ENVIRONMENT, NAMES

    assert {word for word in VALIDATE if f"| `{word}`" in PAGE} == set(VALIDATE)
    assert "validate" in NAMES
    assert ENVIRONMENT["LLMMOCK_VALIDATE"] == "validate"
