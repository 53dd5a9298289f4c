"""Pictures, decoded without a library."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator


def chunks(png: bytes) -> Iterator[tuple[bytes, bytes]]:
    """The chunks of a PNG, each checked by its sum."""
    assert png.startswith(b"\x89PNG\r\n\x1a\n")
    at = 8
    while at < len(png):
        (length,) = struct.unpack_from(">I", png, at)
        name, content = png[at + 4 : at + 8], png[at + 8 : at + 8 + length]
        assert struct.unpack_from(">I", png, at + 8 + length)[0] == zlib.crc32(name + content)
        yield name, content
        at += 12 + length


def decoded(png: bytes) -> tuple[int, int, int, list[bytes]]:
    """Width, height, bytes of a pixel, and the rows."""
    found = dict(chunks(png))
    assert list(found) == [b"IHDR", b"IDAT", b"IEND"]
    width, height, depth, colours, *rest = struct.unpack(">IIBBBBB", found[b"IHDR"])
    pixel = {2: 3, 6: 4}[colours]
    lines = zlib.decompress(found[b"IDAT"])
    assert (depth, rest, len(lines)) == (8, [0, 0, 0], height * (1 + width * pixel))
    rows = [lines[at : at + 1 + width * pixel] for at in range(0, len(lines), 1 + width * pixel)]
    assert all(row[0] == 0 for row in rows)
    return width, height, pixel, [row[1:] for row in rows]
