"""Values on one line, as `yaml_text.flow` writes them, read by way of JSON: `{code: 200, headers: {a: [b, "c"]}}`.

What JSON and YAML would read in different ways is a `ValueError`.
"""

from __future__ import annotations

import json
import re
from functools import lru_cache
from typing import Any

from .yaml_text import is_reserved

_TOKEN = re.compile(r'"(?:[^"\\]++|\\["\\ntrbf])*+"|[A-Za-z_][\w./+-]*+|[^"A-Za-z_\\]++|.', re.ASCII)
"""A text in quotes, a word, what stands between them, or what is none of these."""
_WORD = re.compile(r"[A-Za-z_][\w./+-]*", re.ASCII)
_BETWEEN = re.compile(r"(?:[\[\]{}]|, |: |-?[0-9][0-9.]*)*")
_LONG_KEY = re.compile(r'[^"]{1000}"?: ')
"""YAML wants a key to end within 1024 bytes."""


def read(text: str) -> Any:
    """The value. Raises `ValueError`."""
    tokens = _TOKEN.findall(text)
    if len(text) > 1000 and _LONG_KEY.search(text):
        raise ValueError("a long key")
    return json.loads("".join([token if token[0] == '"' and len(token) > 1 else _as_json(token) for token in tokens]))


@lru_cache(maxsize=1024)
def _as_json(token: str) -> str:
    if _BETWEEN.fullmatch(token) or token in ("true", "false", "null"):
        return token
    if not _WORD.fullmatch(token) or is_reserved(token):
        raise ValueError(f"{token!r} is of another shape")
    return f'"{token}"'
