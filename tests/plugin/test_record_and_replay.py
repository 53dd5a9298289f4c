from __future__ import annotations

from pathlib import Path

import pytest
from standin import SECRET

from pytest_llmmock.cassettes.library import open_cassette


def run(project, *arguments):
    return project.runpytest_inprocess("-p", "no:cacheprovider", *arguments)


def cassette(project, name="test_app/test_it"):
    return Path(project.path, "cassettes", name + ".yaml")


def test_a_test_is_recorded_once_and_replayed_without_its_upstream(project, standin):
    project.makepyfile(test_app="def test_it(llm_mock, ask): assert ask('hello') == 'hello #1'")
    recording = run(project, "--llm-record")
    recording.assert_outcomes(passed=1)
    recording.stdout.fnmatch_lines("llmmock: 0 replayed, 1 recorded, 0 unmatched")
    assert len(standin.requests) == 1

    replaying = run(project)
    replaying.assert_outcomes(passed=1)
    replaying.stdout.fnmatch_lines("llmmock: 1 replayed, 0 recorded, 0 unmatched · * tokens replayed")
    assert len(standin.requests) == 1


def test_a_stream_is_recorded_and_replayed_event_by_event(project, standin):
    project.makepyfile(
        test_app="""
        import json, os
        import httpx2

        def test_it(llm_mock):
            url = os.environ["STANDIN_URL"] + "/chat/completions"
            body = {"model": "m", "stream": True, "messages": [{"role": "user", "content": "hello"}]}
            with httpx2.Client() as client, client.stream("POST", url, json=body) as r:
                chunks = list(r.iter_raw())
            assert len(chunks) == 4
            assert chunks[-1] == b"data: [DONE]\\n\\n"
            assert json.loads(chunks[0].removeprefix(b"data: "))["choices"][0]["delta"]["content"] == "hello"
        """
    )
    run(project, "--llm-record").assert_outcomes(passed=1)
    run(project).assert_outcomes(passed=1)
    assert "timing:" in cassette(project).read_text()
    assert len(standin.requests) == 1


class Release:
    """A plugin for the run inside: its tests say when the upstream may go on."""

    def __init__(self, standin):
        self._standin = standin

    @pytest.fixture
    def release(self):
        return self._standin.release


def test_the_client_sees_a_stream_while_it_is_recorded(project, standin):
    """The upstream sends its second event only after the client has had the first."""
    standin.release.clear()
    project.makepyfile(
        test_app="""
        import httpx2, os, threading

        def test_it(llm_mock, release):
            url = os.environ["STANDIN_URL"] + "/chat/completions"
            body = {"model": "m", "stream": True, "messages": [{"role": "user", "content": "hello"}]}
            with httpx2.Client() as client, client.stream("POST", url, json=body) as r:
                chunks = r.iter_raw()
                assert b"hello" in next(chunks)
                release.set()
                assert b"[DONE]" in list(chunks)[-1]
        """
    )

    project.runpytest_inprocess("-p", "no:cacheprovider", "--llm-record", plugins=[Release(standin)]).assert_outcomes(
        passed=1
    )


def test_the_client_of_the_server_sees_a_stream_while_it_is_recorded(project, standin):
    standin.release.clear()
    project.makepyfile(
        test_app="""
        import httpx2

        def test_it(llm_server, release):
            url = llm_server.base_url + "/chat/completions"
            body = {"model": "m", "stream": True, "messages": [{"role": "user", "content": "hello"}]}
            with httpx2.Client() as client, client.stream("POST", url, json=body) as r:
                chunks = r.iter_raw()
                assert b"hello" in next(chunks)
                release.set()
                assert b"[DONE]" in list(chunks)[-1]
        """
    )

    result = project.runpytest_inprocess(
        "-p", "no:cacheprovider", "--llm-record", f"--llm-upstream={standin.base_url}", plugins=[Release(standin)]
    )
    result.assert_outcomes(passed=1)


