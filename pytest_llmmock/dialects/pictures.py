"""Pictures that are made up: real ones, of the size and format that was asked for, the same for the same words.

PNG is made here (https://www.w3.org/TR/png-3/), other formats by Pillow where it is installed.
"""

from __future__ import annotations

import re
import struct
import zlib
from functools import lru_cache
from hashlib import sha256
from io import BytesIO

from ..core.model import Problem

FORMATS = ("png", "jpeg", "webp", "gif")

_SIGNS = {b"\x89PNG": "png", b"\xff\xd8\xff": "jpeg", b"GIF8": "gif", b"RIFF": "webp", b"<svg": "svg", b"<?xm": "svg"}
_SIZE = re.compile(r"(\d{1,5})x(\d{1,5})", re.ASCII)
_USUAL = (1024, 1024)
_LONGEST, _LARGEST = 8192, 4096 * 4096
_CELLS = 8
"""The pattern of a picture is made of so many cells in each direction."""


class Impossible(Exception):
    """A picture that cannot be made."""

    def __init__(self, why: str, param: str) -> None:
        super().__init__(why)
        self.problem = Problem(400, why, "invalid_value", param=param, headers=(("x-should-retry", "false"),))


def size_of(asked: object) -> tuple[int, int]:
    """Width and height of `1024x1536`. Raises `Impossible`."""
    if asked in (None, "", "auto"):
        return _USUAL
    found = _SIZE.fullmatch(asked) if isinstance(asked, str) else None
    width, height = (int(found[1]), int(found[2])) if found else (0, 0)
    if not (0 < width <= _LONGEST and 0 < height <= _LONGEST and width * height <= _LARGEST):
        why = f"size={asked!r} is not possible. A size is WIDTHxHEIGHT, at most {_LARGEST:,} pixels, or 'auto'."
        raise Impossible(why, "size")
    return width, height


def format_of(content: bytes) -> str:
    """What a picture is, by how it begins; '' when that is not known."""
    return _SIGNS.get(content[:4]) or _SIGNS.get(content[:3], "")


@lru_cache(maxsize=32)
def make(words: str, width: int, height: int, kind: str = "png", *, transparent: bool = False) -> bytes:
    """A picture. Raises `Impossible`."""
    if kind not in FORMATS:
        raise Impossible(f"output_format={kind!r} cannot be made. Known are: {', '.join(FORMATS)}.", "output_format")
    png = _png(sha256(words.encode(errors="replace")).digest(), width, height, transparent)
    return png if kind == "png" else _by_pillow(png, kind)


def _by_pillow(png: bytes, kind: str) -> bytes:
    try:
        from PIL import Image
    except ImportError:
        why = (
            f"A picture in {kind} is made by Pillow, which is not installed. Install it (pip install pillow), "
            "ask for output_format='png', or give the picture's bytes."
        )
        raise Impossible(why, "output_format") from None
    written = BytesIO()
    with Image.open(BytesIO(png)) as picture:
        shown = picture.convert("RGB") if kind == "jpeg" else picture
        shown.save(written, kind)
    return written.getvalue()


def _png(seed: bytes, width: int, height: int, transparent: bool) -> bytes:
    """Cells of two colours, mirrored like a butterfly."""
    opaque = b"\xff" if transparent else b""
    ground = b"\0\0\0\0" if transparent else bytes(value | 0x80 for value in seed[:3])
    drawn = bytes(value & 0x7F for value in seed[3:6]) + opaque
    rows = [b"\0" + _row(seed[8 + number], width, ground, drawn) for number in range(_CELLS)]
    lines = b"".join(rows[y * _CELLS // height] for y in range(height))
    head = struct.pack(">IIBBBBB", width, height, 8, 6 if transparent else 2, 0, 0, 0)
    chunks = _chunk(b"IHDR", head) + _chunk(b"IDAT", zlib.compress(lines, 6)) + _chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + chunks


def _row(bits: int, width: int, ground: bytes, drawn: bytes) -> bytes:
    """The pixels of one row: a cell is drawn when its bit, or that of its mirror image, is set."""
    cells = [drawn if bits >> min(x, _CELLS - 1 - x) & 1 else ground for x in range(_CELLS)]
    return b"".join(cells[x * _CELLS // width] for x in range(width))


def _chunk(name: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))
