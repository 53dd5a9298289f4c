"""What a conversion does whatever the protocol: what stays, what goes, what it refuses."""

from __future__ import annotations

from typing import Any, cast

import pytest
from conversions import EVENTS, JSON, PLAIN, STREAMED, converted, plain, streamed, values_of
from hypothesis import given
from hypothesis import strategies as st

from pytest_llmmock.core.model import Dialect, Frame, Reply
from pytest_llmmock.dialects import chat, completions, conversion, embeddings, models, opaque, responses

CHAT, COMPLETIONS, RESPONSES = (cast(Dialect, module) for module in (chat, completions, responses))

COMPLETION = {
    "id": "cmpl-1",
    "object": "chat.completion",
    "created": 1,
    "model": "m",
    "choices": [{"index": 0, "message": {"role": "assistant", "content": "Hi you"}, "finish_reason": "stop"}],
}
RESPONSE = {"id": "resp_1", "object": "response", "status": "completed", "output": []}


def chunk(said: dict[str, Any], finish: str | None = None) -> dict[str, Any]:
    choice = {"index": 0, "delta": said, "finish_reason": finish}
    return {**COMPLETION, "object": "chat.completion.chunk", "choices": [choice]}


CHUNKS = [chunk({"role": "assistant", "content": ""}), chunk({"content": "Hi you"}), chunk({}, "stop")]


def test_a_stream_made_of_a_whole_answer_has_its_headers_but_those_of_the_form() -> None:
    reply = converted(CHAT, STREAMED, plain(COMPLETION))
    assert reply.headers == (("content-type", "text/event-stream; charset=utf-8"), ("x-request-id", "req_1"))
    assert isinstance(reply.frames, list)


def test_its_events_come_evenly_over_the_time_that_the_answer_took() -> None:
    whole = plain(COMPLETION)
    whole.frames = [Frame(whole.body, 1.5)]
    times = [frame.at for frame in converted(CHAT, STREAMED, whole).frames]
    assert times[-1] == 1.5
    assert [round(time / times[0]) for time in times] == list(range(1, len(times) + 1))


def test_the_pieces_of_a_very_long_text_are_longer() -> None:
    words = "word " * 1_000_000
    found = conversion.pieces(words)
    assert "".join(found) == words
    assert len(found) <= 10_001
    assert conversion.pieces("a short text") == ["a", " short", " text"]


def test_a_whole_answer_made_of_a_stream_comes_when_the_stream_was_over() -> None:
    reply = converted(CHAT, PLAIN, streamed(*CHUNKS))
    assert reply.headers == (("content-type", "application/json"), ("x-request-id", "req_1"))
    assert reply.json() == COMPLETION
    assert [frame.at for frame in reply.frames] == [0.4]


@pytest.mark.parametrize(("prompt", "reply"), [(PLAIN, plain(COMPLETION)), (STREAMED, streamed(*CHUNKS))])
def test_what_is_as_it_is_asked_stays_as_it_was_recorded(prompt: Any, reply: Reply) -> None:
    assert chat.convert(prompt, reply) is reply


@pytest.mark.parametrize("dialect", [CHAT, COMPLETIONS, RESPONSES])
@pytest.mark.parametrize("prompt", [PLAIN, STREAMED])
def test_an_error_is_the_same_either_way(dialect: Dialect, prompt: Any) -> None:
    refused = plain({"error": {"message": "slow down"}}, 429)
    assert dialect.convert(prompt, refused) is refused


@pytest.mark.parametrize("module", [embeddings, models, opaque])
@pytest.mark.parametrize("prompt", [PLAIN, STREAMED])
def test_protocols_without_streams_convert_nothing(module: Any, prompt: Any) -> None:
    assert module.convert(prompt, plain(COMPLETION)) is None


@pytest.mark.parametrize("dialect", [CHAT, COMPLETIONS, RESPONSES])
@pytest.mark.parametrize("prompt", [PLAIN, STREAMED])
@pytest.mark.parametrize(
    "reply",
    [
        Reply(200, JSON, []),
        Reply(200, EVENTS, []),
        Reply(200, JSON, [Frame(b"<html>")]),
        Reply(200, JSON, [Frame(b'{"choices": [{"inde')]),
        Reply(200, EVENTS, [Frame(b"data: [DONE]\n\n")]),
        plain({}),
        plain([COMPLETION]),
        plain({"choices": [], "output": None}),
        plain({"choices": [{"index": 0, "message": None, "text": None, "finish_reason": "stop"}]}),
        plain({"choices": [None], "output": 5, "status": "completed"}),
        streamed({"choices": []}),
        streamed(5, None),
    ],
)
def test_what_cannot_be_read_is_not_converted(dialect: Dialect, prompt: Any, reply: Reply) -> None:
    assert dialect.convert(prompt, reply) is None


def test_a_stream_that_breaks_off_is_not_converted() -> None:
    for count in range(len(CHUNKS)):
        assert chat.convert(PLAIN, streamed(*CHUNKS[:count], done=False)) is None
    assert chat.convert(PLAIN, streamed(*CHUNKS, done=False)) is not None  # it said why it ended
    assert chat.convert(PLAIN, streamed(*CHUNKS[:2])) is not None  # it said that it is over


@pytest.mark.parametrize(
    ("error", "status"),
    [
        ({"message": "m", "type": "server_error", "param": None, "code": None}, 500),
        ({"message": "m", "code": 502, "metadata": {"provider": "x"}}, 502),
        ({"message": "m", "code": "rate_limit_exceeded"}, 429),
        ({"message": "m", "type": "invalid_request_error", "code": "odd"}, 400),
        ({"message": "m", "code": 7, "status": "bad"}, 500),
        ("gone", 500),
    ],
)
def test_a_stream_that_failed_is_an_error_to_who_asks_without_a_stream(error: Any, status: int) -> None:
    recorded = streamed(*CHUNKS[:2], {"error": error}, done=False)
    reply = converted(CHAT, PLAIN, recorded)
    assert (reply.status, reply.json()) == (status, {"error": {"message": error} if error == "gone" else error})
    assert ("x-should-retry", "false") in reply.headers
    assert chat.convert(STREAMED, recorded) is recorded


@given(st.text())
def test_pieces_are_the_text(words: str) -> None:
    found = conversion.pieces(words)
    assert "".join(found) == words
    assert all(found)


def test_pieces_are_words_with_the_space_before_them_and_never_long() -> None:
    assert conversion.pieces("Plan a  day\nin Rome. ") == ["Plan", " a", "  day", "\nin", " Rome.", " "]
    assert max(map(len, conversion.pieces("x" * 100))) == 16


def test_a_failure_is_an_event_that_the_stream_of_chunks_knows() -> None:
    from pytest_llmmock.core.model import Problem

    for module in (chat, completions, embeddings, models, opaque):
        event = module.write_failure(Problem(500, "out of coal", "no_coal", "server_error"))
        [value] = values_of(Reply(200, EVENTS, [Frame(event)]))
        assert value == {"error": {"message": "out of coal", "type": "server_error", "param": None, "code": "no_coal"}}
