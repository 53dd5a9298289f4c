from __future__ import annotations

import json

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pytest_llmmock.cassettes.glance import joined
from pytest_llmmock.cassettes.leaves import Leaf, leaves

SSE, NDJSON, JSON = "text/event-stream", "application/x-ndjson", "application/json"


def slowly(body: bytes, content_type: str) -> set[bytes]:
    """The same, from texts that know their places."""
    texts = [leaf for event in leaves(body, content_type) for leaf in event]
    return {text for named in (False, True) for text in put_together(body, texts, named=named)}


def put_together(body: bytes, texts: list[Leaf], *, named: bool) -> set[bytes]:
    channels: dict[object, list[bytes]] = {}
    for leaf in texts:
        said = leaf.read(body).encode(errors="surrogatepass")
        channels.setdefault(leaf.channel(named=named), []).append(said)
    return {b"".join(channel) for channel in channels.values() if len(set(channel)) > 1}


names = st.sampled_from(["id", "item_id", "index", "type", "delta", "content", "choices", "$odd", "a/b", ""])
words = st.sampled_from(["a", "b", "sk-", "", "é\n", "a/b", "1", "\ud800"])
values = st.recursive(
    words | st.integers() | st.floats(allow_nan=False) | st.booleans() | st.none(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=4),
    max_leaves=8,
)
layouts = st.sampled_from([{"separators": (",", ":")}, {}, {"ensure_ascii": False, "indent": None}])


def written(value: object, layout: dict[str, object]) -> bytes:
    return json.dumps(value, **layout).encode(errors="replace")  # type: ignore[arg-type]


@given(
    st.lists(values, max_size=6), layouts, st.sampled_from(["\n\n", "\r\n\r\n"]), st.sampled_from(["", "event: a.b\n"])
)
def test_what_comes_in_events_is_what_their_texts_say(said, layout, end, head):
    body = b"".join(head.encode() + b"data: " + written(value, layout) + end.encode() for value in said)
    assert joined(body, SSE) in (None, slowly(body, SSE))


@given(st.lists(values, max_size=6), layouts)
def test_so_it_is_of_lines_and_of_what_is_no_stream(said, layout):
    lines = b"".join(written(value, layout) + b"\n" for value in said)
    assert joined(lines, NDJSON) in (None, slowly(lines, NDJSON))
    plain = written(said, layout)
    assert joined(plain, JSON) in (None, slowly(plain, JSON))


pieces = st.sampled_from(
    [
        *(
            b"data:",
            b"data: ",
            b"event: x",
            b"id: 1",
            b": note",
            b"\n",
            b"\n\n",
            b"\r\n",
            b"\r",
            b'"',
            b"{",
            b"}",
            b"[",
        ),
        *(
            b'{"a":"b"}',
            b'{"a":"c","id":"x"}',
            b'{"a":"d","a":"e"}',
            b"[DONE]",
            b"]",
            b",",
            b":",
            b"\\",
            b"\t",
            b"1",
            b"NaN",
        ),
        *(
            b'"a"',
            b"\xff",
            b'{"id":1,"a":"x"}',
            b'{"id":1.0,"a":"y"}',
            b'{"id":"1","a":"z"}',
            b'{"a":"\t"}',
            b"\xef\xbb\xbf",
        ),
    ]
)


@given(st.lists(pieces, max_size=12).map(b"".join), st.sampled_from([SSE, NDJSON, JSON, ""]))
@example(b'data: {"a":"x"}\ndata: {"a":"y"}\n\n', SSE)
@example(b'{"a":"x\ndata: y"}', JSON)
def test_whatever_the_body_it_says_the_same_or_nothing(body, content_type):
    assert joined(body, content_type) in (None, _slowly_or_nothing(body, content_type))


def _slowly_or_nothing(body: bytes, content_type: str) -> set[bytes] | None:
    try:
        return slowly(body, content_type)
    except ValueError:
        return None


@pytest.mark.parametrize(
    "body",
    [
        b'data: {"id":"a","choices":[{"index":0,"delta":{"content":"x"}}]}\n\n' * 2 + b"data: [DONE]\n\n",
        b'event: content_block_delta\ndata: {"type":"content_block_delta","index":0,"delta":{"text":"x"}}\n\n',
        b': OPENROUTER PROCESSING\n\ndata: {"id":"gen-1","choices":[]}\r\n\r\n',
    ],
)
def test_streams_of_providers_are_clear(body):
    assert joined(body, SSE) == slowly(body, SSE)


@pytest.mark.parametrize(
    "body",
    [
        b'data: {"a":\ndata: "b"}\n\n',  # two lines of data
        b'event: "a"\ndata: {}\n\n',  # a text that is not in the data
        b'data: {"id":"a/b","a":"c"}\n\n',  # can be written in two ways
        b"data: " + b"[" * 200 + b"]" * 200 + b"\n\n",
        b"data: \xff\n\n",
    ],
)
def test_what_is_not_clear_is_left_to_who_reads_each_character(body):
    assert joined(body, SSE) is None


def test_members_of_one_name_are_all_read():
    assert joined(b'{"a":["x","y"],"a":["z"]}', JSON) == {b"xyz"}
