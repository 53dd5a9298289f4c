from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st

from pytest_llmmock.cassettes.leaves import leaves

JSON = "application/json"
SSE = "text/event-stream"
NDJSON = "application/x-ndjson"
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=12,
)


def texts(value: object) -> list[str]:
    if isinstance(value, dict):
        return [text for each in value.values() for text in texts(each)]
    if isinstance(value, list):
        return [text for each in value for text in texts(each)]
    return [value] if isinstance(value, str) and value else []


def read(body: bytes, content_type: str) -> list[list[str]]:
    return [[leaf.read(body) for leaf in event] for event in leaves(body, content_type)]


@given(VALUES, st.booleans(), st.sampled_from([None, 2]))
def test_all_texts_of_a_json_value_are_found_in_any_layout(value, ascii_only, indent):
    body = json.dumps(value, ensure_ascii=ascii_only, indent=indent).encode(errors="surrogatepass")
    assert read(body, JSON) == [texts(value)]


@given(st.text(min_size=1), st.text(), st.booleans())
def test_a_text_is_written_as_it_was(before, after, ascii_only):
    body = json.dumps({"a": before}, ensure_ascii=ascii_only).encode(errors="surrogatepass")
    [[leaf]] = leaves(body, JSON)
    assert json.loads(leaf.written(after, body)) == after
    assert leaf.written(leaf.read(body), body) == body[leaf.start : leaf.end]


def test_a_place_is_told_as_paths_are_written():
    body = b'{"a": [{"b": "x"}, "y"], "c": {"d": "z"}, "e": ["w"]}'
    assert [leaf.place for leaf in leaves(body, JSON)[0]] == ["a[0].b", "a[1]", "c.d", "e[0]"]


def test_the_pieces_of_a_text_have_one_channel_and_two_texts_have_two():
    body = b"".join(
        b'data: {"id":"%d","choices":[{"delta":{"content":"%s"},"index":%d}]}\n\n' % (number, text, index)
        for number, (text, index) in enumerate([(b"a", 0), (b"b", 1), (b"c", 0), (b"d", 1)])
    )
    pieces = [leaf for event in leaves(body, SSE) for leaf in event if leaf.place.endswith("content")]
    channels = [leaf.channel(named=False) for leaf in pieces]
    assert channels[0] == channels[2] != channels[1] == channels[3]
    assert len({leaf.channel(named=True) for leaf in pieces}) == 4


def test_lines_of_ndjson_are_events():
    assert read(b'{"a":"x"}\n{"a":"y"}\n', NDJSON) == [["x"], ["y"]]


def test_data_that_is_no_json_is_a_text_as_it_stands():
    body = b'data: "a\n\ndata: 12\r\n\r\nevent: x\ndata:b\ndata: c\n\ndata: "d"\n\ndata\n\n: comment "e"\n\n'
    assert read(body, SSE) == [['"a'], ["12"], ["b", "c"], ["d"], [], ["e"]]
