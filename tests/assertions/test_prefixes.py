"""Which conversations can be cached, which not, and which are not compared: so that there is no false alarm."""

from __future__ import annotations

from typing import Any

import pytest
from asserting import call, chat, exchange, failed, journal, system, tool

from pytest_llmmock.assertions.requests import Requests

AGENT = system("You are a travel agent. Answer briefly, and name sights that are open.")
PIRATE = system("You speak like pirates do, and never of anything but gold.")
RAIN, SHINE = "Will it rain in Rome today?", "It will not rain."
AFTER = (RAIN, SHINE, "And in Paris?")
TOOLS = [tool("get_weather"), tool("look_up")]


def calling(id: str, name: str = "get_weather", arguments: str = '{"city":"Rome"}') -> dict[str, Any]:
    function = {"name": name, "arguments": arguments}
    return {"role": "assistant", "content": None, "tool_calls": [{"id": id, "type": "function", "function": function}]}


def result(id: str, content: str) -> dict[str, str]:
    return {"role": "tool", "tool_call_id": id, "content": content}


def said(words: str, role: str = "assistant") -> dict[str, str]:
    return {"role": role, "content": words}


def anthropic(*messages: Any, **fields: Any) -> Any:
    return exchange("messages", {"max_tokens": 9, "messages": list(messages), **fields})


def response(words: Any, **fields: Any) -> Any:
    return exchange("responses", {"input": words, **fields})


def block(words: str, **fields: Any) -> dict[str, Any]:
    return {"type": "text", "text": words, **fields}


MARK = {"cache_control": {"type": "ephemeral"}}
STEPS = (
    (chat(AGENT, RAIN, tools=TOOLS), call("get_weather", {"city": "Rome"}, id="c1")),
    (chat(AGENT, RAIN, calling("c1"), result("c1", "sunny"), tools=TOOLS), SHINE),
    (chat(AGENT, RAIN, calling("c1"), result("c1", "sunny"), said(SHINE), said("Thanks", "user"), tools=TOOLS), "Bye."),
)

