from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from pytest_llmmock.cassettes.library import open_cassette


def run(project, *arguments):
    return project.runpytest_inprocess(*arguments)


def asking(project, *words, **files):
    project.makepyfile(test_app=f"def test_it(llm_mock, ask): [ask(each) for each in {words!r}]", **files)


@pytest.fixture
def left_over(project, standin):
    """A project whose test asks less than its cassette holds."""
    asking(project, "one", "two", "three")
    run(project, "--llm-record").assert_outcomes(passed=1)
    asking(project, "one")
    return project


def test_what_a_test_did_not_use_is_counted(left_over):
    result = run(left_over)
    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines("llmmock: 1 replayed, * · 7 tokens replayed · cassettes: 2 unused interactions")


@pytest.mark.parametrize("how", ["option", "ini", "environment", "marker", "llm_config"])
def test_what_a_test_did_not_use_can_fail_it(left_over, monkeypatch, how):
    if how == "ini":
        left_over.makeini("[pytest]\nllm_unplayed = fail")
    if how == "environment":
        monkeypatch.setenv("LLMMOCK_UNPLAYED", "fail")
    if how == "marker":
        left_over.makepyfile(
            test_app="import pytest\n@pytest.mark.llm_cassette(unplayed='fail')\ndef test_it(ask): ask('one')"
        )
    if how == "llm_config":
        config = "import pytest\n@pytest.fixture\ndef llm_config(): return {'unplayed': 'fail'}\n"
        left_over.makepyfile(test_app=config + "def test_it(llm_mock, ask): ask('one')")
    result = run(left_over, *(["--llm-unplayed=fail"] if how == "option" else []))
    result.assert_outcomes(passed=1, errors=1)
    result.stdout.fnmatch_lines(
        [
            "*2 of 3 recordings in *test_it.yaml were not used by this test.",
            '*#2  chat m  "two"',
            '*#3  chat m  "three"',
            '*drop them:  pytest --llm-record=changed "test_app.py::test_it"',
        ]
    )


def test_it_can_be_of_no_interest(left_over):
    result = run(left_over, "--llm-unplayed=ignore")
    result.assert_outcomes(passed=1)
    result.stdout.no_fnmatch_line("*unused*")


def test_a_test_that_fails_is_not_told_that_it_did_not_use_all(left_over):
    left_over.makepyfile(test_app="def test_it(llm_mock, ask): assert ask('one') == 'nonsense'")
    result = run(left_over, "--llm-unplayed=fail")
    result.assert_outcomes(failed=1)
    result.stdout.no_fnmatch_line("*unused*")


SHARED = "import pytest\npytestmark = pytest.mark.llm_cassette('shared')\n" + "".join(
    f"def test_{name}(ask): ask('{name}')\n" for name in ("a", "b", "c")
)


@pytest.mark.parametrize("workers", [[], ["-n", "2"]])
def test_of_a_shared_cassette_only_a_whole_run_knows_what_is_not_used(project, standin, workers):
    project.makepyfile(test_app=SHARED)
    run(project, "--llm-record").assert_outcomes(passed=3)
    result = run(project, "-k", "test_b", "--llm-unplayed=fail", *workers)
    result.assert_outcomes(passed=1)
    result.stdout.no_fnmatch_line("*unused*")
    project.makepyfile(test_app=SHARED.replace("ask('b')", "None"))
    result = run(project, "--llm-unplayed=fail", *workers)
    result.assert_outcomes(passed=3)
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines("llmmock: *cassettes: 1 unused interaction")
    assert run(project, *workers).ret == pytest.ExitCode.OK


# --- cassettes of no test -------------------------------------------------------------------------------


@pytest.fixture
def orphan(project, standin):
    asking(project, "one", test_old="def test_gone(llm_mock, ask): ask('old')")
    run(project, "--llm-record").assert_outcomes(passed=2)
    Path(project.path, "test_old.py").unlink()
    return project


@pytest.mark.parametrize("workers", [[], ["-n", "2"]])
def test_a_cassette_of_no_test_is_told_by_a_whole_run(orphan, workers):
    result = run(orphan, "-v", *workers)
    result.stdout.fnmatch_lines(
        ["llmmock: * cassettes: 1 not used by any test", "not used by any test: cassettes/test_old/test_gone.yaml"]
    )


