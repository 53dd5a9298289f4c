"""Which requests a rule is for, and what is told when it is not."""

from __future__ import annotations

import re
import sys

import pytest
from respx.patterns import M
from scripting import asked, chat, view

from pytest_llmmock import UsageError
from pytest_llmmock.script.conditions import conditions_of
from pytest_llmmock.script.view import View

TOOL = {"type": "function", "function": {"name": "get_weather", "parameters": {"type": "object"}}}


def misfit(one: View, *given, **named) -> str:
    found = (condition.misfit(one) for condition in conditions_of(given, named))
    return next(filter(None, found), "")


@pytest.mark.parametrize(
    "named",
    [
        {"model": "gpt-5"},
        {"model": "gpt-*"},
        {"contains": "weather"},
        {"contains": ["weather", "Rome"]},
        {"regex": r"in (\w+)\?$"},
        {"regex": re.compile("WEATHER", re.IGNORECASE)},
        {"system": "brief"},
        {"tool": "get_weather"},
        {"tool": "get_*"},
        {"turn": 2},
        {"operation": "chat"},
        {"operation": "c*"},
        {"header": "X-Team"},
        {"header": {"X-Team": "blue"}},
        {"header": {"x-team": "b*"}},
        {"path": "/v1/chat/completions"},
        {"path": "*/completions"},
        {"json__temperature": 0},
        {"json__messages__0__role": "system"},
    ],
    ids=str,
)
def test_a_condition_holds(named):
    one = view(
        "the weather in Rome?",
        before=(("system", "Be brief."), ("user", "hello"), ("assistant", "hi")),
        tools=[TOOL],
        temperature=0,
        headers={"x-team": "blue"},
    )
    assert misfit(one, **named) == ""


@pytest.mark.parametrize(
    ("named", "why"),
    [
        ({"model": "claude-*"}, "model is 'gpt-5'"),
        ({"contains": "rain"}, "'rain' is not in the user's last message: 'the weather in Rome?'"),
        ({"contains": "rome"}, "'rome' is in the user's last message with other capitals"),
        ({"regex": "^Rome"}, "found nothing in 'the weather in Rome?'"),
        ({"system": "brief"}, "'brief' is not in what the system says, which is empty"),
        ({"tool": "search"}, "the tools are 'get_weather'"),
        ({"turn": 2}, "turn is 1"),
        ({"operation": "responses"}, "operation is 'chat'"),
        ({"header": "x-team"}, "there is no header 'x-team'"),
        ({"header": {"content-type": "text/*"}}, "header 'content-type' has another value"),
        ({"path": "/v1/responses"}, "path is '/v1/chat/completions'"),
        ({"json__model": "gpt-4"}, "the pattern does not match"),
    ],
    ids=str,
)
def test_a_condition_that_does_not_hold_says_why(named, why):
    assert misfit(view("the weather in Rome?", tools=[TOOL]), **named) == why


def test_all_conditions_have_to_hold():
    assert misfit(view(), model="gpt-5", contains="hi") == ""
    assert misfit(view(), model="gpt-5", contains="ho") != ""


def test_the_last_message_is_that_of_the_user_whatever_came_behind_it():
    one = view("weather?")
    answered = asked("/v1/chat/completions", {"messages": [*one.json["messages"], {"role": "tool", "content": "22"}]})
    assert misfit(View(answered), contains="weather") == ""


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/v1/responses", {"input": "the weather", "instructions": "brief"}),
        ("/v1/messages", {"messages": [{"role": "user", "content": "the weather"}], "system": "brief"}),
        ("/api/generate", {"prompt": "the weather", "system": "brief"}),
        (
            "/v1/chat/completions",
            {"messages": [{"role": "developer", "content": "brief"}, {"role": "user", "content": "the weather"}]},
        ),
    ],
)
def test_every_protocol_is_looked_at_alike(path, body):
    one = View(asked(path, {"model": "m", **body}))
    assert misfit(one, contains="the weather", system="brief", turn=1, model="m") == ""


def test_of_embeddings_what_is_embedded_counts():
    assert misfit(View(asked("/v1/embeddings", {"input": ["a cat", "a dog"]})), contains="dog") == ""


def test_a_function_is_given_the_request():
    assert misfit(view(temperature=0.5), lambda asked: asked.json["temperature"] == 0.5) == ""

    def is_cold(asked):
        return asked.json["temperature"] == 0

    assert misfit(view(temperature=0.5), is_cold) == "is_cold() says no"
    assert misfit(view(), is_cold) == "is_cold() raises KeyError: 'temperature'"


def test_patterns_of_respx_are_conditions():
    assert misfit(view(), M(json__model="gpt-5") & M(method="POST") & ~M(path="/v1/responses")) == ""
    assert misfit(view(), M(json__model="gpt-4")) == "the pattern does not match"
    (condition,) = conditions_of([M(json__model="gpt-4") & M(method="POST")], {})
    assert condition.name == "M(json.model eq '\"gpt-4\"', method eq 'POST')"


def test_a_pattern_that_can_never_be_evaluated_says_so():
    why = "json.messages[9].content can never be evaluated here: it is not in the request"
    assert misfit(view(), M(json__messages__9__content="x")) == why
    assert misfit(view(), json__messages__9__content="x") == why
    plain = View(asked("/v1/chat/completions", "text"))
    assert misfit(plain, json__model="x").startswith("json.model can never be evaluated here")


def test_respx_is_an_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "respx.patterns", None)
    with pytest.raises(UsageError, match=r"respx, which is not installed: pip install 'pytest-llmmock\[respx\]'"):
        conditions_of([], {"json__model": "x"})


@pytest.mark.parametrize(
    ("named", "words"),
    [
        ({"contians": "x"}, "there is no such condition. Did you mean 'contains'?"),
        ({"nonsense": "x"}, "there is no such condition. Known are model="),
        ({"contains": ""}, "contains='': a text, or a list of texts"),
        ({"contains": 5}, "contains=5"),
        ({"regex": "("}, "is not a regular expression"),
        ({"turn": 0}, "turn=0: the user's messages are counted from 1."),
        ({"turn": True}, "turn=True"),
        ({"model": 5}, "model=5: a text was expected."),
        ({"header": 5}, "header=5: a name, or a dict"),
        ({"method__regex": "x"}, "respx cannot make a pattern of this"),
    ],
    ids=str,
)
def test_what_is_no_condition_is_refused(named, words):
    with pytest.raises(UsageError, match=re.escape(words)):
        conditions_of([], named)


def test_a_text_by_itself_is_no_condition():
    with pytest.raises(UsageError, match="a function, a respx pattern, or named conditions such as model="):
        conditions_of(["weather"], {})


def test_the_request_that_a_function_sees_reads_like_the_journal():
    one = View(chat("two", before=(("system", "s"), ("user", "one")), temperature=0, tools=[TOOL]))
    assert (one.model, one.text, one.system, one.turn, one.operation) == ("gpt-5", "two", "s", 2, "chat")
    assert (one.stream, one.path, one.method) == (False, "/v1/chat/completions", "POST")
    assert [tool.name for tool in one.tools] == ["get_weather"]
    assert one.options == {"temperature": 0}
    assert one.headers == {"content-type": "application/json"}
