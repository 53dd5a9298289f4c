from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pytest_llmmock.core import sse
from pytest_llmmock.core.sse import Event

STREAMS = st.binary() | st.lists(st.sampled_from([b"\r", b"\n", b"\r\n", b"data: x", b":", b" ", b"\xe2\x82"])).map(
    b"".join
)
LINES = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r"))


@given(STREAMS)
@example(b"")
@example(b"\r\n\r")
@example(b"\n\n\n\r\r\r\n")
def test_the_events_of_any_bytes_joined_are_these_bytes(stream: bytes) -> None:
    pieces = sse.split_events(stream)
    assert b"".join(pieces) == stream
    assert b"" not in pieces


@given(STREAMS)
def test_the_lines_of_any_bytes_joined_are_these_bytes(stream: bytes) -> None:
    pieces = sse.split_lines(stream)
    assert b"".join(pieces) == stream
    assert b"" not in pieces


@given(st.lists(LINES, min_size=1, max_size=5))
def test_what_is_written_as_events_is_cut_and_read_as_the_same_events(texts: list[str]) -> None:
    written = [sse.write_event(text) for text in texts]
    assert sse.split_events(b"".join(written)) == written
    assert [event.data for event in sse.read_events(b"".join(written))] == texts


def test_a_carriage_return_in_written_text_loses_no_words() -> None:
    [event] = sse.read_events(sse.write_event("one\rtwo\r\nthree"))
    assert event.data.split() == ["one", "two", "three"]


@pytest.mark.parametrize("end", [b"\n", b"\r\n", b"\r"])
def test_every_kind_of_line_end_ends_lines_and_events(end: bytes) -> None:
    first = end.join([b"event: add", b"data: 1", b"data: 2", b"", b""])
    last = end.join([b"data: [DONE]", b"", b""])
    assert sse.split_events(first + last) == [first, last]
    assert sse.read_events(first + last) == [Event("1\n2", "add"), Event("[DONE]")]


def test_a_line_feed_after_a_carriage_return_does_not_end_an_event() -> None:
    assert len(sse.split_events(b"event: a\r\ndata: 1\r\n\r\ndata: 2\r\n\r\n")) == 2


def test_comments_and_events_without_data_are_passed_over() -> None:
    assert sse.read_events(b": ping\n\nevent: ping\n\nretry: 5\n\ndata: 1\n\n") == [Event("1")]


def test_names_ids_and_the_one_space_behind_the_colon() -> None:
    stream = b"\xef\xbb\xbfid: 7\nevent:add\ndata:  two spaces\ndata\nother: x\n\n"
    assert sse.read_events(stream) == [Event(" two spaces\n", "add", "7")]


def test_a_last_event_that_breaks_off_is_read_as_far_as_it_came() -> None:
    assert [event.data for event in sse.read_events(b"data: 1\n\ndata: {")] == ["1", "{"]


def test_the_json_of_an_event_is_none_when_it_has_none() -> None:
    events = sse.read_events(b'data: {"a":\ndata: 1}\n\ndata: [DONE]\n\n')
    assert [event.json() for event in events] == [{"a": 1}, None]
    assert Event("[" * 100_000).json() is None


def test_values_are_written_compact_with_their_characters() -> None:
    assert sse.write_event({"text": "né"}, "delta") == 'event: delta\ndata: {"text":"né"}\n\n'.encode()


def test_lines_of_ndjson_that_are_not_json_are_passed_over() -> None:
    assert sse.read_lines(b'{"a": 1}\r\n\n{"b\n[2]\n\xff\n3') == [{"a": 1}, [2], 3]


def test_a_separator_of_unicode_inside_json_does_not_end_a_line_of_ndjson() -> None:
    assert sse.read_lines('{"a": "x\u2028y\x85z"}\n'.encode()) == [{"a": "x\u2028y\x85z"}]


@pytest.mark.parametrize(
    ("content_type", "is_sse", "is_ndjson"),
    [
        ("text/event-stream", True, False),
        ("Text/Event-Stream ; charset=utf-8", True, False),
        ("application/x-ndjson", False, True),
        ("application/jsonl; charset=utf-8", False, True),
        ("application/json", False, False),
        ("", False, False),
    ],
)
def test_streams_are_known_by_their_content_type(content_type: str, is_sse: bool, is_ndjson: bool) -> None:
    assert (sse.is_sse(content_type), sse.is_ndjson(content_type)) == (is_sse, is_ndjson)


CHAT = [b'data: {"choices": []}\n\n', b"data: [DONE]\n\n"]


def reached(content_type: str, chunks: list[bytes]) -> list[bool]:
    ending = sse.Ending(content_type)
    return [ending.reached(chunk) for chunk in chunks]


@pytest.mark.parametrize(
    "last",
    [
        b"data: [DONE]\n\n",
        b"data:[DONE]\r\n\r\n",
        b'data: {"type": "response.completed"}\n\n',
        b'event: response.failed\ndata: {"type": "response.failed"}\n\n',
        b'data: {"type":"response.incomplete","x":"y"}\r\r',
        b'event: message_stop\ndata: {"type": "message_stop"}\n\n',
        b'data: {"n": 1}\n\ndata: [DONE]\n\n',
        b"data: [DONE]\n\r\n",
        b"data: [DONE]\r\r\n",
        b"data: [DONE]\n\n: bye\n\n",
        b"data: [DONE]\n\ndata: {}\n\ndata: [DONE]\n\n",
        b"id: 7\nretry: 5\ndata: [DONE]  \n\n",
        b'event: error\ndata: {"type": "error", "error": {"type": "overloaded_error"}}\n\n',
        b"event: error\ndata: No\n\n",
        b'data: {"error": {"message": "No"}, "choices": []}\n\n',
        b'data: {"error": "No"}\n\n',
        b'data: {"type": "error", "message": "No"}\n\n',
    ],
)
def test_the_last_event_of_a_stream_is_noticed(last: bytes) -> None:
    assert reached("text/event-stream; charset=utf-8", [b"data: {}\n\n", last]) == [False, True]


