from __future__ import annotations

import gzip
import json
import sys
import zlib
from typing import Any

import brotli
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pytest_llmmock.cassettes import bodies
from pytest_llmmock.cassettes.bodies import STYLES, as_text, in_style, structure, style_of, without_encoding

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

ANY_TEXT = st.text(st.characters(exclude_categories=()))
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | ANY_TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(ANY_TEXT, inner, max_size=3),
    max_leaves=8,
)


def raw_deflate(content: bytes) -> bytes:
    packer = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return packer.compress(content) + packer.flush()


PACKERS = {
    "gzip": gzip.compress,
    "x-gzip": gzip.compress,
    "deflate": zlib.compress,
    "deflate raw": raw_deflate,
    "br": brotli.compress,
    "zstd": zstd.compress,
}

PLAIN = [
    b'{"id": "chatcmpl-1"}',
    b'{\n  "id": "chatcmpl-1"\n}',
    b'{\n  "error": {\n    "message": "no such model",\n    "code": "model_not_found"\n  }\n}',
    b"data: {}\n\n",
    b"[\n  1\n]",
    b"Hello",
]
"""What peers store under a header that says compressed."""


@pytest.mark.parametrize("name", STYLES)
@pytest.mark.parametrize("ending", ["", "\n", "\r\n", "\n\n"])
@given(value=VALUES)
@example(value={"b": 1e-05, "a": [1.0, -0.0, "é\u2028🙂"]})
def test_a_layout_is_known_and_written_again_byte_for_byte(name: str, ending: str, value: Any) -> None:
    text = json.dumps(value, **STYLES[name]) + ending
    style = style_of(value, text)
    assert style is not None
    try:
        body = text.encode()
    except UnicodeEncodeError:  # half a surrogate pair, unescaped: no bytes are written like this
        return
    assert in_style(value, style) == body


@pytest.mark.parametrize(
    "body",
    [
        b'{"a":1, "b":2}',
        b'{"a":1,"a":2}',
        b'{"a":1.50}',
        b'{"a":1E5}',
        b'{"a":-0}',
        b'{"a":"\\/"}',
        b'{"a":"\\u00E9"}',
        b' {"a":1}',
        b'{"a":1} ',
        b'{"a":1}{"a":1}',
        b'{"a":',
        b"[" * 100_000,
        b"[" + b"9" * 5000 + b"]",
        b"\xef\xbb\xbf{}",
        b"\xff",
        b"",
    ],
)
def test_json_that_would_not_come_back_byte_for_byte_is_no_structure(body: bytes) -> None:
    assert structure(body, "application/json") is None


@pytest.mark.parametrize(
    ("content_type", "found"),
    [
        ("application/json", True),
        ("Application/JSON; charset=utf-8", True),
        ("application/problem+json", True),
        ("", True),
        ("text/plain", False),
        ("application/x-ndjson", False),
        ("text/event-stream", False),
    ],
)
def test_structure_is_looked_for_where_the_content_type_allows_it(content_type: str, found: bool) -> None:
    assert (structure(b'{"a":1}', content_type) is not None) is found


def test_without_a_content_type_only_collections_are_structure() -> None:
    assert structure(b"5", "") is None
    assert structure(b"5", "application/json") == (5, "compact")
    assert structure(b"null", "application/json") == (None, "compact")


@given(st.binary())
def test_bytes_are_text_exactly_when_they_are_utf8(body: bytes) -> None:
    content = as_text(body)
    assert (content if isinstance(content, bytes) else content.encode()) == body


@pytest.mark.parametrize("packer", PACKERS)
@given(body=st.binary())
def test_a_compressed_body_is_unpacked_and_its_header_goes(packer: str, body: bytes) -> None:
    headers = (("a", "b"), ("content-encoding", packer.removesuffix(" raw").upper()))
    assert without_encoding(PACKERS[packer](body), headers) == (body, (("a", "b"),))


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "br", "zstd", "identity", "unheard-of", "gzip, br"])
@pytest.mark.parametrize("body", PLAIN)
def test_a_plain_body_under_a_header_that_says_compressed_stays_as_it_is(encoding: str, body: bytes) -> None:
    assert without_encoding(body, (("content-encoding", encoding),)) == (body, ())


def test_encodings_one_over_the_other_are_unpacked_from_the_outside() -> None:
    body = brotli.compress(gzip.compress(b"Hello"))
    assert without_encoding(body, (("content-encoding", "gzip, br"),)) == (b"Hello", ())


def test_an_empty_body_stays_empty() -> None:
    assert without_encoding(b"", (("content-encoding", "gzip"),)) == (b"", ())


def test_every_encoding_that_clients_ask_for_can_be_unpacked() -> None:
    assert set(bodies.DECODERS) == {"gzip", "x-gzip", "deflate", "br", "zstd"}
