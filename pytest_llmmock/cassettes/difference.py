"""How two values differ: place by place, and inside long texts word by word."""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from hashlib import sha256
from itertools import chain
from typing import Any

from .normalisers import KINDS

MISSING: Any = object()
"""Stands for what one side does not have."""

_WIDTH = 112
_AROUND = 8
"""Words that are shown around a change."""

_LONG = 40
_MOST = 20_000
"""Words or elements in which single changes are looked for; what is longer differs as a whole."""

_WORDS = re.compile(r"<[^<>]*, sha256 \w+…>\s*|\w+\s*|[^\w\s]\s*|\s+")
_DATA_URL = re.compile(r"data:([\w.+-]+/[\w.+-]+)?(?:;[\w=.-]+)*;base64,([A-Za-z0-9+/=_-]*)")
_BASE64 = re.compile(r"[A-Za-z0-9+/_-]{200,}={0,2}")


@dataclass(frozen=True, slots=True)
class Difference:
    """One place at which two values differ."""

    path: str
    recorded: Any
    asked: Any

    @property
    def kinds(self) -> tuple[str, ...]:
        """The normalisers that would make both sides the same: what changes here looks as if it did so on every run."""
        if self.recorded is MISSING or self.asked is MISSING:
            return ()
        recorded, asked = _text(self.recorded), _text(self.asked)
        kinds = []
        for name, kind in KINDS.items():
            found = [[match.group() for match in kind.pattern.finditer(side)] for side in (recorded, asked)]
            if found[0] != found[1]:
                recorded, asked = (kind.pattern.sub(f"<{name}>", side) for side in (recorded, asked))
                kinds.append(name)
        return tuple(kinds) if recorded == asked else ()

    @property
    def volatile(self) -> str:
        """The same in words; '' when it looks like something that was changed."""
        return joined([KINDS[name].words for name in self.kinds])

    @property
    def is_whole(self) -> bool:
        """Whether there is nothing else at this place."""
        return any(KINDS[name].pattern.fullmatch(_text(self.recorded)) for name in self.kinds)


def joined(words: Sequence[str]) -> str:
    """`a UUID, a time and a trace id`"""
    return " and ".join(", ".join(dict.fromkeys(words)).rsplit(", ", 1))


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
    for start, end, other, other_end in _changes([*map(_canonical, recorded)], [*map(_canonical, asked)]):
        for place in range(max(end - start, other_end - other)):
            here = recorded[start + place] if start + place < end else MISSING
            there = asked[other + place] if other + place < other_end else MISSING
            number = other + place if here is MISSING else start + place
            yield from _of_sides(here, there, f"{path}[{number}]")


def _canonical(value: Any) -> str:
    return json.dumps(value, sort_keys=True, default=str)


Change = tuple[int, int, int, int]
"""From and to in the one, from and to in the other."""


def _changes(ours: Sequence[str], theirs: Sequence[str]) -> list[Change]:
    """What differs between two sequences, in time that does not grow with the square of what is the same."""
    shorter = min(len(ours), len(theirs))
    head = next((n for n in range(shorter) if ours[n] != theirs[n]), shorter)
    tail = next((n for n in range(shorter - head) if ours[-1 - n] != theirs[-1 - n]), shorter - head)
    one, other = ours[head : len(ours) - tail], theirs[head : len(theirs) - tail]
    if not one and not other:
        return []
    if len(one) + len(other) > _MOST:
        return [(head, len(ours) - tail, head, len(theirs) - tail)]
    codes = SequenceMatcher(None, one, other, autojunk=len(one) + len(other) > 2000).get_opcodes()
    return [(head + a, head + b, head + c, head + d) for kind, a, b, c, d in codes if kind != "equal"]


# --- for people -----------------------------------------------------------------------------------------


def show(difference: Difference) -> list[str]:
    """A difference as lines: where, what was recorded (-), what is asked (+)."""
    minus, plus = _sides(difference.recorded, difference.asked)
    place = " ".join(difference.path.split()) or "the whole body"
    return [f"  {_cut(place)}", f"  - {minus}", f"  + {plus}"]


