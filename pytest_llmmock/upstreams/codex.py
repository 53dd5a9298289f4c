"""The ChatGPT Codex backend, with the login that the Codex CLI, ChatMock or GPTMock already made.

OpenAI does not document it. What it takes, and what could not be tried, stands in docs/codex.md.
"""

from __future__ import annotations

import platform
from collections.abc import Mapping
from urllib.parse import urlsplit

from .. import __version__
from ..core.json_text import compact
from ..core.live import taken
from ..core.model import Exchange, Headers, Problem, Reply, Request, Send
from ..errors import UpstreamError, UsageError
from .addresses import address
from .codex_errors import problem_of
from .codex_request import CODEX, Sent, Wishes
from .kept import Earlier, Kept, is_stream
from .logins import Login, find_login
from .renewal import Renewal
from .token_file import Tokens

NAME = "codex"
BASE_URL = "https://chatgpt.com/backend-api/codex"
ISSUER = "https://auth.openai.com"
ORIGINATOR = "pytest-llmmock"
USER_AGENT = f"pytest-llmmock/{__version__} ({platform.system()}; Python {platform.python_version()})"

IN_CI = "LLMMOCK_CODEX_IN_CI"


class Codex:
    """Asks the Codex backend, which keeps nothing: conversations are kept here."""

    def __init__(self, base_url: str, renewal: Renewal, wishes: Wishes, reasoning: str = "off") -> None:
        self.NAME = NAME
        self.BASE_URL = base_url
        self._host = urlsplit(base_url).hostname or ""
        self._renewal = renewal
        self._kept = Kept(CODEX, wishes, self._host, reasoning)

    @property
    def _login(self) -> Login:
        return self._renewal.login

    def remember(self, earlier: Earlier) -> None:
        """Know where to look for responses of an earlier run."""
        self._kept.earlier = earlier

    def forward(self, exchange: Exchange, send: Send) -> Reply:
        return self._kept.forward(exchange, send, self)

    @property
    def whose(self) -> str:
        plan = f" ({self._login.plan})" if self._login.plan else ""
        return f"recorded through codex with the ChatGPT plan{plan} of the login of {self._login.tool.name}"

    def problem(self, reply: Reply) -> Problem:
        return problem_of(reply, self._host, self._login)

    def ask(self, exchange: Exchange, sent: Sent, send: Send) -> Reply:
        """Ask, and once more with a login that was renewed when the first is refused."""
        tokens = self._renewal.tokens(send)
        reply = self._sent(exchange, sent, tokens, send)
        if reply.status == 401:
            fresh = self._renewal.other_than(tokens, send)
            if fresh.access != tokens.access:
                reply = self._sent(exchange, sent, fresh, send)
        if self._renewal.trouble:
            exchange.warnings.append(self._renewal.trouble)
        return self._checked(reply)

    def _sent(self, exchange: Exchange, sent: Sent, tokens: Tokens, send: Send) -> Reply:
        exchange.credentials = (
            ("authorization", f"Bearer {tokens.id}"),
            ("authorization", f"Bearer {tokens.refresh}"),
        )
        parts = urlsplit(self.BASE_URL)
        origin, path = f"{parts.scheme}://{parts.netloc}", f"{parts.path}/responses"
        body = compact(sent.body).encode()
        reply = send(Request("POST", origin, path, headers=_headers(tokens, sent.session), body=body))
        return reply if reply.status == 200 and is_stream(reply) else taken(reply)

    def _checked(self, reply: Reply) -> Reply:
        """Raises `UpstreamError` for what is neither an answer nor an error."""
        if 300 <= reply.status < 400:
            raise UpstreamError(
                f"{self._host} sends the request elsewhere (status {reply.status}). A login is not sent after a "
                "redirect: set LLMMOCK_CODEX_URL, if the backend has moved. Nothing was recorded."
            )
        if reply.status < 300 and (reply.status != 200 or not is_stream(reply)):
            raise UpstreamError(
                f"{self._host} answered with status {reply.status} and {reply.content_type} where a stream of events "
                "is due. Is LLMMOCK_CODEX_URL right? Nothing was recorded."
            )
        return reply


def _headers(tokens: Tokens, session: str) -> Headers:
    """Under our own name, and with no id of this machine or its user but the account that pays."""
    account = (("chatgpt-account-id", tokens.account_id),) if tokens.account_id else ()
    return (
        ("authorization", f"Bearer {tokens.access}"),
        *account,
        ("content-type", "application/json"),
        ("accept", "text/event-stream"),
        ("openai-beta", "responses=experimental"),
        ("originator", ORIGINATOR),
        ("user-agent", USER_AGENT),
        ("session-id", session),
    )


def upstream(environ: Mapping[str, str]) -> Codex:
    """Raises `UsageError` where there is no login, and in CI."""
    refuse_in_ci(NAME, IN_CI, environ)
    base_url = address(environ, "LLMMOCK_CODEX_URL", BASE_URL)
    issuer = address(environ, "LLMMOCK_ISSUER", ISSUER)
    renewal = Renewal(find_login(environ), issuer, USER_AGENT)
    return Codex(base_url, renewal, wishes_of(environ), environ.get("LLMMOCK_REASONING_COMPAT") or "off")


def wishes_of(environ: Mapping[str, str]) -> Wishes:
    """What the settings say of every request."""
    return Wishes(
        environ.get("LLMMOCK_REASONING_EFFORT", ""),
        environ.get("LLMMOCK_REASONING_SUMMARY", ""),
        environ.get("LLMMOCK_DEBUG_MODEL", ""),
        is_set(environ.get("LLMMOCK_WEB_SEARCH", "")),
    )


def is_set(value: str) -> bool:
    """Whether a variable says yes."""
    return value.strip().lower() not in ("", "0", "false", "no", "off")


def refuse_in_ci(name: str, variable: str, environ: Mapping[str, str]) -> None:
    """A plan is for the person who has it. Raises `UsageError`."""
    if is_set(environ.get("CI", "")) and not is_set(environ.get(variable, "")):
        raise UsageError(
            f"The upstream {name!r} answers with the ChatGPT plan of a person, so it is not used in CI (CI is set). "
            "Record on your own machine and commit the cassettes, or record here with an API key. "
            f"If this is your own machine:  {variable}=1"
        )