@pytest.mark.parametrize(
    "other",
    [
        b'data: {"choices": [{"delta": {"content": "[DONE]"}}]}\n\n',
        b'data: {"type": "response.output_text.delta", "delta": "response.completed"}\n\n',
        b"data: [DONE]\n",
        b": [DONE]\n\n",
        b"data: [1]\n\n",
        b"data: {\n\n",
        b"\n\n",
        b'data: {"error": null, "choices": []}\n\n',
        b'data: {"choices": [{"delta": {"content": "\\"error\\""}}]}\n\n',
        b'data: {"type": "response.output_item.done", "item": {"error": "No"}}\n\n',
    ],
)
def test_other_events_are_not_taken_for_the_last(other: bytes) -> None:
    assert reached("text/event-stream", [other]) == [False]


@pytest.mark.parametrize("end", [b"\n", b"\r\n", b"\r"])
def test_the_last_event_is_noticed_however_the_stream_is_cut(end: bytes) -> None:
    stream = b"".join(CHAT).replace(b"\n", end)
    for size in (1, 2, 3, 7):
        chunks = [stream[start : start + size] for start in range(0, len(stream), size)]
        assert reached("text/event-stream", chunks) == [False] * (len(chunks) - 1) + [True]


def test_the_last_line_of_ndjson_is_noticed() -> None:
    lines = [b'{"done": false}\n', b'{"message": {"done": true}}\n', b'{"done": ', b"true}\n"]
    assert reached("application/x-ndjson", lines) == [False, False, False, True]


@pytest.mark.parametrize("content_type", ["", "application/json", "text/plain"])
def test_what_is_no_stream_has_no_last_event(content_type: str) -> None:
    assert reached(content_type, [*CHAT, b'{"done": true}\n']) == [False, False, False]


def test_a_mark_of_the_byte_order_hides_no_last_event() -> None:
    assert reached("text/event-stream", [b"\xef\xbb\xbfdata: [DONE]\n\n"]) == [True]
    assert sse.is_whole(b"\xef\xbb\xbfdata: [DONE]\n\n", "text/event-stream")


ENDS = st.sampled_from(["\n", "\r\n", "\r"])
WORDS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r\n\0"))
NAMES = WORDS.map(lambda words: words.strip(" "))


@st.composite
def streams(draw: st.DrawFn) -> tuple[list[Event], bytes]:
    """Events, and a stream that says them, with whatever may stand between."""
    bom, end = draw(st.sampled_from(["", "\ufeff"])), draw(ENDS)
    events, written = [], bom
    for lines in draw(st.lists(st.lists(WORDS, min_size=1, max_size=3), max_size=5)):
        event = Event("\n".join(lines), draw(NAMES), draw(NAMES))
        head = [f"event: {event.event}", f"id: {event.id}", draw(st.sampled_from([": note", "retry: 3", ":", "x: y"]))]
        body = [*draw(st.permutations(head)), *(f"data: {line}" for line in lines)]
        written += end.join([*body, "", ""]) + draw(st.sampled_from(["", end, f": ping{end}{end}"]))
        events.append(event)
    return events, written.encode()


@given(streams())
def test_what_any_stream_says_is_read_whatever_stands_between(stream: tuple[list[Event], bytes]) -> None:
    events, written = stream
    assert sse.read_events(written) == events


@given(streams(), st.data())
def test_the_last_event_is_noticed_wherever_a_stream_is_cut(
    stream: tuple[list[Event], bytes], data: st.DataObject
) -> None:
    written = stream[1] + b"\n\ndata: [DONE]\n\n"
    borders = sorted(data.draw(st.sets(st.integers(1, len(written) - 1), max_size=6)))
    chunks = [written[start:end] for start, end in zip([0, *borders], [*borders, len(written)], strict=True)]
    assert reached("text/event-stream", chunks)[-1] is True


@given(STREAMS)
def test_a_stream_without_a_carriage_return_is_cut_as_any_other(stream: bytes) -> None:
    plain = stream.replace(b"\r", b"")
    returns = [piece.replace(b"\r\n", b"\n") for piece in sse.split_events(plain.replace(b"\n", b"\r\n"))]
    assert sse.split_events(plain) == returns


# --- in chunks ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("end", ["\n\n", "\r\n\r\n", "\r\r"])
@pytest.mark.parametrize("size", [1, 2, 3, 5, 100])
def test_a_stream_in_chunks_is_cut_behind_each_event(end: str, size: int) -> None:
    line = end[: len(end) // 2]
    events = [f"event: a{line}data: 1{end}", f": comment{end}", f"data: 2{line}data: 3{end}"]
    stream, cutter = "".join(events).encode() + b"data: left", sse.Cutter()
    pieces = [piece for at in range(0, len(stream), size) for piece in cutter.take(stream[at : at + size])]
    assert b"".join([*pieces, cutter.rest()]) == stream
    read = [event.data for piece in pieces if (event := sse.read_event(piece))]
    assert read == ["1", "2\n3"]


def test_an_event_is_there_as_soon_as_it_has_ended() -> None:
    cutter = sse.Cutter()
    assert cutter.take(b"data: 1\n") == []
    assert cutter.take(b"") == []
    assert cutter.take(b"\ndata: 2\n\ndata:") == [b"data: 1\n\n", b"data: 2\n\n"]
    assert cutter.rest() == b"data:"
    assert cutter.rest() == b""
