from __future__ import annotations

import gzip
import os
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

import pytest
from marks import not_as_root

from pytest_llmmock.cassettes import library
from pytest_llmmock.cassettes.cassette import Interaction
from pytest_llmmock.cassettes.format import LARGE, dumps
from pytest_llmmock.cassettes.library import find, name_of, open_all, open_cassette, save, write
from pytest_llmmock.errors import CassetteError, CassetteFormatError

Tape = Callable[..., Interaction]

LARGE_BODY = b"\xff" + bytes(LARGE)
NAME = sha256(LARGE_BODY).hexdigest()


def files(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if not path.is_dir())


def put(folder: Path, *names: str) -> None:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(dumps([]))


def no_rename(*_: object) -> None:
    raise OSError(28, "No space left on device")


# --- saved whole or not at all --------------------------------------------------------------------------


def test_what_is_saved_can_be_opened(tmp_path: Path, tape: Tape) -> None:
    path = tmp_path / "deep" / "er" / "a.yaml"
    save(path, [tape("one", b"1"), tape("two", b"2")], describe=lambda recorded: "words")
    cassette = open_cassette(path)
    assert (cassette.path, cassette.exists, len(cassette)) == (path, True, 2)
    assert [each.reply.body for each in cassette.interactions] == [b"1", b"2"]
    assert b"# 2  words\n" in path.read_bytes()
    assert files(tmp_path) == ["deep/er/a.yaml"]


def test_keys_are_known_where_they_were_saved_in_the_same_way(tmp_path: Path, tape: Tape) -> None:
    save(tmp_path / "a.yaml", [tape(key="a" * 32)], signature=b"one")
    assert [each.key for each in open_cassette(tmp_path / "a.yaml", b"one").interactions] == ["a" * 32]
    assert [each.key for each in open_cassette(tmp_path / "a.yaml", b"two").interactions] == [""]


def test_a_file_that_is_not_there_is_an_empty_cassette(tmp_path: Path) -> None:
    cassette = open_cassette(tmp_path / "a.yaml")
    assert (cassette.exists, len(cassette)) == (False, 0)
    assert files(tmp_path) == []


