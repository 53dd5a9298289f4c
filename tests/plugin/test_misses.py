from __future__ import annotations

import pytest


def run(project, *arguments):
    return project.runpytest_inprocess("-p", "no:cacheprovider", *arguments)


MISS = "No recording matches this request, and record mode 'none' does not record new ones."


def record(project):
    project.makepyfile(test_app="def test_it(llm_mock, ask): ask('hello')")
    run(project, "--llm-record").assert_outcomes(passed=1)


def test_a_miss_tells_what_was_asked_and_what_the_cassette_holds(project, standin):
    record(project)
    project.makepyfile(test_app="def test_it(llm_mock, ask): ask('goodbye')")
    result = run(project)
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        [
            "*- llmmock -*",
            MISS,
            "  POST /v1/chat/completions   m, 1 message",
            '  chat m  "goodbye"',
            "Cassette: *test_it.yaml",
            "  1 interaction, 0 played*",
            '  #1  chat m  "hello"',
            "To fix it:",
            '  * If the request is new or changed on purpose, record it:  pytest --llm-record "test_app.py::test_it"',
        ]
    )


def test_a_miss_that_the_code_swallowed_fails_the_test_at_teardown(project, standin):
    record(project)
    project.makepyfile(
        test_app="""
        def test_it(llm_mock, ask):
            try:
                ask('goodbye')
            except Exception:
                pass
        """
    )
    result = run(project)
    result.assert_outcomes(passed=1, errors=1)
    result.stdout.fnmatch_lines(["*ERROR at teardown of test_it*", f"*{MISS}"])


def test_a_miss_in_a_thread_fails_the_test(project, standin):
    project.makepyfile(
        test_app="""
        import threading

        def test_it(llm_mock, ask):
            def work():
                try:
                    ask('goodbye')
                except Exception:
                    pass
            thread = threading.Thread(target=work)
            thread.start()
            thread.join()
        """
    )
    run(project).assert_outcomes(passed=1, errors=1)


def test_a_miss_in_a_child_process_fails_the_test(project, standin):
    project.makepyfile(
        test_app="""
        import subprocess, sys

        CODE = "from openai import OpenAI; OpenAI().models.list()"

        def test_it(llm_server):
            child = subprocess.run([sys.executable, "-c", CODE], capture_output=True, text=True)
            assert child.returncode == 1
            assert "There are no recordings to answer this request from" in child.stderr
        """
    )
    result = run(project)
    result.assert_outcomes(passed=1, errors=1)
    result.stdout.fnmatch_lines(["*GET /v1/models*"])


def test_a_miss_is_an_answer_in_the_protocols_own_shape_that_no_client_retries(project, standin):
    project.makepyfile(
        test_app="""
        import openai, pytest

        def test_it(llm_mock):
            client = openai.OpenAI(api_key="k", max_retries=5)
            with pytest.raises(openai.NotFoundError) as caught:
                client.chat.completions.create(model="m", messages=[])
            assert caught.value.code == "no_recording"
            assert caught.value.response.headers["x-should-retry"] == "false"
            assert len(llm_mock.requests) == 1
            assert llm_mock.requests.last.source == "unmatched"
        """
    )
    run(project).assert_outcomes(passed=1, errors=1)


def test_a_request_that_was_played_already_is_told_so(project, standin):
    record(project)
    project.makepyfile(test_app="def test_it(llm_mock, ask): ask('hello'), ask('hello')")
    result = run(project)
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines("This request was recorded once and has been played once: no recording of it is left.")


def test_repeat_plays_the_last_one_again(project, standin):
    record(project)
    project.makepyfile(
        test_app="""
        import pytest

        @pytest.mark.llm_cassette(repeat=True)
        def test_it(llm_mock, ask):
            assert {ask('hello') for _ in range(3)} == {'hello #1'}
        """
    )
    run(project).assert_outcomes(passed=1)


@pytest.mark.parametrize("text", ["", "nonsense", "- 1\n- 2\n", "version: 1\ninteractions:\n- request: [", "\x00\x01"])
def test_a_file_that_is_no_cassette_is_one_readable_error(project, standin, text):
    path = project.path / "cassettes/test_app/test_it.yaml"
    path.parent.mkdir(parents=True)
    path.write_text(text)
    project.makepyfile(test_app="def test_it(llm_mock, ask): ask('hello')")
    result = run(project, "--llm-record")
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines("*test_it.yaml is not a cassette that can be read.*")
    assert "Traceback" not in result.stdout.str()
    assert path.read_text() == text
    assert standin.requests == []


def test_a_body_that_is_not_json_is_answered_as_a_provider_would(project):
    project.makepyfile(
        test_app="""
        import httpx2

        def test_it(llm_server):
            headers = {"content-type": "application/json"}
            answer = httpx2.post(llm_server.base_url + "/chat/completions", content=b"{broken", headers=headers)
            assert answer.status_code == 400
            assert "is not JSON" in answer.json()["error"]["message"]
        """
    )
    result = run(project)
    result.assert_outcomes(passed=1, errors=1)
    result.stdout.fnmatch_lines("*The body of POST /v1/chat/completions is not JSON*")


def test_a_body_that_is_not_what_its_header_says_is_told_so(project):
    project.makepyfile(
        test_app="""
        import httpx2

        def test_it(llm_server):
            headers = {"content-type": "application/json", "content-encoding": "exi"}
            httpx2.post(llm_server.base_url + "/chat/completions", content=b"\\x80packed", headers=headers)
        """
    )
    result = run(project)
    result.assert_outcomes(passed=1, errors=1)
    result.stdout.fnmatch_lines("*The body of * is not JSON: * Its header says content-encoding: exi. * It begins: *")
