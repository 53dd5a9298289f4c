"""Recording as a user has it: which upstream answers, how many at once, for how much, and what is seen meanwhile."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from contextlib import suppress

import pytest
from standin import SECRET, Standin

from pytest_llmmock.cassettes.library import open_cassette
from pytest_llmmock.recording import PROGRESS


def run(project, *arguments: str):
    return project.runpytest_inprocess("-q", "-p", "no:cacheprovider", *arguments)


def cassette(project, name: str = "test_it"):
    return open_cassette(project.path / "cassettes" / "test_app" / f"{name}.yaml")


ASK = """
    import os, pytest
    from openai import OpenAI

    def ask(model, words="hi", **query):
        with OpenAI(api_key="sk-of-the-client", base_url="https://api.openai.com/v1", max_retries=0,
                    default_query=query) as client:
            messages = [{"role": "user", "content": words}]
            return client.chat.completions.create(model=model, messages=messages).choices[0].message.content
"""


@pytest.fixture
def other():
    with Standin() as running:
        yield running


# --- which upstream -------------------------------------------------------------------------------------


def test_each_model_is_asked_of_its_upstream_and_cassette_and_journal_say_which(project, standin, other, monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", SECRET)
    monkeypatch.setenv("LLMMOCK_OPENAI_URL", standin.base_url)
    monkeypatch.setenv("XAI_API_KEY", "xai-key-of-the-test-0123")
    monkeypatch.setenv("LLMMOCK_XAI_URL", other.base_url)
    project.makepyfile(
        test_app=ASK
        + """
    @pytest.fixture
    def llm_config():
        return {"upstream": "openai", "models": {"grok-*": "xai"}}

    def test_it(llm_mock):
        ask("gpt-5"), ask("grok-4"), ask("gpt-5", "named", provider="xai")
        assert [entry.upstream for entry in llm_mock.requests] == ["openai", "xai", "xai"]
    """
    )
    run(project, "--llm-record").assert_outcomes(passed=1)
    assert [request.header("authorization") for request in standin.requests] == [f"Bearer {SECRET}"]
    assert [request.header("authorization") for request in other.requests] == ["Bearer xai-key-of-the-test-0123"] * 2
    assert [request.query for request in other.requests] == ["", ""]
    assert [each.meta["upstream"] for each in cassette(project).interactions] == ["openai", "xai", "xai"]
    for name in ("OPENAI_API_KEY", "XAI_API_KEY"):
        monkeypatch.delenv(name)
    run(project).assert_outcomes(passed=1)


def test_the_ini_file_has_routes_and_upstreams_of_ones_own(project, standin, other, monkeypatch):
    monkeypatch.setenv("GATEWAY_KEY", "gateway-key-of-the-test")
    project.makeini(
        f"""
        [pytest]
        llm_upstream = mine
        llm_upstreams =
            mine = {standin.base_url}
            gateway = {other.base_url} GATEWAY_KEY
        llm_models =
            claude-* = gateway
        """
    )
    project.makepyfile(test_app=ASK + "\n    def test_it(llm_mock):\n        ask('gpt-5'), ask('claude-5')\n")
    run(project, "--llm-record").assert_outcomes(passed=1)
    assert [request.header("authorization") for request in standin.requests] == [None]
    assert [request.header("authorization") for request in other.requests] == ["Bearer gateway-key-of-the-test"]
    assert [each.meta["upstream"] for each in cassette(project).interactions] == ["mine", "gateway"]


def test_a_route_to_what_there_is_not_is_told_before_the_test_begins(project):
    project.makepyfile(
        test_app=ASK
        + """
    @pytest.fixture
    def llm_config():
        return {"models": {"grok-*": "xia"}}

    def test_it(llm_mock):
        raise AssertionError("never begun")
    """
    )
    result = run(project)
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["*models: 'grok-[*]' is to go to 'xia'. There is no upstream 'xia'. Did you mean*"])


def test_a_key_that_is_missing_is_told_before_the_first_request(project):
    project.makepyfile(test_app=ASK + "\n    def test_it(llm_mock):\n        raise AssertionError('never begun')\n")
    result = run(project, "--llm-record", "--llm-upstream=groq")
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["*The upstream 'groq' needs a key, and GROQ_API_KEY is not set. Set it, or choose*"])


def test_a_protocol_that_the_upstream_does_not_speak_fails_the_test_with_what_to_do(project, monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", SECRET)
    project.makepyfile(
        test_app="""
        import httpx

        def test_it(llm_mock):
            reply = httpx.post("http://localhost:11434/api/chat", json={"model": "m", "messages": []})
            assert reply.status_code == 502
            assert "is Ollama's protocol" in reply.json()["error"]
        """
    )
    result = run(project, "--llm-record", "--llm-upstream=openai")
    result.assert_outcomes(passed=1, errors=1)
    result.stdout.fnmatch_lines(["*POST /api/chat is Ollama's protocol. The upstream 'openai' speaks*"])


# --- how many, how long, for how much -------------------------------------------------------------------


def test_a_busy_upstream_is_asked_again_when_it_says_so_and_the_test_sees_the_answer(project, standin, monkeypatch):
    paused = []
    monkeypatch.setattr("pytest_llmmock.upstreams.waits.Waits.pause", lambda self, *asked: paused.append(asked[0]))
    project.makepyfile(test_app="def test_it(llm_mock, ask):\n    assert ask('wait') == 'wait #2'")
    run(project, "--llm-record").assert_outcomes(passed=1)
    assert paused == [7.0]
    assert len(standin.requests) == 2
    run(project).assert_outcomes(passed=1)


@pytest.mark.parametrize("setting", ["retries=0", "record_errors=True"])
def test_who_wants_to_see_its_errors_sees_them(project, standin, setting):
    project.makepyfile(
        test_app=f"""
        import openai, pytest

        @pytest.mark.llm_cassette({setting})
        def test_it(llm_mock, ask):
            with pytest.raises(openai.RateLimitError):
                ask("wait")
        """
    )
    run(project, "--llm-record").assert_outcomes(passed=1)
    assert len(standin.requests) == 1


def test_at_most_so_many_are_asked_at_once(project, standin):
    project.makepyfile(
        test_app="""
        from concurrent.futures import ThreadPoolExecutor

        def test_it(llm_mock, ask):
            with ThreadPoolExecutor(4) as pool:
                assert len(list(pool.map(ask, ["one", "two", "three", "four"]))) == 4
        """
    )
    run(project, "--llm-record", "--llm-max-concurrency=1").assert_outcomes(passed=1)
    assert len(cassette(project).interactions) == 4


BUDGET = """
    import openai, pytest

    @pytest.mark.parametrize("number", range(4))
    def test_it(llm_mock, ask, number):
        ask(f"number {number}")
