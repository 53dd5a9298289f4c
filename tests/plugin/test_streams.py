"""`--llm-speed`, `--llm-chunking` and faults, as a project uses them."""

from __future__ import annotations

import re

import pytest
from provider import Provider, as_stream

from pytest_llmmock.cassettes.library import open_cassette


def run(project, *arguments):
    return project.runpytest_inprocess(*arguments)


ASKED = "def test_it(llm_mock, ask): assert ask('one', stream=True) == 'one #1'"
TIMED = """
    import time
    {imports}
    {marker}
    def test_it(llm_mock, ask):
        began = time.monotonic()
        assert ask('one', stream=True) == 'one #1'
        assert time.monotonic() - began >= 0.1
        assert llm_mock.requests.last.duration >= 0.1
"""


@pytest.fixture
def recorded(project, standin):
    project.makepyfile(test_app=ASKED)
    run(project, "--llm-record").assert_outcomes(passed=1)
    return project


@pytest.mark.parametrize("how", ["option", "ini", "environment", "marker", "llm_config"])
def test_the_speed_can_be_told_in_each_place(recorded, monkeypatch, how):
    speed, imports, marker = "ttft=0.1", "", ""
    if how == "ini":
        recorded.makeini(f"[pytest]\nllm_speed = {speed}")
    if how == "environment":
        monkeypatch.setenv("LLMMOCK_SPEED", speed)
    if how == "marker":
        imports, marker = "import pytest", f"@pytest.mark.llm_cassette(speed={speed!r})"
    if how == "llm_config":
        imports, marker = "import pytest", f"llm_config = pytest.fixture(lambda: {{'speed': {speed!r}}})"
    recorded.makepyfile(test_app=TIMED.format(imports=imports, marker=marker))
    run(recorded, *([f"--llm-speed={speed}"] if how == "option" else [])).assert_outcomes(passed=1)


def test_recorded_times_are_kept(recorded):
    recorded.makepyfile(
        test_app="""
        def test_it(llm_mock, ask):
            assert ask("one", stream=True) == "one #1"
            times = [frame.at for frame in llm_mock.cassette.interactions[0].reply.frames]
            assert llm_mock.requests.last.duration >= times[-1] > 0
        """
    )
    run(recorded, "--llm-speed=recorded").assert_outcomes(passed=1)


@pytest.mark.parametrize(
    ("option", "told"),
    [
        (
            "--llm-speed=fast",
            "command line: speed='fast' is not possible. There is no speed 'fast'. "
            "Say 'instant', 'recorded', 'x10' (faster), 'x0.5', 'tps=40', 'ttft=0.3' or 'ttft=0.3,tps=40'.",
        ),
        (
            "--llm-chunking=bytes=0",
            "command line: chunking='bytes=0' is not possible. There is no way 'bytes=0' to cut streams. "
            "Say 'recorded', 'event', 'bytes=N', 'hostile' or 'hostile=SEED'.",
        ),
    ],
)
def test_what_is_not_possible_is_told_with_what_is(recorded, option, told):
    result = run(recorded, option)
    result.assert_outcomes(errors=1)
    assert told in result.stdout.str()


CARELESS = """
    import httpx2

    def test_it(llm_mock, ask, monkeypatch):
        pieces = []
        raw = httpx2.Response.iter_raw
        def spied(self, *arguments):
            for piece in raw(self, *arguments):
                pieces.append(piece)
                yield piece
        monkeypatch.setattr(httpx2.Response, "iter_raw", spied)
        assert ask("one", stream=True) == "one #1"
        assert all(piece.endswith(b"\\n\\n") for piece in pieces), len(pieces)
"""


def test_a_test_that_hostile_pieces_break_tells_the_seed_that_breaks_it_again(recorded):
    recorded.makepyfile(test_app=CARELESS)
    run(recorded).assert_outcomes(passed=1)
    result = run(recorded, "--llm-chunking=hostile")
    result.assert_outcomes(failed=1)
    found = re.search(r"To have them cut so again:  (--llm-chunking=hostile=\d+)", result.stdout.str())
    assert found is not None
    count = re.search(r"AssertionError: (\d+)", result.stdout.str())
    assert count is not None
    again = run(recorded, found[1])
    again.assert_outcomes(failed=1)
    assert count[0] in again.stdout.str()


def test_a_test_that_passes_says_nothing_of_seeds(recorded):
    result = run(recorded, "--llm-chunking=hostile")
    result.assert_outcomes(passed=1)
    assert "hostile" not in result.stdout.str()


def test_a_failed_test_tells_the_seed_of_its_faults(recorded):
    recorded.makepyfile(
        test_app="""
        def test_it(llm_mock, ask):
            llm_mock.faults.random(rate=1, kinds=["server_error"])
            ask("one", stream=True)
        """
    )
    result = run(recorded)
    result.assert_outcomes(failed=1)
    result.stdout.re_match_lines([r".*Chance had a hand in this: faults\.random\(rate=1, seed=\d+\)"])


