"""The backend's stream on its way to its client: whole, however it was cut, and telling nothing of the plan."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_llmmock.core.model import Frame
from pytest_llmmock.core.sse import read_events, write_event
from pytest_llmmock.errors import CutConnection
from pytest_llmmock.upstreams.codex_stream import Told
from pytest_llmmock.upstreams.sealed import Sealed

THOUGHT = {"id": "rs_1", "type": "reasoning", "summary": [], "encrypted_content": "gAAAA-secret"}
MESSAGE = {"id": "msg_1", "type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "é\r\n"}]}


def event(kind: str, **fields: object) -> bytes:
    return write_event({"type": kind, **fields}, kind)


def response(**more: object) -> dict[str, object]:
    return {"id": "resp_1", "output": [], "user": None, "safety_identifier": "user-x", "store": False, **more}


DELTAS = [event("response.output_text.delta", output_index=1, delta=piece, obfuscation="xx") for piece in "añ☃"]
STREAM = [
    event("response.created", response=response(status="in_progress")),
    b": keep-alive\n\n",
    event("codex.rate_limits", plan_type="plus", credits={"balance": "17"}),
    event("response.output_item.added", output_index=0, item={**THOUGHT, "encrypted_content": "gAAAA-first"}),
    event("response.output_item.done", output_index=1, item=MESSAGE),
    *DELTAS,
    event("response.output_item.done", output_index=0, item=THOUGHT),
    event("response.completed", response=response(status="completed")),
]


def told(pieces: list[bytes], **said: object) -> bytes:
    sealed = Sealed()
    stream = Told(said, lambda item: sealed.seal(item, shown=False), lambda error: error["message"], "backend.example")
    return b"".join(stream.chunks(map(Frame, pieces)))


def values(stream: bytes) -> list[dict[str, object]]:
    return [event.json() for event in read_events(stream)]


def test_the_output_that_the_last_event_leaves_empty_is_filled_in_its_order():
    last = values(told(STREAM))[-1]
    assert last["response"]["output"] == [{"id": "rs_1", "type": "reasoning", "summary": []}, MESSAGE]


WORDS = [event("response.output_text.delta", item_id="msg_1", output_index=0, delta=piece) for piece in "añ☃"]


@pytest.mark.parametrize(
    ("status", "of_the_message"), [("completed", "completed"), ("incomplete", "incomplete"), ("failed", "incomplete")]
)
def test_an_output_of_which_no_item_is_told_is_made_of_its_words(status, of_the_message):
    last = values(told([*WORDS, event(f"response.{status}", response=response(status=status))]))[-1]
    part = {"type": "output_text", "text": "añ☃", "annotations": []}
    message = {"id": "msg_1", "type": "message", "status": of_the_message, "role": "assistant", "content": [part]}
    assert last["response"]["output"] == [message]


def test_words_are_not_said_twice_where_their_item_is_told():
    done = event("response.output_item.done", output_index=0, item=MESSAGE)
    for stream in ([*WORDS, done], [done, *WORDS]):
        last = values(told([*stream, event("response.completed", response=response())]))[-1]
        assert last["response"]["output"] == [MESSAGE]
    last = values(told([*WORDS, event("response.completed", response=response(output=[MESSAGE]))]))[-1]
    assert last["response"]["output"] == [MESSAGE]


def test_what_looks_like_words_and_is_none_is_passed_over():
    odd = [b"data: response.output_text.delta\n\n", event("response.output_text.delta", delta=5)]
    last = values(told([*odd, event("response.completed", response=response())]))[-1]
    assert last["response"]["output"] == []


def test_an_output_that_is_told_stays():
    stream = [*STREAM[:-1], event("response.completed", response=response(output=[MESSAGE, THOUGHT, MESSAGE]))]
    assert [item["id"] for item in values(told(stream))[-1]["response"]["output"]] == ["msg_1", "rs_1", "msg_1"]


def test_what_tells_whose_plan_answered_is_not_passed_on():
    text = told(STREAM, safety_identifier=None, store=True).decode()
    assert not [word for word in ("secret", "gAAAA", "user-x", "plus", "balance", "rate_limits") if word in text]
    assert {value["response"]["store"] for value in values(text.encode()) if "response" in value} == {True}


def test_all_other_events_pass_byte_for_byte():
    text = told(STREAM)
    assert b"".join(DELTAS) in text
    assert b": keep-alive\n\n" in text


@pytest.mark.parametrize("size", [1, 2, 3, 7, 100])
@pytest.mark.parametrize("end", [b"\n", b"\r\n", b"\r"])
def test_it_is_the_same_however_the_network_cuts_it(size, end):
    stream = b"".join(STREAM).replace(b"\n", end)
    pieces = [stream[start : start + size] for start in range(0, len(stream), size)]
    assert values(told(pieces)) == values(told(STREAM))


@given(st.lists(st.integers(0, len(b"".join(STREAM)))))
def test_and_wherever(cuts):
    stream = b"".join(STREAM)
    ends = [*sorted(cuts), len(stream)]
    pieces = [stream[start:end] for start, end in zip([0, *ends], ends, strict=False)]
    assert told(pieces) == told(STREAM)


def test_an_event_is_passed_on_when_it_is_there_and_not_when_the_next_one_is():
    sealed = Sealed()
    arrived: list[bytes] = []

    def frames():
        for piece in STREAM:
            arrived.append(piece)
            yield Frame(piece)

    chunks = Told({}, lambda item: sealed.seal(item, shown=False), str, "x").chunks(frames())
    passed = [(arrived[-1], chunk) for chunk in chunks if chunk]
    assert [chunk for last, chunk in passed if last in DELTAS] == DELTAS


@pytest.mark.parametrize("keep", range(len(STREAM)))
def test_a_stream_without_its_last_event_was_cut_off(keep):
    with pytest.raises(CutConnection) as caught:
        told(STREAM[:keep])
    assert str(caught.value) == "The answer of backend.example ended before its last event: it was cut off."


@pytest.mark.parametrize(
    "last",
    [
        event("response.completed", response=response()),
        event("response.incomplete", response=response()),
        event("response.failed", response=response(error={"code": "x"})),
        event("error", code="x", message="y"),
        b'event: error\ndata: {"message": "y"}\n\n',
        b'data: {"type":"response.completed","response":{"id":"r"}}\n\n',
    ],
)
def test_each_of_these_is_an_end(last):
    assert len(values(told([*STREAM[:-1], last]))) == len(values(told(STREAM)))


@pytest.mark.parametrize(
    "odd", [b"data: [DONE]\n\n", b'data: {"item": 7}\n\n', b'data: ["item", "response"]\n\n', b"data: {\n\n"]
)
def test_what_is_no_event_of_theirs_passes(odd):
    assert odd in told([odd, *STREAM])


def test_a_very_large_event_is_taken():
    large = "x" * 9_000_000
    stream = event("response.output_text.done", text=large) + STREAM[-1]
    pieces = [stream[start : start + 65536] for start in range(0, len(stream), 65536)]
    assert json.loads(read_events(told(pieces))[0].data)["text"] == large
