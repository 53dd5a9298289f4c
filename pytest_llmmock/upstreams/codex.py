"""The ChatGPT Codex backend, with the login that the Codex CLI, ChatMock or GPTMock already made.

OpenAI does not document it. What it takes, and what could not be tried, stands in docs/codex.md.
"""

from __future__ import annotations

import platform
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from functools import partial
from typing import Any, TypeVar
from urllib.parse import urlsplit

from .. import __version__
from ..core.conversations import Conversations, previous_of, unknown
from ..core.json_text import compact
from ..core.live import Live
from ..core.model import Exchange, Headers, Problem, Reply, Request, Send
from ..core.sse import is_sse
from ..errors import UpstreamError, UsageError
from . import codex_items
from .addresses import address
from .codex_errors import problem_of
from .codex_request import SEALED, Impossible, Sent, Wishes, listed, request_of
from .codex_stream import Told
from .logins import Login, find_login
from .renewal import Renewal
from .sealed import Sealed
from .token_file import Tokens
from .translation import as_asked, as_responses

NAME = "codex"
BASE_URL = "https://chatgpt.com/backend-api/codex"
ISSUER = "https://auth.openai.com"
ORIGINATOR = "pytest-llmmock"
USER_AGENT = f"pytest-llmmock/{__version__} ({platform.system()}; Python {platform.python_version()})"

IN_CI = "LLMMOCK_CODEX_IN_CI"

_PASSED = ("openai-model",)
"""Headers of an answer that tell nothing of whose plan answered."""

_SAID = ("instructions", "metadata", "prompt_cache_key", "safety_identifier", "user")
"""What a response repeats of the request, and the backend was told otherwise or not at all."""

_HERE = ("responses.retrieve", "responses.delete", "responses.cancel", "responses.input_items")


T = TypeVar("T")


