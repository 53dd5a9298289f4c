"""Which request goes on from which: what belongs to one conversation is told by what it holds."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import Any

from ..cassettes.normalisers import KINDS
from ..core.journal import Entry
from ..core.json_text import parse_json
from ..core.prompt import Message, ToolCall
from ..script.view import View
from .prompts import THOUGHTS, Unit, cached, units_of
from .scope import Numbered

_ALIKE = 0.5
"""What two prompts of one agent have in common at least, of their words or of their messages."""

_TELLING = 3
"""Words that a text has at least, for being found elsewhere to mean something."""

_WORD = re.compile(r"\w+")


class Turn:
    """One request of a conversation and its answer."""

    def __init__(self, number: int, entry: Entry) -> None:
        self.number = number
        self.entry = entry
        self.units: list[Unit] = units_of(entry)
        request = entry.exchange.request
        self.kind = (entry.operation, entry.model, request.origin, request.path)
        """What a cache is kept for."""

    @cached_property
    def cached(self) -> list[Unit]:
        """What is to be kept of it; a mark for the whole request stands for its end."""
        return self.units if self.option("cache_control") else cached(self.units)

    @cached_property
    def said(self) -> list[Message]:
        """The messages, without those of the system, and thoughts."""
        return [each for each in self.entry.messages if each.role not in ("system", "developer") and _says(each)]

    @cached_property
    def marks(self) -> list[frozenset[str]]:
        """What each of them is known by, of those of the assistant."""
        return [frozenset(_marks(each.text, each.tool_calls) if each.role == "assistant" else ()) for each in self.said]

    @cached_property
    def system(self) -> str:
        return _settled(View(self.entry.exchange).system)

    @cached_property
    def answer(self) -> frozenset[str]:
        """What its answer is known by."""
        answer = self.entry.answer
        return frozenset(_marks(answer.text, answer.tool_calls)) if self.entry.status < 400 else frozenset()

    def option(self, name: str) -> Any:
        body = self.entry.json
        return body.get(name) if isinstance(body, dict) else None

    @property
    def conversation(self) -> str:
        """The id of the conversation that the provider keeps."""
        given = self.option("conversation")
        found = given.get("id") if isinstance(given, dict) else given
        return found if isinstance(found, str) else ""


def turns(entries: Sequence[Numbered]) -> list[Turn]:
    """The requests that are conversations."""
    found = (Turn(number, entry) for number, entry in entries)
    return [turn for turn in found if turn.units]


def followed(turn: Turn, earlier: Sequence[Turn]) -> Turn | None:
    """The request that this one goes on from; None when it begins anew.

    It is the one whose answer stands last in it. Of several one whose answer stands in its place, and whose whole is
    there.
    """
    alike = [each for each in earlier if each.kind == turn.kind and _of_one_agent(each, turn)]
    named = _named(turn, alike)
    if named is not None:
        return named
    for at in range(len(turn.said) - 1, 0, -1):
        found = [(*place, each.number, each) for each in alike if (place := _placed(turn, at, each))]
        if found:
            return max(found, key=lambda each: each[:-1])[-1]
    return None


def goes_on_by_id(turn: Turn) -> bool:
    """Whether the provider adds what was said before."""
    return bool(turn.option("previous_response_id") or turn.conversation)


def _named(turn: Turn, earlier: Sequence[Turn]) -> Turn | None:
    """The request whose response, or whose conversation, is named."""
    response, conversation = turn.option("previous_response_id"), turn.conversation
    for each in reversed(earlier):
        if (response and each.entry.answer.id == response) or (conversation and each.conversation == conversation):
            return each
    return None


def _placed(turn: Turn, at: int, earlier: Turn) -> tuple[bool, bool] | None:
    """Whether a message is an earlier request's answer: in its place or not, and behind the whole of it or not."""
    if turn.said[at].role != "assistant" or not earlier.answer & turn.marks[at]:
        return None
    in_place = _start(turn.said, at) == len(earlier.said) and _mostly_alike(earlier.said, turn.said)
    if in_place or _is_moved(turn, at, earlier):
        return in_place, _begins_with(turn, earlier)
    return None


def _begins_with(turn: Turn, earlier: Turn) -> bool:
    size = len(earlier.cached)
    return [unit.read for unit in earlier.cached] == [unit.read for unit in turn.units[:size]]


def _of_one_agent(one: Turn, other: Turn) -> bool:
    """Whether what the system says is alike: an agent that takes over has a prompt of its own."""
    if one.system == other.system:
        return True
    ours, theirs = (set(_WORD.findall(each.system)) for each in (one, other))
    return len(ours & theirs) > _ALIKE * len(ours | theirs)


def _start(said: Sequence[Message], at: int) -> int:
    """Where the answer begins that this message is a part of."""
    while at and said[at - 1].role == "assistant":
        at -= 1
    return at


def _mostly_alike(before: Sequence[Message], now: Sequence[Message]) -> bool:
    alike = sum(_alike(one, other) for one, other in zip(before, now, strict=False))
    return alike > _ALIKE * len(before)


def _is_moved(turn: Turn, at: int, earlier: Turn) -> bool:
    """Whether an answer that stands elsewhere is that of this request: its question is there, and it was new then."""
    start, marks = _start(turn.said, at), earlier.answer & turn.marks[at]
    if not start or not earlier.said or not any(len(_WORD.findall(mark)) > _TELLING for mark in marks):
        return False
    known = any(marks & each for each in earlier.marks)
    return not known and _alike(earlier.said[-1], turn.said[start - 1])


def _alike(one: Message, other: Message) -> bool:
    """Whether two messages are one: equal, but for what changes on every run, or for what was put around it."""
    if one.role != other.role:
        return False
    if one == other:
        return True
    shorter, longer = sorted((_settled(one.text), _settled(other.text)), key=len)
    return bool(shorter) and (shorter == longer or (len(_WORD.findall(shorter)) >= _TELLING and shorter in longer))


def _settled(text: str) -> str:
    """A text without what changes on every run."""
    for name, kind in KINDS.items():
        text = kind.pattern.sub(f"<{name}>", text)
    return _CLOCK.sub("<timestamp>", " ".join(text.split()))


_CLOCK = re.compile(r"\b\d{1,2}:\d\d(?::\d\d(?:[.,]\d+)?)?\b")
"""A time without its date."""


def _says(message: Message) -> bool:
    parts = [part for part in message.parts if part.kind not in THOUGHTS]
    return bool(message.text or message.tool_calls or message.tool_call_id or parts)


def _marks(text: str, calls: Sequence[ToolCall]) -> Iterator[str]:
    """What an answer is known by: its words, the ids of its calls, or the calls where there are none."""
    if words := " ".join(text.split()):
        yield f"said: {words}"
    for call in calls:
        arguments = json.dumps(parse_json(call.arguments.encode(errors="replace")), sort_keys=True)
        yield f"calls with the id {call.id}" if call.id else f"calls the tool {call.name} {arguments}"
