"""What a request gives a model to read, in the order in which a provider's prompt cache compares it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from ..cassettes.difference import MISSING, Difference, differences
from ..core.journal import Entry

TOOLS, SYSTEM, SAID = range(3)
"""The sections of a prompt, in their order."""

_MARK = "cache_control"

_UNREAD = (
    *(_MARK, "status", "annotations", "logprobs", "refusal", "audio"),
    *("reasoning_content", "reasoning_details", "reasoning", "thinking"),
)
"""Fields of messages that no model reads, or that providers leave out by themselves."""

THOUGHTS = ("reasoning", "thinking", "redacted_thinking")
"""Items and parts that providers leave out of what was said before."""

_TEXTS = ("text", "input_text", "output_text")

_MESSAGES = {"chat": "messages", "messages": "messages", "ollama.chat": "messages", "responses": "input"}
"""Operation -> the field of its messages."""


@dataclass(frozen=True, slots=True)
class Unit:
    """The smallest piece that a cache can end behind."""

    section: int
    number: int
    """Of the tool or the message."""
    part: int
    """Of the message's content."""
    path: str
    """Where it stands in the body: `messages[0].content`."""
    value: Any
    around: Mapping[str, Any] = field(default_factory=dict)
    """What else a message holds: its role, its calls."""
    message: str = ""
    """Where the message stands."""
    marked: bool = False
    """Whether `cache_control` stands here."""

    @property
    def place(self) -> tuple[int, int, int]:
        return self.section, self.number, self.part

    @property
    def read(self) -> tuple[tuple[int, int, int], str]:
        """What a model reads here. The order of the keys in a tool is told to it as well."""
        return self.place, json.dumps([self.around, self.value], sort_keys=self.section != TOOLS)


def units_of(entry: Entry) -> list[Unit]:
    """The tools, then what the system says, then the messages; nothing of what is no conversation."""
    body = entry.json
    if entry.operation not in _MESSAGES or not isinstance(body, dict):
        return []
    return [*_tools(body), *_system(body), *_messages(body, _MESSAGES[entry.operation])]


def cached(units: list[Unit]) -> list[Unit]:
    """What is to be kept of a prompt: all of it, or all up to the last mark."""
    last = max((number for number, unit in enumerate(units) if unit.marked), default=len(units) - 1)
    return units[: last + 1]


# --- sections -------------------------------------------------------------------------------------------


def _tools(body: Mapping[str, Any]) -> Iterator[Unit]:
    for name in ("tools", "functions"):
        for number, tool in enumerate(_listing(body.get(name))):
            value = {key: item for key, item in tool.items() if key != _MARK} if isinstance(tool, dict) else tool
            yield Unit(TOOLS, number, 0, f"{name}[{number}]", value, marked=_is_marked(tool))


def _system(body: Mapping[str, Any]) -> Iterator[Unit]:
    for name in ("system", "instructions"):
        yield from _parts(SYSTEM, 0, body.get(name), name)


def _messages(body: Mapping[str, Any], name: str) -> Iterator[Unit]:
    said = body.get(name)
    if isinstance(said, str):
        yield Unit(SAID, 0, 0, name, said, {"role": "user"}, name)
        return
    items = [(at, item) for at, item in enumerate(_listing(said)) if not _is_thought(item)]
    for number, (at, item) in enumerate(items):
        yield from _message(number, item, f"{name}[{at}]")


def _message(number: int, item: Any, path: str) -> Iterator[Unit]:
    """A unit for each part of a message, or one for an item without content."""
    around = _around(item) if isinstance(item, dict) else {}
    content = item.get("content") if isinstance(item, dict) else item
    parts = list(_parts(SAID, number, content, f"{path}.content", around, path))
    yield from parts or [Unit(SAID, number, 0, f"{path}.content", None, around, path, _is_marked(item))]


def _around(item: Mapping[str, Any]) -> dict[str, Any]:
    around = {key: value for key, value in _read(item).items() if key != "content"}
    if around.get("type") == "message":
        del around["type"]
    if around.get("type") != "item_reference":  # which is an id, and nothing else
        around.pop("id", None)
    return around


