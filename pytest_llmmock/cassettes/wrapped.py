"""Base64 that is broken into lines, as MIME and PEM want it: also in JSON, where a break is an escape."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator
from itertools import accumulate

from .key_formats import IN_A_ROW, SHORTEST

_BREAK = re.compile(rb"(?:\r?\n|(?:\\+r)?\\+n)[ \t]*")
_RUN = rb"[A-Za-z0-9+/_-]"
_BLOCK = re.compile(
    rb"(?:(?<=\\n)|(?<![A-Za-z0-9+/_-])(?!(?<=\\)[bfnrt]))%b++(?:%b%b++(?![ ,.:;!?]))+={0,2}"
    % (_RUN, _BREAK.pattern, _RUN)
)
"""A last line behind which a sentence goes on belongs to that sentence."""
_ROW = b"x" * SHORTEST


class Wrapped:
    """Base64 of several lines."""

    def __init__(self, data: bytes, start: int, end: int) -> None:
        breaks = [found.span() for found in _BREAK.finditer(data, start, end)]
        starts = [start, *(after for _, after in breaks)]
        lines = [data[one:other] for one, other in zip(starts, [*(at for at, _ in breaks), end], strict=True)]
        self.joined = b"".join(lines)
        self.width = len(lines[0] if len(lines) < 3 else lines[1])
        """Of a line that is full."""
        self._starts = starts
        self._before = [0, *accumulate(map(len, lines))]

    def place(self, at: int) -> int:
        """Where in the data a character of the joined lines stands."""
        line = bisect_right(self._before, at, hi=len(self._starts)) - 1
        return self._starts[line] + at - self._before[line]


def wrapped(data: bytes) -> Iterator[Wrapped]:
    """All Base64 of several lines whose first line is not very short."""
    if b"\n" not in data and b"\\" not in data:
        return
    flat = data.translate(IN_A_ROW)
    at = flat.find(_ROW)
    while at >= 0:
        end = flat.find(b" ", at) % (len(data) + 1)  # where none follows: to the end
        found = _BLOCK.search(data, at) if _BREAK.match(data, end) else None
        if found and found.start() < end:
            yield Wrapped(data, *found.span())
            end = found.end()
        at = flat.find(_ROW, end)


def rewrapped(before: bytes, text: bytes, block: Wrapped) -> bytes:
    """Another text in lines of the same width: the first one as long as it was, or what was left of it."""
    found = _BREAK.search(before)
    if not found:
        return text
    first = found.start()
    lines = [text[:first], *(text[at : at + block.width] for at in range(first, len(text), block.width))]
    return found.group().join(lines)
