"""What `login`, `info` and `doctor` tell of logins: which there are, and how long they last. Never a token."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from ..errors import LLMMockError
from ..settings import from_environment
from ..upstreams.choice import chosen, default_upstream, has_key, place
from ..upstreams.logins import Login, logins, spoilt
from ..upstreams.sign_in import identity, oauth
from ..upstreams.sign_in.account import Account
from ..upstreams.sign_in.session import Session
from ..upstreams.token_file import why_read_only

REFRESH_DAYS = 30
"""A login with ChatGPT that nobody uses ends after this time."""


@dataclass(frozen=True, slots=True)
class Found:
    """A way to get answers, and how it stands with it."""

    upstream: str
    whose: str
    """Which tool's login, which account, which variable."""
    state: str
    """In words."""
    where: str
    usable: bool
    facts: dict[str, Any] = field(default_factory=dict)
    """The same for programs."""


def found(environ: Mapping[str, str], now: float | None = None) -> list[Found]:
    """Every way to get answers that needs a login or a key."""
    now = time.time() if now is None else now
    return [*_codex(environ, now), _chatgpt(environ, now), _openai(environ)]


def _codex(environ: Mapping[str, str], now: float) -> list[Found]:
    """The logins of other tools, and those that are there and cannot be used."""
    there = [_of_tool(each, now) for each in logins(environ)]
    there += [Found("codex", each.tool.name, each.trouble, _short(each.path), usable=False) for each in spoilt(environ)]
    return there or [Found("codex", "-", "no login of the Codex CLI, ChatMock or GPTMock", "-", usable=False)]


def _of_tool(login: Login, now: float) -> Found:
    due = login.expires is not None and login.expires < now
    why = why_read_only(login.path) if due else ""
    return Found(
        "codex",
        login.tool.name,
        _listed(_plan(login.plan), _expiry(login.expires, now, f"not renewed, because {why}" if why else "")),
        _short(login.path),
        usable=not why,
        facts={"plan": login.plan or None, "expires": _moment(login.expires)},
    )


def _chatgpt(environ: Mapping[str, str], now: float) -> Found:
    try:
        store = Session.of(environ).store
        account = store.read()
    except LLMMockError as error:
        return Found("chatgpt", "-", str(error), "-", usable=False)
    if account.tokens is None:
        return Found("chatgpt", "-", "not signed in", "-", usable=False)
    there = _signed_in(account, store.location, now)
    return replace(there, state=f"{there.state}; {missing}", usable=False) if (missing := _missing()) else there


def _missing() -> str:
    """What is to be installed before the login can be renewed; '' when it is there."""
    try:
        oauth.check_installed()
        identity.check_installed()
    except LLMMockError as error:
        return str(error)
    return ""


def _signed_in(account: Account, location: str, now: float) -> Found:
    tokens = account.tokens
    assert tokens is not None
    ends = tokens.renewed_at + REFRESH_DAYS * 86400
    allowed = tokens.allows_plan
    state = "signed in" if allowed else "signed in, and may not use the plan (llmmock login --use chatgpt --again)"
    lasts = f"renewed when it is used, until {_day(ends)}" if ends > now else "not used for a month, so it may be over"
    facts = {
        "account": account.email or None,
        "plan": account.plan or None,
        "may_use_plan": allowed,
        "access_expires": _moment(tokens.expires_at),
        "expires": _moment(ends),
    }
    words = _listed(state, _plan(account.plan), lasts)
    return Found("chatgpt", account.email or account.subject, words, _short(Path(location)), allowed, facts)


def _openai(environ: Mapping[str, str]) -> Found:
    has = has_key(environ)
    return Found("openai", "OPENAI_API_KEY", "set" if has else "not set", "environment", has)


@dataclass(frozen=True, slots=True)
class Default:
    """What servers and the command line ask when nothing else is said."""

    upstream: str
    """'' when there is none."""
    why: str


def default(environ: Mapping[str, str]) -> Default:
    """Raises `UsageError` when the configuration cannot be read."""
    named = from_environment(environ)[1].get("upstream")
    if named:
        return Default(str(named), "LLMMOCK_UPSTREAM")
    if chosen(environ).upstream:
        return Default(chosen(environ).upstream, f"chosen, {_short(place(environ))}")
    if default_upstream(environ):
        return Default("openai", "OPENAI_API_KEY is set")
    return Default("", "none: choose one with `llmmock login`")


def value(environ: Mapping[str, str]) -> dict[str, Any]:
    """All of it as JSON. Raises `UsageError` when the configuration cannot be read."""
    now = default(environ)
    return {
        "default_upstream": now.upstream or None,
        "because": now.why,
        "config": str(place(environ)),
        "logins": [
            {
                "upstream": each.upstream,
                "of": each.whose if each.whose != "-" else None,
                "usable": each.usable,
                "state": each.state,
                "where": each.where if each.where != "-" else None,
                **each.facts,
            }
            for each in found(environ)
        ],
    }


# --- words ------------------------------------------------------------------------------------------------


def _listed(*words: str) -> str:
    return ", ".join(word for word in words if word)


def _plan(plan: str) -> str:
    return f"plan {plan}" if plan else ""


def _expiry(moment: float | None, now: float, then: str) -> str:
    """`then` is what becomes of it at its end."""
    if moment is None:
        return ""
    if moment > now:
        return f"expires in {span(moment - now)}"
    return f"expired {span(now - moment)} ago, {then or 'renewed when it is used'}"


def span(seconds: float) -> str:
    """A length of time in one unit: `3 days`, `1 hour`, `40 minutes`."""
    for unit, size in (("day", 86400), ("hour", 3600), ("minute", 60)):
        count = int(seconds // size)
        if count:
            return f"{count} {unit}" + ("s" if count > 1 else "")
    return "less than a minute"


def _day(moment: float) -> str:
    return datetime.fromtimestamp(moment).astimezone().strftime("%Y-%m-%d")


def _moment(moment: float | None) -> str | None:
    return None if moment is None else datetime.fromtimestamp(moment).astimezone().isoformat(timespec="seconds")


def _short(path: Path) -> str:
    """`~` for the user's own folder."""
    try:
        return str(Path("~") / path.relative_to(Path.home()))
    except (ValueError, RuntimeError):
        return str(path)
