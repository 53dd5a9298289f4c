"""What the Codex backend is sent, held against the rules of the stand-in."""

from __future__ import annotations

import uuid

import pytest
from backend_rules import check
from hypothesis import given
from hypothesis import strategies as st

from pytest_llmmock.upstreams.chatgpt import RULES
from pytest_llmmock.upstreams.codex_items import fitted
from pytest_llmmock.upstreams.codex_request import NEUTRAL, Impossible, Sent, Wishes, request_of
from pytest_llmmock.upstreams.sealed import Sealed

MODEL = "gpt-5.6-sol"


NONE = Wishes()


def sent(wishes: Wishes = NONE, **body: object) -> Sent:
    body = {"model": MODEL, "input": "hello", **body}
    return request_of(body, wishes, lambda items: fitted(items, Sealed(), lambda id: None))


def test_the_least_that_is_asked_is_made_whole():
    found = sent()
    assert check(found.body, set()) == {
        "model": MODEL,
        "instructions": NEUTRAL,
        "input": [{"type": "message", "role": "user", "content": [{"type": "input_text", "text": "hello"}]}],
        "tools": [],
        "prompt_cache_key": found.session,
        "store": False,
        "stream": True,
    }
    assert found.notes == [f"codex demands instructions, and there were none: '{NEUTRAL}' was sent"]


def test_what_the_backend_takes_is_sent_as_it_is():
    tool = {"type": "function", "name": "look", "description": "", "strict": True, "parameters": {"type": "object"}}
    asked = {
        "instructions": "be brief",
        "tools": [tool],
        "tool_choice": {"type": "function", "name": "look"},
        "parallel_tool_calls": False,
        "text": {"format": {"type": "json_object"}, "verbosity": "low"},
        "prompt_cache_key": "mine",
        "service_tier": "priority",
        "client_metadata": {"a": "b"},
    }
    found = sent(**asked)
    check(found.body, set())
    assert {name: found.body[name] for name in asked} == asked
    assert found.notes == []


def test_store_and_stream_are_never_the_clients():
    body = sent(store=True, stream=False).body
    assert (body["store"], body["stream"]) == (False, True)


REFUSED = {
    "temperature": 0.2,
    "top_p": 0.5,
    "top_logprobs": 3,
    "max_output_tokens": 50,
    "max_tool_calls": 2,
    "truncation": "auto",
    "user": "u",
    "safety_identifier": "s",
    "background": True,
    "service_tier": "flex",
    "seed": 1,
    "prompt_cache_retention": "24h",
    "brand_new": {"x": 1},
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_it_refuses_is_left_out_and_that_is_said(name):
    found = sent(instructions="x", **{name: REFUSED[name]})
    check(found.body, set())
    assert found.notes == [f"codex does not take {name}: sent without"]


def test_all_that_is_left_out_is_one_note():
    assert sent(instructions="x", temperature=0.2, seed=1).notes == [
        "codex does not take temperature, seed: sent without"
    ]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("temperature", 1.0),
        ("top_p", 1),
        ("truncation", "disabled"),
        ("background", False),
        ("service_tier", "auto"),
        ("service_tier", "default"),
        ("max_output_tokens", None),
        ("store", False),
        ("store", True),
        ("metadata", {"a": "b"}),
        ("stream_options", {"include_obfuscation": False}),
    ],
)
def test_what_changes_nothing_is_left_out_without_a_word(name, value):
    found = sent(instructions="x", **{name: value})
    check(found.body, set())
    assert found.notes == []


def test_what_is_said_of_thinking_and_not_taken_is_told():
    found = sent(instructions="x", reasoning={"effort": "low", "generate_summary": "auto", "context": None})
    check(found.body, set())
    assert found.body["reasoning"] == {"effort": "low"}
    assert found.notes == ["codex does not take reasoning.generate_summary: sent without"]


def test_the_public_api_takes_all_that_is_said_of_thinking():
    thinking = {"effort": "low", "generate_summary": "auto"}
    found = request_of({"model": MODEL, "reasoning": thinking}, NONE, lambda items: (items, []), RULES)
    assert found.body["reasoning"] == thinking
    assert found.notes == []


@pytest.mark.parametrize("name", ["conversation", "prompt"])
def test_what_only_openai_keeps_cannot_be_asked_for(name):
    with pytest.raises(Impossible) as caught:
        sent(**{name: "id_1"})
    problem = caught.value.problem
    assert (problem.status, problem.param) == (400, name)
    assert problem.message == f"The upstream 'codex' keeps no {name}s: send all of the input itself."


