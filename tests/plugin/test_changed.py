from __future__ import annotations

from pathlib import Path

import pytest

from pytest_llmmock.cassettes.library import open_cassette


def run(project, *arguments):
    return project.runpytest_inprocess("-p", "no:cacheprovider", *arguments)


def answers(project, name="test_app/test_it"):
    interactions = open_cassette(Path(project.path, f"cassettes/{name}.yaml")).interactions
    return [each.reply.json()["choices"][0]["message"]["content"] for each in interactions]


def asking(project, *words):
    project.makepyfile(test_app=f"def test_it(llm_mock, ask): [ask(each) for each in {words!r}]")


def test_only_what_changed_is_asked_and_the_old_is_dropped(project, standin):
    asking(project, "one", "two", "three")
    run(project, "--llm-record").assert_outcomes(passed=1)
    asking(project, "one", "two!", "three")
    run(project, "--llm-record=changed").assert_outcomes(passed=1)
    assert answers(project) == ["one #1", "two! #4", "three #3"]  # in the order of asking
    run(project).assert_outcomes(passed=1)


def test_what_is_no_longer_asked_is_dropped_though_nothing_is_new(project, standin):
    asking(project, "one", "two")
    run(project, "--llm-record").assert_outcomes(passed=1)
    asking(project, "two")
    run(project, "--llm-record=changed").assert_outcomes(passed=1)
    assert answers(project) == ["two #2"]
    assert len(standin.requests) == 2


def test_new_requests_stand_where_they_are_asked(project, standin):
    asking(project, "a", "b")
    run(project, "--llm-record").assert_outcomes(passed=1)
    asking(project, "first", "a", "between", "b", "last")
    run(project, "--llm-record=changed").assert_outcomes(passed=1)
    assert answers(project) == ["first #3", "a #1", "between #4", "b #2", "last #5"]


def test_nothing_is_dropped_by_a_test_that_fails(project, standin):
    asking(project, "one", "two")
    run(project, "--llm-record").assert_outcomes(passed=1)
    before = Path(project.path, "cassettes/test_app/test_it.yaml").read_bytes()
    project.makepyfile(test_app="def test_it(llm_mock, ask): assert ask('three') == 'nonsense'")
    run(project, "--llm-record=changed").assert_outcomes(failed=1)
    assert Path(project.path, "cassettes/test_app/test_it.yaml").read_bytes() == before
    (aside,) = Path(project.path, "cassettes/.llmmock/failed/test_app").glob("*.yaml")
    assert "three #3" in aside.read_text()


def test_nothing_is_written_when_all_is_as_it_was(project, standin):
    asking(project, "one")
    run(project, "--llm-record").assert_outcomes(passed=1)
    path = Path(project.path, "cassettes/test_app/test_it.yaml")
    before = path.stat()
    run(project, "--llm-record=changed").assert_outcomes(passed=1)
    assert (path.stat().st_ino, path.stat().st_mtime_ns) == (before.st_ino, before.st_mtime_ns)


def test_a_cassette_of_which_nothing_is_left_is_taken_away(project, standin):
    asking(project, "one")
    run(project, "--llm-record").assert_outcomes(passed=1)
    asking(project)
    run(project, "--llm-record=changed").assert_outcomes(passed=1)
    assert not Path(project.path, "cassettes/test_app/test_it.yaml").exists()


SHARED = """
import pytest

@pytest.mark.llm_cassette("shared")
@pytest.mark.parametrize("words", {words})
def test_it(ask, words):
    assert ask(words) != {wrong!r}
"""


def shared(project, *words, wrong="nothing"):
    project.makepyfile(test_app=SHARED.format(words=list(words), wrong=wrong))


@pytest.mark.parametrize("workers", [(), ("-n", "2")])
def test_of_a_cassette_that_tests_share_is_dropped_what_none_of_them_played(project, standin, workers):
    shared(project, "a", "b", "c")
    run(project, "--llm-record").assert_outcomes(passed=3)
    shared(project, "a", "b!")
    result = run(project, "--llm-record=changed", *workers)
    result.assert_outcomes(passed=2)
    assert sorted(answers(project, "shared")) == ["a #1", "b! #4"]
    result.stdout.fnmatch_lines("llmmock: *2 unused interactions dropped*")
    run(project).assert_outcomes(passed=2)


def test_of_a_cassette_that_tests_share_nothing_is_dropped_when_some_of_them_did_not_run(project, standin):
    shared(project, "a", "b")
    run(project, "--llm-record").assert_outcomes(passed=2)
    run(project, "--llm-record=changed", "-k", "test_it and b").assert_outcomes(passed=1, deselected=1)
    run(project, "--llm-record=changed", "test_app.py::test_it[a]").assert_outcomes(passed=1)
    assert answers(project, "shared") == ["a #1", "b #2"]


def test_of_a_cassette_that_tests_share_nothing_is_dropped_when_one_of_them_failed(project, standin):
    shared(project, "a", "b", "c")
    run(project, "--llm-record").assert_outcomes(passed=3)
    shared(project, "a", "b", wrong="b #2")
    run(project, "--llm-record=changed").assert_outcomes(passed=1, failed=1)
    assert answers(project, "shared") == ["a #1", "b #2", "c #3"]


BY_NAME = """
import pytest

@pytest.mark.llm_cassette("test_app/test_it")
def test_other(ask): ask("other")
"""


@pytest.mark.parametrize("arguments", [[], ["test_app.py"]], ids=["all tests", "one file"])
def test_a_cassette_of_one_test_that_another_has_by_name_is_shared(project, standin, arguments):
    asking(project, "one", "gone")
    project.makepyfile(test_other=BY_NAME)
    project.runpytest_inprocess("--llm-record").assert_outcomes(passed=2)
    assert answers(project) == ["one #1", "gone #2", "other #3"]
    asking(project, "one")
    project.runpytest_inprocess("--llm-record=changed", *arguments)
    assert answers(project) == (["one #1", "gone #2", "other #3"] if arguments else ["one #1", "other #3"])
    assert project.runpytest_inprocess("--llm-unplayed=fail").ret == (1 if arguments else 0)
