from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest
from marks import needs_git

pytestmark = needs_git

PLAN = Path(__file__).parents[2] / "cassettes/tests/examples/test_plan/test_plan.yaml"


def git(folder: Path, *arguments: str) -> None:
    who = ("-c", "user.name=T", "-c", "user.email=t@h.example", "-c", "commit.gpgsign=false")
    subprocess.run(["git", *who, *arguments], cwd=folder, check=True, capture_output=True)


@pytest.fixture
def old(tmp_path: Path) -> Path:
    """A cassette, committed, in a folder whose name is no ASCII and has a space."""
    folder = tmp_path / "caffè e tè" / "cassettes"
    folder.mkdir(parents=True)
    path = folder / "plan.yaml"
    path.write_bytes(PLAN.read_bytes())
    git(tmp_path, "init", "-q")
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "-qm", "one")
    return path


def edited(path: Path, old: str, new: str) -> Path:
    path.write_text(path.read_text().replace(old, new))
    return path


def test_what_git_has_is_what_is_here(llmmock, old):
    assert llmmock("diff", old).stdout == "1 interaction: 1 same\n"
    assert llmmock("diff", old.parent).stdout == "No cassette has changed.\n"


def test_another_answer_is_shown_word_by_word(llmmock, old):
    edited(old, "Colosseum", "Pantheon")
    out = llmmock("diff", old, status=1).stdout
    assert "#1  answer changed   responses gpt-5  " in out
    assert "  answer.text\n  - Start at the [Colosseum], walk" in out
    assert "  + Start at the [Pantheon], walk" in out
    assert out.endswith("1 interaction: 1 answer changed\n")
    assert "\x1b" not in out


def test_another_question_is_shown_by_its_field(llmmock, old):
    edited(old, "in Rome", "in Paris")
    out = llmmock("diff", old, status=1).stdout
    assert "request changed" in out
    assert "  request.input\n  - Plan a day in Rome\n  + Plan a day in Paris\n" in out


def test_it_works_from_a_folder_below(llmmock, old):
    edited(old, "Colosseum", "Pantheon")
    llmmock.folder = old.parent
    out = llmmock("diff", "plan.yaml", status=1).stdout
    assert out.startswith("plan.yaml\n")
    assert out == llmmock("diff", ".", status=1).stdout
    llmmock.folder = old.parent.parent
    assert llmmock("diff", status=1).stdout.startswith(os.path.join("cassettes", "plan.yaml"))


def test_noise_is_no_difference_and_is_told_when_asked(llmmock, old):
    edited(old, "recorded:", "made:")
    edited(old, "resp_", "resp_other")
    done = llmmock("diff", old)
    assert done.stdout == "1 interaction: 1 only noise differs\n"
    assert "  noise: ids" in llmmock("diff", old, "--full").stdout


def test_a_folder_tells_what_is_new_and_what_is_gone(llmmock, old):
    (old.parent / "new.yaml").write_bytes(old.read_bytes())
    old.unlink()
    out = llmmock("diff", old.parent, status=1).stdout
    assert "new.yaml   (new)\n\n#1  added" in out
    assert "plan.yaml   (deleted)\n\n#1  removed" in out
    assert out.endswith("2 interactions: 1 added, 1 removed\n")


def test_two_files_and_two_folders_are_compared_without_git(llmmock, tmp_path):
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "plan.yaml").write_bytes(PLAN.read_bytes())
    assert llmmock("diff", "a/plan.yaml", "b/plan.yaml").stdout == "1 interaction: 1 same\n"
    edited(tmp_path / "b/plan.yaml", "Colosseum", "Pantheon")
    files = llmmock("diff", "a/plan.yaml", "b/plan.yaml", status=1).stdout
    assert files.startswith("a/plan.yaml -> b/plan.yaml\n")
    assert llmmock("diff", "a", "b", status=1).stdout == files


def test_another_commit_can_be_named(llmmock, old):
    edited(old, "Colosseum", "Pantheon")
    git(old.parent, "commit", "-qam", "two")
    assert llmmock("diff", old).stdout == "1 interaction: 1 same\n"
    assert "[Pantheon]" in llmmock("diff", old, "--rev", "HEAD~1", status=1).stdout
    assert "There is no commit 'v9'" in llmmock("diff", old, "--rev", "v9", status=2).stderr


def test_as_json(llmmock, old):
    edited(old, "in Rome", "in Paris")
    [cassette] = json.loads(llmmock("diff", old, "--json", status=1).stdout)
    assert (cassette["same"], cassette["new"]) == (False, str(old))
    [change] = cassette["interactions"]
    assert (change["change"], change["old"], change["new"], change["operation"]) == ("request", 1, 1, "responses")
    assert {"path": "request.input", "old": "Plan a day in Rome", "new": "Plan a day in Paris"} in change["differences"]
    old.unlink()
    [gone] = json.loads(llmmock("diff", old.parent, "--json", status=1).stdout)
    assert (gone["new"], gone["interactions"][0]["change"]) == (None, "removed")


def test_what_does_not_count_can_be_named(llmmock, old):
    edited(old, "in Rome", "in Paris")
    assert "1 answer" not in llmmock("diff", old, "--ignore", "input").stdout


def test_errors_are_told_in_a_line(llmmock, old, tmp_path):
    new = old.with_name("new.yaml")
    new.write_bytes(old.read_bytes())
    assert "new.yaml is not in HEAD" in llmmock("diff", new, status=1).stderr
    assert "neither here nor in HEAD" in llmmock("diff", old.with_name("no.yaml"), status=1).stderr
    assert "There is no cassette" in llmmock("diff", old, "no.yaml", status=1).stderr
    assert "one is a folder" in llmmock("diff", old, old.parent, status=2).stderr
    assert "Give two cassettes" in llmmock("diff", old, new, old, status=2).stderr
    assert "Give two cassettes" in llmmock("diff", old, new, "--rev", "HEAD", status=2).stderr
    llmmock.environment["GIT_CEILING_DIRECTORIES"] = str(tmp_path.parent)
    (tmp_path / ".git").rename(tmp_path / "git")
    assert "is not in a git repository" in llmmock("diff", old, status=1).stderr
    llmmock.environment["PATH"] = ""
    assert "git was not found" in llmmock("diff", old, status=1).stderr