@pytest.mark.parametrize(
    "arguments", [["test_app.py"], ["-k", "it"], ["--deselect", "x"], ["--ignore", "y"], ["-m", "not slow"], ["--lf"]]
)
def test_a_run_of_some_tests_tells_nothing_of_it(orphan, arguments):
    run(orphan, *arguments).stdout.no_fnmatch_line("*not used by any test*")


def test_a_run_that_stopped_early_tells_nothing_of_it(orphan):
    orphan.makepyfile(test_b="def test_fails(): assert False", test_c="def test_more(): pass")
    run(orphan, "-x").stdout.no_fnmatch_line("*not used by any test*")


@pytest.mark.parametrize(
    "other",
    [
        "import pytest\n@pytest.mark.skip\n@pytest.mark.llm_cassette('test_old/test_gone')\ndef test_other(): pass",
        "from pytest_llmmock import use_cassette\n"
        "def test_other():\n    with use_cassette('cassettes/test_old/test_gone.yaml'): pass",
    ],
    ids=["a test that is skipped", "a test that opens it by hand"],
)
def test_a_cassette_that_another_test_has_is_not_told(orphan, other):
    orphan.makepyfile(test_other=other)
    run(orphan).stdout.no_fnmatch_line("*not used by any test*")


def test_files_that_are_not_ours_are_left_alone(orphan):
    vcr = "interactions:\n- request: {method: GET, uri: http://x/}\n  response: {status: {code: 200}}\nversion: 1\n"
    for name, text in {"fixture.json": '{"hello": "world"}', "other/vcr_test.yaml": vcr, "notes.yaml": "a: 1"}.items():
        path = Path(orphan.path, "cassettes", name)
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
    run(orphan).stdout.fnmatch_lines("llmmock: * cassettes: 1 not used by any test")
    prune(orphan)
    assert Path(orphan.path, "cassettes/fixture.json").exists()
    assert Path(orphan.path, "cassettes/other/vcr_test.yaml").exists()


@pytest.mark.parametrize(
    "files",
    [
        {"test_opt": "import pytest\npytest.importorskip('no_such_library')"},
        {"conftest": "def pytest_collection_modifyitems(items): items[:] = items[:1]", "test_z": "def test_z(): pass"},
        {"conftest": "collect_ignore = ['test_z.py']", "test_z": "def test_z(): pass"},
        {"conftest": "collect_ignore_glob = ['more/*']"},
    ],
    ids=["a module skips itself", "items are taken away", "a file is ignored", "a folder is ignored"],
)
def test_a_run_in_which_tests_were_left_out_without_a_word_tells_nothing_of_it(orphan, files):
    text = Path(orphan.path, "conftest.py").read_text()
    orphan.makepyfile(**{name: (text if name == "conftest" else "") + "\n" + code for name, code in files.items()})
    run(orphan).stdout.no_fnmatch_line("*not used by any test*")


def test_a_cassette_that_a_skipped_test_may_open_by_hand_is_not_told(orphan):
    recorded = Path(orphan.path, "cassettes/test_app/test_it.yaml").read_bytes()
    Path(orphan.path, "cassettes/byhand.yaml").write_bytes(recorded)
    orphan.makepyfile(test_other="import pytest\n@pytest.mark.skip\ndef test_other(): pass")
    result = run(orphan, "-v")
    result.stdout.fnmatch_lines("not used by any test: cassettes/test_old/test_gone.yaml")
    result.stdout.no_fnmatch_line("*byhand*")


def test_what_a_skipped_test_shares_is_not_told(project, standin):
    project.makepyfile(test_app=SHARED)
    run(project, "--llm-record").assert_outcomes(passed=3)
    project.makepyfile(test_app=SHARED.replace("def test_b", "@pytest.mark.skip\ndef test_b"))
    result = run(project, "--llm-record=changed")
    result.assert_outcomes(passed=2, skipped=1)
    result.stdout.no_fnmatch_line("*unused*")
    assert len(open_cassette(Path(project.path, "cassettes/shared.yaml"))) == 3


# --- llmmock prune --------------------------------------------------------------------------------------


def prune(project, *arguments):
    return project.run(sys.executable, "-m", "pytest_llmmock", "prune", *arguments)


def names(project):
    return sorted(path.relative_to(project.path).as_posix() for path in Path(project.path, "cassettes").rglob("*.yaml"))


