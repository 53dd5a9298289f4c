"""Functions that work an answer out: `rule.call(function)`, plain or async."""

from __future__ import annotations

import inspect
import threading
import traceback
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from ..core.model import Reply
from ..errors import LLMMockError, ScriptError
from .problems import Failing
from .replies import Said, reply
from .view import View


@dataclass(frozen=True, slots=True)
class Computed:
    """An answer that a function of the test works out."""

    function: Callable[[View], Any]

    @property
    def name(self) -> str:
        return getattr(self.function, "__name__", repr(self.function))

    def result(self, view: View) -> Said | Failing | Reply:
        """What the function says. Raises `ScriptError` with its traceback when it raises."""
        try:
            found = self.function(view)
            found = _awaited(found) if inspect.isawaitable(found) else found
        except LLMMockError:
            raise
        except Exception as error:
            raise ScriptError(self._trace(error)) from error
        return self._read(found)

    def _trace(self, error: Exception) -> str:
        """The traceback as Python shows it, from the function on."""
        trace = error.__traceback__
        while trace is not None and trace.tb_frame.f_code.co_filename == __file__:
            trace = trace.tb_next
        lines = traceback.format_exception(type(error), error, trace)
        return f"The function {self.name}() of a rule raised {type(error).__name__}.\n\n{''.join(lines).rstrip()}"

    def _read(self, found: Any) -> Said | Failing | Reply:
        if isinstance(found, Said | Failing | Reply):
            return found
        if isinstance(found, str):
            return reply(found)
        if isinstance(found, Mapping):
            return reply(**found)
        raise ScriptError(
            f"The function {self.name}() of a rule returned {found!r}. An answer is a text, a dict of what reply() "
            "takes, or what pytest_llmmock.reply() and pytest_llmmock.error() make."
        )


def _awaited(found: Awaitable[Any]) -> Any:
    """The result, from an event loop of its own: that of the client, if it has one, waits for this very answer."""
    import asyncio  # which a test without async functions may never need

    results: list[Any] = []
    errors: list[BaseException] = []

    def run() -> None:
        try:
            results.append(asyncio.run(_result(found)))
        except BaseException as error:
            errors.append(error)

    thread = threading.Thread(target=run, name="llmmock-function", daemon=True)
    thread.start()
    thread.join()
    if errors:
        raise errors[0]
    return results[0]


async def _result(found: Awaitable[Any]) -> Any:
    return await found
