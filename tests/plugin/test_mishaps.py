"""Disks that are full, folders that may not be written, runs that are interrupted: told, and nothing is lost."""

from __future__ import annotations

from pathlib import Path

import pytest
from marks import not_as_root

from pytest_llmmock.cassettes.library import open_cassette


def run(project, *arguments):
    return project.runpytest_inprocess("-p", "no:cacheprovider", *arguments)


def waiting(project):
    return [
        each.reply.json()["choices"][0]["message"]["content"]
        for path in Path(project.path, "cassettes/.llmmock/failed").rglob("*.yaml")
        for each in open_cassette(path).interactions
    ]


def test_a_disk_that_is_full_while_recording_is_told_and_the_client_has_its_answer(project, standin):
    pytest.importorskip("resource")
    project.makepyfile(
        test_app="""
        import resource

        def test_it(llm_mock, ask):
            _, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
            resource.setrlimit(resource.RLIMIT_FSIZE, (100, hard))
            try:
                assert ask("one") == "one #1"
            finally:
                resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
        """
    )
    result = run(project, "--llm-record")
    result.assert_outcomes(passed=1, errors=1)
    result.stdout.fnmatch_lines("*cannot be written: File too large. What was there before is unchanged.")
    assert not Path(project.path, "cassettes/test_app").exists()
    assert waiting(project) == ["one #1"]  # there is room again


@not_as_root
def test_a_folder_that_may_not_be_written_is_told_before_anything_is_asked(project, standin):
    folder = Path(project.path, "cassettes")
    folder.mkdir(mode=0o500)
    project.makepyfile(test_app="def test_it(llm_mock, ask): ask('one')")
    result = run(project, "--llm-record")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines("*cannot be recorded to, and nothing was asked of the upstream: *Permission denied*")
    assert standin.requests == []


def test_a_place_that_cannot_be_written_is_told_before_anything_is_asked(project, standin):
    Path(project.path, "cassettes").write_text("a file where a folder is needed")
    project.makepyfile(test_app="def test_it(llm_mock, ask): ask('one')")
    result = run(project, "--llm-record")
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    assert "Traceback" not in result.stdout.str()
    result.stdout.fnmatch_lines("*cassettes*Not a directory*")
    assert standin.requests == []


def test_what_an_interrupted_test_recorded_waits_to_be_accepted(project, standin):
    project.makepyfile(
        test_app="""
        def test_it(llm_mock, ask):
            ask("one")
            raise KeyboardInterrupt
        """
    )
    result = project.runpytest_subprocess("-p", "no:cacheprovider", "--llm-record")
    assert result.ret == pytest.ExitCode.INTERRUPTED
    assert waiting(project) == ["one #1"]
    assert not Path(project.path, "cassettes/test_app").exists()


@pytest.mark.parametrize("mode", ["new_episodes", "changed", "all"])
def test_a_cassette_that_is_a_link_is_written_through(project, standin, mode):
    real = Path(project.path, "elsewhere/plan.yaml")
    link = Path(project.path, "cassettes/test_app/test_it.yaml")
    for path in (real, link):
        path.parent.mkdir(parents=True)
    link.symlink_to(real)
    project.makepyfile(test_app="def test_it(llm_mock, ask): ask('one')")
    run(project, f"--llm-record={mode}").assert_outcomes(passed=1)
    assert link.is_symlink()
    assert len(open_cassette(real)) == 1
    run(project).assert_outcomes(passed=1)


def test_a_link_that_leads_in_a_circle_is_told(project, standin):
    link = Path(project.path, "cassettes/test_app/test_it.yaml")
    link.parent.mkdir(parents=True)
    link.symlink_to(link)
    project.makepyfile(test_app="def test_it(llm_mock, ask): ask('one')")
    result = run(project, "--llm-record")
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines("*test_it.yaml cannot be read: Too many levels of symbolic links.*")