def test_when_writing_fails_the_old_file_stays_and_nothing_else(
    tmp_path: Path, tape: Tape, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a.yaml"
    path.write_text("what was there before")
    monkeypatch.setattr(os, "replace", no_rename)
    with pytest.raises(CassetteError) as caught:
        save(path, [tape()])
    assert str(caught.value) == (
        f"The cassette {path} cannot be written: No space left on device. What was there before is unchanged."
    )
    assert path.read_text() == "what was there before"
    assert files(tmp_path) == ["a.yaml"]


@pytest.mark.parametrize("error", [KeyboardInterrupt, OSError, MemoryError])
def test_when_writing_is_interrupted_no_temporary_file_is_left(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: type[BaseException]
) -> None:
    def interrupted(_: int) -> None:
        raise error

    (tmp_path / "a.yaml").write_text("before")
    monkeypatch.setattr(os, "fsync", interrupted)
    with pytest.raises(error):
        write(tmp_path / "a.yaml", b"after")
    assert (tmp_path / "a.yaml").read_text() == "before"
    assert files(tmp_path) == ["a.yaml"]


@not_as_root
def test_a_folder_that_may_not_be_written_to_is_told(tmp_path: Path, tape: Tape) -> None:
    save(tmp_path / "a.yaml", [tape("before")])
    before = (tmp_path / "a.yaml").read_bytes()
    tmp_path.chmod(0o500)
    try:
        with pytest.raises(CassetteError, match=r"a\.yaml cannot be written: Permission denied\. What was there"):
            save(tmp_path / "a.yaml", [tape("after")])
    finally:
        tmp_path.chmod(0o700)
    assert (tmp_path / "a.yaml").read_bytes() == before
    assert files(tmp_path) == ["a.yaml"]


def test_a_path_through_a_file_is_told(tmp_path: Path, tape: Tape) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(CassetteError, match=r"a\.yaml cannot be written: "):
        save(tmp_path / "file" / "a.yaml", [tape()])
    with pytest.raises(CassetteError, match=r"a\.yaml cannot be read: Not a directory\."):
        open_cassette(tmp_path / "file" / "a.yaml")


def test_a_link_is_written_through(tmp_path: Path, tape: Tape) -> None:
    put(tmp_path, "real/a.yaml")
    link = tmp_path / "link.yaml"
    link.symlink_to(tmp_path / "real" / "a.yaml")
    save(link, [tape(said=b"new")])
    assert link.is_symlink()
    assert open_cassette(tmp_path / "real" / "a.yaml").interactions[0].reply.body == b"new"
    assert files(tmp_path) == ["link.yaml", "real/a.yaml"]


@pytest.mark.parametrize("name", ["x" * 240 + ".yaml", "日" * 80 + ".yaml"], ids=["ascii", "three bytes each"])
def test_a_name_as_long_as_the_file_system_allows_can_be_saved(tmp_path: Path, tape: Tape, name: str) -> None:
    (tmp_path / name).write_text("")
    save(tmp_path / name, [tape()])
    assert files(tmp_path) == [name]
    assert len(open_cassette(tmp_path / name)) == 1


# --- large bodies ---------------------------------------------------------------------------------------


def test_a_large_body_is_kept_beside_the_cassette(tmp_path: Path, tape: Tape) -> None:
    save(tmp_path / "a.yaml", [tape(said=LARGE_BODY), tape("again", LARGE_BODY)])
    assert files(tmp_path) == ["a.yaml", f"blobs/{NAME}"]
    assert [each.reply.body for each in open_cassette(tmp_path / "a.yaml").interactions] == [LARGE_BODY, LARGE_BODY]


def test_a_large_body_is_found_in_a_folder_above(tmp_path: Path, tape: Tape) -> None:
    path = tmp_path / "tests" / "deep" / "a.yaml"
    save(path, [tape(said=LARGE_BODY)], blobs_in=tmp_path)
    assert files(tmp_path) == [f"blobs/{NAME}", "tests/deep/a.yaml"]
    assert open_cassette(path).interactions[0].reply.body == LARGE_BODY


def test_a_large_body_that_is_there_already_is_not_written_again(tmp_path: Path, tape: Tape) -> None:
    save(tmp_path / "a.yaml", [tape(said=LARGE_BODY)])
    blob = tmp_path / "blobs" / NAME
    before = blob.stat()
    save(tmp_path / "b.yaml", [tape(said=LARGE_BODY)])
    assert (blob.stat().st_ino, blob.stat().st_mtime_ns) == (before.st_ino, before.st_mtime_ns)


def test_a_large_body_that_is_nowhere_is_told(tmp_path: Path, tape: Tape) -> None:
    save(tmp_path / "a.yaml", [tape(said=LARGE_BODY)], signature=b"s")
    (tmp_path / "blobs" / NAME).unlink()
    with pytest.raises(CassetteFormatError, match=rf"its body is in blobs/{NAME}, which is neither beside .*a\.yaml"):
        _ = [each.reply for each in open_cassette(tmp_path / "a.yaml", b"s").interactions]


@pytest.mark.parametrize("name", ["../../etc/passwd", "/etc/passwd", "A" * 64, "a" * 63, ""])
def test_a_body_names_a_hash_and_no_path(tmp_path: Path, name: str) -> None:
    with pytest.raises(CassetteFormatError, match="which is not a SHA-256"):
        library.blob_finder(tmp_path / "a.yaml")(name)


# --- cassettes in folders -------------------------------------------------------------------------------


def test_cassettes_are_found_by_their_suffix_in_the_order_of_their_names(tmp_path: Path) -> None:
    put(tmp_path, "b.yaml", "a.yml", "c/d.json", "c/e.yaml.gz", "c/f.txt", "g.yaml.bak", "README.md", "blobs/" + NAME)
    assert [path.relative_to(tmp_path).as_posix() for path in find([tmp_path])] == [
        "a.yml",
        "b.yaml",
        "c/d.json",
        "c/e.yaml.gz",
    ]


def test_what_begins_with_a_dot_is_passed_over(tmp_path: Path) -> None:
    put(tmp_path, "a.yaml", ".b.yaml", ".llmmock/failed/c.yaml", "d/.e/f.yaml")
    assert list(find([tmp_path])) == [tmp_path / "a.yaml"]


def test_a_place_below_a_folder_with_a_dot_is_looked_into_when_it_is_named(tmp_path: Path) -> None:
    put(tmp_path, ".hidden/a.yaml", ".hidden/.b.yaml")
    assert list(find([tmp_path / ".hidden"])) == [tmp_path / ".hidden" / "a.yaml"]


def test_a_file_that_is_named_is_taken_whatever_it_is_called(tmp_path: Path) -> None:
    put(tmp_path, "a.txt", "b/c.yaml")
    assert list(find([tmp_path / "a.txt", tmp_path / "b"])) == [tmp_path / "a.txt", tmp_path / "b" / "c.yaml"]


def test_a_place_that_does_not_exist_is_told(tmp_path: Path) -> None:
    with pytest.raises(CassetteError) as caught:
        list(find([tmp_path / "nowhere"]))
    assert str(caught.value) == f"There is no cassette and no folder at {tmp_path / 'nowhere'}."


def test_all_cassettes_of_a_folder_are_opened(tmp_path: Path, tape: Tape) -> None:
    save(tmp_path / "a.yaml", [tape(said=b"1")])
    (tmp_path / "b.yaml.gz").write_bytes(gzip.compress(dumps([tape(said=b"2")])))
    assert [each.interactions[0].reply.body for each in open_all([tmp_path])] == [b"1", b"2"]


def test_a_folder_without_cassettes_is_told(tmp_path: Path) -> None:
    with pytest.raises(CassetteError) as caught:
        open_all([tmp_path])
    assert str(caught.value) == (
        f"There are no cassettes in {tmp_path}: files that end in "
        ".yaml, .yml, .json, .yaml.gz, .yml.gz, .json.gz were looked for."
    )


@pytest.mark.parametrize(
    ("path", "name"),
    [("a/b.yaml", "a/b"), ("b.json.gz", "b"), ("a.b.yml", "a.b"), ("c.txt", "c.txt"), ("a.yaml/b.yaml", "a.yaml/b")],
)
def test_a_cassette_is_named_by_its_path_without_the_suffix(tmp_path: Path, path: str, name: str) -> None:
    assert name_of(tmp_path / path, tmp_path) == name


def test_a_cassette_from_elsewhere_is_named_by_its_file(tmp_path: Path) -> None:
    assert name_of(Path("/other/a/b.yaml"), tmp_path) == "b"


# --- what cannot be opened ------------------------------------------------------------------------------


def test_a_file_that_is_no_cassette_is_told_with_its_path(tmp_path: Path) -> None:
    path = tmp_path / "a.yaml"
    path.write_text("- 1\n- 2\n")
    with pytest.raises(CassetteFormatError) as caught:
        open_cassette(path)
    assert str(caught.value) == (
        f"{path} is not a cassette that can be read. "
        "It holds a list, not a cassette: `version` and `interactions` were expected."
    )


def test_a_folder_is_no_cassette(tmp_path: Path) -> None:
    with pytest.raises(CassetteError) as caught:
        open_cassette(tmp_path)
    assert str(caught.value) == f"The cassette {tmp_path} cannot be read: Is a directory."


def test_an_interaction_that_cannot_be_read_is_told_with_its_path_when_it_is_played(tmp_path: Path, tape: Tape) -> None:
    path = tmp_path / "a.yaml"
    save(path, [tape(key="a" * 32)], signature=b"s")
    path.write_bytes(path.read_bytes().replace(b"{code: 200, ", b"{code: ["))
    [interaction] = open_cassette(path, b"s").interactions
    with pytest.raises(CassetteFormatError, match=r"a\.yaml"):
        _ = interaction.reply


# --- addresses ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("address", ["s3://bucket/a.yaml", "memory://a.yaml", "simplecache::gs://b/a.yaml"])
def test_what_is_at_an_address_is_neither_read_nor_written_here(address: str) -> None:
    for use in (open_cassette, lambda path: list(find([path]))):
        with pytest.raises(CassetteError) as caught:
            use(Path(address))
        assert str(caught.value) == (
            f"{address} is an address. Only `llmmock replay` reads cassettes from one, and nothing writes them there: "
            "copy the files here, and name their folder."
        )


def test_a_folder_may_be_called_as_an_address_begins(
    tmp_path: Path, tape: Tape, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    save(Path("s3:/a.yaml"), [tape()])
    assert list(find([Path("s3:")])) == [Path("s3:/a.yaml")]
    assert len(open_cassette(Path("s3:/a.yaml"))) == 1
