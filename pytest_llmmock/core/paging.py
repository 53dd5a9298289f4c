"""Lists that are too long for one answer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any


def page(
    values: Sequence[dict[str, Any]], asked: Mapping[str, Sequence[str]], usual: int
) -> tuple[list[dict[str, Any]], bool]:
    """The values that are asked for, the newest first unless it is said otherwise, and whether there are more."""
    ordered = list(values) if _said(asked, "order") == "asc" else list(reversed(values))
    ids = [value.get("id") for value in ordered]
    after = _said(asked, "after")
    start = ids.index(after) + 1 if after in ids else 0
    limit = _said(asked, "limit")
    count = int(limit) if limit.isascii() and limit.isdigit() and len(limit) < 6 else usual
    return ordered[start : start + count], len(ordered) > start + count


def _said(asked: Mapping[str, Sequence[str]], name: str) -> str:
    return (asked.get(name) or [""])[0]
