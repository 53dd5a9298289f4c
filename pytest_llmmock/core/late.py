"""Patterns that are compiled when they are first used."""

from __future__ import annotations

import re
from typing import Any, AnyStr, cast


def late(source: AnyStr) -> re.Pattern[AnyStr]:
    """As `re.compile`, for what takes milliseconds to compile and is not needed by every start.

    A class of characters far beyond ASCII takes three, and so do dozens of alternatives.
    """
    return cast("re.Pattern[AnyStr]", _Late(source))


class _Late:
    def __init__(self, source: str | bytes) -> None:
        self._source = source

    def __getattr__(self, name: str) -> Any:
        """What the compiled pattern has; it is only asked for once."""
        found = getattr(re.compile(self._source), name)
        setattr(self, name, found)
        return found
