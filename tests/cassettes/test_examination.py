from __future__ import annotations

import os
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

import pytest

from pytest_llmmock import dialects
from pytest_llmmock.cassettes.cassette import Interaction
from pytest_llmmock.cassettes.checks import Given
from pytest_llmmock.cassettes.examination import KINDS, Report, examine
from pytest_llmmock.cassettes.library import save
from pytest_llmmock.cassettes.matchers import Keys
from pytest_llmmock.errors import CassetteError

Tape = Callable[..., Interaction]

LARGE = b"\xff" * 40_000


@pytest.fixture
def put(tmp_path: Path, tape: Tape) -> Callable[..., Path]:
    def put(name: str = "a.yaml", *said: bytes) -> Path:
        keys, tapes = Keys(), [tape(f"{number}", each) for number, each in enumerate(said or (b"Hi",))]
        for each in tapes:
            each.key = keys.key(dialects.read(each.request))
        save(tmp_path / name, tapes, signature=keys.signature, blobs_in=tmp_path)
        return tmp_path / name

    return put


def report(*places: Path, **more: object) -> Report:
    return examine(places, Given(Keys(), dialects.read), **more)  # type: ignore[arg-type]


def told(*places: Path) -> list[tuple[str, str, int | None]]:
    return [(each.kind, each.path.name, each.number) for each in report(*places).findings]


def test_a_good_folder_has_no_findings(tmp_path, put):
    put()
    put("deep/b.yaml", b"one", LARGE)
    done = report(tmp_path)
    assert (done.cassettes, done.interactions, done.findings) == (2, 3, [])


def test_a_cassette_that_is_named_twice_is_examined_once(tmp_path, put):
    assert report(put(), tmp_path).cassettes == 1


def test_the_oldest_recording_is_told(tmp_path, tape):
    save(tmp_path / "a.yaml", [tape("a", recorded="2026-03-04"), tape("b", recorded="2026-01-02"), tape("c")])
    assert report(tmp_path).oldest == "2026-01-02"


def test_a_file_that_is_no_cassette_is_found_and_the_others_are_examined(tmp_path, put):
    put("good.yaml")
    (tmp_path / "bad.yaml").write_text("- 1")
    done = report(tmp_path)
    assert [str(each) for each in done.findings] == [
        f"{tmp_path}/bad.yaml: It holds a list, not a cassette: `version` and `interactions` were expected. "
        "Mend it, or: record it again."
    ]
    assert done.interactions == 1


def test_an_interaction_that_cannot_be_read_is_found_by_its_number(tmp_path, put):
    path = put("a.yaml", b"one", b"two")
    first, rest = path.read_text().split("# 2", 1)
    path.write_text(first + "# 2" + rest.replace("method: POST", "method: [POST"))
    [finding] = report(tmp_path).findings
    assert (finding.kind, finding.number) == ("unreadable", 2)
    assert finding.what.startswith("It is not YAML")


def test_a_merge_that_git_left_is_told_instead_of_what_follows_from_it(tmp_path, put):
    path = put()
    path.write_text(path.read_text() + "<<<<<<< HEAD\n=======\n>>>>>>> x\n")
    assert told(tmp_path) == [("conflict", "a.yaml", None)]


def test_a_large_body_that_is_gone_is_found(tmp_path, put):
    put("a.yaml", LARGE)
    (tmp_path / "blobs" / sha256(LARGE).hexdigest()).unlink()
    [finding] = report(tmp_path).findings
    assert (finding.kind, finding.number) == ("unreadable", 1)
    assert "is neither beside" in finding.what


def test_a_large_body_that_was_changed_is_found(tmp_path, put):
    put("a.yaml", LARGE)
    name = sha256(LARGE).hexdigest()
    (tmp_path / "blobs" / name).write_bytes(LARGE[1:])
    assert ("blob", name, None) in told(tmp_path)


def test_a_large_body_that_nobody_names_is_found(tmp_path, put):
    put("deep/a.yaml", LARGE)
    assert told(tmp_path) == []
    (tmp_path / "deep/a.yaml").unlink()
    put("b.yaml")
    assert told(tmp_path) == [("blob", sha256(LARGE).hexdigest(), None)]


def test_what_is_kept_aside_names_its_large_bodies_too(tmp_path, put):
    put(".llmmock/failed/a.yaml", LARGE)
    put("b.yaml")
    assert told(tmp_path) == []


@pytest.mark.parametrize("names", [("Test_a.yaml", "test_a.yaml"), ("caf\u00e9.yaml", "cafe\u0301.yaml")])
def test_names_that_some_disks_take_for_one_are_found(tmp_path, put, names):
    for name in names:
        put(name)
    if len(list(tmp_path.glob("*.yaml"))) == 1:
        pytest.skip("this disk takes them for one")
    [finding] = report(tmp_path).findings
    assert finding.kind == "names"


def test_what_a_killed_process_left_is_found_once_it_cannot_be_at_work(tmp_path, put):
    put()
    left = tmp_path / ".a.yaml.0123abcd.tmp"
    left.write_text("version")
    assert told(tmp_path) == []
    os.utime(left, (1, 1))
    assert told(tmp_path) == [("leftover", left.name, None)]


def test_kinds_can_be_left_out(tmp_path, put):
    put()
    (tmp_path / "bad.yaml").write_text("- 1")
    assert report(tmp_path, skip=["unreadable"]).findings == []
    assert "unreadable" in KINDS


def test_a_place_that_is_not_there_is_an_error(tmp_path):
    with pytest.raises(CassetteError, match="no cassette and no folder"):
        report(tmp_path / "missing")
