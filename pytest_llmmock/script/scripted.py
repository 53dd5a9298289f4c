"""How a test says what is answered: `llm_mock.when(model="gpt-*").reply("Hello")`."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Unpack

from .source import Script

if TYPE_CHECKING:
    from .replies import Arguments
    from .rules import Rule
    from .view import View


class Scripted:
    """What has rules. They come before recordings."""

    def __init__(self, script: Script) -> None:
        self._script = script

    def when(
        self,
        *conditions: Any,
        model: str | None = None,
        contains: str | Sequence[str] | None = None,
        regex: str | re.Pattern[str] | None = None,
        system: str | None = None,
        tool: str | None = None,
        turn: int | None = None,
        operation: str | None = None,
        header: str | Mapping[str, str] | None = None,
        path: str | None = None,
        priority: int = 0,
        **lookups: Any,
    ) -> Rule:
        """A rule for requests that are all of this; what it answers is said next: `.reply(…)`, `.error(…)`, `.call(…)`.

        `model`, `tool` (a name that is offered), `operation`, `path` and the values of `header` are names, or patterns
        with `*`. `contains` and `regex` look at the user's last message, `system` at what the system says; capitals
        count. `turn` is how many messages the user has sent. `conditions` are functions of the request, and patterns of
        respx, whose lookups can also be named: `json__temperature=0`. Raises `UsageError`.
        """
        return self._script.when(
            *conditions,
            priority=priority,
            model=model,
            contains=contains,
            regex=regex,
            system=system,
            tool=tool,
            turn=turn,
            operation=operation,
            header=header,
            path=path,
            **lookups,
        )

    def reply(
        self,
        text: str | None = None,
        *,
        times: int | None = None,
        priority: int | None = None,
        **arguments: Unpack[Arguments],
    ) -> Rule:
        """Answer any request that no rule with conditions takes. Raises `UsageError`."""
        return self._script.for_any(priority or 0).reply(text, times=times, **arguments)

    def error(
        self,
        status: int,
        code: str | None = None,
        message: str | None = None,
        retry_after: float | None = None,
        times: int | None = None,
    ) -> Rule:
        """Answer any request with an error in the protocol's own shape. Raises `UsageError`."""
        return self._script.for_any().error(status, code, message, retry_after, times)

    def call(self, function: Callable[[View], Any], times: int | None = None) -> Rule:
        """Answer any request with what this function makes of it."""
        return self._script.for_any().call(function, times)
