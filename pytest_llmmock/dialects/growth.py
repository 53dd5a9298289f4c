"""Fields of an answer of which each chunk says some more."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .conversion import Value

_ONCE = ("role", "type", "id", "name", "index", "format")
"""Texts that some servers repeat in every chunk; others grow."""


def grown(name: str, old: Any, new: Any) -> Any:
    """A field with what one more chunk says of it."""
    if old is None or new is None:
        return new if old is None else old
    if isinstance(old, str) and isinstance(new, str):
        return old + new if name not in _ONCE else old or new
    if isinstance(old, dict) and isinstance(new, dict):
        return {**old, **{field: grown(field, old.get(field), value) for field, value in new.items()}}
    if name in ("content", "thinking"):
        return _more(_parts(old), _parts(new), _is_continued)
    return _more(old, new, _is_the_same) if isinstance(old, list) and isinstance(new, list) else new


def _parts(content: Any) -> list[Any]:
    """Content as parts: Mistral's reasoning models send thoughts as a part, and words behind them as text."""
    if isinstance(content, str):
        return [{"type": "text", "text": content}] if content else []
    return content if isinstance(content, list) else [content]


def _more(old: list[Any], new: list[Any], continues: Callable[[Value, Value], bool]) -> list[Any]:
    """A list with more entries, of which some continue the last one."""
    found = list(old)
    for entry in new:
        if found and isinstance(entry, dict) and isinstance(found[-1], dict) and continues(found[-1], entry):
            found[-1] = grown("", found[-1], entry)
        else:
            found.append(entry)
    return found


def _is_continued(last: Value, part: Value) -> bool:
    return last.get("type") == part.get("type") and part.get("type") in ("text", "thinking")


def _is_the_same(last: Value, entry: Value) -> bool:
    """OpenRouter numbers the details of its reasoning."""
    return "index" in entry and all(last.get(name) == entry.get(name) for name in ("index", "type"))
