"""What the server says by itself: errors in the shape that OpenAI's clients know."""

from __future__ import annotations

from ..core.model import Problem, Reply, Request, json_reply


def nobody(request: Request) -> Reply:
    """To a request below no prefix, where nothing answers the rest."""
    message = f"Nothing is served at {request.path}: use the whole base URL that the test was given."
    return refusal(Problem(404, message, "unknown_address"))


def gone(request: Request) -> Reply:
    """To a request below a prefix that was unmounted."""
    message = (
        f"The test that owned this address is over: {request.method} {request.path} came too late. "
        "Let the test wait for its clients, threads and child processes before it returns."
    )
    return refusal(Problem(410, message, "test_is_over"))


def refusal(problem: Problem) -> Reply:
    """An error as OpenAI's clients know it. They are told not to try again, so that its text is seen at once."""
    # What an exception says may hold what UTF-8 cannot.
    message = problem.message.encode(errors="replace").decode()
    error = {"message": message, "type": problem.type, "param": problem.param, "code": problem.code}
    return json_reply({"error": error}, problem.status, [("x-should-retry", "false")])
