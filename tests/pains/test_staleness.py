"""A green test on a recording of something else."""

from __future__ import annotations

import json

import openai
import pytest
from provider import as_json, completion

ASKED = {
    "model": "gpt-5",
    "messages": [
        {"role": "system", "content": "You are terse."},
        {"role": "user", "content": "What is two and two?"},
        {"role": "assistant", "content": "Four."},
        {"role": "user", "content": "one"},
    ],
    "temperature": 0,
    "n": 1,
    "tools": [{"type": "function", "function": {"name": "add", "description": "Adds.", "parameters": {}}}],
}


def with_message(number: int, content: str) -> dict:
    messages = [dict(each) for each in ASKED["messages"]]
    messages[number]["content"] = content
    return {"messages": messages}


CHANGES = {
    "prompt": (with_message(3, "two"), "messages[3].content"),
    "prompt that contains the recorded words": (with_message(3, "please one more thing"), "messages[3].content"),
    "prompt that is contained in the recorded words": (with_message(3, "on"), "messages[3].content"),
    "system prompt": (with_message(0, "You are verbose."), "messages[0].content"),
    "another conversation with the same last line": (with_message(1, "What is six and six?"), "messages[1].content"),
    "nothing but the last line": ({"messages": ASKED["messages"][3:]}, "messages"),
    "temperature": ({"temperature": 1}, "temperature"),
    "choices": ({"n": 2}, "n"),
    "model": ({"model": "gpt-5-mini"}, "model"),
    "description of a tool": (
        {"tools": [{"type": "function", "function": {"name": "add", "description": "Sums.", "parameters": {}}}]},
        "tools[0].function.description",
    ),
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_changed_request_is_a_miss_that_names_the_field(run, missing, change):
    """Tools that match without the body, by substring or by the last message stay green after any of these changes."""
    with run("once") as app:
        assert app.say(**ASKED) == "one #1"
    changed, field = CHANGES[change]
    answered = []
    with missing() as (app, told), pytest.raises(openai.NotFoundError, match="No recording matches this request"):
        answered.append(app.say(**{**ASKED, **changed}))
    assert answered == []
    assert field in str(told.value)


def test_conversations_that_end_in_the_same_words_are_told_apart(run):
    """A tool that looks at the last message only gives three different conversations one answer."""
    conversations = [[{"role": "user", "content": each}, {"role": "user", "content": "go on"}] for each in "abc"]
    with run("once") as app:
        recorded = [app.say(messages=each) for each in conversations]
    assert len(set(recorded)) == 3
    with run() as app:
        assert [app.say(messages=each) for each in reversed(conversations)] == recorded[::-1]


def agent(app, most: int = 10) -> list[str]:
    """Calls tools until the model has had enough; tells the arguments of the calls, and its last words."""
    messages: list = [{"role": "user", "content": "count to three"}]
    told = []
    for _ in range(most):
        said = app.ask(messages=messages).choices[0].message
        if not said.tool_calls:
            return [*told, said.content]
        messages.append(said.model_dump(exclude_none=True))
        for call in said.tool_calls:
            told.append(call.function.arguments)
            messages.append({"role": "tool", "tool_call_id": call.id, "content": "ok"})
    raise AssertionError(f"the agent goes on and on: {told}")


def test_a_loop_of_tool_calls_ends_in_replay_where_it_ended(run, provider):
    """A tool that looks at the last user's message plays the first tool call for ever."""

    def answer(asked):
        turn = len(asked.json()["messages"]) // 2
        if turn == 3:
            return as_json(completion("three it is"))
        function = {"name": "count", "arguments": json.dumps({"to": turn + 1})}
        return as_json(completion(None, tool_calls=[{"id": f"call_{turn}", "type": "function", "function": function}]))

    provider.answer = answer
    with run("once") as app:
        recorded = agent(app)
    assert recorded == ['{"to": 1}', '{"to": 2}', '{"to": 3}', "three it is"]
    with run() as app:
        assert agent(app) == recorded


def test_a_conversation_goes_on_where_a_person_was_asked(run):
    """A tool that does not know tool results plays the question again when a person's answer has come."""
    before = [{"role": "user", "content": "delete it"}]
    call = {"id": "call_1", "type": "function", "function": {"name": "confirm", "arguments": "{}"}}
    asked = [*before, {"role": "assistant", "content": None, "tool_calls": [call]}]
    answers = [[*asked, {"role": "tool", "tool_call_id": "call_1", "content": each}] for each in ("yes", "no")]
    with run("once") as app:
        recorded = [app.say(messages=each) for each in (before, *answers)]
    with run() as app:
        assert (
            [app.say(messages=each) for each in (before, *answers)] == recorded == ["delete it #1", "yes #2", "no #3"]
        )
