"""Recording again, where not everything works."""

from __future__ import annotations

from pathlib import Path


def pytest_in(project, *arguments):
    return project.runpytest_inprocess("-p", "no:cacheprovider", *arguments)


def cassette(project, test: str) -> str:
    return Path(project.path, f"cassettes/test_app/{test}.yaml").read_text()


def test_an_endpoint_that_fails_does_not_keep_the_others_from_being_recorded(project, standin, monkeypatch):
    """One endpoint that refuses makes the recording of the whole suite stop, or leaves its error in the file."""
    project.makepyfile(
        test_app="""
        import os, pytest

        @pytest.mark.parametrize("words", ["one", "two", "three"])
        def test_it(llm_mock, ask, words):
            ask("refuse" if words == "two" and os.environ.get("DOWN") else words)
        """
    )
    pytest_in(project, "--llm-record").assert_outcomes(passed=3)
    before = cassette(project, "test_it[two]")
    monkeypatch.setenv("DOWN", "yes")
    pytest_in(project, "--llm-record=all").assert_outcomes(passed=2, failed=1)
    assert "one #4" in cassette(project, "test_it[one]")
    assert "three #6" in cassette(project, "test_it[three]")
    assert cassette(project, "test_it[two]") == before
    monkeypatch.delenv("DOWN")
    pytest_in(project).assert_outcomes(passed=3)


def test_both_runs_of_a_test_are_told_apart_by_what_was_recorded(project, standin):
    """A mock that the client has slipped out of is green twice, asks the provider twice, and has written no file."""
    project.makepyfile(test_app="def test_it(llm_mock, ask): assert ask('hello') == 'hello #1'")
    told = [pytest_in(project, *mode).stdout for mode in (["--llm-record"], [])]
    told[0].fnmatch_lines("llmmock: 0 replayed, 1 recorded, 0 unmatched")
    told[1].fnmatch_lines("llmmock: 1 replayed, 0 recorded, 0 unmatched*")
    assert "hello #1" in cassette(project, "test_it")
    assert len(standin.requests) == 1
