"""YAML as people read it in a review: block style, keys in order, text of several lines as literal blocks.

PyYAML's own emitter escapes any text with a space before a line end, refolds long lines, and takes ten times
as long. What is written here is read back unchanged by both of its loaders: property tests hold that.
"""

from __future__ import annotations

import base64
import datetime
import math
import re
from functools import cache
from typing import Any

DEEPEST = 64
"""Deeper values are refused: PyYAML composes recursively."""

LONGEST_KEY = 200
"""YAML limits a key on one line to 1024 bytes, escapes included."""

_LITERAL = "[\\t\\n\\x20-\\x7e\\xa0-\\u2027\\u202a-\\ud7ff\\ue000-\\ufefe\\uff00-\\ufffd\\U00010000-\\U0010ffff]*"
_ASCII_LITERAL = re.compile("[\\t\\n\\x20-\\x7e]*")
_UNPRINTABLE = "[^\\x20-\\x7e\\xa0-\\u2027\\u202a-\\ud7ff\\ue000-\\ufefe\\uff00-\\ufffd\\U00010000-\\U0010ffff]"
_TO_ESCAPE = _UNPRINTABLE.replace("\\x20-\\x7e", "\\x20\\x21\\x23-\\x5b\\x5d-\\x7e") + "+"
"""The same, and what has a meaning in double quotes."""
_PLAIN = re.compile(r"(?:[^\W\d]|[/$(])(?:[^\n:#]++|:(?=[^\s])|(?<=[^\s])#)*+(?<! )")
_FLOW_PLAIN = re.compile(r"[A-Za-z_][\w./+-]*", re.ASCII)
_RESERVED = re.compile(r"y|n|yes|no|true|false|on|off|null", re.IGNORECASE)
_SURROGATE = re.compile("[\\ud800-\\udfff]")
_ESCAPES = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\t": "\\t", "\r": "\\r", "\0": "\\0", "\x85": "\\N"}
_WIDE = 100


@cache
def _compiled(pattern: str) -> re.Pattern[str]:
    """Patterns of all that Unicode has take ten milliseconds, which nobody pays who only plays plain text."""
    return re.compile(pattern)


class UnwritableError(ValueError):
    """The value has no faithful form in YAML: keep it as the text it came from."""


def block(value: Any, pad: str) -> str:
    """What stands behind `key:` when the key is indented by `pad`."""
    if isinstance(value, dict) and value:
        return "\n" + mapping(value, pad + "  ")
    if isinstance(value, list) and value:
        return "\n" + sequence(value, pad)
    return " " + scalar(value, pad)


def mapping(value: dict[str, Any], pad: str) -> str:
    if len(pad) > 2 * DEEPEST:
        raise UnwritableError("nested too deeply")
    return "\n".join(f"{pad}{_key(key)}:{block(item, pad)}" for key, item in value.items())


def sequence(value: list[Any], pad: str) -> str:
    if len(pad) > 2 * DEEPEST:
        raise UnwritableError("nested too deeply")
    return "\n".join(f"{pad}- {_item(item, pad)}" for item in value)


def _item(value: Any, pad: str) -> str:
    """What stands behind the dash: the first line of a collection shares the dash's line."""
    inner = pad + "  "
    if isinstance(value, dict) and value:
        return mapping(value, inner)[len(inner) :]
    if isinstance(value, list) and value:
        return sequence(value, inner)[len(inner) :]
    return scalar(value, pad)


def _key(key: str) -> str:
    if not isinstance(key, str) or _SURROGATE.search(key):
        raise UnwritableError("a key that is no text")
    line = _one_line(key)
    if len(line) > LONGEST_KEY:
        raise UnwritableError("a key that is too long")
    return line


def scalar(value: Any, pad: str) -> str:
    if isinstance(value, str):
        return text(value, pad)
    if isinstance(value, bytes):
        return binary(value, pad)
    return _plain_value(value)


def _plain_value(value: Any) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return number(value)
    if isinstance(value, (int, datetime.date)):
        return str(value)
    return "{}" if isinstance(value, dict) else "[]"


def number(value: float) -> str:
    """YAML 1.1 wants a point in every float, else it reads a text."""
    if math.isnan(value):
        return ".nan"
    if math.isinf(value):
        return ".inf" if value > 0 else "-.inf"
    digits = repr(value)
    return digits if "." in digits else digits.replace("e", ".0e")


def text(value: str, pad: str) -> str:
    if _SURROGATE.search(value):
        raise UnwritableError("half of a surrogate pair")
    if len(pad) > 2 * DEEPEST:
        raise UnwritableError("nested too deeply")
    if "\n" not in value:
        wide = len(value) > _WIDE and not _is_plain(value)
        return _literal(value, pad) if wide and is_literal(value) else _one_line(value, pad)
    if value.strip("\n") and is_literal(value):
        return _literal(value, pad)
    return _quoted(value, pad)


def is_literal(value: str) -> bool:
    """Whether no character of a text has to be escaped."""
    if value.isascii():
        return _ASCII_LITERAL.fullmatch(value) is not None
    plain = value.replace("\n", "").replace("\t", "")
    return plain.isprintable() or _compiled(_LITERAL).fullmatch(value) is not None


def is_reserved(value: str) -> bool:
    """Whether a word stands for something else in YAML."""
    return len(value) < 6 and _RESERVED.fullmatch(value) is not None


def _literal(value: str, pad: str) -> str:
    """A block in which every character stands for itself."""
    indented = "2" if value[0] in " \t\n" else ""
    body = value.rstrip("\n")
    chomping = {0: "-", 1: ""}.get(len(value) - len(body), "+")
    lines = value.split("\n")
    kept = lines if chomping == "-" else lines[:-1]
    return f"|{indented}{chomping}\n" + "\n".join(f"{pad}  {line}" if line else "" for line in kept)


def _one_line(value: str, pad: str = "") -> str:
    if _is_plain(value):
        return value
    if _compiled(_UNPRINTABLE).search(value):
        return _quoted(value, pad)
    return "'" + value.replace("'", "''") + "'"


def _is_plain(value: str) -> bool:
    return bool(_PLAIN.fullmatch(value)) and not is_reserved(value) and not _compiled(_UNPRINTABLE).search(value)


def _quoted(value: str, pad: str) -> str:
    """Double quotes, a line of the source for each line of the text."""
    pieces = [_escaped(line) for line in value.splitlines(keepends=True)] if pad else [_escaped(value)]
    joined = f"\\\n{pad}  ".join(
        f"\\{piece}" if number and piece[0] == " " else piece for number, piece in enumerate(pieces)
    )
    return f'"{joined}"'


def _escaped(value: str) -> str:
    return _compiled(_TO_ESCAPE).sub(lambda match: match.group().translate(_ESCAPED), value)


class _Escaped(dict[int, str]):
    """Characters as YAML writes them in double quotes, each worked out once: a body may be all control characters."""

    def __missing__(self, code: int) -> str:
        escape = f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
        self[code] = escape = _ESCAPES.get(chr(code), escape)
        return escape


_ESCAPED = _Escaped()


def binary(value: bytes, pad: str) -> str:
    lines = base64.encodebytes(value).decode().splitlines()
    return "!!binary |\n" + "\n".join(f"{pad}  {line}" for line in lines) if lines else '!!binary ""'


def flow(value: Any) -> str:
    """A value on one line: `{code: 200, message: OK}`."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{flow(key)}: {flow(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(flow(item) for item in value) + "]"
    if not isinstance(value, str):
        return _plain_value(value)
    if _FLOW_PLAIN.fullmatch(value) and not is_reserved(value):
        return value
    return f'"{_escaped(value)}"'
