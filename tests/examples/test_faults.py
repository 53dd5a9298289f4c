"""What an application does when the model's answer goes wrong, on top of recordings of a real server."""

from __future__ import annotations

import json

import pytest
from openai import APIConnectionError, OpenAI

from .test_conversations import QUESTION, WEATHER


class Interrupted(Exception):
    """The answer broke off, and nothing of it may be used."""


def tool_calls() -> dict[str, list[str]]:
    """An application: the tools that the model wants to have called, and the cities."""
    wanted: dict[int, list[str]] = {}
    finished = False
    try:
        stream = OpenAI(api_key="test").chat.completions.create(
            model="gpt-4.1", messages=QUESTION, tools=[WEATHER], stream=True
        )
        for chunk in stream:
            for choice in chunk.choices:
                finished = finished or choice.finish_reason is not None
                for call in choice.delta.tool_calls or []:
                    name, arguments = wanted.setdefault(call.index, ["", ""])
                    wanted[call.index] = [
                        name + (call.function.name or ""),
                        arguments + (call.function.arguments or ""),
                    ]
    except APIConnectionError as error:
        raise Interrupted from error
    if not finished:
        raise Interrupted
    return {name: json.loads(arguments) for name, arguments in wanted.values()}


@pytest.mark.llm_cassette("tests/examples/test_conversations/test_tools_streamed")
def test_no_half_tool_call_is_ever_made_wherever_the_stream_is_cut(llm_mock):
    finish = llm_mock.event_counts[0] - 1  # the event that ends the answer; behind it comes [DONE] only
    for events in range(finish):
        llm_mock.faults.clear().cut(after_events=events)
        with pytest.raises(Interrupted):
            tool_calls()
    llm_mock.faults.clear()
    assert tool_calls() == {"get_weather": {"city": "Rome"}}
    assert [entry.notes for entry in llm_mock.requests] == [
        *((f"fault: cut(after_events={events})",) for events in range(finish)),
        (),
    ]
