"""Answers that come compressed although compression was not asked for, unpacked while they pass."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import httpx


def pieces(response: httpx.Response, known: str) -> Iterator[bytes]:
    """What an answer says, as it arrives. `known` is what httpx unpacks by itself, as it tells in `accept-encoding`.

    Anything else httpx would hand over packed, and nobody could read it any more. Raises `httpx.DecodingError`.
    """
    import httpx

    codings = _names(response.headers.get("content-encoding", ""))
    if codings <= {*_names(known), "identity"}:
        return response.iter_bytes()
    if codings == {"zstd"}:
        return _from_zstd(response.iter_raw())
    raise httpx.DecodingError(f"its content encoding {', '.join(sorted(codings))!r} cannot be unpacked")


def _names(codings: str) -> set[str]:
    return {name.strip().lower() for name in codings.split(",")} - {""}


def _from_zstd(packed: Iterator[bytes]) -> Iterator[bytes]:
    """httpx does this only where a package is installed that we do not need otherwise."""
    import httpx

    if sys.version_info >= (3, 14):
        from compression import zstd
    else:
        from backports import zstd
    decoder = zstd.ZstdDecompressor()
    try:
        for rest in packed:
            while rest:
                decoder = zstd.ZstdDecompressor() if decoder.eof else decoder
                yield decoder.decompress(rest)
                rest = decoder.unused_data
    except zstd.ZstdError as error:
        raise httpx.DecodingError(str(error)) from error
    if not decoder.eof:
        raise httpx.DecodingError("it ends inside its compressed data")
