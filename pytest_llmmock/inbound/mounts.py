"""How a path begins that some server of ours has mounted: it tells the tests apart that one server serves."""

from __future__ import annotations

import os
import re

_MOUNTED = re.compile(r"/t\d+-[0-9a-f]{4}(?:/|$)")


def prefix(number: int) -> str:
    """One that no other server has, as far as chance can see to it."""
    return f"/t{number}-{os.urandom(2).hex()}"


def is_mounted(path: str) -> bool:
    return _MOUNTED.match(path) is not None