def test_recorded_through_the_server_and_replayed_in_process_and_the_other_way_round(project, standin):
    project.makepyfile(
        test_app="""
        import pytest
        from openai import OpenAI

        def words(client):
            answer = client.chat.completions.create(model="m", messages=[{"role": "user", "content": "hello"}])
            return answer.choices[0].message.content

        @pytest.mark.llm_cassette("shared")
        def test_server(llm_server):
            with OpenAI() as client:
                assert words(client).startswith("hello #")

        @pytest.mark.llm_cassette("shared")
        def test_mock(llm_mock):
            assert words(OpenAI(api_key="k", base_url="http://gateway.example/openai/v1")).startswith("hello #")
        """
    )
    run(project, "--llm-record", f"--llm-upstream={standin.base_url}", "-k", "test_server").assert_outcomes(passed=1)
    run(project).assert_outcomes(passed=2)
    cassette(project, "shared").unlink()
    run(project, "--llm-record", f"--llm-upstream={standin.base_url}", "-k", "test_mock").assert_outcomes(passed=1)
    run(project).assert_outcomes(passed=2)
    assert len(standin.requests) == 2


def test_nothing_private_is_written(project, standin):
    project.makepyfile(test_app="def test_it(llm_mock, ask): ask('hello'), ask('hello', stream=True)")
    run(project, "--llm-record").assert_outcomes(passed=1)
    assert standin.requests[0].header("authorization") == f"Bearer {SECRET}"
    text = cassette(project).read_text()
    for private in (SECRET, "authorization", "cookie", "org-standin", "standin-strange", "user-agent", "x-stainless"):
        assert private not in text.lower()


def test_new_episodes_appends_what_is_missing(project, standin):
    project.makepyfile(test_app="def test_it(llm_mock, ask): ask('one')")
    run(project, "--llm-record").assert_outcomes(passed=1)
    before = cassette(project).read_text()
    project.makepyfile(test_app="def test_it(llm_mock, ask): assert (ask('one'), ask('two')) == ('one #1', 'two #2')")
    run(project, "--llm-record=new_episodes").assert_outcomes(passed=1)
    assert cassette(project).read_text().startswith(before)
    assert [body["messages"][0]["content"] for body in standin.bodies] == ["one", "two"]


def test_once_records_only_where_there_is_no_cassette(project, standin):
    project.makepyfile(test_app="def test_it(llm_mock, ask): ask('one')")
    run(project, "--llm-record=once").assert_outcomes(passed=1)
    project.makepyfile(test_app="def test_it(llm_mock, ask): ask('two')")
    run(project, "--llm-record=once").assert_outcomes(failed=1)
    assert len(standin.requests) == 1


def test_all_asks_again_and_replaces(project, standin):
    project.makepyfile(test_app="def test_it(llm_mock, ask): ask('one')")
    run(project, "--llm-record").assert_outcomes(passed=1)
    run(project, "--llm-record=all").assert_outcomes(passed=1)
    assert len(standin.requests) == 2
    text = cassette(project).read_text()
    assert "one #2" in text
    assert "one #1" not in text


def test_replay_never_asks_the_upstream(project, standin):
    project.makepyfile(test_app="def test_it(llm_mock, ask): ask('one')")
    run(project, f"--llm-upstream={standin.base_url}").assert_outcomes(failed=1)
    assert standin.requests == []
    assert not Path(project.path, "cassettes").exists()


def test_repeats_are_answered_in_recorded_order(project, standin):
    project.makepyfile(test_app="def test_it(llm_mock, ask): assert [ask('a'), ask('a')] == ['a #1', 'a #2']")
    run(project, "--llm-record").assert_outcomes(passed=1)
    run(project).assert_outcomes(passed=1)


