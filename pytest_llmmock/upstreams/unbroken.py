"""What must come to its end once it was begun, also when somebody presses Ctrl-C."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from typing import TypeVar

T = TypeVar("T")


def unbroken(work: Callable[[], T]) -> T:
    """What the work has brought. A Ctrl-C goes on when it is done: it is only the main thread that is interrupted.

    A refresh token is spent when it arrives: what comes for it has to reach its file, or the login is lost.
    """
    with ThreadPoolExecutor(1, "llmmock-login") as one:
        one.submit(int).result()  # a thread whose start is interrupted is not waited for at the end of the block
        return one.submit(copy_context().run, work).result()
