from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from pytest_llmmock import dialects
from pytest_llmmock.cassettes import library
from pytest_llmmock.cassettes.cassette import Interaction, Recorded
from pytest_llmmock.cassettes.library import open_cassette, save
from pytest_llmmock.cassettes.matchers import Keys
from pytest_llmmock.cassettes.rekeying import Rekeyed, rekey
from pytest_llmmock.errors import CassetteError

Tape = Callable[..., Interaction]


def words(recorded: Recorded) -> str:
    return "about " + recorded.request.json()["messages"][0]["content"]


@pytest.fixture
def cassette(tmp_path: Path, tape: Tape) -> Path:
    keys, tapes = Keys(), [tape("Rome", recorded="2026-01-02"), tape("Oslo")]
    for each in tapes:
        each.key = keys.key(dialects.read(each.request))
    save(tmp_path / "a.yaml", tapes, signature=keys.signature, describe=words)
    return tmp_path / "a.yaml"


def again(path: Path, keys: Keys | None = None, *, dry_run: bool = False) -> Rekeyed:
    return rekey(path, keys or Keys(), dialects.read, words, dry_run=dry_run)


def keys_in(path: Path, keys: Keys | None = None) -> list[str]:
    return [each.key for each in open_cassette(path, (keys or Keys()).signature).interactions]


def test_keys_that_hold_are_left_alone(cassette: Path) -> None:
    before = cassette.stat()
    assert again(cassette) == Rekeyed(cassette, 2, [])
    assert cassette.stat().st_mtime_ns == before.st_mtime_ns


def test_an_edited_request_gets_its_key_and_comment_and_the_others_keep_their_text(cassette: Path) -> None:
    edited = cassette.read_text().replace("content: Rome", "content: Paris")
    cassette.write_text(edited)
    assert keys_in(cassette)[0] == ""
    assert again(cassette).changed == [1]
    keys = Keys()
    assert keys_in(cassette) == [keys.key(dialects.read(e.request)) for e in open_cassette(cassette).interactions]
    after = cassette.read_text()
    assert "# 1  about Paris\n" in after
    assert after.split("# 2")[1] == edited.split("# 2")[1]
    other = [line for line in edited.splitlines() if "llmmock:" not in line and "# 1" not in line]
    assert [line for line in after.splitlines() if "llmmock:" not in line and "# 1" not in line] == other
    assert "recorded: " in after


def test_other_settings_change_the_lines_of_keys_only(cassette: Path) -> None:
    before, keys = cassette.read_text().splitlines(), Keys(ignore=["model"])
    assert again(cassette, keys).changed == [1, 2]
    after = cassette.read_text().splitlines()
    changed = [new for old, new in zip(before, after, strict=True) if old != new]
    assert len([line for line in changed if line.startswith("  llmmock: {key: ")]) == 2
    assert all(line.startswith(("  llmmock: {key: ", "# ")) for line in changed)
    assert all(keys_in(cassette, keys))
    assert again(cassette).changed == [1, 2]
    assert cassette.read_text().splitlines() == before


def test_a_dry_run_says_what_would_change_and_writes_nothing(cassette: Path) -> None:
    before = cassette.read_bytes()
    assert again(cassette, Keys(ignore=["model"]), dry_run=True).changed == [1, 2]
    assert cassette.read_bytes() == before


def test_a_layout_without_keys_is_left_alone(cassette: Path) -> None:
    cassette.write_text("# mine\n" + cassette.read_text())
    before = cassette.read_bytes()
    assert again(cassette, Keys(ignore=["model"])) == Rekeyed(cassette, 2, [], is_foreign=True)
    assert cassette.read_bytes() == before


def test_a_cassette_with_nothing_in_it_has_nothing_to_key(tmp_path: Path) -> None:
    save(tmp_path / "a.yaml", [])
    assert again(tmp_path / "a.yaml") == Rekeyed(tmp_path / "a.yaml", 0, [])


@pytest.mark.parametrize(
    ("old", "new", "match"),
    [
        ("method: POST", "method: [POST", "interaction 1: It is not YAML"),
        (", stamp: ", ", was: ", "interaction 1: its line `llmmock:` does not begin"),
    ],
)
def test_what_cannot_be_keyed_leaves_the_whole_file_as_it_is(cassette: Path, old: str, new: str, match: str) -> None:
    cassette.write_text(cassette.read_text().replace(old, new, 1).replace("content: Oslo", "content: Bern"))
    before = cassette.read_bytes()
    with pytest.raises(CassetteError, match=match):
        again(cassette)
    assert cassette.read_bytes() == before


def test_a_link_is_not_written_through(tmp_path: Path, cassette: Path) -> None:
    link = tmp_path / "link.yaml"
    link.symlink_to(cassette)
    with pytest.raises(CassetteError, match=r"link\.yaml is a symbolic link to .*a\.yaml"):
        again(link)


def test_a_read_only_file_is_not_replaced(cassette: Path) -> None:
    cassette.chmod(0o444)
    with pytest.raises(CassetteError, match="is read-only"):
        again(cassette, Keys(ignore=["model"]))


def test_a_disk_that_is_full_leaves_the_file_as_it_is(cassette: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(library.os, "replace", full)
    before = cassette.read_bytes()
    with pytest.raises(CassetteError, match=r"No space left on device\. It is as it was"):
        again(cassette, Keys(ignore=["model"]))
    assert cassette.read_bytes() == before
