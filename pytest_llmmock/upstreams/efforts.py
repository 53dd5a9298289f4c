"""How hard a model is to think, which tools of the ChatMock family take at the end of its name: `gpt-5.5-high`."""

from __future__ import annotations

import re

EFFORTS = ("none", "minimal", "low", "medium", "high", "xhigh", "max", "ultra")

_SUFFIXED = re.compile(rf"(.+?)[-_:]({'|'.join(EFFORTS)})")
_OWN_NAMES = re.compile(r"(?i).*-codex-max")
"""Models whose own name ends so."""


def split_effort(name: str) -> tuple[str, str]:
    """The model, and the effort that its name ends with; '' when it names none.

    No model is looked up: the catalogue is longer than any list of ours.
    """
    found = _SUFFIXED.fullmatch(name)
    if found is None or _OWN_NAMES.fullmatch(name):
        return name, ""
    return found[1], found[2]
