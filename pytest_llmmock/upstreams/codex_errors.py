"""What the Codex backend says instead of an answer, as the client's own protocol says it and in clear words."""

from __future__ import annotations

import math
import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from ..core.model import Headers, Problem, Reply, header
from ..dialects.fields import first_text, listing, mapping, objects
from .logins import Login

_TYPES = {401: "authentication_error", 403: "permission_error", 404: "not_found_error", 429: "rate_limit_error"}
NO_RETRY = ("x-should-retry", "false")
_AGAIN = re.compile(r"try again in (\d+(?:\.\d+)?) ?(ms|s)\b")


@dataclass(frozen=True, slots=True)
class Said:
    """What an error says, in whichever of the two shapes."""

    status: int
    message: str
    code: str | None
    type: str
    param: str | None
    error: dict[str, Any]
    headers: Headers = ()

    @property
    def limit(self) -> str:
        """Which limit of a plan is reached; '' when none is. Streams tell it as a code."""
        return next((each for each in (self.type, self.code or "") if each in _LIMITS), "")


def problem_of(reply: Reply, host: str, login: Login, clock: Callable[[], float] = time.time) -> Problem:
    """The error that a client is to get."""
    if is_page(reply):
        return _page(reply, host)
    said = read_error(reply)
    if reply.status == 401:
        return _problem(said, _refused(said, host, login), NO_RETRY)
    if said.limit:
        return _LIMITS[said.limit](said, clock())
    if reply.status == 429:
        return _problem(said, said.message, *_wait(reply, said.message))
    return _problem(said, said.message or f"{host} answered with status {reply.status} and no reason.")


def read_error(reply: Reply) -> Said:
    """FastAPI's `detail`, or an error object as OpenAI's public API has it."""
    value = mapping(reply.json())
    error = mapping(value.get("error"))
    inner = mapping(value.get("detail"))
    listed = "; ".join(str(each.get("msg", "")) for each in objects(listing(value.get("detail"))))
    message = first_text(error.get("message"), value.get("detail"), inner.get("message"), listed, value.get("error"))
    code = first_text(error.get("code"), inner.get("error_code"), inner.get("code")) or None
    kind = first_text(error.get("type")) or _TYPES.get(reply.status, "")
    return Said(reply.status, message or code or "", code, kind, error.get("param"), error, reply.headers)


def _problem(said: Said, message: str, *headers: tuple[str, str]) -> Problem:
    usual = "server_error" if said.status >= 500 else "invalid_request_error"
    kind = _TYPES.get(said.status, usual)
    return Problem(said.status, message, said.code, kind, said.param, headers)


def _refused(said: Said, host: str, login: Login) -> str:
    """Without the place of the login: errors may be recorded, and a path tells who asked."""
    return (
        f"{host} refuses the login of {login.tool.name} (llmmock info tells where it is), also after it was renewed: "
        f"{said.code or said.message or 'no reason was given'}. Log in again:  {login.tool.renew}"
    )


# --- pages ----------------------------------------------------------------------------------------------


def is_page(reply: Reply) -> bool:
    return "html" in reply.content_type.lower() or reply.body.lstrip()[:1] == b"<"


def _page(reply: Reply, host: str) -> Problem:
    """A web page is what stands in front of the backend."""
    if reply.status == 403:
        why = (
            f"What stands in front of {host} (Cloudflare) has refused the request: status 403, a web page. It does so "
            "for addresses of data centres and VPNs, and for clients it does not know; pytest-llmmock does not pass "
            "itself off as another one. Record from another network, or with an API key (--llm-upstream=openai)."
        )
        return Problem(403, why, "blocked", "permission_error", headers=(NO_RETRY,))
    why = f"{host} answered with status {reply.status} and a web page where JSON is due. Try again later."
    return Problem(reply.status, why, None, "server_error" if reply.status >= 500 else "invalid_request_error")


# --- limits ---------------------------------------------------------------------------------------------


def _used_up(said: Said, now: float) -> Problem:
    """Trying again before it resets is of no use, and SDKs would."""
    plan = first_text(said.error.get("plan_type"))
    message = f"The usage limit of the ChatGPT plan{f' ({plan})' if plan else ''} is reached"
    resets = _resets(said, now)
    if resets is None:
        return _limit(said, f"{message}, and it was not said when it resets. {_INSTEAD}", NO_RETRY)
    wait = max(math.ceil(resets - now), 0)
    when = datetime.fromtimestamp(resets).astimezone().strftime("%Y-%m-%d %H:%M %Z")
    text = f"{message}. It resets at {when}, in {duration(wait)}. {_INSTEAD}"
    return _limit(said, text, ("retry-after", str(wait)), NO_RETRY)


_INSTEAD = "What is recorded is kept; go on then, or record with an API key (--llm-upstream=openai)."


def _not_included(said: Said, now: float) -> Problem:
    why = "The ChatGPT plan of this login has no Codex. Record with an API key (--llm-upstream=openai)."
    return _limit(said, why, NO_RETRY)


_LIMITS = {"usage_limit_reached": _used_up, "usage_not_included": _not_included}


def _limit(said: Said, message: str, *headers: tuple[str, str]) -> Problem:
    return Problem(429, message, said.limit, "insufficient_quota", headers=headers)


def _resets(said: Said, now: float) -> float | None:
    """In seconds since 1970. Older backends say how long it takes, and some say it in headers only."""
    at, wait = (_number(said.error.get(name)) for name in ("resets_at", "resets_in_seconds"))
    told = at if at is not None else None if wait is None else now + wait
    return _window_resets(said.headers, now) if told is None else told


def _window_resets(headers: Headers, now: float) -> float | None:
    """When the last of the windows is new again that are used up."""
    found = [_window(headers, f"x-codex-{name}-", now) for name in ("primary", "secondary")]
    return max((moment for moment in found if moment is not None), default=None)


def _window(headers: Headers, name: str, now: float) -> float | None:
    """None for a window that has something left, and for one that does not say when it resets."""
    used, at, wait = (_told(headers, name + each) for each in ("used-percent", "reset-at", "reset-after-seconds"))
    if used is None or used < 100:
        return None
    return at if at is not None else None if wait is None else now + wait


def _told(headers: Headers, name: str) -> float | None:
    try:
        return _number(float(header(headers, name) or ""))
    except ValueError:
        return None


def _number(value: object) -> float | None:
    if not isinstance(value, int | float) or isinstance(value, bool):
        return None
    return float(value) if 0 <= value < 1e11 else None


def duration(seconds: int) -> str:
    """`2 h 1 min`, `1 min 30 s`, `5 d 3 h`: the two largest units."""
    units = (("d", 86400), ("h", 3600), ("min", 60), ("s", 1))
    parts = []
    for name, size in units:
        count, seconds = divmod(seconds, size)
        parts.append((count, name))
    first = next((number for number, (count, _) in enumerate(parts) if count), len(parts) - 1)
    return " ".join(f"{count} {name}" for count, name in parts[first : first + 2] if count or first == len(parts) - 1)


def _wait(reply: Reply, message: str) -> list[tuple[str, str]]:
    """How long to wait: as a header says, else as the words do."""
    told = next((pair for pair in reply.headers if pair[0] in ("retry-after-ms", "retry-after")), None)
    if told is not None:
        return [told]
    found = _AGAIN.search(message)
    if found is None:
        return []
    seconds = float(found[1]) * (0.001 if found[2] == "ms" else 1)
    return [("retry-after-ms", str(math.ceil(seconds * 1000))), ("retry-after", str(math.ceil(seconds)))]
