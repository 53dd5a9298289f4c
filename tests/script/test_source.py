"""Which of several rules answers."""

from __future__ import annotations

import threading
from dataclasses import replace

import pytest
from scripting import chat, embeddings, replied, said

from pytest_llmmock import dialects
from pytest_llmmock.script.conditions import conditions_of
from pytest_llmmock.script.rules import Rule
from pytest_llmmock.script.source import Script


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


def test_replies_to_any_request_are_one_sequence(script):
    script.for_any().reply("one")
    script.for_any().reply("two")
    assert [said(script, chat()) for _ in range(3)] == ["one", "two", "two"]


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


def test_without_rules_there_is_nothing_to_explain(script):
    assert script.explain(chat()) == ""


def test_models_are_known_where_rules_name_them_in_full() -> None:
    script = Script()
    for model in ("gpt-5", "o*", "gpt-?", "o[13]", None):
        script.when(model=model).reply("Hello")
    script.when(model="qwen3", contains="x").reply("Hello")
    assert script.models == ["gpt-5", "qwen3"]


def test_a_reset_begins_anew_with_what_is_drawn_too(script):
    script.for_any().reply("{{ uuid }}", template=True)
    before = [said(script, chat()) for _ in range(2)]
    script.reset()
    assert [said(script, chat()) for _ in range(2)] == before
    assert len({*before}) == 2
    assert script.answered == 4


def test_replies_of_several_kinds_do_not_get_in_each_others_way(script):
    script.for_any().reply(embedding=[1.0, 0.0])
    script.for_any().reply("one")
    script.for_any().reply(embedding=[0.0, 1.0])
    script.for_any().reply("two")
    found = [replied(script, embeddings("x")).json()["data"][0]["embedding"] for _ in range(3)]
    assert found == [[1.0, 0.0], [0.0, 1.0], [0.0, 1.0]]
    assert [said(script, chat()) for _ in range(3)] == ["one", "two", "two"]


def test_an_error_waits_for_what_stands_before_it(script):
    script.for_any().reply("one").error(500, times=1).reply("two")
    assert script.answer(embeddings("x")) is None
    assert said(script, chat()) == "one"
    assert replied(script, chat()).status == 500


def test_what_is_used_up_is_no_answer_though_another_kind_stays(script):
    script.for_any().reply("one", times=1).reply(embedding=[1.0])
    assert [said(script, chat()) for _ in range(2)] == ["one", None]


def test_the_same_said_again_has_an_id_of_its_own_until_the_source_begins_anew(script):
    script.for_any().reply("Hello")
    ids = [replied(script, chat("hi")).json()["id"] for _ in range(3)]
    assert len(set(ids)) == 3
    script.reset()
    assert [replied(script, chat("hi")).json()["id"] for _ in range(3)] == ids