STABLE: dict[str, Requests] = {
    "nothing": Requests(),
    "one request": journal((chat(AGENT, RAIN), SHINE)),
    "a conversation that grows": journal((chat(AGENT, RAIN), SHINE), (chat(AGENT, *AFTER), "No.")),
    "an agent's loop": journal(*STEPS),
    "the same request again": journal((chat(RAIN), SHINE), (chat(RAIN), SHINE), (chat(RAIN), SHINE)),
    "a request that is tried again with another time": journal(
        (chat(system("It is 10:00. Be brief."), RAIN), 429), (chat(system("It is 10:01. Be brief."), RAIN), SHINE)
    ),
    "conversations with different prompts": journal(
        *((chat(each, words), SHINE) for each in (AGENT, PIRATE) for words in (RAIN, "Another question")),
        (chat(PIRATE, *AFTER), "No."),
        (chat(AGENT, *AFTER), "No."),
    ),
    "conversations that are answered the same": journal(
        (chat(AGENT, "Say hello to Ann"), "OK"),
        (chat(AGENT, "Say hello to Bob"), "OK"),
        (chat(AGENT, "Say hello to Bob", "OK", "And goodbye"), "OK"),
        (chat(AGENT, "Say hello to Ann", "OK", "And goodbye"), "OK"),
        (chat(AGENT, "Say hello to Eve", "OK", "And goodbye"), "OK"),
    ),
    "another model goes on": journal(
        (chat(AGENT, RAIN), SHINE), (chat(system("You are a travel agent. Now."), *AFTER, model="other"), "No.")
    ),
    "the model comes back": journal(
        (chat(AGENT, RAIN), SHINE),
        (chat(AGENT, *AFTER, model="other"), "It will not."),
        (chat(AGENT, *AFTER, "It will not.", "Good"), "Yes."),
    ),
    "another address": journal(
        (chat(AGENT, RAIN), SHINE), (exchange("responses", {"input": [said(RAIN, "user"), said(SHINE)]}), "No.")
    ),
    "branches of one conversation": journal(
        (chat(AGENT, RAIN), SHINE),
        *((chat(AGENT, RAIN, SHINE, f"And in {city}?"), f"Not in {city}.") for city in ("Paris", "Oslo")),
        (chat(AGENT, RAIN, SHINE, "And in Paris?", "Not in Paris.", "Fine"), "Yes."),
    ),
    "a question that is put in other words": journal((chat(AGENT, RAIN), SHINE), (chat(AGENT, "Rain in Rome?"), SHINE)),
    "examples before the question": journal(
        *((chat(AGENT, "I love it", "positive", f"I like {what}"), "positive") for what in ("tea", "milk")),
        (chat(AGENT, "I love it", "positive", "Awful"), "negative"),
    ),
    "an agent that another one hands over to": journal(
        (chat(AGENT, RAIN, tools=TOOLS), call("hand_over", id="c1")),
        (chat(PIRATE, RAIN, calling("c1", "hand_over", "{}"), result("c1", "done"), tools=TOOLS[:1]), "Ahoy."),
    ),
    "a helper that is told all without a system": journal(
        (chat(AGENT, RAIN, tools=TOOLS), SHINE),
        (chat(RAIN, SHINE, "A title for this?"), "Rain"),
    ),
    "an agent that asks another one": journal(
        STEPS[0],
        (chat(PIRATE, "The weather in Rome?"), "sunny"),
        STEPS[1],
    ),
    "thoughts, ids and empty fields": journal(
        (chat(AGENT, said(RAIN, "user")), SHINE),
        (
            chat(
                AGENT,
                said(RAIN, "user"),
                {**said(SHINE), "reasoning_content": "Hm", "refusal": None, "id": "m1"},
                said("And?", "user"),
            ),
            "No.",
        ),
        (
            chat(
                AGENT,
                said(RAIN, "user"),
                {**said(SHINE), "annotations": []},
                said("And?", "user"),
                said("No."),
                said("Oh", "user"),
            ),
            "Yes.",
        ),
    ),
    "texts and their parts": journal(
        (response("Will it rain?", instructions="Be brief."), SHINE),
        (
            response(
                [
                    {"role": "user", "content": "Will it rain?"},
                    {"type": "reasoning", "id": "rs_1", "summary": []},
                    {
                        "type": "message",
                        "id": "m1",
                        "status": "completed",
                        "role": "assistant",
                        "content": [{"type": "output_text", "text": SHINE, "annotations": [], "logprobs": []}],
                    },
                    {"role": "user", "content": [{"type": "input_text", "text": "And then?"}]},
                ],
                instructions="Be brief.",
            ),
            "No.",
        ),
    ),
    "what the provider keeps": journal(
        (response("Will it rain?", instructions="Be brief."), SHINE),
        (response("And then?", instructions="Be brief.", conversation="conv_1"), "No."),
        (response("Oh", instructions="Be brief.", conversation={"id": "conv_1"}), "No."),
    ),
    "marks that move on": journal(
        (anthropic({"role": "user", "content": [block(RAIN, **MARK)]}, system=[block("Be brief.", **MARK)]), SHINE),
        (
            anthropic(
                {"role": "user", "content": RAIN},
                {"role": "assistant", "content": [{"type": "thinking", "thinking": "Hm"}, block(SHINE)]},
                {"role": "user", "content": [block("And then?", **MARK)]},
                system=[block("Be brief.", **MARK)],
            ),
            "No.",
        ),
    ),
    "what stands behind the last mark": journal(
        (
            anthropic({"role": "user", "content": RAIN}, system=[block("Be brief.", **MARK), block("It is 10:00.")]),
            SHINE,
        ),
        (
            anthropic(
                said(RAIN, "user"),
                said(SHINE),
                said("And?", "user"),
                system=[block("Be brief.", **MARK), block("It is 10:01.")],
            ),
            "No.",
        ),
    ),
    "what is no conversation": journal(
        *((exchange("chat", {"messages": "none"}), "") for _ in range(2)),
    ),
}


@pytest.mark.parametrize("name", STABLE)
def test_no_false_alarm(name: str) -> None:
    STABLE[name].assert_prompt_cache_stable()


def later(*messages: Any, **fields: Any) -> Requests:
    return journal((chat(AGENT, RAIN, tools=TOOLS), SHINE), (chat(*messages, **{"tools": TOOLS, **fields}), "No."))