"""


@pytest.mark.parametrize("budget", ["2", "14 tokens"])
def test_a_budget_ends_the_run_and_what_was_recorded_stays(project, standin, budget):
    project.makepyfile(test_app=BUDGET)
    result = run(project, "--llm-record", f"--llm-budget={budget}")
    result.assert_outcomes(passed=2, failed=2)
    result.stdout.fnmatch_lines(["*The budget of this recording run is spent, and this request was not sent.*"])
    assert len(standin.requests) == 2
    result = run(project, "--llm-record", f"--llm-budget={budget}")  # what is there costs nothing
    result.assert_outcomes(passed=4)
    assert len(standin.requests) == 4


def test_workers_of_xdist_have_one_budget_together(project, standin):
    project.makepyfile(test_app=BUDGET.replace("range(4)", "range(8)"))
    result = project.runpytest_subprocess("-q", "-p", "no:cacheprovider", "-n", "2", "--llm-record", "--llm-budget=3")
    result.assert_outcomes(passed=3, failed=5)
    assert len(standin.requests) == 3


@pytest.mark.parametrize(
    ("option", "told"),
    [
        ("--llm-budget=much", "budget='much' is not possible. A budget is a number of requests"),
        ("--llm-max-concurrency=0", "max_concurrency=0 is not possible. It is a number, 1 or more."),
    ],
)
def test_a_value_that_is_none_is_refused(project, option, told):
    project.makepyfile(test_app="def test_it(llm_mock): pass")
    result = run(project, option)
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines([f"*{told}*"])


# --- what is seen meanwhile -----------------------------------------------------------------------------

SLOW = """
    def test_it(llm_mock, ask, capfd):
        print("printed by the test")
        assert ask("one", stream=True) == "one #1"
        assert capfd.readouterr().out == "printed by the test\\n"
"""


def _on_terminal(project, *arguments: str, look_for: bytes, then: Callable[[], object]) -> str:
    """What a run writes to a terminal. When it has written something, something is done."""
    pty = pytest.importorskip("pty", reason="there are no terminals here")
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *arguments]
    child, descriptor = pty.fork()
    if not child:  # in the terminal
        os.chdir(project.path)
        os.environ["TERM"] = "xterm"
        os.execv(command[0], command)
    written = b""
    with suppress(OSError):  # how Linux tells that the other side has closed
        while chunk := os.read(descriptor, 1 << 16):
            written += chunk
            if look_for in written:
                then()
    os.close(descriptor)
    os.waitpid(child, 0)
    return written.decode()


def test_on_a_terminal_a_line_tells_what_is_asked_and_is_gone_at_the_end(project, standin):
    standin.release.clear()
    project.makepyfile(test_app=SLOW)
    shown = _on_terminal(project, "--llm-record", look_for=b"answered by", then=standin.release.set)
    assert 'llmmock: answered by original: chat m, streamed  "one"' in shown
    assert "1 passed" in shown
    gone = shown.rindex("\x1b[B\r\x1b[K\x1b8")
    assert shown.rindex("answered by") < gone < shown.rindex("1 passed")


def test_of_xdists_workers_it_is_told_what_they_have_recorded(project, standin):
    project.makepyfile(
        test_app="""
        import pytest

        @pytest.mark.parametrize("words", ["one", "two", "three", "four"])
        def test_it(llm_mock, ask, words):
            ask(words, stream=words == "four")
        """
    )
    standin.release.clear()
    arguments = ["--llm-record", "-n", "1"]
    shown = _on_terminal(project, *arguments, look_for=b"llmmock: 3 recorded, 21 tokens", then=standin.release.set)
    assert "4 passed" in shown


@pytest.mark.parametrize(
    ("arguments", "mode", "there"),
    [
        (["--llm-record"], "", True),
        ([], "all", True),
        ([], "", False),
        ([], "none", False),
        (["--llm-record=none"], "all", False),
        (["--llm-record", "-q"], "", False),
    ],
)
def test_somebody_looks_only_while_something_is_recorded_and_not_quietly(project, monkeypatch, arguments, mode, there):
    monkeypatch.setenv("LLMMOCK_RECORD", mode)
    config = project.parseconfigure("-p", "no:cacheprovider", *arguments)
    assert (PROGRESS in config.stash) == there


def test_nothing_of_it_is_among_what_a_program_reads(project, standin):
    project.makepyfile(test_app=SLOW)
    result = project.runpytest_subprocess("-p", "no:cacheprovider", "--llm-record", "-s")
    result.assert_outcomes(passed=1)
    assert "\x1b" not in result.stdout.str()
    assert "answered by" not in result.stdout.str()
