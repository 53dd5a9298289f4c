"""What can be wrong with cassettes, found without playing them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property
from pathlib import Path

from ..core.json_text import is_json
from ..core.model import Exchange, Request
from ..core.prompt import Answer
from ..core.summary import plural
from . import format
from .cassette import Interaction
from .endings import has_no_end
from .matchers import Keys

Read = Callable[[Request], Exchange]


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that is wrong, in words, and what to do about it."""

    kind: str
    """Which check found it: a name from `OF_FILES` or `OF_INTERACTIONS`, or one of those of `surroundings`."""
    path: Path
    number: int | None
    """The interaction, from 1; None for the whole file."""
    what: str
    advice: str
    is_note: bool = False
    """Whether it only is to be told, because replay does not mind."""

    def __str__(self) -> str:
        place = f"{self.path}, interaction {self.number}" if self.number else str(self.path)
        return f"{place}: {self.what} {self.advice}"


@dataclass(slots=True)
class Given:
    """What the checks may know beside the cassette."""

    keys: Keys
    read: Read
    today: str = ""
    """The day on which ages are told, `2026-11-20`."""
    max_age: int | None = None
    """Days after which a recording is too old."""
    unused: Mapping[Path, Sequence[int]] = field(default_factory=dict)
    """What no test used: the numbers of interactions by their cassettes, () for a whole cassette."""


@dataclass(slots=True)
class Subject:
    """A cassette under examination."""

    path: Path
    data: bytes
    given: Given


class Piece:
    """An interaction under examination."""

    def __init__(self, subject: Subject, number: int, interaction: Interaction, source: bytes) -> None:
        self.subject = subject
        self.number = number
        self.interaction = interaction
        self.source = source
        """Its text in our layout; b'' in any other."""

    @cached_property
    def exchange(self) -> Exchange:
        return self.subject.given.read(self.interaction.request)

    @cached_property
    def answer(self) -> Answer:
        return self.exchange.dialect.read_reply(self.interaction.reply)

    @cached_property
    def key(self) -> str:
        """The key of its request, computed anew."""
        return self.subject.given.keys.key(self.exchange)

    def finding(self, kind: str, what: str, advice: str, *, is_note: bool = False) -> Finding:
        return Finding(kind, self.subject.path, self.number, what, advice, is_note)


RECORD_AGAIN = "Record it again."
REKEY = "If that is meant, `llmmock rekey` keys it anew."


# --- files ----------------------------------------------------------------------------------------------

_CONFLICT = re.compile(rb"^(?:<{7} |={7}$|>{7} )", re.MULTILINE)


def conflict(subject: Subject) -> Iterator[Finding]:
    """git's marks of two versions that both stand in the file."""
    found = _CONFLICT.search(subject.data)
    if found:
        line = subject.data.count(b"\n", 0, found.start()) + 1
        what = f"git has merged two recordings into it, and left its conflict marks (line {line})."
        advice = "Take one side (git checkout --ours or --theirs) and record what is missing."
        yield Finding("conflict", subject.path, None, what, advice)


def empty(subject: Subject) -> Iterator[Finding]:
    if subject.data == format.EMPTY.encode():
        yield Finding("empty", subject.path, None, "it holds no interactions.", "Delete it, or record.", is_note=True)


def unused(subject: Subject) -> Iterator[Finding]:
    """What nobody asks for any more is a prompt that nobody sends any more."""
    numbers = subject.given.unused.get(subject.path.absolute())
    if numbers is not None:
        for number in numbers or (None,):
            what = "no test used it in the last run of all tests."
            yield Finding("unused", subject.path, number, what, "`llmmock prune` drops it.")


OF_FILES: dict[str, Callable[[Subject], Iterator[Finding]]] = {"conflict": conflict, "empty": empty, "unused": unused}


# --- interactions ---------------------------------------------------------------------------------------