class Codex:
    """Asks the Codex backend, which keeps nothing: conversations are kept here."""

    def __init__(self, base_url: str, renewal: Renewal, wishes: Wishes, reasoning: str = "off") -> None:
        self.NAME = NAME
        self.BASE_URL = base_url
        self._renewal = renewal
        self._wishes = wishes
        self._reasoning = reasoning
        self._sealed = Sealed()
        self._conversations = Conversations()
        self._earlier: Callable[[], Iterable[tuple[Exchange, Reply]]] = tuple

    @property
    def _host(self) -> str:
        return urlsplit(self.BASE_URL).hostname or ""

    @property
    def _login(self) -> Login:
        return self._renewal.login

    def remember(self, earlier: Callable[[], Iterable[tuple[Exchange, Reply]]]) -> None:
        """Know where to look for responses of an earlier run."""
        self._earlier = earlier

    def forward(self, exchange: Exchange, send: Send) -> Reply:
        if exchange.operation in _HERE:
            return self._of_kept(exchange)
        try:
            sent = self._request(exchange)
        except Impossible as error:
            return exchange.dialect.write_error(error.problem)
        exchange.notes += sent.notes
        exchange.warnings += [*sent.notes, self._whose]
        reply = self._asked(exchange, sent, send)
        if reply.status != 200:
            return exchange.dialect.write_error(problem_of(reply, self._host, self._login))
        return self._kept(exchange, as_asked(exchange, self._told(exchange, reply), reasoning=self._reasoning))

    @property
    def _whose(self) -> str:
        plan = f" ({self._login.plan})" if self._login.plan else ""
        return f"codex: recorded with the ChatGPT plan{plan} of the login of {self._login.tool.name}"

    # --- asking ---

    def _request(self, exchange: Exchange) -> Sent:
        """Raises `Impossible`, `UpstreamError`."""
        translated = as_responses(exchange)
        before = self._before(exchange)
        body = {**translated.body, "input": [*before, *listed(translated.body.get("input"))]}
        sent = request_of(body, self._wishes, lambda items: codex_items.fitted(items, self._sealed, self._item))
        return replace(sent, notes=[*translated.notes, *sent.notes])

    def _before(self, exchange: Exchange) -> list[Any]:
        """The conversation that a request goes on with. Raises `Impossible` when nobody knows it."""
        previous = previous_of(exchange) if exchange.operation == "responses" else ""
        if not previous:
            return []
        found = self._recalled(lambda: self._conversations.before(previous))
        if found is None:
            problem = unknown(previous)
            raise Impossible(problem.message, "previous_response_id", problem.status, problem.code)
        return found

    def _item(self, id: str) -> dict[str, Any] | None:
        return self._recalled(lambda: self._conversations.item(id))

    def _recalled(self, look: Callable[[], T | None]) -> T | None:
        """What was answered, by this run or by an earlier one."""
        found = look()
        if found is None:
            for exchange, reply in self._earlier():
                self._conversations.keep(exchange, reply)
            found = look()
        return found

    def _asked(self, exchange: Exchange, sent: Sent, send: Send) -> Reply:
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
        return send(Request("POST", origin, path, headers=_headers(tokens, sent.session), body=body))

    def _checked(self, reply: Reply) -> Reply:
        """Raises `UpstreamError` for what is neither an answer nor an error."""
        if 300 <= reply.status < 400:
            raise UpstreamError(
                f"{self._host} sends the request elsewhere (status {reply.status}). A login is not sent after a "
                "redirect: set LLMMOCK_CODEX_URL, if the backend has moved. Nothing was recorded."
            )
        if reply.status < 300 and (reply.status != 200 or not is_sse(reply.content_type)):
            told = reply.content_type or "no content type"
            raise UpstreamError(
                f"{self._host} answered with status {reply.status} and {told} where a stream of events is due. "
                "Is LLMMOCK_CODEX_URL right? Nothing was recorded."
            )
        return reply

    # --- answering ---

    def _told(self, exchange: Exchange, reply: Reply) -> Reply:
        """The stream as its client gets it."""
        asked = exchange.json if isinstance(exchange.json, dict) else {}
        said = {name: asked.get(name) for name in (*_SAID, "previous_response_id")}
        said |= {"metadata": asked.get("metadata") or {}, "store": asked.get("store") is not False}
        include = asked.get("include")
        shown = isinstance(include, list) and SEALED in include
        told = Told(exchange, said, partial(self._sealed.seal, shown=shown), self._host)
        headers = tuple(pair for pair in reply.headers if pair[0] in ("content-type", *_PASSED))
        frames = reply.frames
        close = frames.close if isinstance(frames, Live) else _nothing
        wake = frames.hang_up if isinstance(frames, Live) else _nothing
        live = Live(told.chunks(frames), close, since=exchange.clock, content_type=reply.content_type, wake=wake)
        return Reply(200, headers, live, reply.reason, "upstream", live=True)

    def _kept(self, exchange: Exchange, reply: Reply) -> Reply:
        """The reply, which is known when a later request goes on from it."""
        if isinstance(reply.frames, Live):
            reply.frames.then(lambda: self._conversations.keep(exchange, reply))
        else:
            self._conversations.keep(exchange, reply)
        return reply

    def _of_kept(self, exchange: Exchange) -> Reply:
        """What is asked of an earlier response: the backend has kept none."""
        reply = self._recalled(lambda: self._conversations.answer(exchange))
        if reply is not None:
            return reply
        why = f"Response with id '{exchange.prompt.id}' not found. The upstream 'codex' keeps no responses."
        return exchange.dialect.write_error(Problem(404, why))


def _nothing() -> None:
    """A reply that is whole has nobody to let go."""


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
    _refuse_in_ci(environ)
    base_url = address(environ, "LLMMOCK_CODEX_URL", BASE_URL)
    issuer = address(environ, "LLMMOCK_ISSUER", ISSUER)
    wishes = Wishes(
        environ.get("LLMMOCK_REASONING_EFFORT", ""),
        environ.get("LLMMOCK_REASONING_SUMMARY", ""),
        environ.get("LLMMOCK_DEBUG_MODEL", ""),
        is_set(environ.get("LLMMOCK_WEB_SEARCH", "")),
    )
    renewal = Renewal(find_login(environ), issuer, USER_AGENT)
    return Codex(base_url, renewal, wishes, environ.get("LLMMOCK_REASONING_COMPAT") or "off")


def is_set(value: str) -> bool:
    """Whether a variable says yes."""
    return value.strip().lower() not in ("", "0", "false", "no", "off")


def _refuse_in_ci(environ: Mapping[str, str]) -> None:
    """A plan is for the person who has it."""
    if is_set(environ.get("CI", "")) and not is_set(environ.get(IN_CI, "")):
        raise UsageError(
            "The upstream 'codex' answers with the ChatGPT plan of a person, so it is not used in CI (CI is set). "
            "Record on your own machine and commit the cassettes, or record here with an API key. "
            f"If this is your own machine:  {IN_CI}=1"
        )
