from __future__ import annotations

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


# --- llmmock prune --------------------------------------------------------------------------------------


def prune(project, *arguments):
    return project.run("python", "-m", "pytest_llmmock", "prune", *arguments)


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
            "cassettes/test_old/test_gone.yaml: dropped, no test uses it",
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
