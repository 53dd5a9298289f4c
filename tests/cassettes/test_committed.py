from __future__ import annotations

import subprocess
from hashlib import sha256
from pathlib import Path

import pytest
from marks import needs_git

from pytest_llmmock.cassettes import committed
from pytest_llmmock.cassettes.committed import Commit
from pytest_llmmock.cassettes.format import EMPTY, dumps
from pytest_llmmock.cassettes.library import open_cassette, save
from pytest_llmmock.errors import CassetteError, UsageError

pytestmark = needs_git

NAME = "caffè latte.yaml"


def git(folder: Path, *arguments: str) -> None:
    who = ("-c", "user.name=T", "-c", "user.email=t@h.example", "-c", "commit.gpgsign=false")
    subprocess.run(["git", *who, *arguments], cwd=folder, check=True, capture_output=True)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A repository in a folder with a space, and a cassette in a folder below it."""
    project = tmp_path / "my project"
    (project / "cassettes").mkdir(parents=True)
    git(project, "init", "-q")
    (project / "cassettes" / NAME).write_text(EMPTY)
    git(project, "add", ".")
    git(project, "commit", "-qm", "one")
    return project


def test_a_cassette_is_opened_as_it_was_committed(project, tape):
    path = project / "cassettes" / NAME
    save(path, [tape("Rome")])
    old = Commit(path).open(path)
    assert (old.exists, len(old), len(open_cassette(path))) == (True, 0, 1)


def test_any_commit_can_be_named(project, tape):
    path = project / "cassettes" / NAME
    save(path, [tape("Rome")])
    git(project, "commit", "-qam", "two")
    assert [len(Commit(path, rev).open(path)) for rev in ("HEAD", "HEAD~1")] == [1, 0]


@pytest.mark.parametrize("rev", ["nonsense", "HEAD~7", "--help"])
def test_a_commit_that_is_not_there_is_told(project, rev):
    with pytest.raises(UsageError, match="There is no commit '"):
        Commit(project, rev)


def test_a_repository_without_a_commit_has_none(tmp_path):
    git(tmp_path, "init", "-q")
    with pytest.raises(UsageError, match="no commit 'HEAD'"):
        Commit(tmp_path)


def test_what_was_never_committed_does_not_exist(project):
    path = project / "cassettes/new.yaml"
    assert not Commit(path).open(path).exists


def test_what_changed_is_edited_new_or_gone(project, tape):
    folder = project / "cassettes"
    (folder / "gone.yaml").write_text(EMPTY)
    (folder / "stays.yaml").write_text(EMPTY)
    git(project, "add", ".")
    git(project, "commit", "-qm", "two")
    (folder / "gone.yaml").unlink()
    save(folder / NAME, [tape("Rome")])
    for other in ("new.yaml", ".llmmock/failed.yaml", "notes.txt"):
        (folder / other).parent.mkdir(exist_ok=True)
        (folder / other).write_text(EMPTY)
    assert Commit(folder).changed(folder) == [folder / NAME, folder / "gone.yaml", folder / "new.yaml"]
    assert len(Commit(folder).open(folder / "gone.yaml")) == 0


def test_a_folder_that_is_gone_is_still_committed(project):
    path = project / "cassettes" / NAME
    path.unlink()
    path.parent.rmdir()
    assert Commit(path).open(path).exists


def test_large_bodies_are_found_in_the_commit_when_they_are_gone_from_here(project, tape):
    path, content = project / "cassettes/deep/a.yaml", b"\xff" * 40_000
    save(path, [tape("Rome", content)], blobs_in=project / "cassettes")
    git(project, "add", ".")
    git(project, "commit", "-qm", "two")
    (project / "cassettes/blobs" / sha256(content).hexdigest()).unlink()
    assert Commit(path).open(path).interactions[0].reply.body == content
    git(project, "rm", "-q", "--cached", "-r", "cassettes/blobs")
    git(project, "commit", "-qm", "three")
    with pytest.raises(CassetteError, match=r"a\.yaml in HEAD, interaction 1: its body is in blobs/"):
        _ = Commit(path).open(path).interactions[0].reply


def test_a_committed_file_that_is_no_cassette_is_told_with_its_commit(project):
    path = project / "cassettes" / NAME
    path.write_text("- 1")
    git(project, "commit", "-qam", "two")
    with pytest.raises(CassetteError, match=r"latte\.yaml in HEAD is not a cassette"):
        Commit(path).open(path)


def test_line_ends_are_those_of_a_checkout(project, tape):
    path = project / "cassettes" / NAME
    (project / ".gitattributes").write_text("*.yaml text eol=crlf\n")
    path.write_bytes(dumps([tape("Rome")]).replace(b"\n", b"\r\n"))
    git(project, "add", ".")
    git(project, "commit", "-qm", "two")
    assert [each.request for each in Commit(path).open(path).interactions] == [
        each.request for each in open_cassette(path).interactions
    ]


def test_outside_of_a_repository_it_says_what_else_can_be_done(tmp_path):
    with pytest.raises(CassetteError, match=r"is not in a git repository.*llmmock diff OLD NEW"):
        Commit(tmp_path)


def test_without_git_it_says_what_else_can_be_done(project, monkeypatch):
    monkeypatch.setenv("PATH", "")
    with pytest.raises(CassetteError, match=r"git was not found.*llmmock diff OLD NEW"):
        Commit(project)


def test_what_git_says_else_is_handed_on(tmp_path):
    (tmp_path / ".git").write_text("gitdir: nowhere")
    with pytest.raises(CassetteError, match=r"not in a git repository|git failed in "):
        Commit(tmp_path)
    assert committed._why(tmp_path, "fatal: detected\n dubious ownership") == (
        f"git failed in {tmp_path}: fatal: detected dubious ownership"
    )
