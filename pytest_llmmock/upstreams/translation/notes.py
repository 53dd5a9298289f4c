"""What was lost or changed on the way, in words for the journal."""

from __future__ import annotations


class Notes:
    """Collects what there is to tell, each thing once."""

    def __init__(self) -> None:
        self._left_out: dict[str, None] = {}
        self._said: dict[str, None] = {}

    def leave_out(self, name: str) -> None:
        """What the other protocol has no place for."""
        self._left_out[name] = None

    def say(self, words: str) -> None:
        self._said[words] = None

    def lines(self, where: str) -> list[str]:
        """What there is to tell. `where` names the protocol that had no place for what was left out."""
        left = f"left out, for {where} has no place for it: {', '.join(self._left_out)}"
        return [*([left] if self._left_out else []), *self._said]