def test_a_failed_test_leaves_the_cassette_and_keeps_what_it_recorded_aside(project, standin):
    project.makepyfile(test_app="def test_it(llm_mock, ask): ask('one')")
    run(project, "--llm-record").assert_outcomes(passed=1)
    before = cassette(project).read_text()
    project.makepyfile(test_app="def test_it(llm_mock, ask): assert ask('two') == 'nonsense'")
    result = run(project, "--llm-record")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines("llmmock: *kept aside*.llmmock*failed*")
    assert cassette(project).read_text() == before
    (aside,) = Path(project.path, "cassettes/.llmmock/failed/test_app").glob("test_it.*.yaml")
    assert "two #2" in aside.read_text()
    assert "one #1" not in aside.read_text()


def test_an_upstream_error_is_passed_on_and_not_recorded(project, standin):
    project.makepyfile(
        test_app="""
        import openai, pytest

        def test_it(llm_mock, ask):
            with pytest.raises(openai.RateLimitError, match="slow down"):
                ask("refuse")
        """
    )
    run(project, "--llm-record").assert_outcomes(passed=1)
    assert not cassette(project).exists()


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ("html", "answered POST /v1/chat/completions with a web page"),
        ("break off", "The answer of http://127.0.0.1:* broke off"),
        ("not json", "answered POST /v1/chat/completions with application/json that is not JSON"),
    ],
)
def test_an_answer_that_is_none_is_told_and_leaves_the_cassette(project, standin, words, told):
    project.makepyfile(test_app="def test_it(llm_mock, ask): ask('one')")
    run(project, "--llm-record").assert_outcomes(passed=1)
    before = cassette(project).read_text()
    project.makepyfile(test_app=f"def test_it(llm_mock, ask): ask({words!r}, stream={words != 'not json'})")
    result = run(project, "--llm-record")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(f"*{told}*")
    assert cassette(project).read_text() == before


def test_an_upstream_that_is_not_there_is_named(project, standin):
    project.makepyfile(test_app="def test_it(llm_mock, ask): ask('one')")
    result = run(project, "--llm-record", "--llm-upstream=http://127.0.0.1:1/v1")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines("*The upstream http://127.0.0.1:1 did not answer POST /v1/chat/completions*")
    assert not cassette(project).exists()


def test_an_async_client_is_served_in_replay_and_in_record_mode(project, standin):
    project.makepyfile(
        test_app="""
        import anyio, os, pytest
        from openai import AsyncOpenAI

        async def ask(words):
            async with AsyncOpenAI(api_key="k", base_url=os.environ["STANDIN_URL"]) as client:
                messages = [{"role": "user", "content": words}]
                plain = await client.chat.completions.create(model="m", messages=messages)
                stream = await client.chat.completions.create(model="m", messages=messages, stream=True)
                pieces = [chunk.choices[0].delta.content or "" async for chunk in stream]
                return plain.choices[0].message.content, "".join(pieces)

        @pytest.mark.parametrize("backend", ["asyncio"])
        def test_it(llm_mock, backend):
            assert anyio.run(ask, "hello", backend=backend) == ("hello #1", "hello #2")
        """
    )
    run(project, "--llm-record").assert_outcomes(passed=1)
    run(project).assert_outcomes(passed=1)
    assert len(standin.requests) == 2


def test_other_hosts_are_left_alone(project, standin):
    project.makepyfile(
        test_app="""
        import os, httpx2

        def test_it(llm_mock):
            answer = httpx2.get(os.environ["STANDIN_URL"].removesuffix("/v1") + "/weather")
            assert answer.status_code == 400
            assert len(llm_mock.requests) == 0
        """
    )
    run(project).assert_outcomes(passed=1)
    assert [request.path for request in standin.requests] == ["/weather"]


def test_a_stream_that_the_client_left_early_is_not_recorded_and_that_is_told(project, standin):
    project.makepyfile(
        test_app="""
        def test_it(llm_mock, ask):
            import os
            from openai import OpenAI
            client = OpenAI(api_key="k", base_url=os.environ["STANDIN_URL"])
            messages = [{"role": "user", "content": "hello"}]
            with client.chat.completions.create(model="m", messages=messages, stream=True) as stream:
                next(stream)
        """
    )
    result = run(project, "--llm-record")
    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines(
        "llmmock: *1 stream left by the client before the end, and not recorded (see record_abandoned)"
    )
    assert not cassette(project).exists()


