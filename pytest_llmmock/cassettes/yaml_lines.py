"""YAML read line by line, as `yaml_text` and vcrpy write it: ten times as fast as libyaml, and with the same result.

Whatever is not of a shape that is known here is `UnusualError`, for PyYAML to read: other indentation, anchors, tags,
comments, a plain word that YAML takes for a number or for yes.
"""

from __future__ import annotations

import binascii
import re
from collections.abc import Callable
from functools import lru_cache
from typing import Any

from . import yaml_flow, yaml_quoted
from .yaml_text import is_literal, is_reserved

_PLAIN = re.compile(r"(?:[^\W\d]|[/$(<])(?:[^\n\t:#]++|:(?=[^\s])|(?<=[^\s])#)*+(?<! )")
"""Text that no reader of YAML takes for anything else, unless it is reserved."""
_WITH_DIGITS = re.compile(r"(?!0[xX])[0-9](?:[^\n\t:#]++|:(?=[^\s])|(?<=[^\s])#)*+(?<! )")
_DIGITS = re.compile(r"[-+.0-9_:eEbBoOtTzZ ]*")
"""Text that begins with a digit and may be a number, a time or a date."""
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]{0,999})(\.[0-9]+(?:e[-+][0-9]+)?)?")
_SIMPLE = re.compile(
    r"(?!(?i:y|n|yes|no|true|false|on|off|null):)([A-Za-z_][\w-]*+): ((-?[1-9][0-9]{0,17}|0)|[^\W\d][^\n\t:#]*+(?<! ))",
)
"""Most entries: a word as the key, and behind it a whole number or text without marks; short text may be reserved."""
_ASCII = bytes(range(0x20, 0x7F)) + b"\t\n"
_CONSTANTS: dict[str, Callable[[], Any]] = {
    "null": lambda: None,
    "true": lambda: True,
    "false": lambda: False,
    "{}": dict,
    "[]": list,
}
_LITERALS = {"|": "", "|-": "-", "|+": "+", "|2": "", "|2-": "-", "|2+": "+"}
"""The heads of a literal block, and what they say of the ends of lines behind it."""
_QUOTES = ("'", '"')
_BINARY = "!!binary |"
_END = "."
"""Stands behind the last line: neither empty nor indented."""


class UnusualError(Exception):
    """This is not of the shapes that are known here."""


def read(source: bytes) -> dict[str, Any]:
    """The mapping that these lines are, the first of which tells how far it is indented. Raises `UnusualError`."""
    try:
        text = source.decode()
        if not text.endswith("\n") or (source.translate(None, _ASCII) and not is_literal(text)):
            raise UnusualError("characters that may mean something else, or no last line end")
        lines = text.split("\n")
        lines[-1] = _END
        reader = _Reader(lines)
        value = reader.mapping(" " * (len(text) - len(text.lstrip(" "))))
    except (ValueError, RecursionError) as error:
        raise UnusualError(str(error)) from None
    if reader.at != len(lines) - 1:
        raise UnusualError("a line that nothing goes on with")
    return value


