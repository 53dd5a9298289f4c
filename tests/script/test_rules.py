"""Which rule answers, how often, and what is told when none does."""

from __future__ import annotations

import threading
from dataclasses import replace

import pytest
from scripting import asked, chat, embeddings, replied, said

from pytest_llmmock import UsageError, dialects
from pytest_llmmock.script.conditions import conditions_of
from pytest_llmmock.script.rules import Rule, Script, explain


@pytest.fixture
def script() -> Script:
    return Script("seed")


def test_the_first_rule_that_fits_answers(script):
    script.when(model="gpt-4").reply("four")
    script.when(contains="hi").reply("first")
    script.when(contains="hi").reply("second")
    assert said(script, chat("hi")) == "first"


def test_no_rule_no_answer(script):
    assert script.answer(chat()) is None
    script.when(model="gpt-4").reply("four")
    assert script.answer(chat()) is None


def test_a_higher_priority_comes_first_however_late_it_is_written(script):
    script.when(contains="hi").reply("usual")
    script.when(contains="hi", priority=1).reply("first")
    script.when(contains="hi").reply("also", priority=2)
    assert said(script, chat("hi")) == "also"


def test_a_rule_with_conditions_comes_before_one_for_any_request(script):
    script.for_any().reply("any")
    script.when(contains="hi").reply("hi")
    assert [said(script, chat("hi")), said(script, chat("else"))] == ["hi", "any"]


def test_a_rule_for_any_request_can_be_made_to_win(script):
    script.when(contains="hi").reply("hi")
    script.for_any(5).reply("any")
    assert said(script, chat("hi")) == "any"


def test_a_tests_own_rule_comes_before_one_of_a_file(script):
    script.add(Rule(conditions_of([], {"contains": "hi"}), place="rules.yaml:3")).reply("file")
    script.add(Rule(place="rules.yaml:4")).reply("any of the file")
    script.when(contains="hi").reply("test")
    assert said(script, chat("hi")) == "test"
    script.for_any().reply("any of the test")
    assert said(script, chat("else")) == "any of the test"


def test_a_body_that_cannot_be_read_is_left_to_the_engine(script):
    script.for_any().reply("words")
    broken = replace(chat().request, body=b'{"model": ')
    assert script.answer(dialects.read(broken)) is None


def test_several_replies_are_a_sequence_whose_last_one_stays(script):
    script.when(contains="hi").reply("one").reply("two", times=2).reply("three")
    assert [said(script, chat("hi")) for _ in range(6)] == ["one", "two", "two", "three", "three", "three"]


def test_replies_to_any_request_are_one_sequence(script):
    script.for_any().reply("one")
    script.for_any().reply("two")
    assert [said(script, chat()) for _ in range(3)] == ["one", "two", "two"]


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


def test_requests_at_once_get_each_reply_once(script):
    rule = script.when(contains="hi")
    for number in range(200):
        rule.reply(str(number), times=1)
    found: list[str | None] = []

    def ask() -> None:
        found.extend(said(script, chat("hi")) for _ in range(50))

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(map(int, filter(None, found))) == list(range(200))


def test_a_condition_may_ask_the_model_itself(script):
    """No lock is held while the conditions of a test run."""
    script.when(contains="inner").reply("yes")
    script.when(lambda request: request.text == "outer" and said(script, chat("inner")) == "yes").reply("done")
    assert said(script, chat("outer")) == "done"


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
    assert explain(chat("hi"), script.rules).splitlines() == [
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
    lines = explain(chat("y" * 500), script.rules).splitlines()
    assert len(lines) == 10
    assert lines[-1] == "  and 22 more"
    assert max(map(len, lines)) <= 120


def test_without_rules_there_is_nothing_to_explain(script):
    assert explain(chat(), script.rules) == ""


def test_a_rule_of_a_file_says_where_it_is():
    assert str(Rule(place="rules.yaml:3")) == "rules.yaml:3  for any request"
