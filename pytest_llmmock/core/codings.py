"""Content encodings, and bodies without them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from .model import Headers, Request, header


def unpacked(request: Request) -> Request:
    """The request as it was before its client compressed it."""
    if request.header("content-encoding") is None:
        return request
    body, headers = without_encoding(request.body, request.headers)
    return replace(request, body=body, headers=tuple(pair for pair in headers if pair[0] != "content-length"))


def without_encoding(body: bytes, headers: Headers) -> tuple[bytes, Headers]:
    """The body as it was before it was compressed, and the headers that then hold.

    Peers store some bodies compressed, and some plain under a header that still says compressed: bytes
    that do not decode are taken as plain.
    """
    names = [name.strip().lower() for name in (header(headers, "content-encoding") or "").split(",")]
    for name in reversed(names):
        decode = DECODERS.get(name)
        try:
            body = decode(body) if decode and body else body
        except Exception:  # each decoder has an exception type of its own, and brotli two
            break
    return body, tuple(pair for pair in headers if pair[0] != "content-encoding")


def _gzip(body: bytes) -> bytes:
    import zlib

    return zlib.decompress(body, wbits=zlib.MAX_WBITS | 32)


def _deflate(body: bytes) -> bytes:
    """Some servers leave out the header that RFC 9110 asks for."""
    import zlib

    try:
        return zlib.decompress(body)
    except zlib.error:
        unpacker = zlib.decompressobj(wbits=-zlib.MAX_WBITS)
        unpacked = unpacker.decompress(body)
        if not unpacker.eof or unpacker.unused_data:
            raise
        return unpacked


def _br(body: bytes) -> bytes:
    try:
        import brotli
    except ImportError:  # PyPy
        import brotlicffi as brotli
    decoded: bytes = brotli.decompress(body)
    return decoded


def _zstd(body: bytes) -> bytes:
    import sys

    if sys.version_info >= (3, 14):
        from compression import zstd
    else:
        from backports import zstd
    return zstd.decompress(body)


DECODERS: dict[str, Callable[[bytes], bytes]] = {
    "gzip": _gzip,
    "x-gzip": _gzip,
    "deflate": _deflate,
    "br": _br,
    "zstd": _zstd,
}