class _Reader:
    """The lines and how many of them are read."""

    def __init__(self, lines: list[str]) -> None:
        self._lines = lines
        self.at = 0

    def mapping(self, pad: str) -> dict[str, Any]:
        """The entries that begin in the column behind `pad`."""
        lines, width = self._lines, len(pad)
        found: dict[str, Any] = {}
        key = value = ""
        while (line := lines[self.at]).startswith(pad) and line is not _END:
            entry = _SIMPLE.fullmatch(line, width)
            if entry is not None:
                key, value, digits = entry.groups()
                self.at += 1
                found[key] = int(digits) if digits else value if len(value) > 5 else _scalar(value)
                continue
            text = line[width:]
            if text.startswith(" "):
                found[key] = self._unfolded(value, pad)
                continue
            key, colon, value = text.partition(": ")
            if not (colon and value and _is_key(key)):
                key, value = _entry(text)
            self.at += 1
            found[key] = self._value(value, pad) if value else self._nested(pad)
        return found

    def _nested(self, pad: str) -> Any:
        """What stands below a key: a sequence in the same column, or a collection further in."""
        line = self._lines[self.at]
        if line.startswith(pad + "- "):
            return self._sequence(pad)
        if line.startswith(pad + "  - "):
            return self._sequence(pad + "  ")
        if line.startswith(pad + "  "):
            return self.mapping(pad + "  ")
        raise UnusualError("a key with nothing behind it")

    def _sequence(self, pad: str) -> list[Any]:
        found: list[Any] = []
        dash, inner, value = pad + "- ", pad + " ", ""
        while True:
            line = self._lines[self.at]
            if line.startswith(dash):
                value = line[len(dash) :]
                found.append(self._item(value, pad))
            elif line.startswith(inner):
                found[-1] = self._unfolded(value, pad)
            else:
                return found

    def _item(self, rest: str, pad: str) -> Any:
        """What stands behind a dash. The first line of a collection is read as if it stood below the dash."""
        if rest.startswith("- ") or _begins_mapping(rest):
            inner = pad + "  "
            self._lines[self.at] = inner + rest
            return self._sequence(inner) if rest.startswith("- ") else self.mapping(inner)
        self.at += 1
        return self._value(rest, pad)

    def _value(self, text: str, pad: str) -> Any:
        """A value whose first line is `text`; `pad` is where the collection that holds it begins."""
        first = text[:1]
        if first == "|" and text in _LITERALS:
            return self._literal(pad + "  ", _LITERALS[text], any_start="2" in text)
        if first in _QUOTES:
            return self._quoted(text)
        if text == _BINARY:
            return binascii.a2b_base64(self._literal(pad + "  ", "", any_start=False))
        return _scalar(text)

    def _unfolded(self, text: str, pad: str) -> str:
        """Plain text that goes on in the lines that follow, which are further in."""
        pieces = [text]
        while (line := self._lines[self.at]).startswith(pad + " "):
            pieces.append(line.strip(" "))
            self.at += 1
        joined = " ".join(pieces)
        if not (all(pieces) and _is_plain(text) and _is_plain(joined)):
            raise UnusualError("a line further in")
        return joined

    def _literal(self, pad: str, ending: str, *, any_start: bool) -> str:
        """A block in which every character stands for itself."""
        lines, start = self._lines, self.at
        at = start
        while (line := lines[at]).startswith(pad) or not line:
            at += 1
        self.at = at
        if not any_start and lines[start][len(pad) : len(pad) + 1] in ("", " ", "\t"):
            raise UnusualError("a block whose indentation is told by its content")
        block = ("\n" + "\n".join(lines[start:at]) + "\n").replace("\n" + pad, "\n")[1:]
        content = block.rstrip("\n")
        if not content:
            raise UnusualError("a block of empty lines")
        return block if ending == "+" else content if ending == "-" else content + "\n"

    def _quoted(self, text: str) -> str:
        """A text in quotes, which may go on in the lines that follow."""
        found = yaml_quoted.of_line(text)
        if found is None:
            found, more = yaml_quoted.of_lines(text, self._lines, self.at)
            self.at += more
        return found


def _entry(text: str) -> tuple[str, str]:
    """The key of an entry, and the text behind it; '' where its value begins in the next line."""
    key, colon, value = text.partition(": ")
    if not colon and text.endswith(":"):
        key, colon, value = text[:-1], ":", ""
    if colon and _is_key(key) and bool(value) == (colon == ": "):
        return key, value
    quoted = yaml_quoted.key(text)
    if quoted is None:
        raise UnusualError("a key of another shape")
    return quoted


@lru_cache(maxsize=2048)
def _is_key(text: str) -> bool:
    return _is_plain(text) and len(text) < 1000


def _is_plain(text: str) -> bool:
    if _PLAIN.fullmatch(text):
        return not is_reserved(text) and text != "<<"
    is_text = not _DIGITS.fullmatch(text) or (text.count(".") > 1 and ":" not in text)
    return is_text and _WITH_DIGITS.fullmatch(text) is not None


def _begins_mapping(text: str) -> bool:
    if text[:1] in _QUOTES:
        return yaml_quoted.key(text) is not None
    return text[:1] not in ("|", "{", "[") and (": " in text or text.endswith(":"))


def _scalar(text: str) -> Any:
    """A value that is written on one line without quotes."""
    constant = _CONSTANTS.get(text)
    if constant is not None:
        return constant()
    if _is_plain(text):
        return text
    number = _NUMBER.fullmatch(text)
    if number is not None:
        return float(text) if number[1] else int(text)
    if text[:1] in ("{", "["):
        return yaml_flow.read(text)
    raise UnusualError("a value of another shape")
