from __future__ import annotations

import gzip
import sys
import zlib

import brotli
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_llmmock.core import codings
from pytest_llmmock.core.codings import DECODERS, unpacked, without_encoding
from pytest_llmmock.core.model import Request

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd


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
    assert set(DECODERS) == {"gzip", "x-gzip", "deflate", "br", "zstd"}


@pytest.mark.parametrize("packer", PACKERS)
def test_a_request_is_unpacked_with_the_headers_that_then_hold(packer: str) -> None:
    body = PACKERS[packer](b"{}")
    headers = (("a", "b"), ("content-encoding", packer.removesuffix(" raw")), ("content-length", str(len(body))))
    asked = Request("POST", "https://h.example", "/v1/models", headers=headers, body=body)
    assert unpacked(asked) == Request("POST", "https://h.example", "/v1/models", headers=(("a", "b"),), body=b"{}")


def test_a_request_that_is_not_compressed_is_the_same_object() -> None:
    asked = Request("POST", "https://h.example", "/", headers=(("content-length", "2"),), body=b"{}")
    assert unpacked(asked) is asked


@pytest.mark.parametrize("coding", sorted(DECODERS))
@pytest.mark.parametrize("more", [0, 1])
def test_a_bomb_is_left_as_it_came(coding: str, more: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """A few kilobytes may hold gigabytes of nothing: nobody makes room for them."""
    monkeypatch.setattr(codings, "LARGEST", 1 << 16)
    content = bytes((1 << 16) + more)
    sent = PACKERS[coding](content)
    body, headers = without_encoding(sent, (("content-encoding", coding),))
    assert body == (sent if more else content)
    assert headers == ()


@pytest.mark.parametrize("coding", sorted(DECODERS))
def test_what_was_cut_off_is_left_as_it_came(coding: str) -> None:
    sent = PACKERS[coding](b"hello " * 99)[:-3]
    assert without_encoding(sent, (("content-encoding", coding),))[0] == sent
