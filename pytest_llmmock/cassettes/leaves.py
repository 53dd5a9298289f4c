"""The texts in JSON as it lies in a body: where each stands and what leads to it, whatever is around them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from ..core.json_text import is_json
from ..core.sse import is_ndjson, is_sse, split_events, split_lines

_TOKEN = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"|[{}\[\],:]|[^\s"{}\[\],:]+', re.DOTALL)
_DATA = re.compile(rb"^data: ?([^\r\n]*)", re.MULTILINE)

MARKS = frozenset({"index", "output_index", "content_index", "summary_index", "type"})
"""Numbers and kinds by which the pieces of a text are told apart."""
NAMES = frozenset({"id", "item_id", "call_id"})
"""Names that do so in some protocols; in others each piece has another one."""


@dataclass(slots=True)
class Level:
    """An object or a list that is open, and where in it we are."""

    end: bytes
    step: str | int | None
    """The name or the number of the member; None where a name is due."""
    marks: dict[str, bytes] = field(default_factory=dict)

    def note(self, token: bytes) -> None:
        """The numbers and names by which pieces of a text are told apart."""
        if isinstance(self.step, str) and (self.step in MARKS or self.step in NAMES):
            self.marks[self.step] = token


_OPEN = {b"{": lambda: Level(b"}", None), b"[": lambda: Level(b"]", 0)}


@dataclass(frozen=True, slots=True)
class Leaf:
    """A text at its place in the body, quotes included."""

    start: int
    end: int
    steps: tuple[str | int, ...]
    """What leads to it: names of members and numbers of items."""
    levels: tuple[Level, ...] = ()
    quoted: bool = True

    @property
    def place(self) -> str:
        """`messages[0].content`."""
        steps = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in self.steps)
        return steps.removeprefix(".")

    def channel(self, *, named: bool) -> tuple[object, ...]:
        """The same for all pieces of one streamed text: what leads here, and the numbers and names beside the way."""
        way = tuple("[]" if isinstance(step, int) else step for step in self.steps)
        marks = [(mark, value) for level in self.levels for mark, value in level.marks.items()]
        return (way, *(pair for pair in marks if named or pair[0] not in NAMES))

    def read(self, body: bytes) -> str:
        """The text. Raises `ValueError` where it is none."""
        text = body[self.start : self.end].decode()
        return str(json.loads(text, strict=False)) if self.quoted else text

    def written(self, text: str, body: bytes) -> bytes:
        """The text as it stands in the body, escaped as what stood there."""
        if not self.quoted:
            return text.encode()
        there = body[self.start : self.end]
        ascii_only = there.isascii() and b"\x7f" not in there  # ASCII, and who escapes all else escapes it too
        return json.dumps(text, ensure_ascii=ascii_only).encode(errors="surrogatepass")


def leaves(body: bytes, content_type: str) -> list[list[Leaf]]:
    """The texts of a body, event by event; what is no stream is one event."""
    return [_texts(body, start, start + len(piece)) for start, piece in _pieces(body, content_type)]


def _pieces(body: bytes, content_type: str) -> Iterator[tuple[int, bytes]]:
    start = 0
    for piece in split(body, content_type):
        yield start, piece
        start += len(piece)


def split(body: bytes, content_type: str) -> Iterable[bytes]:
    """The events of a body; what is no stream is one."""
    if is_events(body, content_type):
        return split_events(body)
    return split_lines(body) if is_ndjson(content_type) else [body]


def is_events(body: bytes, content_type: str) -> bool:
    return is_sse(content_type) or body.startswith((b"data:", b"event:"))


def _texts(body: bytes, start: int, end: int) -> list[Leaf]:
    """Those of one event: in its JSON, or its data as it stands."""
    lines = [line for line in _DATA.finditer(body, start, end) if line[1]]
    if not lines or _is_structure(b"\n".join(line[1] for line in lines)):
        return _in_json(body, start, end)
    return [Leaf(*line.span(1), (), quoted=False) for line in lines]


def _is_structure(data: bytes) -> bool:
    """Whether data is JSON, and not text that could be taken for a number."""
    return data[:1] in (b"{", b"[", b'"') and is_json(data)


def _in_json(body: bytes, start: int, end: int) -> list[Leaf]:
    """A text in an object that no name leads to yet is a name."""
    found: list[Leaf] = []
    open_: list[Level] = []
    around = Level(b"", 0)
    name = ""
    for match in _TOKEN.finditer(body, start, end):
        token = match.group()
        level = open_[-1] if open_ else around
        if token in _OPEN:
            open_.append(_OPEN[token]())
        elif token == level.end:
            open_.pop()
        elif token == b",":
            level.step = level.step + 1 if isinstance(level.step, int) else None
        elif token == b":":
            level.step = name if level.step is None else level.step
        elif level.step is None:
            name = token.strip(b'"').decode(errors="replace")
        else:
            level.note(token)
            if token[:1] == b'"' and len(token) > 2:
                found.append(Leaf(*match.span(), _way(open_), tuple(open_)))
    return found


def _way(levels: list[Level]) -> tuple[str | int, ...]:
    return tuple(level.step for level in levels if level.step is not None)
