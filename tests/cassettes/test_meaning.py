from __future__ import annotations

import json
from typing import Any

import pytest

from pytest_llmmock import dialects
from pytest_llmmock.cassettes.meaning import details, ids, joined, meaning, noise, without_noise
from pytest_llmmock.core.model import Exchange, Frame, Reply, Request, json_reply
from pytest_llmmock.core.sse import write_event

EVENTS = (("content-type", "text/event-stream"),)


def exchange(path: str) -> Exchange:
    return dialects.read(Request("POST", "https://h.example", path))


CHAT = exchange("/v1/chat/completions")
OTHER = exchange("/anything")


def said(reply: Reply, asked: Exchange = CHAT) -> dict[str, Any]:
    return meaning(asked, reply, asked.dialect.read_reply(reply))


def chunks(*pieces: str, id: str = "c1") -> Reply:
    choices = [{"index": 0, "delta": {"content": piece}} for piece in pieces]
    events = [write_event({"id": id, "model": "m", "choices": [choice]}) for choice in choices]
    end = write_event({"id": id, "model": "m", "choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]})
    return Reply(200, EVENTS, [Frame(event) for event in [*events, end, write_event("[DONE]")]])


def completion(content: str | None = "Hi", calls: list[tuple[str, str, str]] | None = None, **more: Any) -> Reply:
    tools = [{"id": id, "function": {"name": name, "arguments": text}} for id, name, text in calls or []]
    message = {"role": "assistant", "content": content, **({"tool_calls": tools} if tools else {})}
    return json_reply({"model": "m", "choices": [{"index": 0, "message": message, "finish_reason": "stop"}], **more})


def test_a_stream_that_is_cut_otherwise_says_the_same() -> None:
    assert said(chunks("Hel", "lo")) == said(chunks("H", "e", "llo", id="c2"))
    assert said(chunks("Hel", "lo")) == {"status": 200, "model": "m", "text": "Hello", "finish": "stop"}


def test_streamed_and_plain_say_the_same() -> None:
    assert said(chunks("H", "i")) == said(completion("Hi", id="other", created=7))


def test_arguments_are_compared_as_values() -> None:
    one, other = completion(None, [("a", "f", '{"x": 1}')]), completion(None, [("b", "f", '{ "x":1 }')])
    assert said(one) == said(other)
    assert said(one)["tool_calls"] == [{"name": "f", "arguments": {"x": 1}}]
    assert said(completion(None, [("a", "f", "{broken")]))["tool_calls"] == [{"name": "f", "arguments": "{broken"}]


def test_every_choice_counts() -> None:
    reply = json_reply(
        {"choices": [{"index": n, "message": {"content": f"c{n}"}, "finish_reason": "x"} for n in (0, 1)]}
    )
    assert [choice["text"] for choice in said(reply)["choices"]] == ["c0", "c1"]


def test_vectors_are_told_in_a_line_that_differs_when_one_number_does() -> None:
    asked = exchange("/v1/embeddings")
    first = [said(json_reply({"data": [{"embedding": [0.5, 1.0, 2.0, last]}]}), asked) for last in (3.0, 3.5)]
    assert first[0]["vectors"][0].startswith("4 numbers: 0.5, 1, 2 …, sha256 ")
    assert first[0] != first[1]


def test_errors_are_told_with_their_status() -> None:
    assert said(json_reply({"error": {"message": "slow down"}}, 429)) == {"status": 429, "errors": ["slow down"]}


def test_a_protocol_that_is_read_in_part_is_compared_by_its_values() -> None:
    """Bedrock's calls of tools are no words, and count all the same."""

    def answer(id: str, city: str) -> Reply:
        return json_reply({"id": id, "content": [{"type": "tool_use", "id": id, "name": "f", "input": {"city": city}}]})

    assert said(answer("1", "Rome"), OTHER) == said(answer("2", "Rome"), OTHER)
    assert said(answer("1", "Rome"), OTHER) != said(answer("1", "Oslo"), OTHER)


def test_messages_of_anthropic_are_compared_by_what_they_say() -> None:
    def answer(id: str, signature: str, query: str) -> Reply:
        blocks = [
            {"type": "thinking", "thinking": "Hm", "signature": signature},
            {"type": "server_tool_use", "id": id, "name": "web_search", "input": {"query": query}},
            {"type": "text", "text": "It rains"},
        ]
        return json_reply({"id": id, "model": "m", "content": blocks, "stop_reason": "end_turn"})

    asked = exchange("/v1/messages")
    assert said(answer("1", "a", "rain"), asked) == said(answer("2", "b", "rain"), asked)
    assert said(answer("1", "a", "rain"), asked) == {
        "status": 200,
        "model": "m",
        "text": "It rains",
        "reasoning": "Hm",
        "finish": "stop",
        "items": [{"type": "server_tool_use", "name": "web_search", "input": {"query": "rain"}}],
    }
    assert said(answer("1", "a", "rain"), asked) != said(answer("1", "a", "snow"), asked)


def test_its_streams_are_compared_with_their_pieces_joined() -> None:
    def stream(*pieces: str, content_type: str = "application/x-ndjson") -> Reply:
        lines = [{"message": {"content": piece}, "created_at": f"t{at}"} for at, piece in enumerate(pieces)]
        body = "".join(json.dumps(line) + "\n" for line in lines)
        return Reply(200, (("content-type", content_type),), [Frame(body.encode())])

    assert said(stream("Hel", "lo"), OTHER) == said(stream("Hello"), OTHER)
    assert said(stream("Hello"), OTHER) != said(stream("Hallo"), OTHER)


def test_content_that_is_no_text_is_told_by_its_hash() -> None:
    one, other = (Reply(200, (("content-type", "audio/mpeg"),), [Frame(b"\xff" + end)]) for end in (b"1", b"2"))
    assert said(one, OTHER)["body"].startswith("2 bytes audio/mpeg, sha256 ")
    assert said(one, OTHER) != said(other, OTHER)


def test_pieces_are_joined_only_where_all_else_is_the_same() -> None:
    def event(index: int, text: str) -> dict[str, Any]:
        return {"index": index, "delta": {"text": text}, "list": [{"content": text}]}

    assert joined([event(0, "a"), event(0, "b"), event(1, "c")]) == [event(0, "ab"), event(1, "c")]
    assert joined([{"type": "ping"}, {"type": "ping"}]) == [{"type": "ping"}, {"type": "ping"}]


def test_noise_is_left_out_at_any_depth() -> None:
    assert without_noise([{"id": 1, "a": {"created": 2, "b": 3}}]) == [{"a": {"b": 3}}]


@pytest.mark.parametrize(
    ("other", "names"),
    [
        (completion(id="2", usage={"total_tokens": 1}), {"ids", "bytes"}),
        (completion(id="1", usage={"total_tokens": 2}), {"usage", "bytes"}),
        (completion(id="1", created=5, usage={"total_tokens": 1}), {"created", "bytes"}),
    ],
)
def test_noise_has_names(other: Reply, names: set[str]) -> None:
    reply = completion(id="1", usage={"total_tokens": 1})
    one, two = (noise(each, CHAT.dialect.read_reply(each)) for each in (reply, other))
    assert {name for name in one if one[name] != two[name]} == names


def test_times_and_headers_are_noise() -> None:
    reply = completion()
    later = Reply(200, (*reply.headers, ("x-request-id", "2")), [Frame(reply.body, 0.5)])
    one, two = (noise(each, CHAT.dialect.read_reply(each)) for each in (reply, later))
    assert {name for name in one if one[name] != two[name]} == {"headers", "times"}


def test_fields_that_no_dialect_reads_are_compared_too() -> None:
    one, other = completion(id="1", service_tier="default"), completion(id="2", service_tier="flex")
    assert said(one) == said(other)
    assert [(each.path, each.asked) for each in details(one, other, "answer")] == [("answer.service_tier", "flex")]


def test_ids_are_those_of_the_answer_and_its_calls() -> None:
    reply = completion(None, [("call_1", "f", "{}"), ("call_2", "g", "{}")], id="c")
    assert ids(CHAT.dialect.read_reply(reply)) == ["c", "call_1", "call_2"]
