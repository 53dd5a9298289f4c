"""The text of a cassette in our layout, cut into its interactions: each is read when it is looked at.

It is cut at marks that content cannot forge, because content is indented. They are looked for from the end, which takes
half the time, and nothing is copied. The keys that stand in it are known at once; whether one holds, when it is asked.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from hashlib import blake2b
from itertools import pairwise
from operator import lt
from typing import Any, TypeVar

from ..core.model import Reply, Request
from ..errors import CassetteFormatError
from . import yaml_lines, yaml_text
from .cassette import Interaction, Recorded

T = TypeVar("T")

Blob = Callable[[str], bytes]
"""Finds the bytes of a large body by their SHA-256."""

HEAD = b"version: 1\ninteractions:\n"

_START = b"\n- request:\n"
_REPLY = b"\n  response:\n"
_META = b"\n  llmmock: {key: "
_OUR_LINE = re.compile(rb'"?([0-9a-f]{32})"?, stamp: "?([0-9a-f]{16})"?[,}]')
_METHOD = re.compile(rb"    method: ([A-Z]+)\n")


def pieces_of(data: bytes, signature: bytes | None, blob: Blob | None, called: str) -> Pieces | None:
    """The interactions of a cassette in our layout; None when it is another."""
    marks = _marks(data)
    return Pieces(data, *marks, signature, blob, called) if marks else None


def cut(data: bytes) -> list[bytes] | None:
    """The texts of the interactions with their comments, or None when this is not our layout."""
    marks = _marks(data)
    if marks is None:
        return None
    starts = [with_comment(data, at + 1) for at in marks[0]]
    return [data[start:end] for start, end in pairwise([*starts, len(data)])]


def _marks(data: bytes) -> tuple[list[int], list[int]] | None:
    """Where the interactions begin, and where the line of ours is in each; None when this is not our layout."""
    if not data.startswith(HEAD):
        return None
    starts, lines = find_all(data, _START), find_all(data, _META)
    whole = len(starts) == len(lines) and all(map(lt, starts, lines)) and all(map(lt, lines, starts[1:]))
    return (starts, lines) if starts and whole and with_comment(data, starts[0] + 1) == len(HEAD) else None


def find_all(data: bytes, mark: bytes) -> list[int]:
    """Where a mark is found, from the first place to the last."""
    found = []
    at = data.rfind(mark)
    while at >= 0:
        found.append(at)
        at = data.rfind(mark, 0, at + 1)  # the line end of two marks may be one
    found.reverse()
    return found


def with_comment(data: bytes, start: int) -> int:
    """Where the comment lines above an interaction begin."""
    while start > len(HEAD):
        line = data.rfind(b"\n", 0, start - 1) + 1
        if not data.startswith(b"#", line):
            return start
        start = line
    return start


def request_of(source: bytes) -> bytes:
    """The lines of the request in the text of an interaction."""
    start = source.find(_START[1:])
    return source[start : source.find(_REPLY, start)]


def stamp(source: bytes, signature: bytes) -> str:
    """Ties a stored key to the text of its request and to the way in which it was computed."""
    return digest(request_of(source), signature)


def digest(request: bytes, signature: bytes) -> str:
    return blake2b(request, digest_size=8, key=signature[:64]).hexdigest()


def marks(source: bytes) -> tuple[str, str] | None:
    """The key and the stamp that stand in an interaction's text, or None when they cannot be made out."""
    found = _OUR_LINE.match(source, source.rfind(_META) + len(_META))  # our line is the last one
    return (found[1].decode(), found[2].decode()) if found else None


def marked(source: bytes, key: str, stamp: str) -> bytes:
    """The text with another key and stamp; all else stands as it did."""
    at = source.rfind(_META) + len(_META)
    line = f"{yaml_text.flow(key)}, stamp: {yaml_text.flow(stamp)}".encode()
    return source[:at] + _OUR_LINE.sub(lambda found: line + found[0][-1:], source[at:], count=1)


