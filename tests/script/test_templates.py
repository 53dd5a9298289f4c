"""Texts with values of the request in them."""

from __future__ import annotations

import re
from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scripting import asked, chat, view

from pytest_llmmock import ScriptError
from pytest_llmmock.script import templates
from pytest_llmmock.script.templates import Values, check, render, render_value
from pytest_llmmock.script.view import View


def values(words: str = "the weather in Rome?", **fields) -> Mapping[str, object]:
    return Values(view(words, **fields), "seed")


@pytest.mark.parametrize(
    ("template", "text"),
    [
        ("no marks { } %", "no marks { } %"),
        ("{{ last_message }}", "the weather in Rome?"),
        ("{{ last_word }}", "Rome"),
        ("{{ last_word | upper }}", "ROME"),
        ("{{ model }}", "gpt-5"),
        ("{{ messages[0].text }}/{{ messages[0].role }}", "Be brief/system"),
        ("{{ system }}", "Be brief"),
        ("{{ json.temperature }}", "0.5"),
        ("{{ json.stop }}", '["a",null]'),
        ("{{ json.store }}", "true"),
        ("{{ headers['X-Team'] }} {{ headers.get('x-other', 'none') }}", "blue none"),
        ("{{ operation }} {{ path }} {{ turn }}", "chat /v1/chat/completions 1"),
        ("{% if json.stream %}a{% else %}b{% endif %}", "b"),
        ("{% for message in messages %}{{ message.role }} {% endfor %}", "system user "),
        ("{{ tools | length }}", "0"),
        ("line\n", "line\n"),
    ],
)
def test_values_of_the_request_are_filled_in(template, text):
    fields = {"temperature": 0.5, "stop": ["a", None], "store": True, "headers": {"x-team": "blue"}, "stream": False}
    assert render(template, values(before=(("system", "Be brief"),), **fields)) == text
    assert check(template) == ""


def test_groups_of_the_rules_regex_are_named_or_numbered():
    one = view("from Rome to Bern")
    one.regex = re.search(r"from (\w+) to (?P<there>\w+)", one.text)
    assert render("{{ regex.1 }} {{ regex[2] }} {{ regex.there }}", Values(one, "")) == "Rome Bern Bern"


def test_an_id_is_the_same_in_every_run_and_another_for_each_reply():
    first, second = (render("{{ uuid }} {{ uuid }}", Values(view(), f"seed:{n}")).split() for n in (1, 2))
    assert first[0] == first[1] != second[0]
    assert re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", first[0])
    assert render("{{ uuid }}", Values(view(), "seed:1")) == first[0]


def test_the_time_is_that_of_the_request():
    exchange = chat()
    exchange.started = 1_700_000_000.9
    assert render("{{ now }} {{ timestamp }}", Values(View(exchange), "")) == "2023-11-14T22:13:20Z 1700000000"


def test_a_text_that_is_one_expression_keeps_its_type_in_json():
    fields = {"n": 3, "o": {"a": [1]}}
    template = {"n": "{{ json.n }}", "o": ["{{ json.o }}"], "t": "{{ json.n }}!", "{{ last_word }}": None, "z": 1}
    assert render_value(template, values(**fields)) == {"n": 3, "o": [{"a": [1]}], "t": "3!", "Rome": None, "z": 1}


@pytest.mark.parametrize(
    ("template", "words"),
    [
        ("{{ nope }}", "rules.yaml:3: the template '{{ nope }}' cannot be rendered: 'nope' is undefined"),
        ("{{ json.nope }}", "has no attribute 'nope'"),
        ("{{ json.nope.deeper }}", "has no attribute 'nope'"),
        ("{{ messages[9].text }}", "has no element 9"),
        ("{{ regex.1 }}", "has no element 1"),
        ("{{ a b }}", "is no template: expected token"),
        ("{{ 1 / 0 }}", "fails: ZeroDivisionError"),
        ("{{ last_word + 1 }}", "fails: TypeError"),
    ],
)
def test_what_is_not_there_is_an_error_that_names_the_place(template, words):
    with pytest.raises(ScriptError, match=re.escape(words)):
        render(template, values(), "rules.yaml:3")
    with pytest.raises(ScriptError, match=r"rules\.yaml:3: "):
        render_value({"a": template}, values(), "rules.yaml:3")


@pytest.mark.parametrize(
    "template",
    [
        "{{ ''.__class__.__mro__[1].__subclasses__() }}",
        "{{ messages.__class__ }}",
        "{{ last_message.format.__globals__ }}",
        "{{ json.update({'a': 1}) }}",
        "{{ cycler.__init__.__globals__.os }}",
        "{% include '/etc/passwd' %}",
        "{% import 'os' as os %}",
        "{{ range(10) }}",
        "{{ lipsum() }}",
    ],
)
def test_a_template_can_do_nothing_but_compute(template):
    exchange = chat()
    with pytest.raises(ScriptError):
        render(template, Values(View(exchange), ""))
    assert "a" not in exchange.json


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ("{{ last_wrod }}", "names 'last_wrod', which there is not. Did you mean 'last_word'?"),
        ({"a": ["{{ xyzzy }}"]}, "There are: call, headers"),
        ({"{{ a b }}": 1}, "is no template"),
        ("{{ 'x' | nonsense }}", "No filter named 'nonsense'"),
    ],
    ids=str,
)
def test_a_mistake_is_found_before_anything_is_asked(value, words):
    assert words in check(value)


def test_every_documented_name_is_there():
    exchange = asked("/v1/embeddings", {"input": ["a"]})
    found = Values(View(exchange), "")
    assert {name: found[name] is not None for name in templates.NAMES} == dict.fromkeys(templates.NAMES, True)
    assert len(found) == len([*found]) == len(templates.NAMES)
    with pytest.raises(KeyError):
        found["nope"]


@given(st.text())
def test_what_the_user_said_is_filled_in_as_it_is_and_never_rendered_itself(words):
    one = view(words)
    assert render("{{ last_message }}", Values(one, "")) == one.text
    assert render_value(["{{ last_message }}"], Values(one, "")) == [one.text]


@given(st.text().filter(lambda text: "{{" not in text and "{%" not in text and "{#" not in text))
def test_a_text_without_marks_stays_as_it_is(text):
    assert render(text, values()) == text
    assert check(text) == ""


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text("ab{}% "),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("ab"), inner, max_size=3),
    )
)
def test_json_of_the_request_comes_through_with_its_types(value):
    assert render_value(["{{ json.given }}"], values(given=value)) == [value]