def key(piece: Piece) -> Iterator[Finding]:
    """A key that is believed and wrong hides its recording; one that is not believed is computed anew on replay."""
    if not piece.source:
        return
    stored, stamp = format.marks(piece.source) or ("", "")
    if not stored:
        what = "its line `llmmock:` has no key and stamp; they are computed anew whenever it is replayed."
        yield piece.finding("key", what, "Record it again to spare that.", is_note=True)
    elif stamp != format.stamp(piece.source, piece.subject.given.keys.signature):
        if stored != piece.key:
            what = "its request is not the one that was keyed: edited by hand, or keyed by other settings or versions."
            yield piece.finding("key", what, REKEY, is_note=True)
    elif stored != piece.key:
        yield piece.finding("key", "its stored key is not its request's: nothing finds it.", "Run `llmmock rekey`.")


def timing(piece: Piece) -> Iterator[Finding]:
    """Times that do not fit the body are left out on replay."""
    told = str(piece.interaction.meta.get("timing") or "")
    sizes = format.sizes_of(told)
    if told and sum(sizes) != len(piece.interaction.reply.body):
        what = f"its timing counts {plural(sum(sizes), 'byte')} and its body has {len(piece.interaction.reply.body)}."
        yield piece.finding("timing", what, f"Its body was edited: take `timing` out of it. {RECORD_AGAIN}")


def stream(piece: Piece) -> Iterator[Finding]:
    """A stream that ends too early is replayed so. One that broke off when it was recorded says that in `cut`."""
    if has_no_end(piece.exchange.operation, piece.interaction.reply, lambda: piece.answer):
        yield piece.finding("stream", "its stream breaks off: the last event is missing.", RECORD_AGAIN)


def content(piece: Piece) -> Iterator[Finding]:
    """What says that it is JSON is JSON."""
    request, reply = piece.interaction.request, piece.interaction.reply
    for side, body, content_type in (
        ("request", request.body, request.header("content-type") or ""),
        ("answer", reply.body, reply.content_type),
    ):
        media_type = content_type.partition(";")[0].strip().lower()
        is_part = side == "answer" and reply.cut
        if (
            media_type == "application/json"
            and not is_part
            and body.strip()
            and not is_json(body)
            and not _is_lines(body)
        ):
            yield piece.finding("json", f"its {side} says that it is JSON and is not.", RECORD_AGAIN)


def _is_lines(body: bytes) -> bool:
    """Some servers send lines of JSON, or events, under this name."""
    lines = [line.removeprefix(b"data:") for line in body.split(b"\n") if line.strip() and line != b"data: [DONE]"]
    return len(lines) > 1 and all(map(is_json, lines))


def arguments(piece: Piece) -> Iterator[Finding]:
    """What a tool is called with is JSON, unless the tool takes any text or the answer was cut."""
    free = {tool.name for tool in piece.exchange.prompt.tools if tool.kind == "custom"}
    answer = piece.answer
    for index in answer.choices:
        for call in answer.calls_of(index):
            broken = call.arguments and call.name not in free and not is_json(call.arguments.encode(errors="replace"))
            if broken and answer.finish_of(index) != "length" and not piece.interaction.reply.cut:
                what = f"the arguments of its call of {call.name or 'a tool'} are not JSON: {call.arguments[:60]!a}."
                yield piece.finding("arguments", what, f"{RECORD_AGAIN} Or leave it out of the check if it is meant.")


def days_between(earlier: str, later: str) -> int | None:
    """Days between two times of which the first ten characters are the day; None when they are not."""
    try:
        return (date.fromisoformat(later[:10]) - date.fromisoformat(earlier[:10])).days
    except ValueError:
        return None


def age(piece: Piece) -> Iterator[Finding]:
    recorded = str(piece.interaction.meta.get("recorded") or "")
    days = days_between(recorded, piece.subject.given.today)
    longest = piece.subject.given.max_age
    if longest is None:
        return
    if days is None:
        yield piece.finding("age", "it does not say when it was recorded.", RECORD_AGAIN, is_note=True)
    elif days > longest:
        yield piece.finding("age", f"it was recorded {plural(days, 'day')} ago ({recorded[:10]}).", RECORD_AGAIN)


OF_INTERACTIONS: dict[str, Callable[[Piece], Iterator[Finding]]] = {
    "key": key,
    "timing": timing,
    "stream": stream,
    "json": content,
    "arguments": arguments,
    "age": age,
}
"""Name -> check. A new one is a function and a line here."""
