"""How two values differ: place by place, and inside long texts word by word."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from difflib import SequenceMatcher
from hashlib import sha256
from itertools import chain
from typing import Any

MISSING: Any = object()
"""Stands for what one side does not have."""

_WIDTH = 100
_AROUND = 4
"""Words that are shown around a change."""

_LONG = 40
_WORDS = re.compile(r"\w+\s*|[^\w\s]\s*|\s+")
_DATA_URL = re.compile(r"data:([\w.+-]+/[\w.+-]+)?(?:;[\w=.-]+)*;base64,([A-Za-z0-9+/=_-]*)")
_BASE64 = re.compile(r"[A-Za-z0-9+/_-]{200,}={0,2}")

VOLATILE = {
    "a UUID": re.compile(r"\b[0-9a-fA-F]{8}-?(?:[0-9a-fA-F]{4}-?){3}[0-9a-fA-F]{12}\b"),
    "a time": re.compile(
        r"\b\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:[.,]\d+)?)?(?:Z|[+-]\d\d:?\d\d)?)?"
        r"|\b1[5-9]\d{8}(?:\d{3})?(?:\.\d+)?\b"  # seconds or milliseconds since 1970, from 2017 on
    ),
    "a temporary path": re.compile(r"(?:/private)?/(?:tmp|var/folders|var/tmp)/[^\s\"']+|pytest-of-\w+[^\s\"']*"),
    "a trace id": re.compile(r"\b(?:[0-9a-f]{32}|[0-9a-f]{16})\b"),
}
"""What such a value looks like, in the order of trying."""


@dataclass(frozen=True, slots=True)
class Difference:
    """One place at which two values differ."""

    path: str
    recorded: Any
    asked: Any

    @property
    def volatile(self) -> str:
        """What changes here on every run, by the looks of it; '' when it looks like something that was changed."""
        if self.recorded is MISSING or self.asked is MISSING:
            return ""
        recorded, asked = _text(self.recorded), _text(self.asked)
        for name, pattern in VOLATILE.items():
            recorded, changed = pattern.subn("…", recorded)
            asked, count = pattern.subn("…", asked)
            if changed and count and recorded == asked:
                return name
        return ""


def differences(recorded: Any, asked: Any, path: str = "") -> Iterator[Difference]:
    """The places at which two JSON values differ, in the order of the recorded one."""
    if isinstance(recorded, dict) and isinstance(asked, dict):
        yield from _of_mappings(recorded, asked, path)
    elif isinstance(recorded, list) and isinstance(asked, list):
        yield from _of_lists(recorded, asked, path)
    elif type(recorded) is not type(asked) or recorded != asked:
        yield Difference(path, recorded, asked)


def _of_mappings(recorded: dict[str, Any], asked: dict[str, Any], path: str) -> Iterator[Difference]:
    for name in chain(recorded, (name for name in asked if name not in recorded)):
        inner = f"{path}.{name}" if path else str(name)
        yield from _of_sides(recorded.get(name, MISSING), asked.get(name, MISSING), inner)


def _of_sides(recorded: Any, asked: Any, path: str) -> Iterator[Difference]:
    if recorded is MISSING or asked is MISSING:
        yield Difference(path, recorded, asked)
    else:
        yield from differences(recorded, asked, path)


def _of_lists(recorded: list[Any], asked: list[Any], path: str) -> Iterator[Difference]:
    """Elements are compared in pairs; one that was put in or left out does not make all behind it differ."""
    ours, theirs = [_canonical(item) for item in recorded], [_canonical(item) for item in asked]
    for kind, start, end, other, other_end in SequenceMatcher(None, ours, theirs, autojunk=False).get_opcodes():
        if kind == "equal":
            continue
        for place in range(max(end - start, other_end - other)):
            here = recorded[start + place] if start + place < end else MISSING
            there = asked[other + place] if other + place < other_end else MISSING
            number = other + place if here is MISSING else start + place
            yield from _of_sides(here, there, f"{path}[{number}]")


def _canonical(value: Any) -> str:
    return json.dumps(value, sort_keys=True, default=str)


# --- for people -----------------------------------------------------------------------------------------


def show(difference: Difference) -> list[str]:
    """A difference as lines: where, what was recorded (-), what is asked (+)."""
    recorded, asked = difference.recorded, difference.asked
    if isinstance(recorded, str) and isinstance(asked, str) and max(len(recorded), len(asked)) > _LONG:
        minus, plus = _words(shortened(recorded), shortened(asked))
    else:
        minus, plus = _brief(recorded), _brief(asked)
    place = " ".join(difference.path.split()) or "the whole body"
    return [f"  {place[:_WIDTH]}", f"  - {minus}", f"  + {plus}"]


def _brief(value: Any) -> str:
    if value is MISSING:
        return "(nothing)"
    text = shortened(_text(value))
    flat = " ".join(text.split()) if isinstance(value, str) else text
    return flat if len(flat) <= _WIDTH else f"{flat[: _WIDTH - 2].rstrip()} …"


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)


def shortened(text: str) -> str:
    """Images, sounds and files in Base64 as their kind, size and hash."""
    text = _DATA_URL.sub(lambda match: _blob(match[1] or "data", match[2]), text)
    return _BASE64.sub(lambda match: _blob("base64", match[0]), text)


def _blob(kind: str, encoded: str) -> str:
    return f"<{kind}, {len(encoded.rstrip('=')) * 3 // 4:,} bytes, {digest(encoded.encode())}>"


def digest(content: bytes) -> str:
    """As much of a hash as tells two contents apart for a reader."""
    return f"sha256 {sha256(content).hexdigest()[:8]}…"


def _words(recorded: str, asked: str) -> tuple[str, str]:
    """Both texts around their first changes, the changed words in brackets."""
    ours, theirs = _WORDS.findall(recorded), _WORDS.findall(asked)
    changes = [code for code in SequenceMatcher(None, ours, theirs, autojunk=False).get_opcodes() if code[0] != "equal"]
    minus = _marked(ours, [(start, end) for _, start, end, _, _ in changes])
    plus = _marked(theirs, [(start, end) for _, _, _, start, end in changes])
    return minus, plus


def _marked(words: list[str], changes: list[tuple[int, int]]) -> str:
    """The words around each change, as many as a line holds."""
    pieces: list[str] = []
    at = 0
    for start, end in changes:
        before = max(at, start - 2 * _AROUND)
        pieces += ["… "] if before > at else []
        changed = "".join(words[start:end])
        words_only = changed.rstrip()
        pieces += [*words[before:start], f"[{words_only}]", changed[len(words_only) :]]
        at = end
    after = words[at : at + 2 * _AROUND]
    pieces += [*after, " …"] if at + 2 * _AROUND < len(words) else after
    line = " ".join("".join(pieces).split())
    return line if len(line) <= 2 * _WIDTH else f"{line[: 2 * _WIDTH].rstrip()} …"