@pytest.mark.parametrize("way", ["llm_mock", "llm_server"])
def test_a_fault_is_met_while_recording_too_and_the_whole_answer_is_recorded(project, standin, way):
    project.makepyfile(
        test_app=f"""
        import openai, pytest, os
        from openai import OpenAI

        def ask(url):
            with OpenAI(api_key="k", base_url=url, max_retries=0) as client:
                messages = [{{"role": "user", "content": "one"}}]
                chunks = client.chat.completions.create(model="m", messages=messages, stream=True)
                return "".join(chunk.choices[0].delta.content or "" for chunk in chunks)

        def test_it({way}):
            url = getattr({way}, "base_url", os.environ["STANDIN_URL"])
            {way}.faults.on(call=1).cut(after_events=1)
            with pytest.raises(openai.APIConnectionError):
                ask(url)
            assert {way}.requests.last.text == "one"
            assert {way}.requests.last.whole is False
        """
    )
    result = run(project, "--llm-record", f"--llm-upstream={standin.base_url}")
    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines(["llmmock: 0 replayed, 1 recorded, 0 unmatched"])
    (recorded,) = open_cassette(project.path / "cassettes/test_app/test_it.yaml").interactions
    assert recorded.reply.body.endswith(b"data: [DONE]\n\n")
    assert len(standin.requests) == 1
    run(project).assert_outcomes(passed=1)
    assert len(standin.requests) == 1


def test_a_refusing_fault_asks_nobody_while_recording(project, standin):
    project.makepyfile(
        test_app="""
        import openai, pytest

        def test_it(llm_mock, ask):
            llm_mock.faults.rate_limit()
            with pytest.raises(openai.RateLimitError):
                ask("one")
            assert ask("one") == "one #1"
        """
    )
    run(project, "--llm-record").assert_outcomes(passed=1)
    assert len(standin.requests) == 1
    run(project).assert_outcomes(passed=1)


@pytest.mark.parametrize("behind", [b"", b"data: [DONE]\n\n"])
def test_a_stream_that_tells_of_an_error_is_recorded_though_the_client_leaves_there(project, monkeypatch, behind):
    said = b'data: {"choices":[{"index":0,"delta":{"content":"so f"}}]}\n\n'
    error = b'data: {"error":{"code":502,"message":"Provider went away"},"choices":[]}\n\n'
    project.makepyfile(
        test_app="""
        import openai, pytest

        def test_it(llm_mock, ask):
            with pytest.raises(openai.APIError, match="Provider went away"):
                ask("one", stream=True)
            assert llm_mock.requests.last.text == "so f"
        """
    )
    with Provider() as provider:
        provider.answer = lambda asked: as_stream(said, error, *filter(None, [behind]))
        monkeypatch.setenv("STANDIN_URL", provider.url + "/v1")
        monkeypatch.setenv("STANDIN_KEY", "k")
        result = run(project, "--llm-record")
    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines(["llmmock: 0 replayed, 1 recorded, 0 unmatched"])
    run(project).assert_outcomes(passed=1)


def test_a_retry_behind_a_fault_gets_what_was_recorded_and_the_upstream_is_asked_once(project, standin):
    project.makepyfile(
        test_app="""
        import os
        import openai, pytest

        @pytest.mark.parametrize("stream", [False, True])
        def test_it(llm_mock, stream):
            llm_mock.faults.cut(after_events=1, times=1)
            with openai.OpenAI(api_key="k", base_url=os.environ["STANDIN_URL"], max_retries=2) as client:
                def ask():
                    messages = [{"role": "user", "content": f"one {stream}"}]
                    answer = client.chat.completions.create(model="m", messages=messages, stream=stream)
                    return list(answer) if stream else answer
                if stream:
                    with pytest.raises(openai.APIConnectionError):
                        ask()
                ask()
            assert [entry.notes for entry in llm_mock.requests][0] == ("fault: cut(after_events=1)",)
            assert llm_mock.requests.last.text.startswith(f"one {stream} #")
        """
    )
    result = run(project, "--llm-record")
    result.assert_outcomes(passed=2)
    assert len(standin.requests) == 2
    again = run(project, "--llm-unplayed=fail")
    again.assert_outcomes(passed=2)
    again.stdout.fnmatch_lines(["llmmock: 4 replayed, 0 recorded, 0 unmatched *"])
    assert len(standin.requests) == 2


@pytest.mark.parametrize(
    "test",
    [
        "@pytest.fixture\ndef asked(llm_mock, ask):\n    ask('one', stream=True)\n    assert 0\n"
        "def test_it(asked): pass",
        "@pytest.fixture\ndef asked(llm_mock, ask):\n    yield ask('one', stream=True)\n    assert 0\n"
        "def test_it(asked): pass",
        "def test_it(llm_mock, ask):\n    ask('one', stream=True)\n    with pytest.raises(Exception): ask('two')",
    ],
    ids=["set-up", "teardown", "a miss that was swallowed"],
)
def test_the_seed_is_told_whatever_phase_fails(recorded, test):
    recorded.makepyfile(test_app="import pytest\n" + test)
    result = run(recorded, "--llm-chunking=hostile=77")
    assert result.ret == 1
    result.stdout.fnmatch_lines(["*To have them cut so again:  --llm-chunking=hostile=77"])
