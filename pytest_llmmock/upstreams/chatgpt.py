"""OpenAI's public API with "Sign in with ChatGPT": the plan of whoever has signed in pays.

It takes Responses only, streamed, and keeps nothing. What it takes, and what could not be tried, stands in
docs/login.md.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from pydantic import SecretStr

from ..core.json_text import compact
from ..core.live import taken
from ..core.model import Exchange, Problem, Reply, Request, Send, json_reply
from ..dialects.fields import mapping, objects, text
from ..errors import LoginError, UpstreamError, UsageError
from .addresses import address
from .chatgpt_errors import problem_of
from .codex import USER_AGENT, refuse_in_ci, wishes_of
from .codex_request import Rules, Sent, Wishes
from .kept import Earlier, Kept, is_stream
from .sign_in.session import Session

NAME = "chatgpt"
BASE_URL = "https://api.openai.com/v1"

IN_CI = "LLMMOCK_CHATGPT_IN_CI"

REFUSED = frozenset(
    {
        "background",
        "conversation",
        "max_output_tokens",
        "max_tool_calls",
        "metadata",
        "moderation",
        "multi_agent",
        "previous_response_id",
        "prompt",
        "prompt_cache_breakpoint",
        "prompt_cache_options",
        "prompt_cache_retention",
        "safety_identifier",
        "store",
        "stream",
        "stream_options",
        "temperature",
        "top_logprobs",
        "top_p",
        "truncation",
        "user",
    }
)
"""Parameters that the API refuses from those who have signed in, or that are ours to say."""

RULES = Rules(NAME, lambda name, value: name not in REFUSED, instructs=False)


class ChatGPT:
    """Asks the public API as somebody who has signed in; conversations are kept here."""

    def __init__(self, base_url: str, session: Session, wishes: Wishes, reasoning: str = "off") -> None:
        self.NAME = NAME
        self.BASE_URL = base_url
        self._host = urlsplit(base_url).hostname or ""
        self._session = session
        self._kept = Kept(RULES, wishes, self._host, reasoning)

    def remember(self, earlier: Earlier) -> None:
        """Know where to look for responses of an earlier run."""
        self._kept.earlier = earlier

    def forward(self, exchange: Exchange, send: Send) -> Reply:
        if exchange.operation == "models":
            return self._models(exchange, send)
        return self._kept.forward(exchange, send, self)

    @property
    def whose(self) -> str:
        return "recorded through chatgpt with the ChatGPT plan that is signed in"

    def problem(self, reply: Reply) -> Problem:
        return problem_of(reply, self._host)

    def ask(self, exchange: Exchange, sent: Sent, send: Send) -> Reply:
        """Raises `UpstreamError`, also for an answer that is no stream of events."""
        reply = self._asked(exchange, "/responses", send, compact(sent.body).encode())
        if reply.status != 200 or is_stream(reply):
            return reply
        raise UpstreamError(
            f"{self._host} answered with {reply.content_type} where a stream of events is due. "
            "Is LLMMOCK_CHATGPT_URL right? Nothing was recorded."
        )

    def _asked(self, exchange: Exchange, path: str, send: Send, body: bytes = b"") -> Reply:
        """Ask, and once more with a login that was renewed when the first is refused."""
        token = self._session.token(send)
        reply = self._sent(exchange, path, send, body, token)
        if reply.status == 401:
            fresh = self._session.renewed(token, send)
            if fresh != token:
                reply = self._sent(exchange, path, send, body, fresh)
        if 300 <= reply.status < 400:
            raise UpstreamError(
                f"{self._host} sends the request elsewhere (status {reply.status}). A login is not sent after a "
                "redirect: set LLMMOCK_CHATGPT_URL, if the API has moved. Nothing was recorded."
            )
        return reply

    def _sent(self, exchange: Exchange, path: str, send: Send, body: bytes, token: SecretStr) -> Reply:
        exchange.credentials = self._session.credentials()
        parts = urlsplit(self.BASE_URL)
        origin, path = f"{parts.scheme}://{parts.netloc}", parts.path + path
        headers = (("authorization", f"Bearer {token.get_secret_value()}"), ("user-agent", USER_AGENT))
        if not body:
            return taken(send(Request("GET", origin, path, headers=(*headers, ("accept", "application/json")))))
        streamed = (("content-type", "application/json"), ("accept", "text/event-stream"))
        reply = send(Request("POST", origin, path, headers=(*headers, *streamed), body=body))
        return reply if reply.status == 200 and is_stream(reply) else taken(reply)

    def _models(self, exchange: Exchange, send: Send) -> Reply:
        """The models of the plan, as OpenAI lists models: those that are meant to be chosen, in their order."""
        reply = self._asked(exchange, "/models", send)
        if reply.status != 200:
            return exchange.dialect.write_error(self.problem(reply))
        value: dict[str, Any] = mapping(reply.json())
        if "models" not in value:
            return reply
        slugs = [text(each.get("slug")) for each in objects(value["models"]) if each.get("visibility") == "list"]
        listing = [{"id": slug, "object": "model", "created": 0, "owned_by": "openai"} for slug in slugs]
        return json_reply({"object": "list", "data": listing})


def upstream(environ: Mapping[str, str]) -> ChatGPT:
    """Raises `UsageError` where nobody has signed in, and in CI."""
    refuse_in_ci(NAME, IN_CI, environ)
    session = Session.of(environ)
    base_url = address(environ, "LLMMOCK_CHATGPT_URL", BASE_URL)
    try:
        session.check()
    except LoginError as error:
        raise UsageError(f"The upstream 'chatgpt' cannot be asked. {error}") from None
    return ChatGPT(base_url, session, wishes_of(environ), environ.get("LLMMOCK_REASONING_COMPAT") or "off")
