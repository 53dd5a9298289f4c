"""A test that runs again, as pytest-rerunfailures does it, and one with subtests."""

from __future__ import annotations

import pytest

TWICE = """
    from _pytest.runner import runtestprotocol

    def pytest_runtest_protocol(item, nextitem):
        for _ in range(2):
            item._initrequest()
            for report in runtestprotocol(item, nextitem=nextitem, log=False):
                item.ihook.pytest_runtest_logreport(report=report)
        return True
"""


def run(project, *arguments):
    return project.runpytest_inprocess("-p", "no:cacheprovider", *arguments)


@pytest.fixture
def failing_first(project):
    project.makepyfile(
        twice=TWICE,
        test_app="""
        tries = []

        def test_it(llm_mock, ask):
            tries.append(1)
            assert ask("hello") and ask("hello")
            assert len(llm_mock.requests) == 2
            assert len(tries) == 2
        """,
    )
    project.syspathinsert()
    return project


@pytest.mark.parametrize("mode", ["once", "new_episodes", "all"])
def test_what_a_failed_try_recorded_is_aside_and_only_the_last_try_is_counted(failing_first, standin, mode):
    result = run(failing_first, "-p", "twice", f"--llm-record={mode}")
    result.stdout.fnmatch_lines("llmmock: 0 replayed, 2 recorded, 0 unmatched")
    folder = failing_first.path / "cassettes"
    (aside,) = (folder / ".llmmock/failed/test_app").glob("test_it.yaml.*.yaml")
    for path in (folder / "test_app/test_it.yaml", aside):
        assert path.read_text().count("\n- request:") == 2


def test_a_rerun_replays_from_the_start(failing_first, standin):
    run(failing_first, "-p", "twice", "--llm-record")
    result = run(failing_first, "-p", "twice")
    result.stdout.fnmatch_lines("llmmock: 2 replayed, 0 recorded, 0 unmatched · *")
    assert len(standin.requests) == 4


@pytest.mark.skipif(pytest.version_tuple < (9,), reason="pytest 9 has subtests of its own")
def test_a_failed_subtest_keeps_what_its_test_recorded_aside(project, standin):
    project.makepyfile(
        test_app="""
        def test_it(llm_mock, ask, subtests):
            with subtests.test():
                assert ask("hello") == ""
        """
    )
    result = run(project, "--llm-record")
    result.stdout.fnmatch_lines("llmmock: 0 replayed, 1 recorded, 0 unmatched · recordings of 1 test kept aside*")
    assert not (project.path / "cassettes/test_app").exists()