def _parts(
    section: int, number: int, content: Any, path: str, around: Mapping[str, Any] | None = None, message: str = ""
) -> Iterator[Unit]:
    """What content says: the text that it is, or its parts. A single part that is a text is that text."""
    found = [content] if isinstance(content, str) else _listing(content)
    parts = [(at, part) for at, part in enumerate(found) if not _is_thought(part) and _said(part) not in ("", {})]
    for order, (at, part) in enumerate(parts):
        value = _said(part)
        where = path if len(found) == 1 and isinstance(value, str) else f"{path}[{at}]"
        yield Unit(section, number, order, where, value, around or {}, message, _is_marked(part))


def _said(part: Any) -> Any:
    """A text as such, whatever its part is called."""
    if isinstance(part, dict) and part.get("type", "text") in _TEXTS and isinstance(part.get("text"), str):
        return part["text"]
    return _read(part) if isinstance(part, dict) else part


def _read(item: Mapping[str, Any]) -> dict[str, Any]:
    """What a model reads of a message or a part of it."""
    held = item.get("content")
    inner = {"content": [_said(part) for part in held]} if isinstance(held, list) else {}
    there = {key: value for key, value in item.items() if key not in _UNREAD and value not in (None, "", [], {})}
    return {**there, **inner}


def _is_thought(item: Any) -> bool:
    return isinstance(item, dict) and item.get("type") in THOUGHTS


def _is_marked(item: Any) -> bool:
    """Whether `cache_control` stands at it, or at what it holds: the result of a tool has parts of its own."""
    if not isinstance(item, dict):
        return False
    return bool(item.get(_MARK)) or any(map(_is_marked, _listing(item.get("content"))))


def _listing(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


# --- what changed ---------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Change:
    """The first place at which a prompt is another than the one that it goes on from."""

    section: int
    difference: Difference
    reordered: bool = False
    """Whether the same is there, in another order."""


def first_change(before: list[Unit], now: list[Unit]) -> Change | None:
    """Where `now` stops to begin with `before`; None when it begins with all of it."""
    for number, unit in enumerate(before):
        other = now[number] if number < len(now) else None
        if other is None or unit.read != other.read:
            return _tools_changed(before, now) if _is_tool(unit, other) else _changed(unit, other)
    return None


def _is_tool(unit: Unit, other: Unit | None) -> bool:
    return unit.section == TOOLS or (other is not None and other.section == TOOLS)


def _changed(unit: Unit, other: Unit | None) -> Change:
    if other is None or unit.place < other.place:
        return Change(_section(unit), Difference(unit.path, unit.value or unit.around, MISSING))
    if unit.place > other.place:
        return Change(_section(other), Difference(other.path, MISSING, other.value or other.around))
    around = next(differences(dict(unit.around), dict(other.around), unit.message), None)
    return Change(_section(unit), around or next(differences(unit.value, other.value, unit.path)))


def _section(unit: Unit) -> int:
    """Of what the system says, the section: some protocols have a message for it."""
    return SYSTEM if unit.around.get("role") in ("system", "developer") else unit.section


def _tools_changed(before: list[Unit], now: list[Unit]) -> Change:
    """What became of the tools: some other ones, another order, another form."""
    ours, theirs = ([unit.value for unit in side if unit.section == TOOLS] for side in (before, now))
    names = [[_name(tool) for tool in side] for side in (ours, theirs)]
    if names[0] != names[1]:
        listed = Difference("tools", ", ".join(names[0]) or MISSING, ", ".join(names[1]) or MISSING)
        return Change(TOOLS, listed, reordered=sorted(names[0]) == sorted(names[1]))
    found = next(differences(ours, theirs, "tools"), None)
    return Change(TOOLS, found or next(_reordered(ours, theirs, "tools")), reordered=found is None)


def _name(tool: Any) -> str:
    inner = tool.get("function", tool) if isinstance(tool, dict) else {}
    inner = inner if isinstance(inner, dict) else {}
    return str(inner.get("name") or (tool.get("type") if isinstance(tool, dict) else tool))


def _reordered(one: Any, other: Any, path: str) -> Iterator[Difference]:
    """Where equal values have their keys in another order."""
    if isinstance(one, dict) and list(one) != list(other):
        yield Difference(path, ", ".join(one), ", ".join(other))
    steps = one if isinstance(one, dict) else range(len(one)) if isinstance(one, list) else ()
    for step in steps:
        inner = f"{path}[{step}]" if isinstance(step, int) else f"{path}.{step}"
        yield from _reordered(one[step], other[step], inner)
