"""How often a rule answers, and what is told when none does."""

from __future__ import annotations

import pytest
from scripting import asked, chat, embeddings, replied, said

from pytest_llmmock import UsageError
from pytest_llmmock.script.rules import Rule
from pytest_llmmock.script.source import Script


@pytest.fixture
def script() -> Script:
    return Script("seed")


def test_several_replies_are_a_sequence_whose_last_one_stays(script):
    script.when(contains="hi").reply("one").reply("two", times=2).reply("three")
    assert [said(script, chat("hi")) for _ in range(6)] == ["one", "two", "two", "three", "three", "three"]


def test_what_is_used_up_leaves_its_requests_to_the_next_rule(script):
    script.when(contains="hi").reply("twice", times=2)
    script.when(model="gpt-*").reply("then", times=1)
    assert [said(script, chat("hi")) for _ in range(4)] == ["twice", "twice", "then", None]


def test_errors_and_replies_are_one_sequence(script):
    script.when(contains="hi").error(503, times=2).reply("well")
    replies = [replied(script, chat("hi")) for _ in range(3)]
    assert [reply.status for reply in replies] == [503, 503, 200]


def test_an_error_without_a_number_of_times_stays(script):
    script.for_any().error(429)
    assert [replied(script, chat()).status for _ in range(3)] == [429] * 3


def test_a_reply_that_the_operation_cannot_take_is_not_used_up(script):
    script.for_any().reply("words", times=1)
    script.for_any(1).reply(embedding=[1, 0], times=1)
    assert replied(script, embeddings("a")).json()["data"][0]["embedding"] == [1.0, 0.0]
    assert said(script, chat()) == "words"


@pytest.mark.parametrize(("method", "path"), [("GET", "/v1/models"), ("POST", "/v1/rerank"), ("GET", "/v1/files")])
def test_words_for_any_request_are_for_conversations(script, method, path):
    script.for_any().reply("words")
    assert script.answer(asked(path, {}, method=method)) is None


def test_words_answer_another_route_when_the_rule_names_it(script):
    script.when(path="*/rerank").reply("words")
    assert replied(script, asked("/v1/rerank", {})).body == b"words"


def test_a_function_is_for_any_request(script):
    script.for_any().call(lambda request: {"json": {"path": request.path}})
    assert replied(script, asked("/v1/rerank", {})).json() == {"path": "/v1/rerank"}


@pytest.mark.parametrize("times", [0, -1, 1.5])
def test_times_is_a_number_from_1(script, times):
    with pytest.raises(UsageError, match=r"times=.* is below 1"):
        script.for_any().reply("x", times=times)


def test_only_a_function_can_be_called(script):
    with pytest.raises(UsageError, match=r"call\('text'\): a function was expected"):
        script.for_any().call("text")


# --- what is told ---------------------------------------------------------------------------------------


def test_an_explanation_says_of_each_rule_why_it_did_not_fit(script):
    script.when(model="claude-*").reply("x")
    script.when(contains="hi").reply("once", times=1)
    script.when(turn=1)
    script.for_any().reply(embedding=[1.0])
    said(script, chat("hi"))
    assert script.explain(chat("hi")).splitlines() == [
        "Of 4 rules none fits:",
        "  #1  when(model='claude-*')  ->  model is 'gpt-5'",
        "  #2  when(contains='hi')  ->  used up: it has answered 1 request",
        "  #3  when(turn=1)  ->  it has no reply",
        "  #4  for any request  ->  its reply holds embedding=, and chat takes a text or json=",
    ]


def test_an_explanation_is_short_however_many_rules_there_are():
    script = Script()
    for number in range(30):
        script.when(contains=f"{'long ' * 50}{number}").reply("x")
    lines = script.explain(chat("y" * 500)).splitlines()
    assert len(lines) == 10
    assert lines[-1] == "  and 22 more"
    assert max(map(len, lines)) <= 120


def test_a_rule_of_a_file_says_where_it_is():
    assert str(Rule(place="rules.yaml:3")) == "rules.yaml:3  for any request"
