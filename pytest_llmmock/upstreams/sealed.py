"""Thoughts that a backend hands out encrypted: it wants them back, and they must not stand in a cassette."""

from __future__ import annotations

import threading
from typing import Any

PLACEHOLDER = "redacted-"
"""How all begins that stands in place of something: the scrubber leaves it alone."""

_MOST = 10_000
"""Thoughts that are remembered at the same time: a server may run for days."""


class Sealed:
    """What encrypted thoughts hold, by the ids of their items.

    A client sees a placeholder, so that it says the same in replay, and the backend gets back what it gave out.
    """

    def __init__(self) -> None:
        self._contents: dict[str, str] = {}
        self._lock = threading.Lock()

    def seal(self, item: dict[str, Any], *, shown: bool) -> dict[str, Any]:
        """An item as its client gets it. `shown`: it asked for encrypted thoughts."""
        content, id = item.get("encrypted_content"), item.get("id")
        if not isinstance(content, str) or not isinstance(id, str):
            return item
        with self._lock:
            self._contents[id] = content
            while len(self._contents) > _MOST:
                del self._contents[next(iter(self._contents))]
        rest = {name: value for name, value in item.items() if name != "encrypted_content"}
        return {**rest, "encrypted_content": PLACEHOLDER + id} if shown else rest

    def unseal(self, item: dict[str, Any]) -> dict[str, Any] | None:
        """An item as the backend gave it out; None when what it held is not known any more."""
        content = item.get("encrypted_content")
        named = content.removeprefix(PLACEHOLDER) if isinstance(content, str) and content != "" else ""
        if named and named == content:
            return item  # from elsewhere: whoever can read it may
        known = self._contents.get(named) or self._contents.get(str(item.get("id")))
        return None if known is None else {**item, "encrypted_content": known}
