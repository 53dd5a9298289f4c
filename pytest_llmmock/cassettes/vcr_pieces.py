"""A cassette as vcrpy writes it itself, cut into its interactions: each is read when it is looked at.

It is cut where an interaction and its response begin, in columns that neither of PyYAML's emitters lets a text reach.
Where a piece cannot be read by itself, because it refers to another one or is not what it looks like, the file is read
whole.
"""

from __future__ import annotations

from functools import cached_property
from operator import lt
from typing import Any

from ..core.model import Reply, Request
from ..errors import CassetteFormatError
from .cassette import Interaction, Recorded
from .pieces import Blob, build, by_lines, find_all, place

_START = b"\n- request:\n"
_REPLY = b"\n  response:\n"
_HEADS = (b"interactions:\n- request:\n", b"version: 1\ninteractions:\n- request:\n")
_TAIL = b"\nversion: 1\n"
_OURS = b"\n  llmmock:"
_CASSETTERS = b"\n    body:\n      type: "
"""Bodies with a type are cassetter's: it writes YAML 1.2, where other words are numbers and dates."""


def pieces_of(data: bytes, blob: Blob | None, called: str) -> VcrPieces | None:
    """The interactions of a cassette of vcrpy's; None when it is not laid out as vcrpy does it."""
    if not data.startswith(_HEADS) or _OURS in data or _CASSETTERS in data:
        return None
    if not data.endswith(_TAIL if data.startswith(_HEADS[0]) else b"\n"):
        return None
    starts, replies = find_all(data, _START), find_all(data, _REPLY)
    if len(starts) != len(replies) or not all(map(lt, starts, replies)) or not all(map(lt, replies, starts[1:])):
        return None
    end = len(data) - len(_TAIL if data.endswith(_TAIL) else b"\n")
    return VcrPieces(data, [*starts, end], replies, blob, called)


class VcrPieces:
    """The interactions of a text that vcrpy wrote."""

    def __init__(self, data: bytes, starts: list[int], replies: list[int], blob: Blob | None, called: str) -> None:
        self._data = data
        self._starts = starts
        self._replies = replies
        self._blob = blob
        self._called = called

    def interactions(self) -> list[Interaction]:
        return [Interaction(self, number) for number in range(len(self._replies))]

    def key(self, number: int) -> str:
        return ""  # none is stored

    def source(self, number: int) -> bytes:
        return b""

    def lines(self, number: int) -> bytes:
        return b""

    def place(self, number: int) -> str:
        return place(self._called, number + 1)

    def request(self, number: int) -> Request:
        from .foreign import recorded_request

        item = self._item(number, self._starts[number], self._replies[number])
        return build(lambda: recorded_request(item, self._blob))

    def reply(self, number: int) -> Reply:
        from .foreign import recorded_reply

        item = self._item(number, self._replies[number], self._starts[number + 1])
        return build(lambda: recorded_reply(item, self.request(number).method, self._blob))

    def recorded(self, number: int) -> Recorded:
        return Recorded(self.request(number), self.reply(number))

    def _item(self, number: int, start: int, end: int) -> Any:
        """The value of the lines from one place to another, which are a part of an interaction.

        At its start there is a line end, and a dash or a blank: a blank stands for both.
        """
        text = b" " + self._data[start + 2 : end] + b"\n"
        item = by_lines(text)
        if item is not None:
            return item
        from .foreign_yaml import parse_yaml

        try:
            return parse_yaml(text)
        except CassetteFormatError:
            return self._whole[number]

    @cached_property
    def _whole(self) -> list[Any]:
        from .foreign import items

        found = items(self._data)
        if len(found) != len(self._replies):
            raise CassetteFormatError(
                "It holds lines that look like the beginning of an interaction and stand in a text. Indent that text."
            )
        return found
