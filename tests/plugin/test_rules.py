"""Rules in a test: before the cassette, and explained when none fits."""

from __future__ import annotations

import pytest

ASK = """
from openai import OpenAI

def ask(words):
    with OpenAI(api_key="test", base_url="https://api.openai.com/v1", max_retries=0) as client:
        answer = client.chat.completions.create(model="m", messages=[{"role": "user", "content": words}])
        return answer.choices[0].message.content
"""


@pytest.fixture
def run(pytester: pytest.Pytester):
    pytester.makepyfile(asking=ASK)

    def run(test: str, *options: str) -> pytest.RunResult:
        pytester.makepyfile(test_it="from asking import ask\n" + test)
        return pytester.runpytest_subprocess("-p", "no:cacheprovider", "--rootdir", str(pytester.path), *options)

    return run


def test_a_test_needs_no_cassette(run):
    result = run(
        """
def test_it(llm_mock):
    llm_mock.when(contains="weather").reply("Sunny")
    llm_mock.reply("Hello")
    assert [ask("the weather?"), ask("hi")] == ["Sunny", "Hello"]

def test_server(llm_server):
    llm_server.reply("Hello")
    from openai import OpenAI
    with OpenAI() as client:
        answer = client.responses.create(model="m", input="hi")
    assert answer.output_text == "Hello"
"""
    )
    result.assert_outcomes(passed=2)


def test_rules_come_first_then_the_cassette_then_the_explained_miss(run, pytester):
    from pytest_llmmock.cassettes import library
    from pytest_llmmock.cassettes.cassette import Interaction, Recorded
    from pytest_llmmock.core.json_text import compact
    from pytest_llmmock.core.model import Request, json_reply

    body = {"messages": [{"role": "user", "content": "recorded"}], "model": "m"}
    headers = (("content-type", "application/json"),)
    request = Request("POST", "https://api.openai.com", "/v1/chat/completions", "", headers, compact(body).encode())
    choice = {"index": 0, "message": {"role": "assistant", "content": "from the cassette"}, "finish_reason": "stop"}
    whole = json_reply({"id": "c", "object": "chat.completion", "created": 1, "model": "m", "choices": [choice]})
    path = pytester.path / "cassettes" / "test_it" / "test_it.yaml"
    library.save(path, [Interaction.of(Recorded(request, whole))], describe=lambda each: "")
    result = run(
        """
import pytest

def test_it(llm_mock):
    llm_mock.when(contains="rule").reply("from a rule")
    assert [ask("a rule"), ask("recorded")] == ["from a rule", "from the cassette"]
    assert [entry.source for entry in llm_mock.requests] == ["script", "cassette"]
    with pytest.raises(Exception):
        ask("neither")
"""
    )
    result.assert_outcomes(passed=1, errors=1)
    result.stdout.fnmatch_lines(
        [
            "*No recording matches this request, and record mode 'none' does not record new ones.",
            "*There is one rule, which does not fit:",
            "*#1  when(contains='rule')  ->  'rule' is not in the user's last message: 'neither'",
            "*Closest recording (#1), which was played already, differs in messages:",
        ]
    )


def test_a_function_that_raises_fails_the_test_though_the_application_hides_it(run):
    result = run(
        """
def answer(request):
    return {}["nope"]

def test_it(llm_mock):
    llm_mock.call(answer)
    try:
        ask("hi")
    except Exception:
        pass
"""
    )
    result.assert_outcomes(passed=1, errors=1)
    result.stdout.fnmatch_lines(
        ["*The function answer() of a rule raised KeyError.", '*return {}?"nope"?', "*KeyError: 'nope'"]
    )


def test_rules_of_a_file_are_found_from_the_root_directory(run, pytester):
    pytester.path.joinpath("rules.yaml").write_text("default: 'You said: {{ last_message }}'")
    pytester.path.joinpath("sub").mkdir()
    result = run(
        """
import os
import pytest

@pytest.fixture
def llm_config():
    return {"rules": "rules.yaml"}

@pytest.fixture(autouse=True)
def elsewhere(monkeypatch):
    monkeypatch.chdir("sub")

def test_it(llm_mock):
    assert ask("hi") == "You said: hi"
    llm_mock.when(contains="hi").reply("in the test")
    assert ask("hi") == "in the test"
"""
    )
    result.assert_outcomes(passed=1)


def test_a_bad_file_fails_the_set_up_in_a_few_lines(run, pytester):
    pytester.path.joinpath("rules.yaml").write_text("rules:\n- replay: x")
    result = run(
        """
import pytest

@pytest.fixture
def llm_config():
    return {"rules": "rules.yaml"}

def test_it(llm_mock):
    pass
"""
    )
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["*rules.yaml, line 2, rules?0?.replay: there is no such key. Did you mean 'reply'?"])
    result.stdout.no_fnmatch_line("*Traceback*")


def test_ids_in_templates_are_the_same_in_every_run(run):
    test = """
def test_it(llm_mock):
    llm_mock.reply("{{ uuid }}", template=True)
    print("ID", ask("hi"), ask("hi"))
"""
    first, second = (
        next(line for line in run(test, "-s").outlines if "ID" in line).partition("ID")[2] for _ in range(2)
    )
    assert first == second
    assert len(set(first.split())) == 2


def test_while_recording_rules_come_before_the_upstream(run):
    result = run(
        """
def test_it(llm_mock):
    llm_mock.when(contains="hi").reply("from a rule")
    assert ask("hi") == "from a rule"
""",
        "--llm-record",
        "--llm-upstream=http://127.0.0.1:9/v1",
    )
    result.assert_outcomes(passed=1)


def test_rules_may_stand_in_the_settings_themselves(run):
    test = """
import pytest

@pytest.fixture
def llm_config():
    return {"rules": {"rules": [{"when": {"contains": "weather"}, "reply": "Sunny"}], "default": "Hello"}}

def test_it(llm_mock):
    assert [ask("the weather?"), ask("hi")] == ["Sunny", "Hello"]
"""
    run(test).assert_outcomes(passed=1)
    result = run(test.replace("contains", "contians"))
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["*rules.json, *contians: there is no such key. Did you mean 'contains'?"])