def test_prune_drops_what_the_last_whole_run_did_not_use(orphan):
    asking(orphan, "one", "two")
    run(orphan, "--llm-record").assert_outcomes(passed=1)
    asking(orphan, "two")
    run(orphan)
    before = Path(orphan.path, "cassettes/test_app/test_it.yaml").read_bytes()
    told = prune(orphan, "--dry-run").stdout.str()
    assert "cassettes/test_app/test_it.yaml: #1 would be dropped" in told
    assert Path(orphan.path, "cassettes/test_app/test_it.yaml").read_bytes() == before
    result = prune(orphan)
    result.stdout.fnmatch_lines(
        [
            "cassettes/test_app/test_it.yaml: #1 dropped",
            "cassettes/test_old/test_gone.yaml: all of it dropped",
            "llmmock: 1 interaction, 1 cassette dropped",
        ]
    )
    assert names(orphan) == ["cassettes/test_app/test_it.yaml"]
    (left,) = open_cassette(Path(orphan.path, "cassettes/test_app/test_it.yaml")).interactions
    assert left.request.json()["messages"][0]["content"] == "two"
    run(orphan).assert_outcomes(passed=1)


def test_prune_leaves_what_has_changed_since(orphan):
    run(orphan)
    path = Path(orphan.path, "cassettes/test_old/test_gone.yaml")
    path.write_text(path.read_text() + "# looked at\n")
    prune(orphan).stdout.fnmatch_lines("*test_gone.yaml: left as it is, for it has changed since*")
    assert path.exists()


def test_prune_does_only_what_it_is_pointed_to(orphan):
    run(orphan)
    prune(orphan, "cassettes/test_app").stdout.fnmatch_lines("llmmock: 0 interactions, 0 cassettes dropped")
    assert len(names(orphan)) == 2


def test_prune_takes_large_bodies_away_that_nothing_refers_to(orphan):
    run(orphan)
    blob = Path(orphan.path, "cassettes/blobs", "0" * 64)
    blob.parent.mkdir()
    blob.write_bytes(b"x")
    prune(orphan).stdout.fnmatch_lines("llmmock: 0 interactions, 1 cassette and 1 large body dropped")
    assert not blob.exists()


def test_prune_knows_nothing_before_a_whole_run(project):
    result = prune(project)
    assert result.ret == 2
    result.stderr.fnmatch_lines("llmmock: Nobody knows yet what is used: *Run the whole suite once*")


def test_a_test_that_failed_keeps_its_cassette(left_over):
    left_over.makepyfile(test_app="def test_it(llm_mock, ask): assert ask('one') == 'nonsense'")
    run(left_over)
    prune(left_over).stdout.fnmatch_lines("llmmock: 0 interactions, 0 cassettes dropped")


OLD = "def test_gone(llm_mock, ask): ask('old')"


def test_prune_leaves_what_was_used_since(orphan):
    run(orphan)
    orphan.makepyfile(test_old=OLD)
    run(orphan, "test_old.py").assert_outcomes(passed=1)
    prune(orphan).stdout.fnmatch_lines("llmmock: 0 interactions, 0 cassettes dropped")
    assert len(names(orphan)) == 2


def test_prune_leaves_what_a_test_file_has_that_came_since(orphan):
    run(orphan)
    path = Path(orphan.path, "test_old.py")
    path.write_text(OLD)
    later = path.stat().st_mtime + 10
    os.utime(path, (later, later))
    prune(orphan).stdout.fnmatch_lines("*test_gone.yaml: left as it is, for test_old.py has changed since*")
    assert len(names(orphan)) == 2


def test_prune_of_a_place_that_is_not_there_is_told(orphan):
    run(orphan)
    result = prune(orphan, "missing.yaml")
    assert result.ret == 1
    result.stderr.fnmatch_lines("llmmock: There is no cassette and no folder at missing.yaml.")


def test_check_tells_what_no_test_used_as_long_as_that_is_true(orphan):
    asking(orphan, "one", "two")
    run(orphan, "--llm-record").assert_outcomes(passed=1)
    asking(orphan, "two")
    run(orphan)
    result = orphan.run(sys.executable, "-m", "pytest_llmmock", "check")
    assert result.ret == 1
    result.stdout.fnmatch_lines(
        [
            "cassettes/test_app/test_it.yaml, interaction 1: no test used it in the last run of all tests. *prune*",
            "cassettes/test_old/test_gone.yaml: no test used it in the last run of all tests. *prune*",
        ]
    )
    prune(orphan)
    assert orphan.run(sys.executable, "-m", "pytest_llmmock", "check").ret == 0