# --- instructions ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("role", ["system", "developer"])
def test_what_a_first_message_tells_the_model_are_instructions(role):
    found = sent(input=[{"role": role, "content": "be brief"}, {"role": "user", "content": "hello"}])
    check(found.body, set())
    assert found.body["instructions"] == "be brief"
    assert [item["role"] for item in found.body["input"]] == ["user"]
    assert found.notes == []


def test_a_second_one_stays_where_it_is():
    turns = [{"role": "user", "content": "a"}, {"role": "system", "content": "b"}]
    found = sent(instructions="c", input=turns)
    check(found.body, set())
    assert [item["role"] for item in found.body["input"]] == ["user", "developer"]


def test_a_conversation_is_never_without_input():
    assert len(sent(input=[{"role": "system", "content": "be brief"}]).body["input"]) == 1


def test_a_picture_is_no_instruction():
    parts = [{"type": "input_image", "image_url": "https://x.example/a.png"}]
    found = sent(input=[{"role": "developer", "content": parts}, {"role": "user", "content": "hello"}])
    assert found.body["instructions"] == NEUTRAL


# --- thinking -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("asked", "wishes", "reasoning"),
    [
        ({"model": "gpt-5.5-high"}, Wishes(), {"effort": "high"}),
        ({"model": "gpt-5.5-high"}, Wishes(effort="low"), {"effort": "high"}),
        ({"model": "gpt-5.5-high", "reasoning": {"effort": "minimal"}}, Wishes(), {"effort": "minimal"}),
        ({"model": "gpt-5.5"}, Wishes(effort="low", summary="auto"), {"effort": "low", "summary": "auto"}),
        ({"model": "gpt-5.5", "reasoning": {"summary": "concise"}}, Wishes(summary="auto"), {"summary": "concise"}),
        ({"model": "gpt-5.5"}, Wishes(effort="low", summary="none"), {"effort": "low"}),
        ({"model": "gpt-5.5", "reasoning": {"summary": "none"}}, Wishes(effort="low"), {"effort": "low"}),
    ],
)
def test_the_request_decides_then_its_models_name_then_the_settings(asked, wishes, reasoning):
    body = check(sent(wishes, **asked).body, set())
    assert (body["model"], body["reasoning"]) == ("gpt-5.5", reasoning)
    assert body["include"] == ["reasoning.encrypted_content"]


def test_where_nobody_says_how_to_think_nothing_is_said():
    assert {"reasoning", "include"}.isdisjoint(sent().body)


def test_a_model_of_the_settings_is_asked_instead_and_that_is_said():
    found = sent(Wishes(model="gpt-6-sol-low"), instructions="x")
    assert (found.body["model"], found.body["reasoning"]) == ("gpt-6-sol", {"effort": "low"})
    assert found.notes == ["codex was asked for gpt-6-sol (debug_model)"]


# --- searching ------------------------------------------------------------------------------------------


def test_a_search_is_offered_where_the_settings_say_so():
    assert sent(Wishes(web_search=True)).body["tools"] == [{"type": "web_search"}]


def test_a_client_that_offers_one_itself_keeps_its_own():
    own = {"type": "web_search", "search_context_size": "low"}
    assert sent(Wishes(web_search=True), tools=[own]).body["tools"] == [own]


def test_the_settings_search_for_nobody_who_wants_no_tool():
    assert sent(Wishes(web_search=True), tool_choice="none").body["tools"] == []


# --- sessions -------------------------------------------------------------------------------------------


def test_each_turn_of_a_conversation_has_the_same_session_and_another_one_has_another():
    first = {"role": "user", "content": "hello"}
    later = [first, {"role": "assistant", "content": "hi"}, {"role": "user", "content": "more"}]
    one, two = sent(input=[first], instructions="x"), sent(input=later, instructions="x")
    assert one.session == two.session == str(uuid.UUID(one.session))
    assert len({one.session, sent(input="other", instructions="x").session, sent(instructions="y").session}) == 3


def test_a_key_that_is_too_long_is_cut():
    assert sent(prompt_cache_key="k" * 100).body["prompt_cache_key"] == "k" * 64


# --- whatever comes -------------------------------------------------------------------------------------

NAMES = st.sampled_from(["id", "type", "role", "content"]) | st.text(max_size=4)

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5) | st.just("gpt-5.5-high"),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3),
    max_leaves=6,
)


def _itself(id: str) -> dict[str, str]:
    return {"id": id}


@given(
    st.dictionaries(
        st.sampled_from(["input", "tools", "reasoning", "include", "instructions", "model", "text", "store", "x"]),
        VALUES,
    )
)
def test_a_request_that_is_wrong_is_left_to_the_backend_to_refuse(body):
    """Nothing of ours breaks on it."""
    found = request_of({"reasoning": {"effort": "low"}, **body}, NONE, lambda items: fitted(items, Sealed(), _itself))
    assert (found.body["store"], found.body["stream"]) == (False, True)
