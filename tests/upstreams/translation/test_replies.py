"""What Responses answers, in the client's protocol: chunk by chunk, as it comes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import responding as upstream
from responding import Upstream, answered, asked, values_of

from pytest_llmmock.core.live import Live
from pytest_llmmock.core.model import Exchange, Frame, Reply
from pytest_llmmock.core.prompt import Usage
from pytest_llmmock.errors import CutConnection, UpstreamError
from pytest_llmmock.upstreams.translation import as_asked

TRANSLATED = ["chat", "completions", "messages", "ollama.chat", "ollama.generate"]
BEGUN = [upstream.created(), upstream.added(0, type="message", role="assistant", content=[])]


def streamed(reply: Reply, exchange: Exchange, **options: Any) -> list[Any]:
    """The values of a translated stream."""
    told = as_asked(exchange, reply, **options)
    assert told.status == 200
    return values_of(told.body)


def deltas_of(values: list[Any]) -> list[Any]:
    return [value["choices"][0]["delta"] for value in values if isinstance(value, dict) and value["choices"]]


def finishes_of(values: list[Any]) -> list[str]:
    choices = [choice for value in values if isinstance(value, dict) for choice in value.get("choices", [])]
    return [choice["finish_reason"] for choice in choices if choice["finish_reason"]]


# --- while it comes -------------------------------------------------------------------------------------


def test_every_chunk_comes_as_its_event_comes() -> None:
    source = Upstream(*BEGUN, upstream.text(0, "It "))
    frames = iter(as_asked(asked(stream=True), source.reply).frames)
    assert deltas_of(values_of(next(frames).data)) == [{"role": "assistant", "content": ""}]
    assert deltas_of(values_of(next(frames).data)) == [{"content": "It "}]
    source.release(upstream.text(0, "rains"))
    assert deltas_of(values_of(next(frames).data)) == [{"content": "rains"}]
    source.release(upstream.call(1, "f", "{}")[0])
    (piece,) = deltas_of(values_of(next(frames).data))[0]["tool_calls"]
    assert piece == {"index": 0, "id": "call_1", "type": "function", "function": {"name": "f", "arguments": ""}}
    source.release(upstream.call(1, "f", "{}")[1])
    assert deltas_of(values_of(next(frames).data)) == [{"tool_calls": [{"index": 0, "function": {"arguments": "{}"}}]}]
    source.release(upstream.ended())
    assert finishes_of(values_of(next(frames).data)) == ["tool_calls"]
    assert next(frames).data == b"data: [DONE]\n\n"
    source.end()
    assert list(frames) == []


@pytest.mark.parametrize("operation", TRANSLATED)
def test_the_first_words_wait_for_nothing_behind_them(operation: str) -> None:
    source = Upstream(*BEGUN, upstream.text(0, "It "))
    exchange = asked(operation, stream=True)
    frames = iter(as_asked(exchange, source.reply).frames)
    heard = next(frames).data
    while b"It " not in heard:
        heard = next(frames).data
    source.release(upstream.ended())
    source.end()
    said = list(frames)
    assert exchange.dialect.read_reply(Reply(200, (), [Frame(heard), *said])).text == "It "


def test_events_that_are_cut_anywhere_make_the_same_chunks() -> None:
    events = b"".join([*BEGUN, *upstream.message(1, "Grüße ", "aus 🌍"), upstream.ended()])
    whole = as_asked(asked(stream=True), Reply(200, upstream.EVENTS, [Frame(events)])).body
    source = Upstream(*(events[at : at + 1] for at in range(len(events))))
    source.end()
    told = as_asked(asked(stream=True), source.reply)
    assert b"".join(frame.data for frame in told.frames) == whole
    crlf = events.replace(b"\n", b"\r\n")
    assert as_asked(asked(stream=True), Reply(200, upstream.EVENTS, [Frame(b"\xef\xbb\xbf" + crlf)])).body == whole


def test_a_sign_of_life_is_handed_on_where_a_stream_has_a_place_for_it() -> None:
    events = [upstream.created(), b": keep-alive\n\n", *upstream.message(0, "Hi"), upstream.ended()]
    assert b": keep-alive\n\n" in [f.data for f in as_asked(asked(stream=True), answered(*events)).arrived]
    assert b"keep" not in as_asked(asked("ollama.chat"), answered(*events)).body


def test_a_sign_of_life_before_the_answer_reaches_the_client_at_once() -> None:
    source = Upstream(upstream.created(), b": wait\n\n")
    assert next(iter(as_asked(asked(stream=True), source.reply).frames)).data == b": wait\n\n"


def test_it_is_whole_with_its_last_event_and_before_its_client_can_know() -> None:
    source = Upstream(*BEGUN, upstream.text(0, "Hi"), upstream.ended())
    told = as_asked(asked(stream=True), source.reply)
    kept: list[bytes] = []
    assert isinstance(told.frames, Live)
    told.frames.then(lambda: kept.append(told.body))
    for frame in told.frames:
        if frame.data == b"data: [DONE]\n\n":
            assert kept == [told.body]
            source.end()
    assert kept == [told.body]
    assert told.frames.whole


def test_what_comes_behind_the_end_is_taken_so_that_the_connection_is_free() -> None:
    source = Upstream(*BEGUN, upstream.text(0, "Hi"), upstream.ended(), b"data: [DONE]\n\n")
    source.end(CutConnection("gone"))
    told = as_asked(asked(stream=True), source.reply)
    assert list(told.frames)[-1].data == b"data: [DONE]\n\n"
    assert len(source.live.seen) == 5
    assert source.live.ended is not None


def test_who_leaves_hangs_up_on_the_upstream() -> None:
    source = Upstream(*BEGUN, upstream.text(0, "Hi"))
    told = as_asked(asked(stream=True), source.reply)
    assert isinstance(told.frames, Live)
    frames = iter(told.frames)
    next(frames)
    told.frames.close()
    assert source.hung_up == 1
    assert not told.frames.whole
    assert told.frames.failure == ""


# --- how it ends ----------------------------------------------------------------------------------------

INCOMPLETE = [
    ({"reason": "max_output_tokens"}, "length"),
    ({"reason": "content_filter"}, "content_filter"),
    (None, "length"),
]


@pytest.mark.parametrize(("details", "finish"), INCOMPLETE)
def test_an_incomplete_answer_says_why(details: Any, finish: str) -> None:
    events = [*BEGUN, *upstream.call(0, "f", "{"), upstream.ended("incomplete", incomplete_details=details)]
    values = streamed(answered(*events), asked(stream=True))
    assert finishes_of(values) == [finish]
    assert values[-1] == "[DONE]"
    plain = as_asked(asked(), answered(*events)).json()
    assert plain["choices"][0]["finish_reason"] == finish


def test_several_calls_end_once() -> None:
    calls = [event for place in (0, 1) for event in upstream.call(place, f"f{place}", "{", "}")]
    values = streamed(answered(upstream.created(), calls, upstream.ended()), asked(stream=True))
    assert finishes_of(values) == ["tool_calls"]
    pieces = [piece for delta in deltas_of(values) for piece in delta.get("tool_calls", [])]
    assert [piece["index"] for piece in pieces] == [0, 0, 0, 1, 1, 1]


def test_calls_that_come_side_by_side_are_told_apart() -> None:
    one, two = upstream.call(0, "f", "{", "}"), upstream.call(1, "g", "[", "]")
    mixed = [event for pair in zip(one, two, strict=True) for event in pair]
    for operation in ("chat", "ollama.chat", "messages"):
        exchange = asked(operation, stream=True)
        answer = exchange.dialect.read_reply(as_asked(exchange, answered(upstream.created(), mixed, upstream.ended())))
        assert [(call.name, call.arguments) for call in answer.tool_calls] == [("f", "{}"), ("g", "[]")]


def test_usage_is_told_to_who_asks_for_it() -> None:
    events = [upstream.created(), *upstream.message(0, "Hi"), upstream.ended()]
    assert all("usage" not in value for value in streamed(answered(*events), asked(stream=True))[:-1])
    asking = asked(stream=True, stream_options={"include_usage": True})
    *chunks, usage, last = streamed(answered(*events), asking)
    assert (usage["choices"], last) == ([], "[DONE]")
    assert all(chunk["usage"] is None for chunk in chunks)
    assert usage["usage"] == {
        "prompt_tokens": 3,
        "completion_tokens": 4,
        "total_tokens": 7,
        "prompt_tokens_details": {"cached_tokens": 1},
        "completion_tokens_details": {"reasoning_tokens": 2},
    }


@pytest.mark.parametrize("operation", TRANSLATED)
def test_a_plain_answer_always_tells_usage(operation: str) -> None:
    exchange = asked(operation, stream=False)
    reply = as_asked(exchange, answered(upstream.created(), upstream.message(0, "Hi"), upstream.ended()))
    usage = exchange.dialect.read_reply(reply).usage
    assert usage is not None
    expected = {"chat": Usage(3, 4, 7, 1, 2), "completions": Usage(3, 4, 7, 1, 2), "messages": Usage(3, 4, None, 1, 2)}
    assert usage == expected.get(operation, Usage(3, 4))
    assert reply.content_type == "application/json"
    assert ("x-request-id", "req_1") in reply.headers


# --- who answers ----------------------------------------------------------------------------------------


def test_names_are_the_providers_and_ids_look_like_the_protocols() -> None:
    events = [upstream.created(), *upstream.message(0, "Hi"), upstream.ended()]
    heads = {(v["id"], v["model"], v["created"]) for v in streamed(answered(*events), asked(stream=True))[:-1]}
    assert heads == {("chatcmpl-1", "gpt-5-2025", 17)}
    assert as_asked(asked("completions"), answered(*events)).json()["id"] == "cmpl-1"
    assert as_asked(asked("ollama.chat", stream=False), answered(*events)).json()["model"] == "gpt-5"


def test_an_answer_that_does_not_say_who_gives_it_gets_names() -> None:
    ending = upstream.event("completed", response={"status": "completed"})
    exchange = asked(stream=True)
    first = streamed(answered(upstream.text(0, "Hi"), ending), exchange)[0]
    assert first["id"].startswith("chatcmpl-")
    assert (first["model"], first["created"]) == ("gpt-5", int(exchange.started))


# --- what it says ---------------------------------------------------------------------------------------

HI = {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "Hi"}]}
CALL = {"type": "function_call", "call_id": "c", "name": "f", "arguments": "{}"}
SPARSE = {
    "deltas and nothing else": [upstream.text(0, "H"), upstream.text(0, "i"), upstream.ended()],
    "done without deltas": [
        upstream.event("output_text.done", output_index=0, content_index=0, text="Hi"),
        upstream.done(0, **HI),
        upstream.ended(),
    ],
    "done that says more than the deltas": [upstream.text(0, "H"), upstream.done(0, **HI), upstream.ended()],
    "items only": [upstream.done(0, **HI), upstream.ended()],
    "the last event only": [upstream.ended(output=[HI])],
    "everything": [upstream.created(), *upstream.message(0, "H", "i"), upstream.ended(output=[HI])],
}


@pytest.mark.parametrize("operation", [*TRANSLATED, "responses"])
@pytest.mark.parametrize("stream", [True, False])
@pytest.mark.parametrize("events", SPARSE.values(), ids=SPARSE)
def test_words_are_said_once_however_they_are_told(events: list[bytes], stream: bool, operation: str) -> None:
    exchange = asked(operation, stream=stream)
    answer = exchange.dialect.read_reply(as_asked(exchange, answered(*events)))
    assert (answer.text, answer.finish_reason) == ("Hi", "stop")


@pytest.mark.parametrize("operation", ["chat", "ollama.chat", "ollama.generate", "responses"])
@pytest.mark.parametrize("stream", [True, False])
def test_a_call_that_is_told_at_once_is_whole(stream: bool, operation: str) -> None:
    for events in ([upstream.done(0, **CALL), upstream.ended()], [upstream.ended(output=[CALL])]):
        exchange = asked(operation, stream=stream)
        (call,) = exchange.dialect.read_reply(as_asked(exchange, answered(*events))).tool_calls
        assert (call.name, call.arguments, call.id) == ("f", "{}", "c")


def test_an_answer_that_is_no_stream_becomes_one() -> None:
    body = (
        b'{"id": "resp_1", "model": "m", "output": ['
        + b'{"type": "function_call", "call_id": "c", "name": "f", "arguments": "{}"}]}'
    )
    reply = Reply(200, (("content-type", "application/json"),), [Frame(body)])
    values = streamed(reply, asked(stream=True))
    assert finishes_of(values) == ["tool_calls"]
    assert as_asked(asked(), reply).json()["choices"][0]["message"]["tool_calls"][0]["id"] == "c"


def test_refusals_have_a_field_of_their_own() -> None:
    refused = [
        upstream.created(),
        upstream.event("refusal.delta", output_index=0, content_index=0, delta="I "),
        upstream.event("refusal.delta", output_index=0, content_index=0, delta="won't"),
        upstream.ended(),
    ]
    assert deltas_of(streamed(answered(*refused), asked(stream=True)))[1:3] == [{"refusal": "I "}, {"refusal": "won't"}]
    message = as_asked(asked(), answered(*refused)).json()["choices"][0]["message"]
    assert (message["content"], message["refusal"]) == (None, "I won't")


LIKELY = {"token": "é", "logprob": -0.5, "top_logprobs": [{"token": "e", "logprob": -1.5}]}
IN_CHAT = {
    "token": "é",
    "logprob": -0.5,
    "bytes": [195, 169],
    "top_logprobs": [{"token": "e", "logprob": -1.5, "bytes": [101]}],
}


def test_how_likely_the_tokens_were_is_told_with_them() -> None:
    at = {"output_index": 0, "content_index": 0}
    piece = upstream.event("output_text.delta", **at, delta="é", logprobs=[LIKELY])
    done = upstream.event("output_text.done", **at, text="é", logprobs=[LIKELY])
    item = upstream.done(0, type="message", content=[{"type": "output_text", "text": "é", "logprobs": [LIKELY]}])
    for events in ([piece, done, item], [done, item], [item]):
        source = answered(upstream.created(), *events, upstream.ended())
        chunk = streamed(source, asked(stream=True, logprobs=True))[1]
        assert (chunk["choices"][0]["delta"], chunk["choices"][0]["logprobs"]) == (
            {"content": "é"},
            {"content": [IN_CHAT], "refusal": None},
        )
        assert as_asked(asked(), source).json()["choices"][0]["logprobs"] == {"content": [IN_CHAT], "refusal": None}


def test_custom_tools_are_called_as_such() -> None:
    item = {"type": "custom_tool_call", "id": "ctc", "call_id": "c", "name": "sh"}
    events = [
        upstream.created(),
        upstream.added(0, **item, input=""),
        upstream.event("custom_tool_call_input.delta", output_index=0, delta="ls"),
        upstream.done(0, **item, input="ls"),
        upstream.ended(),
    ]
    tools = [{"type": "custom", "custom": {"name": "sh"}}]
    pieces = [d["tool_calls"][0] for d in deltas_of(streamed(answered(*events), asked(stream=True, tools=tools)))[1:3]]
    assert pieces == [
        {"index": 0, "id": "c", "type": "custom", "custom": {"name": "sh", "input": ""}},
        {"index": 0, "custom": {"input": "ls"}},
    ]
    (call,) = as_asked(asked(tools=tools), answered(*events)).json()["choices"][0]["message"]["tool_calls"]
    assert call == {"id": "c", "type": "custom", "custom": {"name": "sh", "input": "ls"}}


SEARCHED = {"type": "web_search_call", "id": "ws_1", "status": "completed", "action": {"type": "search", "query": "q"}}


@pytest.mark.parametrize("operation", TRANSLATED)
@pytest.mark.parametrize("stream", [True, False])
def test_what_the_protocol_has_no_place_for_is_noted_and_never_a_call(operation: str, stream: bool) -> None:
    events = [
        upstream.created(),
        upstream.added(0, **{**SEARCHED, "status": "in_progress"}),
        upstream.event("web_search_call.searching", output_index=0, item_id="ws_1"),
        upstream.done(0, **SEARCHED),
        *upstream.message(1, "Hi"),
        upstream.ended(),
    ]
    exchange = asked(operation, stream=stream)
    reply = as_asked(exchange, answered(*events))
    assert b"web_search" not in reply.body
    assert exchange.dialect.read_reply(reply).text == "Hi"
    (note,) = exchange.notes
    assert note.startswith("left out, for ")
    assert note.endswith(" has no place for it: web_search_call")


def test_what_the_model_says_in_passing_is_not_the_answer() -> None:
    events = [
        upstream.created(),
        *upstream.message(0, "Let me see", phase="commentary"),
        *upstream.message(1, "Hi", phase="final_answer"),
        upstream.ended(),
    ]
    exchange = asked()
    assert as_asked(exchange, answered(*events)).json()["choices"][0]["message"]["content"] == "Hi"
    assert exchange.notes == ["what the model said in passing (its commentary) was left out"]


# --- what goes wrong ------------------------------------------------------------------------------------

FAILED = upstream.event("failed", response={"error": {"code": "rate_limit_exceeded", "message": "Slow down"}})
ALL = [*TRANSLATED, "responses"]


def error_of(exchange: Exchange, reply: Reply) -> str:
    return exchange.dialect.read_reply(reply).joined("error")


@pytest.mark.parametrize("operation", TRANSLATED)
@pytest.mark.parametrize("stream", [True, False])
def test_what_fails_before_it_begins_is_an_error_status(operation: str, stream: bool) -> None:
    exchange = asked(operation, stream=stream)
    reply = as_asked(exchange, answered(upstream.created(), FAILED))
    assert (reply.status, reply.source) == (429, "upstream")
    assert error_of(exchange, reply) == "Slow down"
    assert reply.content_type == "application/json"


FAILURES = {
    "a response that failed": FAILED,
    "an error event": upstream.event("error", code="rate_limit_exceeded", message="Slow down", param=None),
    "an error object": b'event: error\ndata: {"error": {"code": "rate_limit_exceeded", "message": "Slow down"}}\n\n',
}


@pytest.mark.parametrize("operation", ALL)
@pytest.mark.parametrize("failure", FAILURES.values(), ids=FAILURES)
def test_what_fails_in_the_middle_says_so_and_is_never_whole(operation: str, failure: bytes) -> None:
    source = Upstream(*BEGUN, upstream.text(0, "It "), failure)
    source.end()
    exchange = asked(operation, stream=True)
    told = as_asked(exchange, source.reply)
    kept: list[int] = []
    assert isinstance(told.frames, Live)
    told.frames.then(lambda: kept.append(1))
    list(told.frames)  # ends cleanly: the error is its last event
    answer = exchange.dialect.read_reply(told)
    assert (answer.text, answer.joined("error"), answer.finish_reason) == ("It ", "Slow down", "")
    assert b"[DONE]" not in told.body
    assert (kept, told.frames.whole) == ([], False)
    assert told.frames.failure == "The upstream failed in the middle of its answer: Slow down"


@pytest.mark.parametrize("operation", ALL)
@pytest.mark.parametrize("error", [None, CutConnection("The answer of http://x broke off.")])
def test_what_breaks_off_in_the_middle_says_so_and_is_never_whole(operation: str, error: Exception | None) -> None:
    source = Upstream(*BEGUN, upstream.text(0, "It "))
    source.end(error)
    exchange = asked(operation, stream=True)
    told = as_asked(exchange, source.reply)
    assert isinstance(told.frames, Live)
    list(told.frames)
    answer = exchange.dialect.read_reply(told)
    why = str(error) if error else "The upstream's answer ended before its last event."
    assert (answer.text, answer.joined("error"), answer.finish_reason) == ("It ", why, "")
    assert (told.frames.whole, told.frames.failure) == (False, why)


@pytest.mark.parametrize("operation", ALL)
def test_a_plain_answer_that_breaks_off_is_none(operation: str) -> None:
    source = Upstream(*BEGUN, upstream.text(0, "It "))
    source.end(CutConnection("gone"))
    with pytest.raises(UpstreamError, match="gone"):
        as_asked(asked(operation, stream=False), source.reply)


@pytest.mark.parametrize("operation", ALL)
def test_a_plain_answer_that_fails_is_an_error_status(operation: str) -> None:
    exchange = asked(operation, stream=False)
    reply = as_asked(exchange, answered(*BEGUN, upstream.text(0, "It "), FAILED))
    assert (reply.status, error_of(exchange, reply)) == (429, "Slow down")


@pytest.mark.parametrize("operation", ALL)
@pytest.mark.parametrize("stream", [True, False])
def test_an_error_status_is_told_in_the_shape_of_the_protocol(operation: str, stream: bool) -> None:
    def refused() -> Iterator[Frame]:
        yield Frame(b'{"detail": "Instructions are required"}')

    exchange = asked(operation, stream=stream)
    headers = (("content-type", "application/json"), ("retry-after", "7"))
    reply = as_asked(exchange, Reply(400, headers, list(refused())))
    assert (reply.status, error_of(exchange, reply)) == (400, "Instructions are required")
    assert ("retry-after", "7") in reply.headers
    assert "detail" not in reply.json()
