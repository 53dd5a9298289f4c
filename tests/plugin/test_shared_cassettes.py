from __future__ import annotations

from pathlib import Path

import pytest

from pytest_llmmock.cassettes.library import open_cassette

TESTS = """
import pytest

@pytest.mark.llm_cassette("shared")
class TestShared:
    def test_a(self, llm_mock, ask): ask("same"), ask("a")
    def test_b(self, llm_mock, ask): ask("same"), ask("b")
    def test_c(self, llm_mock, ask): ask("c")
"""


def run(project, *arguments):
    return project.runpytest_inprocess("-p", "no:cacheprovider", *arguments)


def asked(project):
    """What was recorded, in the order of the file."""
    cassette = open_cassette(Path(project.path, "cassettes/shared.yaml"))
    return [each.request.json()["messages"][0]["content"] for each in cassette.interactions]


@pytest.mark.parametrize("mode", ["once", "new_episodes", "all"])
def test_what_one_test_recorded_the_next_one_does_not_replace(project, standin, mode):
    project.makepyfile(test_app=TESTS)
    run(project, f"--llm-record={mode}").assert_outcomes(passed=3)
    assert sorted(set(asked(project))) == ["a", "b", "c", "same"]
    run(project).assert_outcomes(passed=3)


def test_all_replaces_what_an_earlier_run_recorded(project, standin):
    project.makepyfile(test_app=TESTS)
    run(project, "--llm-record=all").assert_outcomes(passed=3)
    assert asked(project) == ["same", "a", "same", "b", "c"]
    run(project, "--llm-record=all").assert_outcomes(passed=3)
    assert asked(project) == ["same", "a", "same", "b", "c"]
    assert len(standin.requests) == 10


def test_processes_that_record_to_one_cassette_lose_nothing(project, standin):
    project.makepyfile(
        test_app="""
        import pytest

        @pytest.mark.llm_cassette("shared")
        @pytest.mark.parametrize("number", range(12))
        def test_it(llm_mock, ask, number): ask(f"number {number}")
        """
    )
    result = project.runpytest_subprocess("-p", "no:cacheprovider", "-n3", "--llm-record=all")
    result.assert_outcomes(passed=12)
    assert sorted(asked(project)) == sorted(f"number {number}" for number in range(12))


def test_the_marker_alone_covers_what_other_fixtures_ask(project, standin):
    project.makepyfile(
        test_app="""
        import pytest

        @pytest.fixture(autouse=True)
        def before(ask): ask("before")

        @pytest.fixture
        def answer(ask): return ask("in a fixture")

        @pytest.mark.llm_cassette
        def test_it(answer): assert answer == "in a fixture #2"
        """
    )
    run(project, "--llm-record").assert_outcomes(passed=1)
    assert len(standin.requests) == 2
    run(project).assert_outcomes(passed=1)
    assert len(standin.requests) == 2


def test_a_cassette_of_vcrpy_is_cleaned_when_it_is_recorded_to(project, standin):
    path = Path(project.path, "cassettes/shared.yaml")
    path.parent.mkdir()
    path.write_text(
        "version: 1\n"
        "interactions:\n"
        "- request: {method: GET, uri: 'https://api.openai.com/v1/models?api_key=sk-old', body: null,\n"
        "    headers: {Authorization: [Bearer sk-old]}}\n"
        "  response: {status: {code: 200, message: OK}, headers: {Set-Cookie: [sk-old]}, body: {string: '{}'}}\n"
    )
    project.makepyfile(test_app="import pytest\n@pytest.mark.llm_cassette('shared')\ndef test_it(ask): ask('a')")
    run(project, "--llm-record").assert_outcomes(passed=1)
    assert len(open_cassette(path)) == 2
    assert "sk-old" not in path.read_text()


@pytest.mark.parametrize("how", ["pytest.xfail('later')", "pytest.skip('not now')", "assert False"])
def test_what_a_test_that_did_not_pass_recorded_is_kept_aside(project, standin, how):
    project.makepyfile(
        test_app=f"""
        import pytest

        @pytest.mark.llm_cassette("shared")
        def test_it(ask):
            ask("a")
            {how}
        """
    )
    run(project, "--llm-record")
    assert not Path(project.path, "cassettes/shared.yaml").exists()
    assert len(list(Path(project.path, "cassettes/.llmmock/failed").glob("shared.*.yaml"))) == 1
    assert Path(project.path, "cassettes/.llmmock/.gitignore").read_text() == "*\n"


def test_a_file_that_is_no_cassette_is_not_replaced_in_any_mode(project, standin):
    path = Path(project.path, "cassettes/shared.yaml")
    path.parent.mkdir()
    path.write_text("services:\n  web: {image: nginx}\n")
    project.makepyfile(test_app="import pytest\n@pytest.mark.llm_cassette('shared')\ndef test_it(ask): ask('a')")
    run(project, "--llm-record=all").assert_outcomes(errors=1)
    assert "nginx" in path.read_text()


def test_an_error_of_the_upstream_is_told_where_the_test_fails(project, standin):
    project.makepyfile(test_app="def test_it(llm_mock, ask): ask('refuse')")
    result = run(project, "--llm-record")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        [
            "*- llmmock -*",
            "The upstream answered POST /v1/chat/completions with status 429 (application/json); "
            "it was passed on and not recorded.",
            "llmmock: *1 error of the upstream not recorded (record_errors is off)",
        ]
    )


@pytest.mark.parametrize(("mode", "kept"), [("all", [0, 1, 2, 4, 5]), ("once", [0, 1, 2, 3, 4, 5])])
def test_a_worker_that_crashes_is_replaced_within_the_same_run(project, standin, mode, kept):
    """What the crashed test had recorded is found by the next one, where that does not ask for all anew."""
    project.makepyfile(
        test_app="""
        import os
        import pytest

        @pytest.mark.llm_cassette("shared")
        @pytest.mark.parametrize("number", range(6))
        def test_it(ask, number):
            ask(f"number {number}")
            if number == 3 and "CRASH" in os.environ:
                os._exit(3)
        """
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CRASH", "1")
        project.runpytest_subprocess("-n", "1", "-p", "no:cacheprovider", f"--llm-record={mode}")
    text = Path(project.path, "cassettes/shared.yaml").read_text()
    assert [number for number in range(6) if f"number {number} #" in text] == kept
