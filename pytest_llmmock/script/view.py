"""What a rule, its functions and its templates see of a request."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cached_property
from typing import Any

from ..core.asked import Asked
from ..core.model import Exchange
from ..core.prompt import Prompt

_SYSTEM = ("system", "developer")


class View(Asked):
    """A request as the journal tells it, and what rules look at: what was said last, by whom, for which time."""

    regex: re.Match[str] | None = None
    """What the rule's `regex` has found."""
    call: int = 1
    """For which time the rule answers."""

    def __init__(self, exchange: Exchange, count: Callable[[str], int] = lambda said: 0) -> None:
        """`count` tells how often the same was said before, and counts it."""
        super().__init__(exchange)
        self.count = count

    @property
    def prompt(self) -> Prompt:
        return self.exchange.prompt

    @cached_property
    def text(self) -> str:
        """The user's last message; of embeddings all texts that are to be embedded."""
        said = [message.text for message in self.messages if message.role == "user"]
        return said[-1] if said else "\n".join(text for text in self.prompt.inputs if isinstance(text, str))

    @cached_property
    def system(self) -> str:
        """What the system, or the developer, told the model."""
        return "\n".join(message.text for message in self.messages if message.role in _SYSTEM)

    @property
    def turn(self) -> int:
        """How many messages the user has sent."""
        return sum(message.role == "user" for message in self.messages)

    @property
    def options(self) -> dict[str, Any]:
        """What else the request says: temperature, response format …"""
        return dict(self.prompt.options)
