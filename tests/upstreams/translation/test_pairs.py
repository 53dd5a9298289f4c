"""The same Responses stream gives the same answer, whichever protocol asked for it, streamed or not."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import httpx2
import openai
import pytest
import responding as upstream
from answering import Answering, anthropic_client, exchange_of, ollama_client, openai_client
from hypothesis import given
from hypothesis import strategies as st
from responding import answered, asked

from pytest_llmmock.cassettes import foreign
from pytest_llmmock.core.json_text import compact, parse_json
from pytest_llmmock.core.model import Frame, Reply
from pytest_llmmock.core.prompt import Answer
from pytest_llmmock.dialects import responses
from pytest_llmmock.upstreams.translation import as_asked

OPERATIONS = ["chat", "completions", "messages", "responses", "ollama.chat", "ollama.generate"]
USAGE_ASKED = {"stream_options": {"include_usage": True}}
ROOT = Path(__file__).parents[3]

# --- what an answer says --------------------------------------------------------------------------------


def said(answer: Answer) -> dict[str, Any]:
    calls = [(call.name, call.arguments, call.id) for call in answer.tool_calls]
    joined = {kind: answer.joined(kind) for kind in ("text", "refusal", "reasoning")}  # type: ignore[arg-type]
    return {**joined, "calls": calls, "finish": answer.finish_reason, "usage": answer.usage}


def sayable(operation: str, answer: Answer) -> dict[str, Any]:
    """What an answer says, as far as a protocol can say it."""
    whole = said(answer)
    whole["reasoning"] = whole["reasoning"].replace("\n", "")
    if operation.startswith("ollama."):
        words = "".join(delta.text for delta in answer.deltas if delta.kind in ("text", "refusal"))
        calls = [(name, _object(arguments), id) for name, arguments, id in whole["calls"]]
        usage = answer.usage and (answer.usage.input, answer.usage.output)
        return {**whole, "text": words, "refusal": "", "calls": calls, "usage": usage}
    if operation == "messages":
        calls = [(name, _object(arguments), id) for name, arguments, id in whole["calls"]]
        finish = "content_filter" if whole["refusal"] else whole["finish"]
        usage = answer.usage and replace(answer.usage, total=None)
        return {**whole, "calls": calls, "finish": finish, "usage": usage}
    if operation == "completions":
        finish = "stop" if whole["finish"] == "tool_calls" else whole["finish"]
        return {**whole, "refusal": "", "reasoning": "", "calls": [], "finish": finish}
    return whole


def _object(arguments: str) -> str:
    value = parse_json(arguments.encode()) if arguments else {}
    return compact(value) if isinstance(value, dict) else arguments


def heard(operation: str, stream: bool, reply: Reply) -> dict[str, Any]:
    exchange = asked(operation, stream=stream, **USAGE_ASKED)
    told = as_asked(exchange, reply, reasoning="o3")
    assert (told.status, told.is_stream) == (200, stream)
    return sayable(operation, exchange.dialect.read_reply(told))


def agree(reply: Reply, name: str = "") -> None:
    """Every protocol says what the stream says."""
    answer = responses.read_reply(reply)
    for operation in OPERATIONS:
        expected = sayable(operation, answer)
        assert heard(operation, True, reply) == expected, (name, operation)
        assert heard(operation, False, reply) == expected, (name, operation)


# --- made up --------------------------------------------------------------------------------------------

words = st.lists(st.text('abc é🌍"\\', min_size=1, max_size=6), max_size=4)
objects = st.dictionaries(st.text("ab", max_size=2), st.integers(0, 9), max_size=2).map(json.dumps)
Item = tuple[str, list[str], list[str]]
items = st.lists(
    st.one_of(
        st.tuples(st.just("message"), words, words),
        st.tuples(st.just("reasoning"), words, words),
        st.tuples(st.just("call"), objects.flatmap(lambda text: st.sampled_from([[text], list(text)])), st.just([])),
        st.tuples(st.just("search"), st.just([]), st.just([])),
    ),
    max_size=5,
)
endings = st.sampled_from([("completed", None), ("incomplete", "max_output_tokens"), ("incomplete", "content_filter")])


def part_of(item: Item, number: int) -> dict[str, Any]:
    told = "".join(item[1 + number])
    if item[0] == "reasoning":
        return {"type": "summary_text", "text": told}
    return {"type": "refusal", "refusal": told} if number else {"type": "output_text", "text": told, "annotations": []}


def item_of(item: Item, place: int) -> dict[str, Any]:
    kind, pieces, _ = item
    if kind == "call":
        named = {"id": f"fc_{place}", "call_id": f"call_{place}", "name": f"f{place}"}
        return {"type": "function_call", **named, "arguments": "".join(pieces)}
    if kind == "search":
        return {"type": "web_search_call", "id": f"ws_{place}", "status": "completed"}
    parts = [part_of(item, number) for number in (0, 1) if item[1 + number]]
    if kind == "reasoning":
        return {"type": "reasoning", "id": f"rs_{place}", "summary": parts}
    return {"type": "message", "id": f"msg_{place}", "role": "assistant", "content": parts}


EVENTS = {"message": ("output_text.delta", "refusal.delta"), "reasoning": ("reasoning_summary_text.delta",) * 2}


def events_of(item: Item, place: int, in_pieces: bool) -> Iterator[bytes]:
    kind, pieces, more = item
    whole = item_of(item, place)
    empty = {name: [] for name in ("content", "summary") if name in whole} | (
        {"arguments": ""} if kind == "call" else {}
    )
    if in_pieces:
        yield upstream.added(place, **{**whole, **empty})
        if kind == "call":
            for piece in pieces:
                yield upstream.event("function_call_arguments.delta", output_index=place, delta=piece)
        for number, said in enumerate((pieces, more) if kind in EVENTS else ()):
            index = {"summary_index" if kind == "reasoning" else "content_index": number}
            for piece in said:
                yield upstream.event(EVENTS[kind][number], output_index=place, delta=piece, **index)
    yield upstream.done(place, **whole)


@given(items, st.booleans(), st.booleans(), endings)
def test_every_protocol_says_what_the_stream_says(
    output: list[Item], in_pieces: bool, told_again: bool, ending: tuple[str, str | None]
) -> None:
    events = [event for place, item in enumerate(output) for event in events_of(item, place, in_pieces)]
    whole = [item_of(item, place) for place, item in enumerate(output)] if told_again else []
    last = upstream.ended(ending[0], output=whole, incomplete_details={"reason": ending[1]})
    agree(answered(upstream.created(), events, last))


@given(items)
def test_pieces_of_bytes_make_no_difference(output: list[Item]) -> None:
    events = [event for place, item in enumerate(output) for event in events_of(item, place, True)]
    body = b"".join([upstream.created(), *events, upstream.ended()])
    for operation in OPERATIONS:
        exchange = asked(operation, stream=True)
        whole = as_asked(exchange, Reply(200, upstream.EVENTS, [Frame(body)])).body
        pieces = [Frame(body[at : at + 7]) for at in range(0, len(body), 7)]
        assert as_asked(exchange, Reply(200, upstream.EVENTS, pieces)).body == whole


# --- recorded -------------------------------------------------------------------------------------------


def recorded(folder: Path) -> Iterator[tuple[str, Reply]]:
    """The streams of Responses in a folder of cassettes."""
    for path in sorted(folder.rglob("*.yaml")):
        if b"response.output_item.added" not in path.read_bytes():
            continue
        for found in foreign.read(path.read_bytes()):
            if b'data: {"type":"response.created"' in found.reply.body:
                yield path.stem, found.reply


def test_our_own_recordings_say_the_same_in_every_protocol() -> None:
    found = list(recorded(ROOT / "cassettes"))
    assert found
    for name, reply in found:
        agree(reply, name)


def test_shared_recordings_say_the_same_in_every_protocol() -> None:
    folder = ROOT.parent / "shared/data/vcr"
    if not folder.is_dir():
        pytest.skip("the shared recordings are not beside this checkout")
    found = list(recorded(folder))
    assert len(found) > 10
    for name, reply in found:
        agree(reply, name)


# --- read by the clients --------------------------------------------------------------------------------


class Translating(Answering):
    """Answers each request with the same Responses stream, in the protocol of the request."""

    def __init__(self, *events: bytes | list[bytes], reasoning: str = "off") -> None:
        super().__init__(Answer())
        self.events = events
        self.reasoning = reasoning

    def reply(self, http: httpx2.Request | httpx.Request) -> tuple[int, list[tuple[str, str]], bytes]:
        exchange = exchange_of(http)
        told = as_asked(exchange, answered(*self.events), reasoning=self.reasoning)
        return told.status, list(told.headers), told.body


STREAM = Translating(
    upstream.created(),
    upstream.thought(0, "Hm"),
    upstream.message(1, "It ", "rains"),
    upstream.call(2, "weather", '{"city":', '"Rome"}'),
    upstream.call(3, "time", "{}"),
    upstream.ended(),
)
MESSAGES: list[Any] = [{"role": "user", "content": "Hi"}]


def test_openais_client_puts_chunks_together() -> None:
    with openai_client(STREAM) as client:
        options: Any = {"model": "gpt-5", "messages": MESSAGES}
        with client.chat.completions.stream(**options, stream_options={"include_usage": True}) as stream:
            kinds = [event.type for event in stream]
            final = stream.get_final_completion()
        plain = client.chat.completions.create(**options)
    assert kinds.count("tool_calls.function.arguments.done") == 2
    for found in (final, plain):
        (choice,) = found.choices
        calls = [(call.id, call.function.name, call.function.arguments) for call in choice.message.tool_calls or []]  # type: ignore[union-attr]
        assert (choice.message.content, choice.finish_reason) == ("It rains", "tool_calls")
        assert calls == [("call_2", "weather", '{"city":"Rome"}'), ("call_3", "time", "{}")]
        assert found.usage is not None
        assert found.usage.completion_tokens_details is not None
        assert (found.usage.prompt_tokens, found.usage.completion_tokens_details.reasoning_tokens) == (3, 2)


def test_openais_client_puts_a_response_together_whose_last_event_was_empty() -> None:
    with openai_client(STREAM) as client:
        with client.responses.stream(model="gpt-5", input="Hi") as stream:
            final = stream.until_done().get_final_response()
        plain = client.responses.create(model="gpt-5", input="Hi")
    for found in (final, plain):
        assert found.output_text == "It rains"
        assert [item.type for item in found.output] == ["message", "function_call", "function_call"]


def test_openais_client_reads_completions() -> None:
    with openai_client(STREAM) as client:
        pieces = client.completions.create(model="gpt-5", prompt="Hi", stream=True)
        assert "".join(choice.text for piece in pieces for choice in piece.choices) == "It rains"
        assert client.completions.create(model="gpt-5", prompt="Hi").choices[0].text == "It rains"


def test_openais_client_parses_structured_output() -> None:
    schema = {"type": "json_schema", "json_schema": {"name": "x", "schema": {"type": "object"}}}
    translating = Translating(upstream.created(), upstream.message(0, '{"a"', ": 1}"), upstream.ended())
    with openai_client(translating) as client:
        options: Any = {"model": "gpt-5", "messages": MESSAGES, "response_format": schema}
        with client.chat.completions.stream(**options) as stream:
            assert json.loads(stream.get_final_completion().choices[0].message.content or "") == {"a": 1}


def test_ollamas_client_puts_lines_together() -> None:
    with ollama_client(STREAM) as client:
        pieces = list(client.chat("gpt-5", MESSAGES, stream=True))
        plain = client.chat("gpt-5", MESSAGES)
        prompted = client.generate("gpt-5", "Hi")
        prompted_pieces = list(client.generate("gpt-5", "Hi", stream=True))
    assert "".join(piece.message.content or "" for piece in pieces) == plain.message.content == "It rains"
    assert "".join(piece.message.thinking or "" for piece in pieces) == plain.message.thinking == "Hm"
    calls = [call for piece in pieces for call in piece.message.tool_calls or []]
    assert calls == plain.message.tool_calls
    assert [(call.function.name, call.function.arguments) for call in calls] == [
        ("weather", {"city": "Rome"}),
        ("time", {}),
    ]
    assert (pieces[-1].done, pieces[-1].done_reason, pieces[-1].eval_count) == (True, "stop", 4)
    assert [piece.done for piece in pieces[:-1]] == [False] * (len(pieces) - 1)
    assert "".join(piece.response for piece in prompted_pieces) == prompted.response == "It rains"


def test_anthropics_client_puts_events_together() -> None:
    options: Any = {"model": "gpt-5", "max_tokens": 100, "messages": MESSAGES}
    with anthropic_client(STREAM) as client:
        with client.messages.stream(**options) as stream:
            final = stream.get_final_message()
        plain = client.messages.create(**options)
    for found in (final, plain):
        assert [block.type for block in found.content] == ["thinking", "text", "tool_use", "tool_use"]
        assert (found.content[1].text, found.content[2].input) == ("It rains", {"city": "Rome"})  # type: ignore[union-attr]
        assert (found.stop_reason, found.usage.output_tokens) == ("tool_use", 4)


FAILING = Translating(
    upstream.created(),
    upstream.text(0, "It "),
    upstream.event("failed", response={"error": {"code": "server_is_overloaded", "message": "Too hot"}}),
)


def test_openais_client_hears_of_a_failure_in_the_middle() -> None:
    with openai_client(FAILING) as client:
        heard: list[str] = []
        chunks = client.chat.completions.create(model="gpt-5", messages=MESSAGES, stream=True)
        with pytest.raises(openai.APIError, match="Too hot"):
            heard.extend(choice.delta.content or "" for chunk in chunks for choice in chunk.choices)
        assert "".join(heard) == "It "
        with pytest.raises(openai.InternalServerError, match="Too hot"):
            client.chat.completions.create(model="gpt-5", messages=MESSAGES)


def test_ollamas_client_hears_of_a_failure_in_the_middle() -> None:
    import ollama

    with ollama_client(FAILING) as client, pytest.raises(ollama.ResponseError, match="Too hot"):
        list(client.chat("gpt-5", MESSAGES, stream=True))
