from __future__ import annotations

import os

import pytest

from pytest_llmmock import files


def test_what_is_appended_stands_behind_the_rest_in_a_file_of_its_own(tmp_path):
    path = tmp_path / "a"
    files.write(path, b"x" * 3_000_000)
    before = path.stat().st_ino
    with open(path, "rb") as reader:
        files.append(path, b"yz")
        assert len(reader.read()) == 3_000_000  # who reads the old one goes on with it
    assert path.read_bytes() == b"x" * 3_000_000 + b"yz"
    assert path.stat().st_ino != before
    assert os.listdir(tmp_path) == ["a"]


def test_nothing_can_be_appended_to_what_is_not_there_and_nothing_is_left_of_the_try(tmp_path):
    with pytest.raises(FileNotFoundError):
        files.append(tmp_path / "a", b"x")
    assert os.listdir(tmp_path) == []


def test_a_link_stays_one(tmp_path):
    (tmp_path / "real").write_bytes(b"x")
    (tmp_path / "a").symlink_to(tmp_path / "real")
    files.append(tmp_path / "a", b"y")
    assert (tmp_path / "a").is_symlink()
    assert (tmp_path / "real").read_bytes() == b"xy"
