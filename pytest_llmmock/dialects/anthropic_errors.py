"""How Anthropic says that something went wrong: `anthropic.types.ErrorResponse`."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from ..core.model import Headers, Problem, Reply
from ..core.prompt import Delta
from .fields import mapping, text, write_event, write_json

TYPES = {
    400: "invalid_request_error",
    401: "authentication_error",
    402: "billing_error",
    403: "permission_error",
    404: "not_found_error",
    409: "conflict_error",
    413: "request_too_large",
    429: "rate_limit_error",
    500: "api_error",
    504: "timeout_error",
    529: "overloaded_error",
}
"""`anthropic.types.shared.ErrorType` by status."""

STATUSES = {kind: status for status, kind in TYPES.items()}


def write_error(problem: Problem) -> Reply:
    return write_whole(_failure(problem), problem.status, problem.headers)


def write_failure(problem: Problem) -> bytes:
    """The event by which a stream says that it went wrong."""
    return write_event(_failure(problem), "error")


def _failure(problem: Problem) -> dict[str, Any]:
    usual = "api_error" if problem.status >= 500 else "invalid_request_error"
    return _error(TYPES.get(problem.status, usual), problem.message, problem.code)


def _error(kind: str, message: str, code: str | None) -> dict[str, Any]:
    """`anthropic.APIStatusError` reads the code that names a cause from the details."""
    details = {"details": {"error_code": code}} if code else {}
    return {"type": "error", "error": {"type": kind, "message": message, **details}}


def write_trouble(delta: Delta) -> Reply:
    """An error delta as an answer of a route that has no status of its own for it."""
    return write_whole(failure_of(delta), 500)


def write_whole(failure: dict[str, Any], status: int, headers: Headers = ()) -> Reply:
    """`ErrorResponse`. Nobody but the API gives an id to a request."""
    return write_json({**failure, "request_id": None}, status, headers)


def failure_of(delta: Delta) -> dict[str, Any]:
    """An error delta, whichever protocol it comes from."""
    kind = delta.name if delta.name in STATUSES else text(mapping(delta.data).get("type"))
    known = kind if kind in STATUSES else "api_error"
    return _error(known, delta.text, delta.name if delta.name != known else None)


def read_failure(event: dict[str, Any]) -> dict[str, Any] | None:
    """The event, when it says that the stream went wrong: it is what a whole answer would have been."""
    return event if event.get("type") == "error" else None


def status_of(failure: dict[str, Any]) -> int:
    """The status that a whole answer has which fails like this."""
    return STATUSES.get(text(mapping(failure.get("error")).get("type")), 500)


def coded(error: Delta) -> Delta:
    code = mapping(mapping(error.data).get("details")).get("error_code")
    return replace(error, name=code) if isinstance(code, str) and code else error
