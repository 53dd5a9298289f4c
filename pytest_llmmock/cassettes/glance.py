"""What comes piece by piece in a body, put together as fast as JSON can be read.

It says what `leaves` says, and not where that stands: most bodies hold no secret, and nobody asks for its place then.
Where reading values and reading characters could differ, it says nothing, and who looks has to ask `leaves`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from functools import partial
from typing import Any

from ..core.json_text import DEEPEST
from .leaves import MARKS, NAMES, is_events, split

_EVENT = re.compile(rb"(?:(?!data:)\w*:[\w .:/-]*\r?\n)*data: ?([^\r\n]*)(?:\r?\n)*")
"""An event with one line of data, and nothing in its other lines that could be taken for a text."""
_DATA = re.compile(rb"^data:", re.MULTILINE)
_SIMPLE = re.compile(r"[A-Za-z0-9_.=+-]*|\[\]")
"""A name or a mark that can be written in one way only, where no letter is escaped."""

Marks = tuple[tuple[str, Any], ...]
Said = tuple[tuple[str, ...], Marks, str]
"""What leads to a text, the numbers and names beside the way, and the text."""

_decoder = partial(
    json.JSONDecoder,
    object_pairs_hook=tuple,
    parse_int=str.encode,
    parse_float=str.encode,
    parse_constant=str.encode,
)
"""Objects as tuples of pairs, so that no member is lost whose name comes twice; numbers as they are written."""
_read, _read_loosely = _decoder().decode, _decoder(strict=False).decode


class UnclearError(ValueError):
    """It has to be read character by character."""


def joined(body: bytes, content_type: str) -> set[bytes] | None:
    """All texts that come in several pieces, put together; None where that is not clear.

    To be asked only where no letter in the body is written as an escape.
    """
    try:
        said = list(_said(body, content_type))
        _check(said)
    except (ValueError, RecursionError):
        return None
    return {*_joined(said), *_joined((way, _without_names(marks), text) for way, marks, text in said)}


def _joined(said: Iterable[Said]) -> Iterator[bytes]:
    channels: dict[tuple[object, Marks], list[str]] = {}
    for way, marks, text in said:
        channels.setdefault((way, marks), []).append(text)
    for texts in channels.values():
        if texts.count(texts[0]) < len(texts):  # else an id or a name that each event repeats
            yield "".join(texts).encode(errors="surrogatepass")


def _without_names(marks: Marks) -> Marks:
    return tuple([mark for mark in marks if mark[0] not in NAMES]) if marks else marks


def _check(said: Iterable[Said]) -> None:
    """What tells texts apart has to be the same where it is written in the same way, and only there."""
    steps = {step for way in {way for way, _, _ in said} for step in way}
    values = {value for marks in {marks for _, marks, _ in said} for _, value in marks if isinstance(value, str)}
    if not all(map(_SIMPLE.fullmatch, steps | values)):
        raise UnclearError


def _said(body: bytes, content_type: str) -> Iterator[Said]:
    read = _in_event if is_events(body, content_type) else _in_plain
    for piece in split(body, content_type):
        yield from read(piece)


def _in_event(piece: bytes) -> Iterable[Said]:
    found = _EVENT.fullmatch(piece)
    if found is None:
        return _in_comment(piece)
    data = found[1].decode()
    if data[:1] not in ("{", "[", '"'):
        return [((), (), data)] if data else []
    if data.count("[") + data.count("{") > DEEPEST:
        raise UnclearError
    try:
        return _in_value(_read(data), (), ())
    except json.JSONDecodeError:
        return [((), (), data)]  # such as `[DONE]`


def _in_comment(piece: bytes) -> Iterable[Said]:
    if b'"' in piece or _DATA.search(piece):
        raise UnclearError
    return ()


def _in_plain(piece: bytes) -> Iterable[Said]:
    if _DATA.search(piece):
        raise UnclearError
    return _in_value(_read_loosely(piece.decode()), (), ())


def _in_value(value: object, way: tuple[str, ...], marks: Marks) -> Iterator[Said]:
    if isinstance(value, str):
        if value:
            yield way, marks, value
    elif isinstance(value, tuple):
        beside = [pair for pair in value if pair[0] in _TELLING and not isinstance(pair[1], list | tuple)]
        marks = (*marks, *dict(beside).items()) if beside else marks
        for name, item in value:
            yield from _in_value(item, (*way, name), marks)
    elif isinstance(value, list):
        for item in value:
            yield from _in_value(item, (*way, "[]"), marks)


_TELLING = MARKS | NAMES
