"""What a recording run may ask, and what it has asked so far, in all of its processes."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from threading import Lock
from typing import Protocol

from ..core.summary import plural, rounded
from ..errors import UsageError
from . import library
from .aside import PRIVATE, make_private

_FORM = re.compile(r"(\d+)(k|m)?(?: ?(tokens|requests))?", re.IGNORECASE)
_TIMES = {"": 1, "k": 1000, "m": 1_000_000}
_SECONDS_TO_KEEP = 86_400
"""What runs of other days have spent is nobody's concern."""


@dataclass(frozen=True, slots=True)
class Budget:
    """How much may be asked. 0 is without a limit."""

    requests: int = 0
    tokens: int = 0

    def __str__(self) -> str:
        return f"{self.tokens} tokens" if self.tokens else plural(self.requests, "request")

    def twice(self) -> str:
        """As it may be told to be larger."""
        return f'"{2 * self.tokens} tokens"' if self.tokens else str(2 * self.requests)


def read_budget(text: str | int) -> Budget:
    """`20`, `20 requests`, `200000 tokens`, `200k tokens`. Raises `UsageError`."""
    found = _FORM.fullmatch(str(text).strip())
    count = int(found[1]) * _TIMES[(found[2] or "").lower()] if found else 0
    if found is None or not count:
        raise UsageError(
            "A budget is a number of requests, such as 20, or of tokens, such as '200000 tokens' or '200k tokens'."
        )
    return Budget(tokens=count) if (found[3] or "").lower() == "tokens" else Budget(requests=count)


@dataclass(frozen=True, slots=True)
class Spent:
    """What was asked of upstreams, and what they counted for it."""

    requests: int = 0
    tokens: int = 0

    def __str__(self) -> str:
        tokens = f", {rounded(self.tokens)} tokens" if self.tokens else ""
        return plural(self.requests, "request") + tokens

    def reaches(self, budget: Budget) -> bool:
        return 0 < budget.requests <= self.requests or 0 < budget.tokens <= self.tokens


class Ledger(Protocol):
    """Where it is kept how much was spent."""

    def change(self, change: Callable[[Spent], Spent]) -> Spent:
        """What was spent before; what `change` makes of it is kept. Nobody else comes between."""


class InMemory:
    """The ledger of one process."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._spent = Spent()

    def change(self, change: Callable[[Spent], Spent]) -> Spent:
        with self._lock:
            before, self._spent = self._spent, change(self._spent)
        return before


class InFile:
    """The ledger of a run with several processes, as xdist makes them: a file beside the cassettes."""

    def __init__(self, home: Path, run: str) -> None:
        """`run` is when the run began."""
        self._home = home
        self._path = home / PRIVATE / "spent" / (re.sub(r"\W", "", run) + ".json")

    def change(self, change: Callable[[Spent], Spent]) -> Spent:
        """Raises `CassetteError` where it cannot be locked, and `OSError` where it cannot be written."""
        with library.locked(self._path):
            before = self._read()
            after = change(before)
            if after != before:
                self._write(after)
        return before

    def _read(self) -> Spent:
        try:
            return Spent(**json.loads(self._path.read_bytes()))
        except FileNotFoundError:
            return Spent()

    def _write(self, spent: Spent) -> None:
        if not self._path.exists():
            make_private(self._home)
            self._forget_others()
        library.write(self._path, json.dumps(asdict(spent)).encode())

    def _forget_others(self) -> None:
        for other in self._path.parent.glob("*.json"):
            with suppress(OSError):  # another process was faster
                if time.time() - other.stat().st_mtime > _SECONDS_TO_KEEP:
                    other.unlink()


def one_more(spent: Spent) -> Spent:
    return replace(spent, requests=spent.requests + 1)


def with_tokens(spent: Spent, tokens: int) -> Spent:
    return replace(spent, tokens=spent.tokens + tokens)
