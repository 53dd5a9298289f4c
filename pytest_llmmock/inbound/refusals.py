"""What the server says by itself."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from ..core.model import Problem, Reply, Request, json_reply

WriteError = Callable[[Request, Problem], Reply]
"""An error in the shape of the protocol that a request speaks."""


def nobody(request: Request) -> Problem:
    """To a request below no prefix, where nothing answers the rest."""
    message = f"Nothing is served at {request.path}: use the whole base URL that the test was given."
    return Problem(404, message, "unknown_address")


def gone(request: Request) -> Problem:
    """To a request below a prefix that was unmounted."""
    message = (
        f"The test that owned this address is over: {request.method} {request.path} came too late. "
        "Let the test wait for its clients, threads and child processes before it returns."
    )
    return Problem(410, message, "test_is_over")


def refusal(problem: Problem, request: Request | None = None, write: WriteError | None = None) -> Reply:
    """The error as its client knows it, who is told not to try again, so that its text is seen at once.

    Where nobody knows the protocol it is OpenAI's.
    """
    # What an exception says may hold what UTF-8 cannot.
    message = problem.message.encode(errors="replace").decode()
    told = replace(problem, message=message, headers=(*problem.headers, ("x-should-retry", "false")))
    return write(request, told) if request and write else _as_openai(told)


def _as_openai(problem: Problem) -> Reply:
    error = {"message": problem.message, "type": problem.type, "param": problem.param, "code": problem.code}
    return json_reply({"error": error}, problem.status, problem.headers)
