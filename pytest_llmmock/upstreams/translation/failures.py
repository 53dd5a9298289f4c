"""What went wrong at the upstream, as a problem that the client's dialect can write."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from ...core.model import Exchange, Problem, Reply
from ...dialects import conversion
from ...dialects import openai_shapes as shapes
from ...dialects.fields import first_text, mapping, objects, read_values, text, whole

Value = dict[str, Any]

_STATUSES = {
    "usage_limit_reached": 429,
    "usage_not_included": 403,
    "slow_down": 503,
    "cyber_policy": 400,
    "subscription_sharing_usage_limit_exceeded": 429,
    "subscription_sharing_usage_unavailable": 503,
    "subscription_sharing_user_unavailable": 503,
    "subscription_sharing_user_not_eligible": 403,
    "subscription_sharing_invalid_user": 401,
    "subscription_sharing_unsupported_capability": 400,
}
"""What the backends of ChatGPT's plans tell of by a code of their own."""

_TYPES = {401: "authentication_error", 403: "permission_error", 404: "not_found_error", 429: "rate_limit_error"}
_OUT_OF_PLAN = ("usage_limit_reached", "usage_not_included", "subscription_sharing_usage_limit_exceeded")
_LONGEST = 500
"""Characters of an error that is no JSON, such as a web page."""


def type_of(status: int, code: str | None = None) -> str:
    """What OpenAI calls an error of this status."""
    if code in _OUT_OF_PLAN:
        return "insufficient_quota"
    return _TYPES.get(status, "api_error" if status >= 500 else "invalid_request_error")


def read_refusal(reply: Reply) -> Problem:
    """What a reply with an error status says."""
    values = objects(read_values(reply))
    value = values[0] if values else {}
    detail = mapping(value.get("detail"))
    error = mapping(value.get("error")) or detail
    said = shapes.read_refusal(reply, [] if detail else list(values))
    words = first_text(error.get("message"), error.get("error_code"), said.text if said else "")
    code = first_text(error.get("code"), error.get("error_code"), error.get("type")) or None
    return Problem(
        reply.status,
        (words if values else words[:_LONGEST]) or f"The upstream answered with status {reply.status}.",
        code,
        type_of(reply.status, code),
        text(error.get("param")) or None,
        _kept(reply, error),
    )


_KEPT = ("retry-after", "retry-after-ms", "x-should-retry", "x-request-id")


def _kept(reply: Reply, error: Value) -> tuple[tuple[str, str], ...]:
    """Headers that say when to try again, also where only the body knows."""
    kept = tuple(pair for pair in reply.headers if pair[0] in _KEPT)
    seconds = whole(error.get("resets_in_seconds"))
    told = seconds is None or any(name == "retry-after" for name, _ in kept)
    return kept if told else (*kept, ("retry-after", str(seconds)))


def read_failure(event: Value) -> Problem | None:
    """What an event says went wrong, or None: a response that failed, or an error by itself."""
    kind = event.get("type")
    if kind == "response.failed":
        error = mapping(mapping(event.get("response")).get("error"))
    elif kind == "error" or conversion.read_error(event):
        error = mapping(conversion.read_error(event)) or event
    else:
        return None
    code = first_text(error.get("code"), "" if error is event else error.get("type")) or None
    status = _STATUSES.get(code or "") or _named(error)
    words = first_text(error.get("message")) or "The upstream failed, and did not say why."
    headers = (("x-should-retry", "false"),) if code in _OUT_OF_PLAN else ()
    return Problem(status, words, code, type_of(status, code), text(error.get("param")) or None, headers)


def _named(error: Value) -> int:
    """The status that an error names; where it names none the upstream is to blame, and not the client."""
    status = conversion.status_named(error)
    return 502 if status == 500 else status


def refused(exchange: Exchange, reply: Reply) -> Reply:
    """A reply with an error status, in the shape of the client's protocol."""
    frames = list(reply.frames)
    reply = replace(reply, frames=frames, live=False)
    error = mapping(mapping(reply.json()).get("error"))
    if exchange.operation in _OPENAI and text(error.get("message")):
        return reply
    return written(exchange, read_refusal(reply))


_OPENAI = ("chat", "completions", "responses")


def written(exchange: Exchange, problem: Problem) -> Reply:
    return replace(exchange.dialect.write_error(problem), source="upstream")


def broken_off(why: str) -> Problem:
    return Problem(502, why, _OURS, "api_error")


def explained(problem: Problem) -> str:
    """What a person is told of a stream that ended so."""
    if problem.code == _OURS:
        return problem.message
    return f"The upstream failed in the middle of its answer: {problem.message}"


_OURS = "upstream_error"
"""What was not told by an upstream, but seen of it."""

ENDED_EARLY = "The upstream's answer ended before its last event."