LONG = (
    "What is there to see in Rome?",
    "The Forum, and more.",
    "And at night?",
    "Trastevere, they say.",
    "Thanks a lot",
)
CHANGED: dict[str, tuple[Requests, str, str]] = {
    "the system prompt": (later(system(AGENT["content"] + " Now."), *AFTER), "messages[0].content", "[. Now]"),
    "the order of the tools": (later(AGENT, *AFTER, tools=TOOLS[::-1]), "tools", "look_up, get_weather"),
    "a description": (
        later(AGENT, *AFTER, tools=[TOOLS[0], {**TOOLS[1], "function": {**TOOLS[1]["function"], "description": "x"}}]),
        "tools[1].function.description",
        '"x"',
    ),
    "no tools any more": (later(AGENT, *AFTER, tools=[]), "tools", "(nothing)"),
    "a time in the question": (
        journal((chat("It is 10:00. Rain?"), SHINE), (chat("It is 10:02. Rain?", SHINE, "Oh"), "No.")),
        "messages[0].content",
        "It is 10:02. Rain?",
    ),
    "a role": (
        journal((chat(AGENT, RAIN), SHINE), (chat({**AGENT, "role": "developer"}, *AFTER), "No.")),
        "messages[0].role",
        "developer",
    ),
    "a result that was cleared": (
        journal(
            *STEPS[:2],
            (
                chat(
                    AGENT, RAIN, calling("c1"), result("c1", "[cleared]"), said(SHINE), said("Oh", "user"), tools=TOOLS
                ),
                "",
            ),
        ),
        "messages[3].content",
        "[cleared]",
    ),
    "a call that was written anew": (
        journal(
            *STEPS[:2],
            (
                chat(
                    AGENT,
                    RAIN,
                    calling("c1", arguments='{"city": "Rome"}'),
                    *STEPS[2][0].json["messages"][3:],
                    tools=TOOLS,
                ),
                "",
            ),
        ),
        "messages[2].tool_calls[0].function.arguments",
        '{"city": "Rome"}',
    ),
    "a window that slides": (
        journal((chat(AGENT, *LONG[:3]), LONG[3]), (chat(AGENT, *LONG[2:]), "Bye.")),
        "messages[1].content",
        LONG[2],
    ),
    "a message that was put in": (
        later(AGENT, RAIN, said("Be kind", "system"), said(SHINE), said("Oh", "user"), tools=[*TOOLS, TOOLS[0]]),
        "tools",
        "get_weather, look_up, get_weather",
    ),
    "a part that was left out": (
        journal(
            (chat(AGENT, said([block(RAIN), block("Be brief.")], "user")), SHINE),  # type: ignore[arg-type]
            (chat(AGENT, said([block(RAIN)], "user"), said(SHINE), said("Oh", "user")), "No."),  # type: ignore[arg-type]
        ),
        "messages[1].content[1]",
        "(nothing)",
    ),
    "instructions of a conversation": (
        journal(
            (response("Rain?", instructions="Be brief. It is 10:00.", conversation="c"), "No."),
            (response("Snow?", instructions="Be brief. It is 10:01.", conversation="c"), "No."),
        ),
        "instructions",
        "Be brief. It is 10:01.",
    ),
    "what stands before a mark": (
        journal(
            (anthropic(said(RAIN, "user"), system=[block("It is 10:00."), block("Be brief.", **MARK)]), SHINE),
            (
                anthropic(
                    *(said(RAIN, "user"), said(SHINE), said("And?", "user")),
                    system=[block("It is 10:01."), block("Be brief.", **MARK)],
                ),
                "No.",
            ),
        ),
        "system[0]",
        "It is 10:01.",
    ),
    "all of it, where the whole is marked": (
        journal(
            (anthropic(said(RAIN, "user"), system=[block("Be brief.", **MARK), block("At 10:00.")], **MARK), SHINE),
            (
                anthropic(
                    said(RAIN, "user"),
                    said(SHINE),
                    said("And?", "user"),
                    system=[block("Be brief."), block("At 10:01.")],
                ),
                "",
            ),
        ),
        "system[1]",
        "At 10:01.",
    ),
    "the form of a tool's schema": (
        journal(
            (anthropic(said(RAIN, "user"), tools=[{"name": "f", "input_schema": {"required": ["a", "b"]}}]), SHINE),
            (
                anthropic(
                    *(said(RAIN, "user"), said(SHINE), said("And?", "user")),
                    tools=[{"name": "f", "input_schema": {"required": ["b", "a"]}}],
                ),
                "",
            ),
        ),
        "tools[0].input_schema.required[0]",
        "b",
    ),
}


@pytest.mark.parametrize("name", CHANGED)
def test_the_first_change_is_shown(name: str) -> None:
    requests, path, now = CHANGED[name]
    lines = failed(requests.assert_prompt_cache_stable).splitlines()
    at = next(number for number, line in enumerate(lines) if line.endswith("(- before, + now):"))
    assert lines[at + 1].strip() == path
    assert now in lines[at + 3]


def test_a_response_that_is_named_is_gone_on_from() -> None:
    first = response("Rain?", instructions="Be brief. It is 10:00.")
    before = journal((first, "No."))
    id = before[0].answer.id
    assert id
    after = response("Snow?", instructions="Be brief. It is 10:01.", previous_response_id=id)
    assert "instructions" in failed(journal((first, "No."), (after, "No.")).assert_prompt_cache_stable)
    same = response("Snow?", instructions="Be brief. It is 10:00.", previous_response_id=id)
    journal((first, "No."), (same, "No.")).assert_prompt_cache_stable()


def test_only_what_was_selected_is_compared() -> None:
    requests = later(system(AGENT["content"] + " Now."), *AFTER)
    failed(requests.assert_prompt_cache_stable)
    requests.where(turn=1).assert_prompt_cache_stable()


def test_a_long_run_of_requests_is_compared_in_time() -> None:
    said: list[str] = []
    steps = []
    for number in range(150):
        said += [f"Question number {number}?"]
        steps.append((chat(AGENT, *said), f"Answer number {number}."))
        said += [f"Answer number {number}."]
    journal(*steps).assert_prompt_cache_stable()
