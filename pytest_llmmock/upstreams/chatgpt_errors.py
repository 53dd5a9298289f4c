"""What OpenAI's public API says to somebody who has signed in with ChatGPT, instead of an answer, in clear words."""

from __future__ import annotations

from ..core.model import Problem, Reply
from .codex_errors import NO_RETRY, is_page, read_error

USAGE = "https://chatgpt.com/settings/usage"

_AGAIN = "Sign in again: llmmock login --use chatgpt --again"
_INSTEAD = "Record with an API key instead: --llm-upstream=openai"

_WORDS = {
    "subscription_sharing_usage_limit_exceeded": (
        f"The usage limit of the ChatGPT plan is reached, and it was not said when it resets: {USAGE} tells. "
        "What is recorded is kept; nothing else was asked in its place."
    ),
    "subscription_sharing_user_not_eligible": f"The ChatGPT plan of this login does not take part in this. {_INSTEAD}",
    "subscription_sharing_route_not_supported": f"A ChatGPT plan does not pay for this route. {_INSTEAD}",
    "chatpass_v2_scope_not_authorized": f"The permission to use the plan is missing. {_AGAIN}",
    "chatpass_v2_invalid_authorization_context": f"The login is not one that may use a plan. {_AGAIN}",
    "subscription_sharing_usage_unavailable": "Whether the plan has anything left cannot be told now: try again later.",
    "subscription_sharing_user_unavailable": "The account of this login cannot be looked at now: try again later.",
    "subscription_sharing_unsupported_capability": f"A ChatGPT plan does not pay for what was asked. {_INSTEAD}",
}
"""Code -> what it means, and what to do."""

_FINAL = ("subscription_sharing_usage_limit_exceeded",)
"""Codes with a status at which SDKs would try again, to no avail."""


def problem_of(reply: Reply, host: str) -> Problem:
    """The error that a client is to get: its status and code are the API's own."""
    if is_page(reply):
        why = f"{host} answered with status {reply.status} and a web page where JSON is due. Try again later."
        return Problem(reply.status, why, type=_type(reply.status))
    said = read_error(reply)
    headers = (NO_RETRY,) if said.code in _FINAL or reply.status in (401, 403) else _wait(reply)
    return Problem(
        reply.status,
        _message(said.code, said.message, reply, host),
        said.code,
        _type(reply.status),
        said.param,
        headers,
    )


def _message(code: str | None, message: str, reply: Reply, host: str) -> str:
    if reply.status == 401:
        return f"{host} refuses the login{f' ({code})' if code else ''}, also after it was renewed. {_AGAIN}"
    told = message if message != code else ""
    words = _WORDS.get(code or "", "")
    return " ".join(filter(None, (words, told))) or f"{host} answered with status {reply.status} and no reason."


def _type(status: int) -> str:
    usual = "server_error" if status >= 500 else "invalid_request_error"
    known = {401: "authentication_error", 403: "permission_error", 404: "not_found_error", 429: "insufficient_quota"}
    return known.get(status, usual)


def _wait(reply: Reply) -> tuple[tuple[str, str], ...]:
    return tuple(pair for pair in reply.headers if pair[0] in ("retry-after", "retry-after-ms"))