def _sides(recorded: Any, asked: Any) -> tuple[str, str]:
    """What stands on each side, so that people see the difference."""
    if isinstance(recorded, str) and isinstance(asked, str):
        short = max(len(recorded), len(asked)) <= _LONG
        minus, plus = (_brief(recorded), _brief(asked)) if short else _words(shortened(recorded), shortened(asked))
        return (minus, plus) if _looks(minus) != _looks(plus) else _escaped(recorded, asked)
    if isinstance(recorded, str) or isinstance(asked, str):
        return _brief(_in_quotes(recorded)), _brief(_in_quotes(asked))
    minus, plus = _brief(recorded), _brief(asked)
    return (minus, plus) if minus != plus else _escaped(_text(recorded), _text(asked))


def _in_quotes(value: Any) -> Any:
    """A text beside something that is none: `"1"` is not 1."""
    return value if value is MISSING or not isinstance(value, str) or len(value) > _LONG else json.dumps(value)


def _looks(line: str) -> str:
    """What a line looks like: some characters are told apart by programs only."""
    return unicodedata.normalize("NFKC", line)


def _escaped(recorded: str, asked: str) -> tuple[str, str]:
    """Two texts that look the same, with escapes, from shortly before they part."""
    at = next((n for n, (one, other) in enumerate(zip(recorded, asked, strict=False)) if one != other), None)
    start = max(0, (min(len(recorded), len(asked)) if at is None else at) - _LONG // 2)
    before = "… " if start else ""
    minus, plus = (before + json.dumps(side[start : start + 2 * _LONG]) for side in (recorded, asked))
    return _cut(minus), _cut(plus)


def _cut(line: str) -> str:
    return line if len(line) <= _WIDTH else f"{line[: _WIDTH - 2].rstrip()} …"


def _brief(value: Any) -> str:
    if value is MISSING:
        return "(nothing)"
    text = shortened(_text(value))
    return _cut(" ".join(text.split()) if isinstance(value, str) else text)


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)


_HASHED = re.compile(r"(<[^<>]{0,100}, sha256 [0-9a-f]{8})[0-9a-f]{56}>")
"""How `media` writes content when it is compared."""


def shortened(text: str) -> str:
    """Images, sounds and files in Base64 as their kind, size and hash."""
    text = _DATA_URL.sub(lambda match: _blob(match[1] or "data", match[2]), text)
    text = _BASE64.sub(lambda match: _blob("base64", match[0]), text)
    return _HASHED.sub(r"\1…>", text)


def _blob(kind: str, encoded: str) -> str:
    return f"<{kind}, {len(encoded.rstrip('=')) * 3 // 4:,} bytes, {digest(encoded.encode())}>"


def digest(content: bytes) -> str:
    """As much of a hash as tells two contents apart for a reader."""
    return f"sha256 {sha256(content).hexdigest()[:8]}…"


def _words(recorded: str, asked: str) -> tuple[str, str]:
    """Both texts around their first changes, the changed words in brackets."""
    ours, theirs = _WORDS.findall(recorded), _WORDS.findall(asked)
    changes = _changes(ours, theirs)
    minus = _marked(ours, [(start, end) for start, end, _, _ in changes])
    plus = _marked(theirs, [(start, end) for _, _, start, end in changes])
    return minus, plus


def _marked(words: list[str], changes: list[tuple[int, int]]) -> str:
    """The words around each change, as many as a line holds."""
    pieces: list[str] = []
    at = length = 0
    for start, end in changes:
        before = max(at, start - _AROUND)
        pieces += ["… "] if before > at else []
        changed = "".join(words[start : min(end, start + _WIDTH)])  # a line holds no more
        words_only = changed.rstrip()
        pieces += [*words[before:start], f"[{words_only}]", changed[len(words_only) :]]
        at = end
        length += len(words_only) + end - before
        if length > _WIDTH:
            return _cut(" ".join("".join(pieces).split()))
    after = words[at : at + _AROUND]
    pieces += [*after, " …"] if at + _AROUND < len(words) else after
    return _cut(" ".join("".join(pieces).split()))
