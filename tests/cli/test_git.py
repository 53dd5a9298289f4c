"""What docs/cassettes.md says about git, done with git."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from marks import needs_git

pytestmark = needs_git

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "cassettes/tests/examples"
ATTRIBUTES = "\n".join(line for line in (ROOT / ".gitattributes").read_text().splitlines() if line[:1] != "#") + "\n"


class Project:
    """A git repository with our advice in force."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.cassette = folder / "cassettes/plan.yaml"

    def git(self, *arguments: str, status: int = 0) -> str:
        who = ("-c", "user.name=T", "-c", "user.email=t@h.example", "-c", "commit.gpgsign=false")
        environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONUTF8": "1"}
        done = subprocess.run(
            ["git", *who, *arguments], cwd=self.folder, env=environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == status, done.stdout + done.stderr
        return done.stdout

    def commit(self, text: str) -> None:
        self.cassette.write_text(text)
        self.git("add", ".")
        self.git("commit", "-qm", "x")


@pytest.fixture
def project(tmp_path: Path) -> Project:
    project = Project(tmp_path)
    project.git("init", "-q", "-b", "main")
    show = f"{shlex.quote(sys.executable)} -m pytest_llmmock show --textconv"
    project.git("config", "diff.llmmock.textconv", show)
    (tmp_path / "cassettes").mkdir()
    (tmp_path / ".gitattributes").write_text(ATTRIBUTES)
    return project


PLAN = (EXAMPLES / "test_plan/test_plan.yaml").read_text()
STREAM = (EXAMPLES / "test_conversations/test_chat_streamed.yaml").read_text()


def test_a_diff_of_git_shows_what_was_said(project):
    project.commit(STREAM)
    project.cassette.write_text(STREAM.replace('"content":"Cafe"', '"content":"Bar"').replace(" Co", " Ko"))
    changed = [line for line in project.git("diff").splitlines() if line[:1] in "+-" and line[:3] not in ("+++", "---")]
    assert [line[:1] for line in changed] == ["-", "+"]
    assert changed[0].startswith("-  assistant  Start at the Colosseum")
    assert changed[1].startswith("+  assistant  Start at the Kolosseum")


def test_a_diff_of_git_says_nothing_of_noise(project):
    project.commit(PLAN)
    project.cassette.write_text(PLAN.replace("2026-11-20", "2026-12-24").replace("resp_", "resp_x"))
    assert [line for line in project.git("diff").splitlines() if line[:2] in ("+ ", "- ", "@@")] == []


def test_every_option_of_a_request_is_seen(project):
    project.commit(PLAN)
    project.cassette.write_text(PLAN.replace("model: gpt-5\n", "model: gpt-5\n      temperature: 0.5\n", 1))
    assert "+  options    temperature: 0.5" in project.git("diff")


def test_a_file_that_is_no_cassette_is_compared_as_it_is(project):
    project.commit("- one\n")
    project.cassette.write_text("- two\n")
    assert "-- one\n+- two\n" in project.git("diff")


def test_the_same_file_gives_the_same_text_wherever_it_is(llmmock, tmp_path):
    places = [tmp_path / "a.yaml", tmp_path / "deep/b.yaml"]
    places[1].parent.mkdir()
    for place in places:
        place.write_text(PLAN)
    first, second = (llmmock("show", "--textconv", place).stdout for place in places)
    assert first == second
    assert str(tmp_path) not in first


def test_a_large_body_is_shown_by_its_hash_where_it_cannot_be_found(llmmock, tmp_path):
    name = "ab" * 32
    text = PLAN[: PLAN.index("    parsed_body", PLAN.index("  response:"))]
    end = PLAN[PLAN.rindex("  llmmock:") :]
    (tmp_path / "a.yaml").write_text(f"{text}    body:\n      blob: {name}\n      bytes: 40000\n{end}")
    assert f"<blobs/{name}>" in llmmock("show", "--textconv", "a.yaml").stdout


def branches(project: Project) -> None:
    project.commit(PLAN)
    project.git("checkout", "-qb", "other")
    project.commit(PLAN.replace("Colosseum", "Pantheon"))
    project.git("checkout", "-q", "main")
    project.commit(PLAN.replace("Plan a day in Rome\n  response", "Plan a day in Paris\n  response"))


def test_git_by_itself_makes_a_recording_that_no_run_produced(project):
    (project.folder / ".gitattributes").unlink()
    branches(project)
    project.git("merge", "-q", "--no-edit", "other")
    merged = project.cassette.read_text()
    assert "Paris" in merged
    assert "Pantheon" in merged


def test_with_our_advice_two_recordings_are_a_conflict_and_the_file_stays_whole(project):
    branches(project)
    ours = project.cassette.read_text()
    project.git("merge", "--no-edit", "other", status=1)
    assert project.git("status", "--short").startswith("UU cassettes/plan.yaml")
    assert project.cassette.read_text() == ours


def test_with_our_advice_line_ends_stay_as_they_are(project):
    project.git("config", "core.autocrlf", "true")
    project.commit(PLAN)
    project.cassette.unlink()
    project.git("checkout", "--", ".")
    assert project.cassette.read_bytes() == PLAN.encode()
