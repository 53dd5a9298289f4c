"""Texts in quotes, as YAML's emitters write them: on one line, or folded over several.

What is not read here is a `ValueError`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

_SINGLE = re.compile(r"'((?:[^']++|'')*+)'")
_DOUBLE = re.compile(r'"((?:[^"\\]++|\\.)*+)"', re.DOTALL)
_WHOLE = {"'": _SINGLE, '"': _DOUBLE}
_OPEN_DOUBLE = re.compile(r'(?:[^"\\]++|\\.)*+\\?')
_EMPTY_LINES = re.compile("\n+")
_BLANKS = " \t"
_ESCAPED = re.compile(
    r"""(?:[^\\]++|\\(?:["\\ntrabfv]|x[0-9a-fA-F]{2}|u(?![dD][89a-fA-F])[0-9a-fA-F]{4}|U000[0-9a-fA-F]{5}))*+"""
)
"""Escapes that mean in YAML what they mean in Python."""


def of_line(text: str) -> str | None:
    """The text that a line is in quotes; None where its last quote is not on this line."""
    mark = text[0]
    if text.endswith(mark) and text.count(mark) == 2 and (mark == "'" or "\\" not in text):
        return text[1:-1]
    found = _WHOLE[mark].fullmatch(text)
    return _content(mark, found[1]) if found else None


def of_lines(text: str, lines: Sequence[str], at: int) -> tuple[str, int]:
    """The text that begins with this line and goes on at `at`, and how many more lines it has."""
    mark, end = text[0], at
    is_open = _is_open_single if mark == "'" else _is_open_double
    left = is_open(text[1:])
    while left and end < len(lines) - 1:
        left = is_open(lines[end])
        end += 1
    whole = "\n".join([text, *lines[at:end]])
    found = _WHOLE[mark].fullmatch(whole)
    if found is None or any(line[:1] not in ("", " ") for line in lines[at:end]):
        raise ValueError("quotes without an end, or with something behind it")
    return _content(mark, found[1]), end - at


def key(text: str) -> tuple[str, str] | None:
    """The key in quotes with which an entry begins, and what stands behind it."""
    found = _WHOLE[text[0]].match(text) if text[:1] in _WHOLE else None
    behind = text[found.end() :] if found else ""
    if found is None or not (behind == ":" or (behind.startswith(": ") and len(behind) > 2)) or found.end() > 1000:
        return None
    return _content(text[0], found[1]), behind[2:]


def _is_open_single(line: str) -> bool:
    """Whether a text goes on behind this line: inside of it each quote is doubled."""
    return line.count("'") % 2 == 0


def _is_open_double(line: str) -> bool:
    return _OPEN_DOUBLE.fullmatch(line) is not None


def _content(mark: str, text: str) -> str:
    """What stands between the quotes."""
    lines = text.split("\n")
    if mark == "'":
        return _folded(lines).replace("''", "'") if len(lines) > 1 else text.replace("''", "'")
    unfolded = _unfolded(lines) if len(lines) > 1 else text
    return _unescaped(unfolded) if "\\" in unfolded else unfolded


def _folded(lines: list[str]) -> str:
    """A line end is a space, and each empty line a line end."""
    first, *between, last = lines
    pieces = [first.rstrip(_BLANKS), *[line.strip(_BLANKS) for line in between], last.lstrip(_BLANKS)]
    return " ".join(pieces) if all(pieces[1:-1]) else _EMPTY_LINES.sub(_line_ends, "\n".join(pieces))


def _line_ends(found: re.Match[str]) -> str:
    return "\n" * (len(found[0]) - 1) or " "


def _unfolded(lines: list[str]) -> str:
    """Lines of a text with escapes: a line end is a space, or nothing where it is escaped."""
    if not all(line.strip(_BLANKS) for line in lines[1:-1]):
        raise ValueError("empty lines")
    pieces = [lines[0], *(_start(line) for line in lines[1:])]
    for number, line in enumerate(pieces[:-1]):
        is_escaped = (len(line) - len(line.rstrip("\\"))) % 2
        pieces[number] = line[:-1] if is_escaped else line.rstrip(_BLANKS) + " "
    return "".join(pieces)


def _start(line: str) -> str:
    """A line without its indentation; a space that is meant is escaped."""
    line = line.lstrip(_BLANKS)
    return line[1:] if line.startswith("\\ ") else line


def _unescaped(text: str) -> str:
    if not _ESCAPED.fullmatch(text):
        raise ValueError("an escape with a meaning of YAML's own")
    return text.encode("ascii", "backslashreplace").decode("unicode_escape")
