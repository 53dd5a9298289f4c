"""JSON bodies as they are compared: 1 and 1.0 are the same number."""

from __future__ import annotations

import json
from functools import lru_cache
from typing import Any

from ..core.json_text import parse_json

_BLANKS = " \t\n\r"


@lru_cache(maxsize=4)
def parsed(content: bytes) -> Any:
    """The value, or None when it is not JSON.

    Several matchers look at the same body, one after the other; none changes it.
    """
    return parse_json(content, _decoded)


def _number(digits: str) -> float | int:
    number = float(digits)
    return int(number) if number.is_integer() else number


_DECODER = json.JSONDecoder(parse_float=_number)


def _decoded(text: str) -> Any:
    """What the decoder gives, without its two looks for blanks, which take a fifth of the time."""
    try:
        value, end = _DECODER.raw_decode(text)
    except ValueError:  # blanks stand before it, or it is no JSON: the decoder says so
        return _DECODER.decode(text)
    return _DECODER.decode(text) if text[end:].strip(_BLANKS) else value