@pytest.mark.parametrize("where", ["ini", "llm_config", "marker"])
def test_a_stream_that_the_client_left_early_can_be_recorded_all_the_same(project, standin, where):
    """The test ends right behind it."""
    marker = "@pytest.mark.llm_cassette(record_abandoned=True)" if where == "marker" else ""
    config = '{"record_abandoned": True}' if where == "llm_config" else "{}"
    if where == "ini":
        project.makeini("[pytest]\nllm_record_abandoned = true")
    project.makepyfile(
        test_app=f"""
        import os, pytest
        from openai import OpenAI

        @pytest.fixture
        def llm_config():
            return {config}

        {marker}
        def test_it(llm_mock):
            with OpenAI(api_key="k", base_url=os.environ["STANDIN_URL"]) as client:
                messages = [{{"role": "user", "content": "hello"}}]
                with client.chat.completions.create(model="m", messages=messages, stream=True) as stream:
                    assert next(stream).choices[0].delta.content == "hello"
        """
    )
    result = run(project, "--llm-record")
    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines("llmmock: 0 replayed, 1 recorded, 0 unmatched")
    [kept] = open_cassette(cassette(project)).interactions
    assert kept.reply.body.endswith(b"data: [DONE]\n\n")
    run(project).assert_outcomes(passed=1)
    assert len(standin.requests) == 1


def test_the_ini_file_says_that_errors_are_recorded(project, standin):
    project.makeini("[pytest]\nllm_record_errors = true")
    project.makepyfile(
        test_app="""
        import openai, pytest

        def test_it(llm_mock, ask):
            with pytest.raises(openai.RateLimitError):
                ask("refuse")
        """
    )
    run(project, "--llm-record").assert_outcomes(passed=1)
    run(project).assert_outcomes(passed=1)
    assert len(standin.requests) == 1


def test_a_retry_is_replayed_without_the_wait_that_the_provider_asked_for(project, standin, monkeypatch):
    project.makepyfile(
        test_app="""
        import os, pytest
        from openai import OpenAI

        @pytest.fixture
        def llm_config():
            return {"record_errors": True}

        @pytest.fixture
        def waits(monkeypatch):
            waits = []
            monkeypatch.setattr("time.sleep", waits.append)
            return waits

        def test_it(llm_mock, waits):
            with OpenAI(api_key="k", base_url=os.environ["STANDIN_URL"], max_retries=2) as client:
                answer = client.chat.completions.create(model="m", messages=[{"role": "user", "content": "wait"}])
            assert answer.choices[0].message.content == "wait #2"
            assert [entry.status for entry in llm_mock.requests] == [429, 200]
            assert waits == [7.0 if os.environ.get("RECORDING") else 0.001]
        """
    )
    monkeypatch.setenv("RECORDING", "yes")
    run(project, "--llm-record").assert_outcomes(passed=1)
    monkeypatch.delenv("RECORDING")
    run(project).assert_outcomes(passed=1)
    assert len(standin.requests) == 2


@pytest.mark.parametrize("workers", [0, 2])
def test_the_summary_counts_all_tests_whatever_process_ran_them(project, standin, workers):
    project.makepyfile(
        test_app="""
        import pytest

        @pytest.mark.parametrize("number", range(6))
        def test_it(llm_mock, ask, number):
            ask(f"number {number}")
        """
    )
    run(project, "--llm-record").assert_outcomes(passed=6)
    result = project.runpytest_subprocess("-p", "no:cacheprovider", f"-n{workers}", "--junitxml=report.xml")
    result.assert_outcomes(passed=6)
    result.stdout.fnmatch_lines("llmmock: 6 replayed, 0 recorded, 0 unmatched · * tokens replayed")
    assert Path(project.path, "report.xml").read_text().count('name="llmmock_replayed" value="1"') == 6
