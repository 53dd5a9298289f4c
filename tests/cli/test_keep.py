"""`stats`, `check`, `rekey` and `export`, as a user calls them."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

CASSETTES = Path(__file__).parents[2] / "cassettes"
TOOLS = CASSETTES / "tests/examples/test_conversations/test_tools.yaml"


@pytest.fixture
def tools(tmp_path: Path) -> Path:
    (tmp_path / "cassettes").mkdir()
    return Path(shutil.copy(TOOLS, tmp_path / "cassettes"))


def edited(path: Path, old: str, new: str) -> None:
    path.write_text(path.read_text().replace(old, new))


# --- stats ----------------------------------------------------------------------------------------------


def test_stats_counts_by_model_and_in_all(llmmock):
    lines = llmmock("stats", CASSETTES).stdout.splitlines()
    assert lines[0].split()[:3] == ["MODEL", "INTERACTIONS", "STREAMED"]
    total = next(line for line in lines if line.startswith("total")).split()
    assert total[1:3] == ["12", "5"]
    assert next(line for line in lines if line.startswith("recorded")).split()[1] == "2026-11-20"
    assert any(line.startswith("operations  chat 6, ") for line in lines)


def test_stats_as_json(llmmock, tools):
    found = json.loads(llmmock("stats", "--json").stdout)
    assert found["models"]["gpt-4.1"]["tokens"] == {"input": 10, "output": 20, "total": 30, "cached": 0, "reasoning": 0}
    assert found["biggest"] == [{"cassette": "cassettes/test_tools.yaml", "bytes": tools.stat().st_size}]


def test_stats_counts_the_good_and_tells_the_bad(llmmock, tools):
    tools.with_name("bad.yaml").write_text("- 1")
    done = llmmock("stats", status=1)
    assert "in 1 cassette" in done.stdout
    assert "bad.yaml is not a cassette" in done.stderr


# --- check ----------------------------------------------------------------------------------------------


def test_check_finds_nothing_in_our_own(llmmock):
    out = llmmock("check", CASSETTES).stdout
    assert out.startswith("11 cassettes, 12 interactions · 0 findings · the oldest is ")


def test_check_tells_each_finding_in_a_line(llmmock, tools):
    edited(tools, """arguments: '{"city": "Rome"}'""", "arguments: '{broken'")
    out = llmmock("check", status=1).stdout.splitlines()
    assert out[0].startswith("cassettes/test_tools.yaml, interaction 1: its timing counts 610 bytes")
    assert "call of get_weather are not JSON: '{broken'" in out[1]
    assert "· 2 findings ·" in out[2]
    assert "· 1 finding ·" in llmmock("check", "--skip", "timing", status=1).stdout


def test_check_tells_notes_that_are_findings_when_strict(llmmock, tools):
    edited(tools, "content: Plan a day in Rome", "content: Plan a day in Oslo")
    out = llmmock("check").stdout
    assert out.startswith("note: cassettes/test_tools.yaml, interaction 1: its request is not the one that was keyed")
    assert "0 findings, 1 note" in out
    assert "1 finding ·" in llmmock("check", "--strict", status=1).stdout


def test_check_tells_what_is_too_old(llmmock, tools):
    edited(tools, 'recorded: "2026', 'recorded: "2001')
    assert "days ago (2001-11-20). Record it again." in llmmock("check", "--max-age", 365, status=1).stdout
    llmmock("check")


def test_check_as_json(llmmock, tools):
    tools.write_text("- 1")
    found = json.loads(llmmock("check", "--json", status=1).stdout)
    assert found["findings"][0]["kind"] == "unreadable"
    assert (found["cassettes"], found["interactions"], found["oldest"]) == (1, 0, None)


def test_check_of_nothing_is_an_error(llmmock, tmp_path):
    (tmp_path / "cassettes").mkdir()
    assert "There are no cassettes in cassettes." in llmmock("check", status=1).stderr
    assert "There are no cassettes in cassettes." in llmmock("rekey", status=1).stderr


# --- rekey ----------------------------------------------------------------------------------------------


def test_rekey_after_an_edit_by_hand(llmmock, tools):
    llmmock("rekey")
    edited(tools, "content: Plan a day in Rome", "content: Plan a day in Oslo")
    out = llmmock("rekey", "--dry-run").stdout
    assert "cassettes/test_tools.yaml: 1 of 1 interaction (#1)" in out
    assert "1 interaction in 1 cassette would be keyed anew, 0 left as they are, 0 failed" in out
    assert '"Plan a day in Rome"' in tools.read_text()
    assert "1 interaction in 1 cassette keyed anew" in llmmock("rekey").stdout
    assert '# 1  chat gpt-4.1  "Plan a day in Oslo"' in tools.read_text()
    assert "0 interactions in 0 cassettes keyed anew, 1 left as they are" in llmmock("rekey").stdout
    assert llmmock("check", "--strict").stdout.startswith("1 cassette, 1 interaction · 0 findings")


def test_rekey_for_the_settings_of_tests(llmmock, tools):
    llmmock("rekey")
    assert "1 interaction in" in llmmock("rekey", "--ignore", "model", "--match-on", "body").stdout
    assert "0 interactions in" in llmmock("rekey", "--ignore", "model", "--match-on", "body").stdout


def test_rekey_leaves_other_layouts_and_tells_what_fails(llmmock, tools):
    foreign = tools.with_name("foreign.yaml")
    foreign.write_text("# mine\n" + tools.read_text())
    tools.with_name("link.yaml").symlink_to(tools)
    done = llmmock("rekey", status=1)
    assert "foreign.yaml: left as it is, for its layout has no keys (llmmock import takes it over)" in done.stdout
    assert "link.yaml is a symbolic link" in done.stderr
    assert "1 failed" in done.stdout


# --- export ---------------------------------------------------------------------------------------------


def test_export_and_import_give_the_same_interactions(llmmock, tmp_path):
    assert "11 cassettes with 12 interactions exported, 0 failed" in llmmock("export", CASSETTES, "--out", "vcr").stdout
    text = (tmp_path / "vcr/tests/examples/test_plan/test_plan.yaml").read_text()
    assert "llmmock" not in text
    assert "parsed_body" not in text
    llmmock("import", "vcr", "--out", "back")
    out = llmmock("diff", CASSETTES, "back").stdout
    assert out == "12 interactions: 12 only noise differs\n"


def test_export_as_pytest_recording_looks_for_it(llmmock, tmp_path):
    llmmock("export", CASSETTES, "--out", ".", "--format", "pytest-recording")
    assert (tmp_path / "tests/examples/cassettes/test_plan/test_plan.yaml").is_file()


def test_export_replaces_only_when_asked(llmmock, tools, tmp_path):
    llmmock("export", "cassettes", "--out", "vcr", "--dry-run")
    assert not (tmp_path / "vcr").exists()
    llmmock("export", "cassettes", "--out", "vcr")
    target = tmp_path / "vcr/test_tools.yaml"
    target.write_text("mine")
    assert (
        "is there already; cassettes/test_tools.yaml was not exported"
        in llmmock("export", "cassettes", "--out", "vcr", status=1).stderr
    )
    assert target.read_text() == "mine"
    llmmock("export", "cassettes", "--out", "vcr", "--force")
    assert target.read_text() != "mine"


def test_export_tells_what_cannot_be_written(llmmock, tools, tmp_path):
    (tmp_path / "vcr").write_text("a file")
    done = llmmock("export", "cassettes", "--out", "vcr/deep", status=1)
    assert "failed: vcr/deep/test_tools.yaml cannot be" in done.stderr
