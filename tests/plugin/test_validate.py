"""What applications send, checked as their API would: from the setting to the line at the end."""

from __future__ import annotations

import json

import pytest

ASKING = """
import os
from contextlib import contextmanager
import openai
import pytest

def ask(**more):
    body = {"model": "gpt-4o", "messages": [{"role": "user", "content": "hello"}], **more}
    with openai.OpenAI(api_key="test", base_url=os.environ.get("OPENAI_BASE_URL")) as client:
        return client.chat.completions.create(**body).choices[0].message.content
"""

WARM = """
def test_it(llm_mock):
    llm_mock.reply("Hello!")
    assert ask(temperature=3) == "Hello!"
"""

REFUSED = """
@pytest.mark.parametrize("way", ["llm_mock", "llm_server"])
def test_it(request, way):
    mock = request.getfixturevalue(way)
    mock.reply("Hello!")
    with pytest.raises(openai.BadRequestError) as caught:
        ask(temperature=3)
    assert caught.value.param == "temperature"
    assert caught.value.code == "integer_above_max_value"
    assert caught.value.body["message"] == "'temperature' has to be at most 2, and is 3."
    assert [(entry.status, entry.source) for entry in mock.requests] == [(400, "script")]
    assert mock.requests.last.violations[0].path == "temperature"
    assert ask(temperature=2) == "Hello!"
"""


@pytest.fixture
def run(project: pytest.Pytester):
    project.makepyfile(asking=ASKING)

    def run(test: str, *options: str) -> str:
        project.makepyfile(test_it="from asking import *\n" + test)
        result = project.runpytest_subprocess("-p", "no:cacheprovider", "--rootdir", str(project.path), *options)
        return "\n".join([*result.outlines, *result.errlines])

    return run


def test_by_default_nothing_is_checked(run):
    output = run(WARM)
    assert "1 passed" in output
    assert "contract" not in output


def test_an_error_is_the_providers_own_and_the_test_goes_on(run):
    output = run(REFUSED, "--llm-validate")
    assert "2 passed" in output
    assert "· contract: 2 requests refused as the API would" in output


def test_a_warning_is_told_at_the_end(run):
    output = run(WARM, "--llm-validate=warn")
    assert "1 passed" in output
    assert (
        "llmmock: 0 replayed, 0 recorded, 0 unmatched · 1 scripted · contract: 1 request that the API would refuse\n"
        "llmmock contract: test_it.py::test_it: The API would refuse POST /v1/chat/completions:\n"
        "  'temperature' has to be at most 2, and is 3.\n"
    ) in output


def test_a_hint_is_told_and_refuses_nothing(run):
    test = 'def test_it(llm_mock):\n    llm_mock.reply("Hello!")\n    ask(model="gpt-5", max_tokens=5)\n'
    output = run(test, "--llm-validate=error")
    assert "1 passed" in output
    assert "· contract: 1 request with a hint" in output
    assert (
        "  hint: 'max_tokens' is not taken by models that reason, such as gpt-5: use 'max_completion_tokens'." in output
    )


def test_the_same_mistake_of_many_tests_is_told_once(run):
    test = "@pytest.mark.parametrize('n', range(3))\n" + WARM.replace("llm_mock)", "llm_mock, n)").lstrip()
    output = run(test, "--llm-validate=warn")
    assert "contract: 3 requests that the API would refuse" in output
    assert output.count("llmmock contract:") == 1
    assert "llmmock contract: test_it.py::test_it[0] and 2 other tests: The API would refuse" in output


def test_more_than_ten_are_counted(run):
    test = """
@pytest.mark.parametrize("n", range(12))
def test_it(llm_mock, n):
    llm_mock.reply("Hello!")
    ask(temperature=3 + n)
"""
    output = run(test, "--llm-validate=warn", "-n", "2")
    assert output.count("llmmock contract: test_it.py") == 10
    assert "llmmock contract: 2 more" in output


def test_a_test_that_fails_shows_what_was_refused(run):
    output = run("def test_it(llm_mock):\n    ask(temperature=3)\n", "--llm-validate")
    assert "1 failed" in output
    assert "- llmmock contract -" in output
    assert "The API would refuse POST /v1/chat/completions:\n  'temperature' has to be at most 2, and is 3." in output


WAYS = [
    ({"LLMMOCK_VALIDATE": "warn"}, "", "", ()),
    ({}, "llm_validate = warn", "", ()),
    ({}, "", '@pytest.mark.llm_cassette(validate="warn")', ()),
    ({}, "", '@pytest.fixture\ndef llm_config():\n    return {"validate": "warn"}\n', ()),
    ({"LLMMOCK_VALIDATE": "error"}, "llm_validate = off", "", ("--llm-validate=warn",)),
    ({}, "", '@pytest.mark.llm_cassette(validate="warn")', ("--llm-validate=error",)),
]


@pytest.mark.parametrize(("environment", "ini", "head", "options"), WAYS)
def test_it_is_set_like_every_setting(run, project, monkeypatch, environment, ini, head, options):
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    project.makeini(f"[pytest]\n{ini}")
    output = run(head + WARM, *options)
    assert "1 passed" in output
    assert "contract: 1 request that the API would refuse" in output


def test_a_word_that_there_is_not_is_refused_with_those_that_there_are(run):
    output = run(WARM, "--llm-validate=always")
    assert "--llm-validate=always: there is no such mode. Modes are: off, warn, error." in output
    output = run('@pytest.mark.llm_cassette(validate="always")' + WARM)
    assert (
        "@pytest.mark.llm_cassette: validate='always' is not possible. Input should be 'off', 'warn' or 'error'."
        in output
    )


def test_a_path_behind_the_bare_option_stays_a_path(run):
    assert "1 passed" in run(WARM, "--llm-validate=warn", "test_it.py")
    assert "2 passed" in run(REFUSED, "--llm-validate", "test_it.py")


def test_what_is_refused_is_not_asked_and_not_recorded(run, standin, project, monkeypatch):
    monkeypatch.setenv("LLMMOCK_OPENAI_URL", standin.base_url)
    monkeypatch.setenv("OPENAI_API_KEY", "sk-of-the-reader")
    test = """
@pytest.mark.llm_cassette(mode="new_episodes", upstream="openai")
def test_it(llm_server):
    with pytest.raises(openai.BadRequestError):
        ask(temperature=3)
    assert ask()
"""
    output = run(test, "--llm-validate")
    assert "1 passed" in output
    assert "1 recorded" in output
    assert len(standin.requests) == 1
    assert "temperature" not in (project.path / "cassettes/test_it/test_it.yaml").read_text()


def test_a_fault_waits_for_a_request_that_holds(run):
    test = """
def test_it(llm_mock):
    llm_mock.reply("Hello!")
    llm_mock.faults.rate_limit(times=1)
    with pytest.raises(openai.BadRequestError):
        ask(temperature=3)
    assert ask() == "Hello!"
    assert [entry.status for entry in llm_mock.requests] == [400, 429, 200]
"""
    assert "1 passed" in run(test, "--llm-validate")


def test_the_report_holds_all_of_it(run, project):
    run(WARM, "--llm-validate=warn", "--llm-report=report.json")
    report = json.loads((project.path / "report.json").read_text())
    assert report["totals"]["contract_warned"] == 1
    assert report["tests"][0]["contract"] == [
        "The API would refuse POST /v1/chat/completions:\n  'temperature' has to be at most 2, and is 3."
    ]
