from __future__ import annotations

from pathlib import Path

import pytest

from pytest_llmmock.cassettes import growing
from pytest_llmmock.cassettes.growing import Growing
from pytest_llmmock.cassettes.secrets import Secrets
from pytest_llmmock.files import write

SECRET = "a-v3ry-long-passw0rd"


@pytest.fixture
def secrets() -> Secrets:
    return Secrets()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    (tmp_path / "a.yaml").write_bytes(b"what stands there")
    return tmp_path / "a.yaml"


@pytest.fixture
def file(path: Path, secrets: Secrets) -> Growing:
    made = Growing(path, secrets)
    made.note(1, secrets.generation)
    return made


def test_a_file_that_this_run_has_not_written_is_not_as_it_left_it(path, secrets):
    assert not Growing(path, secrets).is_as_left()


def test_nor_is_one_that_somebody_has_written_or_replaced_or_removed(path, file):
    assert file.is_as_left()
    write(path, path.read_bytes())
    assert not file.is_as_left()
    file.note(1, 0)
    assert file.is_as_left()
    with open(path, "ab") as other:
        other.write(b"x")
    assert not file.is_as_left()
    file.note(1, 0)
    path.unlink()
    assert not file.is_as_left()


def test_nor_is_one_that_holds_what_has_become_a_secret(path, file, secrets):
    write(path, b"it is " + SECRET.encode())
    file.note(1, secrets.generation)
    secrets.add("an0ther-passw0rd-of-these")
    assert file.is_as_left()
    secrets.add(SECRET)
    assert not file.is_as_left()
    assert not file.is_as_left()


def test_it_is_read_once_for_each_new_secret(path, file, secrets, monkeypatch):
    read: list[Path] = []
    original = Path.read_bytes
    monkeypatch.setattr(Path, "read_bytes", lambda self: read.append(self) or original(self))
    for _ in range(3):
        assert file.is_as_left()
    assert read == []
    secrets.add(SECRET)
    for _ in range(3):
        assert file.is_as_left()
    assert read == [path]


def test_it_is_large_from_a_size_on(path, file, monkeypatch):
    assert not file.is_large
    monkeypatch.setattr(growing, "AT_ONCE", len(path.read_bytes()) - 1)
    assert file.is_large
    path.unlink()
    assert not file.is_large
