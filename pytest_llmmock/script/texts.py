"""Texts made up so that they satisfy a JSON schema: a format, a pattern, a length."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from ..errors import ScriptError

FORMATS: Mapping[str, Callable[[int], str]] = {
    "date-time": lambda n: f"2026-01-{n % 28 + 1:02}T12:00:00Z",
    "date": lambda n: f"2026-01-{n % 28 + 1:02}",
    "time": lambda n: f"12:{n % 60:02}:00Z",
    "duration": lambda n: f"P{n + 1}D",
    "email": lambda n: f"user{n + 1}@example.com",
    "idn-email": lambda n: f"user{n + 1}@example.com",
    "hostname": lambda n: f"host{n + 1}.example.com",
    "idn-hostname": lambda n: f"host{n + 1}.example.com",
    "ipv4": lambda n: f"192.0.2.{n % 254 + 1}",
    "ipv6": lambda n: f"2001:db8::{n + 1:x}",
    "uuid": lambda n: f"00000000-0000-4000-8000-{n + 1:012x}",
    "uri": lambda n: f"https://example.com/{n + 1}",
    "uri-reference": lambda n: f"/{n + 1}",
    "iri": lambda n: f"https://example.com/{n + 1}",
    "json-pointer": lambda n: f"/{n + 1}",
    "regex": lambda n: "x" * (n + 1),
}
"""Format -> the n-th text of it."""


def invent(schema: Mapping[str, Any], name: str, number: int) -> str:
    """A text: of its format, or by its pattern, or else its own name. Raises `ScriptError`."""
    if schema.get("format") in FORMATS:
        return FORMATS[schema["format"]](number)
    if "pattern" in schema:
        return _by_pattern(schema, number)
    return _of_length(name if number == 0 else f"{name} {number + 1}", schema)


def _of_length(text: str, schema: Mapping[str, Any]) -> str:
    least, most = int(schema.get("minLength", 0)), schema.get("maxLength")
    longer = text + "x" * (least - len(text))
    return longer if most is None else longer[-int(most) :] if most else ""


def _by_pattern(schema: Mapping[str, Any], number: int) -> str:
    """The shortest texts first that can be made of the pattern, until one has the length."""
    pattern = str(schema["pattern"])
    least, most = int(schema.get("minLength", 0)), schema.get("maxLength", 1 << 16)
    try:
        for more in range(least + 2):
            text = _Maker(pattern, more + number).text()
            if least <= len(text) <= most and re.search(pattern, text):
                return text
    except (re.error, _Unknown) as error:
        raise ScriptError(f"No text can be made up for the pattern {pattern!r}: {error}. Give the value.") from None
    raise ScriptError(f"No text can be made up for the pattern {pattern!r}. Give the value.")


class _Unknown(Exception):
    """Something in a pattern that we cannot make a text of."""


_ESCAPES = {"d": "0", "w": "a", "s": " ", "D": "a", "W": "-", "S": "a", "n": "\n", "t": "\t", "r": "\r"}
_COUNT = re.compile(r"\{(\d+)(,)?(\d+)?\}")


class _Maker:
    """Reads a regular expression of the plain kind, and writes a text that it matches."""

    def __init__(self, pattern: str, more: int) -> None:
        re.compile(pattern)
        self._pattern = pattern
        self._more = more
        """How many times beyond the least something is repeated that has no upper limit."""
        self._at = 0

    def text(self) -> str:
        return self._choice()

    def _peek(self) -> str:
        return self._pattern[self._at : self._at + 1]

    def _take(self) -> str:
        self._at += 1
        return self._pattern[self._at - 1]

    def _choice(self) -> str:
        """The first of several ways; the others are read and left."""
        made = self._run()
        while self._peek() == "|":
            self._take()
            self._run()
        return made

    def _run(self) -> str:
        made = ""
        while self._peek() not in ("", "|", ")"):
            made += self._piece()
        return made

    def _piece(self) -> str:
        one = self._one()
        least, most = self._times()
        return one * (least + self._more if most is None else min(most, least + self._more) if most > least else least)

    def _one(self) -> str:
        sign = self._take()
        if sign in "^$":
            return ""
        if sign == "(":
            return self._group()
        if sign == "[":
            return self._class()
        if sign == "\\":
            return self._escaped()
        return "a" if sign == "." else sign

    def _group(self) -> str:
        if self._peek() == "?":
            self._take()
            self._kind_of_group()
        made = self._choice()
        self._take()
        return made

    def _kind_of_group(self) -> None:
        """Groups without or with a name are groups; what looks around is more than we can."""
        if self._pattern.startswith(":", self._at):
            self._at += 1
        elif self._pattern.startswith("P<", self._at):
            self._at = self._pattern.index(">", self._at) + 1
        else:
            raise _Unknown(f"'(?{self._peek()}' is not understood")

    def _escaped(self) -> str:
        sign = self._take()
        if sign in "bBAZ":
            return ""
        if sign.isdigit() or sign in "xuUpPN":
            raise _Unknown(f"'\\{sign}' is not understood")
        return _ESCAPES.get(sign, sign)

    def _class(self) -> str:
        """A character of a class; of one that excludes, one that it leaves."""
        start = self._at - 1
        self._at += self._pattern.startswith("^", self._at)
        self._at += self._pattern.startswith("]", self._at)
        while self._peek() != "]":
            self._at += 2 if self._peek() == "\\" else 1
        self._take()
        allowed = re.compile(self._pattern[start : self._at])
        found = next((sign for sign in _SIGNS if allowed.fullmatch(sign)), None)
        if found is None:
            raise _Unknown(f"nothing is known that fits {self._pattern[start : self._at]}")
        return found

    def _times(self) -> tuple[int, int | None]:
        count = _COUNT.match(self._pattern, self._at)
        if count:
            self._at = count.end()
            least = int(count[1])
            found = (least, int(count[3]) if count[3] else None if count[2] else least)
        elif self._peek() and self._peek() in _TIMES:
            found = _TIMES[self._take()]
        else:
            return 1, 1
        self._at += self._peek() in ("?", "+")  # how greedy it is makes no difference here
        return found


_TIMES: Mapping[str, tuple[int, int | None]] = {"*": (0, None), "+": (1, None), "?": (0, 1)}
_SIGNS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789" + "".join(map(chr, range(32, 127))) + "é\n"
