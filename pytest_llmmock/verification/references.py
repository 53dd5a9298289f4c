"""Ids that a provider made up: what later requests name has another name today."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import parse_qsl, quote, unquote, urlencode

from ..core.json_text import compact
from ..core.model import Exchange, Reply, Request
from ..core.prompt import ToolCall
from . import streams

_SHORTEST = 6
"""Characters of an id; what is shorter is a number or a name."""

_SINGLE = ("previous_response_id", "conversation", "container", "file_id", "input_file_id", "batch_id", "image_file_id")
_SEVERAL = ("file_ids", "vector_store_ids")
"""Fields of requests by which they name what the provider keeps."""

_GOES_ON = ("previous_response_id", "conversation")
"""Fields that say where a conversation goes on: the calls that it answers are the provider's then."""


class NotMade(Exception):
    """A request names something that was not made today."""


@dataclass(frozen=True, slots=True)
class _Made:
    today: str | None
    """The id that the answer of today has in its place; None where there is none."""
    why_not: str = ""
    """Why there is none."""


class References:
    """Recorded ids, and those in their place."""

    def __init__(self) -> None:
        self._made: dict[str, _Made] = {}

    def learn(self, number: int, exchange: Exchange, recorded: Reply, today: Reply | None) -> None:
        """Note the ids that an answer told, and those of today's answer; without one, that there are none."""
        answered = today if today is not None and today.status < 400 else None
        why_not = f"made by #{number}, " + ("whose answer has none today" if answered else "which has no answer today")
        theirs = _ids(answered) if answered is not None else {}
        for place, ids in _ids(recorded).items():
            now = theirs.get(place, [])
            for at, id in enumerate(ids):
                self._made.setdefault(id, _Made(now[at] if at < len(now) else None, why_not))
        if answered is not None:
            self._learn_calls(number, _calls(exchange, recorded), _calls(exchange, answered))

    def _learn_calls(self, number: int, recorded: Sequence[ToolCall], today: Sequence[ToolCall]) -> None:
        """The same call has the same place, and calls the same tool."""
        for at, call in enumerate(recorded):
            same = at < len(today) and today[at].name == call.name
            why_not = f"a call of {call.name} that #{number} does not make today"
            self._made[call.id] = _Made(today[at].id if same else None, why_not)

    def made_today(self, request: Request) -> bool:
        """Whether the address of a request names something that was made today."""
        return any(made and made.today for made in map(self._of_segment, request.path.split("/")))

    def renewed(self, request: Request) -> Request:
        """The request with the ids of today. Raises `NotMade`."""
        value = request.json()
        body = _Renewing(self._today).body(value) if isinstance(value, dict) else value
        return replace(
            request,
            path="/".join(self._segment(segment) for segment in request.path.split("/")),
            query=self._query(request.query),
            body=request.body if body == value else compact(body).encode(),
        )

    def _today(self, id: str) -> str:
        made = self._made.get(id)
        if made is None:
            return id  # it was there before: the provider may know it still
        if made.today is None:
            raise NotMade(f"needs {id}, {made.why_not}")
        return made.today

    def _of_segment(self, segment: str) -> _Made | None:
        return self._made.get(unquote(segment))

    def _segment(self, segment: str) -> str:
        return quote(self._today(unquote(segment)), safe=":@") if self._of_segment(segment) else segment

    def _query(self, query: str) -> str:
        pairs = parse_qsl(query, keep_blank_values=True)
        today = [(name, self._today(value)) for name, value in pairs]
        return query if today == pairs else urlencode(today)


@dataclass(frozen=True, slots=True)
class _Renewing:
    """Replaces ids in the body of a request where they name what the provider keeps, and nowhere else.

    A conversation that says itself is as consistent as it was recorded: its ids stay.
    """

    today: Callable[[str], str]

    def body(self, value: dict[str, Any]) -> Any:
        return self._value(value, goes_on=any(value.get(name) for name in _GOES_ON))

    def _value(self, value: Any, *, goes_on: bool) -> Any:
        if isinstance(value, list):
            return [self._value(item, goes_on=goes_on) for item in value]
        if not isinstance(value, dict):
            return value
        kind = value.get("type")
        answers_call = goes_on and isinstance(kind, str) and kind.endswith("_output")
        named = {*_SINGLE, *(("call_id",) if answers_call else ()), *(("id",) if kind == "item_reference" else ())}
        return {name: self._field(name, item, named, goes_on) for name, item in value.items()}

    def _field(self, name: str, item: Any, named: set[str], goes_on: bool) -> Any:
        if name in named and isinstance(item, str):
            return self.today(item)
        if name == "conversation" and isinstance(item, dict) and isinstance(item.get("id"), str):
            return {**item, "id": self.today(item["id"])}
        if name in _SEVERAL and isinstance(item, list):
            return [self.today(each) if isinstance(each, str) else each for each in item]
        return self._value(item, goes_on=goes_on)


def _calls(exchange: Exchange, reply: Reply) -> list[ToolCall]:
    answer = exchange.dialect.read_reply(reply)
    return [call for index in answer.choices for call in answer.calls_of(index) if call.id]


def _ids(reply: Reply) -> dict[str, list[str]]:
    """The ids that a reply tells, by where they stand, each once and in their order."""
    value = streams.values(reply) if reply.is_stream else reply.json()
    found: dict[str, dict[str, None]] = {}
    for place, id in _walk(value, ""):
        found.setdefault(place, {})[id] = None
    return {place: list(ids) for place, ids in found.items()}


def _walk(value: Any, place: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, list):
        for item in value:
            yield from _walk(item, f"{place}[{item.get('type', '') if isinstance(item, dict) else ''}]")
    elif isinstance(value, dict):
        for name, item in value.items():
            if isinstance(item, str) and (name == "id" or name.endswith("_id")) and len(item) >= _SHORTEST:
                yield f"{place}.{name}", item
            else:
                yield from _walk(item, f"{place}.{name}")
