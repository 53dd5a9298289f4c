from __future__ import annotations

import threading
from pathlib import Path

import pytest
from marks import not_as_root

from pytest_llmmock import files
from pytest_llmmock.cassettes.cassette import Interaction, Recorded
from pytest_llmmock.cassettes.unsaved import Unsaved, all_left_behind, left_behind
from pytest_llmmock.core.model import Frame, Reply, Request
from pytest_llmmock.errors import CassetteError


def made(number: int) -> Interaction:
    request = Request("POST", "https://api.openai.com", "/v1/x", "", (), b"%d" % number)
    return Interaction.of(Recorded(request, Reply(200, (), [Frame(b"yes")])), f"{number:032}")


def unsaved(home: Path, name: str = "tests/a.yaml") -> Unsaved:
    return Unsaved(home, home / name, b"", lambda recorded: "")


def bodies(found) -> list[bytes]:
    return [each.request.body for each in found.interactions(None)]


def test_what_a_run_that_ended_without_saving_had_recorded_is_found_in_the_order_of_asking(tmp_path):
    run = unsaved(tmp_path)
    for number in (2, 10, 1):
        run.keep(number, made(number))
    assert left_behind(tmp_path, tmp_path / "tests/a.yaml") == []  # it still runs
    run.close()
    (left,) = left_behind(tmp_path, tmp_path / "tests/a.yaml")
    assert bodies(left) == [b"1", b"2", b"10"]
    left.discard()
    assert list(tmp_path.iterdir()) == []


def test_a_secret_that_cannot_be_taken_out_is_told_of_the_cassette_and_not_of_our_own_file(tmp_path):
    request = Request("POST", "https://api.openai.com", "/v1/x", "", (), b"ghp_" + b"aB3dE5gH7j" * 4)
    cassette = tmp_path / "tests/a.yaml"
    run = unsaved(tmp_path)
    with pytest.raises(CassetteError) as raised:
        run.keep(1, Interaction.of(Recorded(request, Reply(200, (), [])), "1" * 32))
    run.close()
    assert str(raised.value).startswith(f"{cassette} was not saved")
    assert str(raised.value).endswith(f"run `llmmock scrub {cassette}` first.")


def test_what_is_left_behind_is_claimed_by_one_only(tmp_path):
    run = unsaved(tmp_path)
    run.keep(1, made(1))
    run.close()
    (left,) = left_behind(tmp_path, tmp_path / "tests/a.yaml")
    assert left_behind(tmp_path, tmp_path / "tests/a.yaml") == []
    left.close()
    assert [cassette for cassette, found in all_left_behind(tmp_path) if not found.close()] == [
        tmp_path / "tests/a.yaml"
    ]


def test_each_cassette_has_its_own(tmp_path):
    runs = [unsaved(tmp_path, name) for name in ("a.yaml", "a.yaml.b.yaml", "x/a.yaml")]
    for number, run in enumerate(runs):
        run.keep(1, made(number))
        run.close()
    (left,) = left_behind(tmp_path, tmp_path / "a.yaml")
    assert bodies(left) == [b"0"]
    left.close()


def test_nothing_is_left_of_a_run_that_saved(tmp_path):
    run = unsaved(tmp_path)
    run.keep(1, made(1))
    run.clear()
    run.clear()
    assert list(tmp_path.iterdir()) == []


def test_many_at_once_do_not_take_each_others_folders_away(tmp_path):
    troubles: list[BaseException] = []

    def work(name: str) -> None:
        try:
            for _ in range(10):
                run = unsaved(tmp_path, f"t/{name}.yaml")
                run.keep(1, made(1))
                run.clear()
        except BaseException as error:
            troubles.append(error)
            raise

    threads = [threading.Thread(target=work, args=(f"a{number}",)) for number in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert troubles == []
    assert list(tmp_path.iterdir()) == []


def test_a_place_that_cannot_be_written_is_told_before_anything_is_asked(tmp_path):
    (tmp_path / ".llmmock").write_text("a file where a folder is needed")
    with pytest.raises(CassetteError, match=r"a\.yaml cannot be recorded to, and nothing was asked of the upstream"):
        unsaved(tmp_path).open()


@not_as_root
def test_a_folder_that_may_not_be_written_is_told(tmp_path):
    tmp_path.chmod(0o500)
    try:
        with pytest.raises(CassetteError, match="Permission denied"):
            unsaved(tmp_path).open()
    finally:
        tmp_path.chmod(0o700)


def test_what_writers_left_when_they_were_killed_is_swept(tmp_path):
    for name in (".a.yaml.0123abcd.tmp", ".a.yaml.0123abcd.txt", ".b.yaml.0123abcd.tmp"):
        (tmp_path / name).write_text("half")
    files.sweep(tmp_path / "a.yaml")
    assert sorted(path.name for path in tmp_path.iterdir()) == [".a.yaml.0123abcd.txt", ".b.yaml.0123abcd.tmp"]