def place(called: str, number: int) -> str:
    """What the interaction with this number, from 1, is called."""
    return f"{called}, interaction {number}" if called else ""


# --- one of them ----------------------------------------------------------------------------------------


class Pieces:
    """The interactions of a text in our layout."""

    def __init__(
        self,
        data: bytes,
        starts: list[int],
        lines: list[int],
        signature: bytes | None,
        blob: Blob | None,
        called: str,
    ) -> None:
        self._data = data
        self._starts = starts
        self._lines = lines
        self._signature = signature
        self._blob = blob
        self._called = called

    def interactions(self) -> list[Interaction]:
        stored = [self._data[at : at + 34] for at in [line + len(_META) for line in self._lines]]
        keys = [key.strip(b'",')[:32].decode("latin-1") for key in stored]
        return [Interaction(self, number, key) for number, key in enumerate(keys)]

    def key(self, number: int) -> str:
        found = _OUR_LINE.match(self._data, self._lines[number] + len(_META))
        if found is None:
            return ""
        key, stamp = found[1].decode(), found[2].decode()
        return key if self._signature is None or stamp == digest(self.lines(number), self._signature) else ""

    def _reply(self, number: int) -> int:
        """Where the reply begins; where the interaction ends, if it has none."""
        at = self._data.find(_REPLY, self._starts[number], self._lines[number])
        return at if at >= 0 else self._lines[number]

    def _end(self, number: int) -> int:
        after = number + 1
        return with_comment(self._data, self._starts[after] + 1) if after < len(self._starts) else len(self._data)

    def source(self, number: int) -> bytes:
        start = with_comment(self._data, self._starts[number] + 1)
        return self._data[start : self._end(number)].rstrip(b"\n") + b"\n"

    def lines(self, number: int) -> bytes:
        return self._data[self._starts[number] + 1 : self._reply(number)]

    def request(self, number: int) -> Request:
        from .foreign import recorded_request

        start, reply = self._starts[number] + 1, self._reply(number)
        text = b" " + self._data[start + 1 : reply] + self._data[self._lines[number] : self._end(number)]
        try:
            return built(text, lambda item: recorded_request(item, self._blob))
        except CassetteFormatError:
            return self.recorded(number).request

    def reply(self, number: int) -> Reply:
        """Without a look at the request, which is known by its key, if the text is ours alone."""
        from .foreign import recorded_reply

        at = self._reply(number)
        method = _METHOD.match(self._data, self._starts[number] + len(_START))
        try:
            if method is not None and _OUR_LINE.match(self._data, self._lines[number] + len(_META)):
                text = self._data[at + 1 : self._end(number)]
                return built(text, lambda item: recorded_reply(item, method[1].decode(), self._blob))
        except CassetteFormatError:
            pass  # what is wrong with it is told by who reads all of it
        return self.recorded(number).reply

    def recorded(self, number: int) -> Recorded:
        from .foreign import recorded

        text = b" " + self._data[self._starts[number] + 2 : self._end(number)]
        return built(text, lambda item: recorded(item, self._blob))

    def place(self, number: int) -> str:
        return place(self._called, number + 1)


def built(text: bytes, make: Callable[[Any], T]) -> T:
    """What is made of the value of these lines of YAML. Raises `CassetteFormatError`."""
    from .foreign_yaml import parse_yaml

    item = by_lines(text)
    return build(lambda: make(parse_yaml(text) if item is None else item))


def build(make: Callable[[], T]) -> T:
    """What is made of values from a file, in which there may be anything. Raises `CassetteFormatError`."""
    try:
        return make()
    except (ValueError, ArithmeticError, RecursionError) as error:
        raise CassetteFormatError(f"It holds a value that cannot be read: {error}.") from None


def by_lines(text: bytes) -> dict[str, Any] | None:
    """The value of these lines, read line by line; None where that cannot be done."""
    try:
        return yaml_lines.read(text)
    except yaml_lines.UnusualError:
        return None
