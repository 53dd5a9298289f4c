"""Content encodings, and bodies without them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from .model import Headers, Request, header

LARGEST = 1 << 26
"""Bytes: what would be longer than this is left packed. A few kilobytes can hold gigabytes of nothing."""


def unpacked(request: Request) -> Request:
    """The request as it was before its client compressed it."""
    if header(request.headers, "content-encoding") is None:
        return request
    body, headers = without_encoding(request.body, request.headers)
    return replace(request, body=body, headers=tuple(pair for pair in headers if pair[0] != "content-length"))


def without_encoding(body: bytes, headers: Headers) -> tuple[bytes, Headers]:
    """The body as it was before it was compressed, and the headers that then hold.

    Peers store some bodies compressed, and some plain under a header that still says compressed: bytes
    that do not decode, or to more than `LARGEST`, are taken as plain.
    """
    names = [name.strip().lower() for name in (header(headers, "content-encoding") or "").split(",")]
    for name in reversed(names):
        decode = DECODERS.get(name)
        try:
            body = decode(body) if decode and body else body
        except Exception:  # each decoder has an exception type of its own, and brotli two
            break
    return body, tuple(pair for pair in headers if pair[0] != "content-encoding")


def _whole(unpacked: bytes, ended: bool) -> bytes:
    """What was unpacked, when that is all of it and not too much."""
    if len(unpacked) > LARGEST:
        raise ValueError(f"unpacked it is longer than {LARGEST} bytes")
    if not ended:
        raise ValueError("it was cut off")
    return unpacked


def _inflate(body: bytes, wbits: int) -> bytes:
    import zlib

    unpacker = zlib.decompressobj(wbits=wbits)
    return _whole(unpacker.decompress(body, LARGEST + 1), unpacker.eof)


def _gzip(body: bytes) -> bytes:
    return _inflate(body, 47)  # a window of any size, and the header of gzip or of zlib


def _deflate(body: bytes) -> bytes:
    """Some servers leave out the header that RFC 9110 asks for."""
    import zlib

    try:
        return _inflate(body, zlib.MAX_WBITS)
    except zlib.error:
        unpacker = zlib.decompressobj(wbits=-zlib.MAX_WBITS)
        unpacked = unpacker.decompress(body, LARGEST + 1)
        if unpacker.unused_data:
            raise
        return _whole(unpacked, unpacker.eof)


def _br(body: bytes) -> bytes:
    try:
        import brotli
    except ImportError:  # PyPy
        import brotlicffi as brotli
    unpacker = brotli.Decompressor()
    try:
        unpacked: bytes = unpacker.process(body, output_buffer_limit=LARGEST + 1)
    except TypeError:  # before brotli 1.2 there is no limit
        unpacked = unpacker.process(body)
    return _whole(unpacked, unpacker.is_finished())


def _zstd(body: bytes) -> bytes:
    import sys

    if sys.version_info >= (3, 14):
        from compression import zstd
    else:
        from backports import zstd
    unpacked, left = b"", body
    while left:  # there may be several frames
        unpacker = zstd.ZstdDecompressor()
        unpacked += unpacker.decompress(left, LARGEST + 1 - len(unpacked))
        left = unpacker.unused_data
        _whole(unpacked, unpacker.eof)
    return unpacked


DECODERS: dict[str, Callable[[bytes], bytes]] = {
    "gzip": _gzip,
    "x-gzip": _gzip,
    "deflate": _deflate,
    "br": _br,
    "zstd": _zstd,
}
