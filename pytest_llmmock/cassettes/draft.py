"""A body that is being rewritten, and where its frames then end."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from itertools import accumulate, pairwise

from ..core.model import Frame

Edit = tuple[int, int, bytes]
"""From, to, and what stands there instead."""


class Draft:
    """A body and the borders of its frames."""

    def __init__(self, frames: Sequence[Frame]) -> None:
        self.body = b"".join([frame.data for frame in frames])
        self._times = [frame.at for frame in frames]
        self._borders = list(accumulate(len(frame.data) for frame in frames))
        self.changed = False

    def apply(self, edits: Iterable[Edit]) -> bool:
        """Make changes, given in their order and apart from each other. Whether there were any."""
        made = [edit for edit in edits if self.body[edit[0] : edit[1]] != edit[2]]
        if made:
            self._borders = _moved(self._borders, made)
            self.body = edited(self.body, made)
            self.changed = True
        return bool(made)

    @property
    def frames(self) -> list[Frame]:
        """The body as it arrived; a frame of which nothing is left goes."""
        ends = zip(pairwise([0, *self._borders]), self._times, strict=True)
        return [Frame(self.body[start:end], at) for (start, end), at in ends if end > start]


def edited(body: bytes, edits: Sequence[Edit]) -> bytes:
    pieces, at = [], 0
    for start, end, text in edits:
        pieces += [body[at:start], text]
        at = end
    return b"".join([*pieces, body[at:]])


def _moved(borders: Sequence[int], edits: Sequence[Edit]) -> list[int]:
    """A border inside of what is replaced stays as far from its beginning as it was, if that is long enough."""
    starts = [edit[0] for edit in edits]
    shifts = [0, *accumulate(len(text) - (end - start) for start, end, text in edits)]
    return [_place(border, bisect_right(starts, border - 1), edits, shifts) for border in borders]


def _place(border: int, count: int, edits: Sequence[Edit], shifts: Sequence[int]) -> int:
    """Where a border comes to lie; `count` edits begin before it."""
    if count == 0:
        return border
    start, end, text = edits[count - 1]
    if border >= end:
        return border + shifts[count]
    return start + shifts[count - 1] + min(border - start, len(text))
