"""Settings in pytest's ini file, for who runs without pytest."""

from __future__ import annotations

from pathlib import Path

import pytest

from pytest_llmmock.errors import UsageError
from pytest_llmmock.ini import read_ini

NAMES = ("speed", "cassette_dir")


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("pytest.toml", '[pytest]\nllm_speed = "x10"\n'),
        (".pytest.toml", '[pytest]\nllm_speed = "x10"\n'),
        ("pyproject.toml", '[tool.pytest]\nllm_speed = "x10"\n'),
        ("pytest.ini", "[pytest]\nllm_speed = x10\n"),
        (".pytest.ini", "[pytest]\nllm_speed = x10\n"),
        ("pyproject.toml", '[tool.pytest.ini_options]\nllm_speed = "x10"\n'),
        ("tox.ini", "[tox]\n[pytest]\nllm_speed = x10\n"),
        ("setup.cfg", "[tool:pytest]\nllm_speed = x10\n"),
    ],
)
def test_each_file_that_pytest_reads_is_read(tmp_path, name, text):
    (tmp_path / name).write_text(text)
    assert read_ini(tmp_path, NAMES) == (str(tmp_path / name), {"speed": "x10"})


def test_without_a_file_nothing_is_said(tmp_path):
    assert read_ini(tmp_path, NAMES) == ("ini", {})


def test_the_first_file_with_a_section_for_pytest_counts(tmp_path):
    (tmp_path / "pyproject.toml").write_text("[project]\nname = 'x'\n")
    (tmp_path / "tox.ini").write_text("[pytest]\nllm_cassette_dir = tapes\nllm_speed =\nother = 1\n")
    (tmp_path / "setup.cfg").write_text("[tool:pytest]\nllm_speed = x10\n")
    assert read_ini(tmp_path, NAMES) == (str(tmp_path / "tox.ini"), {"cassette_dir": "tapes"})


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("pytest.ini", "no section"),
        ("pyproject.toml", "[tool"),
        ("pyproject.toml", "tool = 3"),
        ("pyproject.toml", "[tool]\npytest = 3"),
        ("pyproject.toml", "[tool.pytest]\nini_options = [1]"),
        ("pytest.toml", "pytest = 3"),
    ],
)
def test_a_file_that_cannot_be_read_is_named(tmp_path, name, text):
    (tmp_path / name).write_text(text)
    with pytest.raises(UsageError, match=f"The settings in {Path(tmp_path / name)} cannot be read"):
        read_ini(tmp_path, NAMES)
