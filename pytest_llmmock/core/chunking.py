"""Where a reply's body is cut into the pieces that a client is handed."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from itertools import accumulate, pairwise
from random import Random
from secrets import randbelow
from typing import Literal

from ..errors import UsageError
from .model import Frame
from .sse import is_ndjson, is_sse, split_events, split_lines

CHOICES = "'recorded', 'event', 'bytes=N', 'hostile' or 'hostile=SEED'"

_SEEDS = 1_000_000
_CALM = 1 << 16
"""Bytes: in a longer body the pieces grow with it, so that there are not millions of them."""

_LONGEST = 500
"""Bytes of a stretch that is cut in one way."""

_TENDER = re.compile(rb"(?<=[\xc0-\xf7])[\x80-\xbf]|(?<=[\xe0-\xf7][\x80-\xbf])[\x80-\xbf]|(?<=\r)\n|(?<=\n)[\r\n]")
"""Where a reader of pieces goes wrong first: inside a character of several bytes, and inside the end of an event."""


@dataclass(frozen=True, slots=True)
class Chunking:
    """A way of cutting bodies to pieces. Joined, the pieces are the body, byte for byte."""

    kind: Literal["recorded", "event", "bytes", "hostile"] = "recorded"
    size: int = 0
    """bytes: of each piece but the last."""
    seed: int = 0
    """hostile: the same seed cuts the same body at the same places."""

    def __str__(self) -> str:
        detail = {"bytes": self.size, "hostile": self.seed}.get(self.kind)
        return self.kind if detail is None else f"{self.kind}={detail}"

    def cut(self, frames: Sequence[Frame], content_type: str) -> Sequence[Frame]:
        """The same body in other pieces. A piece has come when its last byte had."""
        if self.kind == "recorded" or not frames:
            return frames
        return cut_at(frames, self._ends(b"".join([frame.data for frame in frames]), content_type))

    def _ends(self, body: bytes, content_type: str) -> Iterable[int]:
        if self.kind == "event":
            return ends_of_events(body, content_type)
        if self.kind == "bytes":
            return range(self.size, len(body), self.size)
        return _hostile(body, self.seed)


RECORDED = Chunking()


def read_chunking(text: str) -> Chunking:
    """What `--llm-chunking` says. A seed that is not given is drawn. Raises `UsageError`."""
    kind, equals, value = text.strip().partition("=")
    if kind in ("recorded", "event") and not equals:
        return Chunking("event" if kind == "event" else "recorded")
    if kind == "hostile" and not equals:
        return Chunking("hostile", seed=randbelow(_SEEDS))
    if kind in ("bytes", "hostile") and value.isascii() and value.isdigit() and (kind == "hostile" or int(value)):
        return Chunking("hostile", seed=int(value)) if kind == "hostile" else Chunking("bytes", size=int(value))
    raise UsageError(f"There is no way {text!r} to cut streams. Say {CHOICES}.")


def cut_at(frames: Sequence[Frame], ends: Iterable[int]) -> list[Frame]:
    """The frames' body, cut behind these numbers of bytes."""
    body = b"".join([frame.data for frame in frames])
    arrived = list(accumulate(len(frame.data) for frame in frames))
    borders = sorted({0, len(body), *(end for end in ends if 0 < end < len(body))})
    return [Frame(body[start:end], frames[bisect_left(arrived, end)].at) for start, end in pairwise(borders)]


def by_event(frames: Sequence[Frame], content_type: str) -> list[Frame]:
    """An event, or a line of NDJSON, a frame."""
    return cut_at(frames, ends_of_events(b"".join([frame.data for frame in frames]), content_type)) if frames else []


def ends_of_events(body: bytes, content_type: str) -> list[int]:
    """Behind which byte each event of a stream ends; of anything else there is one."""
    return list(accumulate(len(piece) for piece in _events(body, content_type)))


def _events(body: bytes, content_type: str) -> list[bytes]:
    if is_sse(content_type):
        return split_events(body)
    if is_ndjson(content_type):
        return split_lines(body)
    return [body] if body else []


def _hostile(body: bytes, seed: int) -> Iterator[int]:
    """Stretches of single bytes, of scraps, of cuts where careless readers stumble, and of several events at once."""
    draw = Random(blake2b(body, digest_size=16, key=str(seed).encode()[:64]).digest())
    scale = max(1, len(body) // _CALM)
    end = 0
    while end < len(body):
        for stretch in (*draw.sample(_ROUGH, len(_ROUGH)), _lump):
            for size in stretch(draw, body[end : end + _LONGEST]):
                end += scale * size
                yield end


def _single_bytes(draw: Random, ahead: bytes) -> list[int]:
    return [1] * draw.randint(1, 12)


def _scraps(draw: Random, ahead: bytes) -> list[int]:
    return [draw.randint(2, 40) for _ in range(draw.randint(1, 8))]


def _stumbles(draw: Random, ahead: bytes) -> list[int]:
    stretch = ahead[: draw.randint(50, _LONGEST)]
    ends = [match.start() for match in _TENDER.finditer(stretch) if draw.random() < 0.5]
    return [end - start for start, end in pairwise([0, *ends, len(stretch)]) if end > start]


def _lump(draw: Random, ahead: bytes) -> list[int]:
    return [draw.randint(_LONGEST // 2, _LONGEST * 4)]


_ROUGH = (_single_bytes, _scraps, _stumbles)
