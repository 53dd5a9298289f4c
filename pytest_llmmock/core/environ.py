"""What is read from the environment of this process: every test looks, and it hardly ever changes."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from typing import Any, Generic, TypeVar

T = TypeVar("T")

CHANGING = "PYTEST_CURRENT_TEST"
"""The variable that pytest sets anew three times a test."""


class OfEnvironment(Generic[T]):
    """What a function reads from all variables but `CHANGING`, called again only when one of them is another."""

    def __init__(self, read: Callable[[Mapping[str, str]], T]) -> None:
        self._read = read
        self._known: tuple[Mapping[str | bytes, object], T] | None = None

    def __call__(self) -> T:
        seen, known = _raw(), self._known
        if known is None or known[0] != seen:
            values = {name: value for name, value in os.environ.items() if name != CHANGING}
            self._known = known = seen, self._read(values)
        return known[1]


def _raw() -> dict[str | bytes, object]:
    """The variables as Python keeps them. To have them decoded, one by one, takes longer than to open a cassette."""
    kept: Any = os.environ
    seen: dict[str | bytes, object] = {**getattr(kept, "_data", kept)}
    seen.pop(CHANGING, None)
    seen.pop(CHANGING.encode(), None)
    return seen
