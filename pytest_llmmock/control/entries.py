"""Entries of the journal as JSON: what an assertion in another language needs."""

from __future__ import annotations

import json
import threading
from base64 import b64encode
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from difflib import get_close_matches
from fnmatch import fnmatchcase
from typing import Any

from ..cassettes.credentials import ACCOUNT_HEADERS, REQUEST_HEADERS
from ..cassettes.scrubber import Scrubber
from ..cassettes.secrets import Secrets
from ..core.journal import Entry, Journal
from ..core.json_text import compact, parse_json
from ..core.prompt import Message, Tool, ToolCall, Usage
from ..errors import UsageError

_UNTOLD = {*REQUEST_HEADERS, *ACCOUNT_HEADERS, "cookie"}
"""Headers that say who asks."""

Pairs = Iterable[tuple[str, str]]


class Told:
    """The journal from where it was last forgotten. The deck itself forgets nothing: a miss still fails its test."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._lock = threading.Lock()
        self._last: Entry | None = None

    def entries(self) -> Sequence[Entry]:
        entries = list(self._journal)
        last = self._last
        begin = next((at + 1 for at, entry in enumerate(entries) if entry is last), 0)
        return entries[begin:]

    def forget(self) -> int:
        """Tell nothing any more of what was asked so far; how much that was."""
        with self._lock:
            entries = self.entries()
            self._last = entries[-1] if entries else self._last
        return len(entries)


# --- which ones ---


@dataclass(frozen=True, slots=True)
class Filter:
    """Which entries are told."""

    tests: Sequence[Callable[[Entry], bool]] = ()
    last: int | None = None
    """Only so many, the latest."""


_TEXTS: dict[str, Callable[[Entry], str]] = {
    "operation": lambda entry: entry.operation,
    "model": lambda entry: entry.model,
    "source": lambda entry: entry.source,
    "method": lambda entry: entry.method,
    "path": lambda entry: entry.path,
    "status": lambda entry: str(entry.status),
    "stream": lambda entry: str(entry.stream).lower(),
}
"""What a value, or a pattern with `*`, is held against."""

_NAMES = (*_TEXTS, "contains", "last")


def read_filter(pairs: Pairs) -> Filter:
    """What a query asks for: `?model=gpt-*&status=200&last=1`. Raises `UsageError`."""
    tests: list[Callable[[Entry], bool]] = []
    last = None
    for name, value in pairs:
        if name == "last":
            last = _count(value)
        elif name in _NAMES:
            tests.append(_test(name, value))
        else:
            near = get_close_matches(name, _NAMES, n=1)
            hint = f"Did you mean {near[0]!r}?" if near else f"Known are: {', '.join(_NAMES)}."
            raise UsageError(f"The journal cannot be asked for {name!r}. {hint}")
    return Filter(tests, last)


def _count(value: str) -> int:
    if not (value.isascii() and value.isdigit() and 0 < len(value) < 10):
        raise UsageError(f"last={value!r} is not possible: it is how many of the latest entries are told.")
    return int(value)


def _test(name: str, value: str) -> Callable[[Entry], bool]:
    if name == "contains":
        return lambda entry: any(value in message.text for message in entry.messages)
    read = _TEXTS[name]
    return lambda entry: fnmatchcase(read(entry), value)


def found(entries: Sequence[Entry], wanted: Filter) -> list[tuple[int, Entry]]:
    """The entries that are wanted, with their numbers among all, from 1."""
    fits = [(n, entry) for n, entry in enumerate(entries, 1) if all(test(entry) for test in wanted.tests)]
    return fits if wanted.last is None else fits[len(fits) - min(wanted.last, len(fits)) :]


# --- what is told of each ---


def written(number: int, entry: Entry, secrets: Secrets) -> Any:
    """An entry as JSON, without secrets."""
    told = {"number": number, **_asked(entry), **_answered(entry)}
    clean = Scrubber(secrets).body(compact(told).encode())
    return parse_json(clean)


def _asked(entry: Entry) -> dict[str, Any]:
    return {
        "operation": entry.operation,
        "method": entry.method,
        "path": entry.path,
        "headers": {name: value for name, value in entry.headers.items() if name not in _UNTOLD},
        "model": entry.model,
        "stream": entry.stream,
        "messages": [_message(message) for message in entry.messages],
        "tools": [_tool(tool) for tool in entry.tools],
        **_body(entry),
    }


def _body(entry: Entry) -> dict[str, Any]:
    """As JSON; what is none as Base64."""
    value = _tellable(entry.json)
    packed = {"body": b64encode(entry.body).decode()} if entry.body and value is None else {}
    return {"json": value, **packed}


def _tellable(value: Any) -> Any:
    """The value, or None where other languages could not read it: NaN is no JSON to them, nor what never ends."""
    try:
        json.dumps(value, allow_nan=False)
    except (ValueError, RecursionError):
        return None
    return value


def _answered(entry: Entry) -> dict[str, Any]:
    return {
        "status": entry.status,
        "source": entry.source,
        "text": entry.text,
        "tool_calls": [_call(call) for call in entry.tool_calls],
        "usage": _usage(entry.usage),
        "interaction": entry.interaction,
        "notes": list(entry.notes),
        "trouble": entry.trouble,
        "started": datetime.fromtimestamp(entry.started, UTC).isoformat(timespec="milliseconds"),
        "duration": round(entry.duration, 6) if entry.duration is not None else None,
    }


def _message(message: Message) -> dict[str, Any]:
    told: dict[str, Any] = {"role": message.role, "text": message.text}
    told |= {"parts": [{"kind": part.kind, "url": part.url} for part in message.parts]} if message.parts else {}
    told |= {"tool_calls": [_call(call) for call in message.tool_calls]} if message.tool_calls else {}
    named: Iterator[tuple[str, str]] = ((n, getattr(message, n)) for n in ("tool_call_id", "name"))
    return told | {name: value for name, value in named if value}


def _call(call: ToolCall) -> dict[str, Any]:
    """`arguments` is the text that the model wrote, `json` what it says; null where it is no JSON."""
    value = _tellable(parse_json(call.arguments.encode(errors="replace")))
    return {"id": call.id, "name": call.name, "arguments": call.arguments, "json": value}


def _tool(tool: Tool) -> dict[str, Any]:
    parameters = _tellable(tool.parameters)
    return {"name": tool.name, "kind": tool.kind, "description": tool.description, "parameters": parameters}


def _usage(usage: Usage | None) -> dict[str, Any] | None:
    if usage is None:
        return None
    named = ("input", "output", "total", "cached", "reasoning")
    return {name: value for name in named if (value := getattr(usage, name)) is not None}
