"""A Responses answer as it comes: its events, and what they say for a client of another protocol."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from ...core import sse
from ...core.model import Problem, Reply
from ...core.prompt import Delta
from ...dialects.fields import holds_json, mapping, text
from ...dialects.responses_events import ENDS, write_events
from ...dialects.responses_items import CALLS
from ...dialects.responses_stream import Heard, place_of
from ...errors import LLMMockError, UpstreamError
from . import failures
from .citations import Citations
from .notes import Notes

Value = dict[str, Any]

_BEFORE = ("response.created", "response.in_progress", "response.queued")
"""What comes before an answer. Behind it no status can be told any more."""

COMMENTARY = "commentary"
"""The phase of a message that accompanies the work and is not the answer."""


@dataclass(frozen=True, slots=True)
class Piece:
    """An event as it came, and its value; nothing of a comment, and of what nobody knows."""

    data: bytes
    value: Value

    @property
    def kind(self) -> str:
        return text(self.value.get("type"))

    @property
    def is_comment(self) -> bool:
        return self.data.lstrip().startswith(b":") and not self.value


def pieces_of(reply: Reply) -> Iterator[Piece]:
    """The events of an answer and the comments between them, each as soon as it has come."""
    for data in _events_of(reply):
        event = sse.read_event(data)
        value = mapping(event.json()) if event else {}
        yield Piece(data, {"type": event.event, **value} if event and event.event and value else value)


def _events_of(reply: Reply) -> Iterator[bytes]:
    """An upstream that does not stream has its whole answer told as events."""
    if isinstance(reply.frames, Sequence) and holds_json(reply.body) and "output" in mapping(reply.json()):
        yield from write_events({"status": "completed", **reply.json()})
        return
    cutter = sse.Cutter()
    for number, frame in enumerate(reply.frames):
        yield from cutter.take(frame.data.removeprefix(b"\xef\xbb\xbf") if number == 0 else frame.data)
    if rest := cutter.rest():
        yield rest


class Reading:
    """Reads one answer. When `steps` has come to its end, either `failure` says why or the answer is whole."""

    def __init__(self, reply: Reply, notes: Notes, *, whole_calls: bool = False) -> None:
        """`whole_calls` waits for the end of each call of a tool, and tells it at once."""
        self.heard = Heard()
        self.failure: Problem | None = None
        self.error: LLMMockError | None = None
        """What broke the answer off, if anything did."""
        self._pieces = pieces_of(reply)
        self._notes = notes
        self._whole_calls = whole_calls
        self._citations = Citations(notes)
        self._hidden: set[object] = set()
        """The places of what accompanies the work."""

    def steps(self) -> Iterator[list[Delta] | bytes]:
        """What each event says, and comments as they are. The first step comes when the answer has begun."""
        try:
            for piece in self._pieces:
                self.failure = failures.read_failure(piece.value)
                if self.failure:
                    return
                if piece.kind in ENDS:
                    yield [*self._said(piece), *self.heard.ending()]
                    return
                if piece.is_comment:
                    yield piece.data
                elif (said := self._said(piece)) or _is_begun(piece):
                    yield said
            raise UpstreamError(failures.ENDED_EARLY)
        except LLMMockError as error:
            self.error, self.failure = error, failures.broken_off(str(error))

    def drain(self) -> None:
        """Take what comes behind the end, so that the next request finds the connection free."""
        with suppress(LLMMockError):  # all has been said
            for _ in self._pieces:
                pass

    def _said(self, piece: Piece) -> list[Delta]:
        event, item = piece.value, mapping(piece.value.get("item"))
        if item.get("phase") == COMMENTARY:
            self._hidden.add(place_of(event))
            self._notes.say("what the model said in passing (its commentary) was left out")
        if self._whole_calls and _is_part_of_call(piece):
            return []
        said = [delta for delta in self.heard.take(event) if not (delta.part and delta.part[0] in self._hidden)]
        return said if place_of(event) in self._hidden else [*said, *self._citations.take(event)]


def _is_begun(piece: Piece) -> bool:
    return piece.kind.startswith("response.") and piece.kind not in _BEFORE


def _is_part_of_call(piece: Piece) -> bool:
    """Whether this tells of a call that is not done."""
    if piece.kind.startswith(("response.function_call_arguments.", "response.custom_tool_call_input.")):
        return True
    return piece.kind == "response.output_item.added" and mapping(piece.value.get("item")).get("type") in CALLS
