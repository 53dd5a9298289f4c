"""One attempt to sign in: what the browser is sent off with, and what it has to come back with."""

from __future__ import annotations

from dataclasses import dataclass, field
from hmac import compare_digest
from secrets import token_urlsafe
from urllib.parse import parse_qsl

from ...errors import LoginError

FIRST_CLIENT = "dynamic_agent_client"
"""Who asks when nobody is registered yet. It gets a registration, and never a token."""

CALLBACK = "/auth/callback"

_ONCE = ("code", "state", "client_id", "iss", "error")


class ForeignCallback(LoginError):
    """Somebody came back who was not sent off by this attempt. It changes nothing."""


@dataclass(frozen=True, slots=True)
class Code:
    """What is exchanged for tokens."""

    code: str = field(repr=False)
    client_id: str


@dataclass(frozen=True, slots=True)
class Attempt:
    """What only this attempt knows."""

    redirect_uri: str
    client_id: str = FIRST_CLIENT
    state: str = field(default_factory=lambda: token_urlsafe(32), repr=False)
    nonce: str = field(default_factory=lambda: token_urlsafe(32), repr=False)
    verifier: str = field(default_factory=lambda: token_urlsafe(64), repr=False)

    @property
    def is_first(self) -> bool:
        return self.client_id == FIRST_CLIENT

    def read(self, query: str, issuer: str) -> Code:
        """The code in the query with which the browser came back.

        Raises `ForeignCallback` when it is not this attempt's, and `LoginError` when it is and was refused.
        """
        values = self._values(query)
        if values.get("error"):
            raise LoginError(_refusal(values["error"]))
        if values.get("iss", issuer) != issuer:
            raise LoginError("The browser came back from another sign-in server. Nothing was kept.")
        if not values.get("code") or not self._may_be(values.get("client_id", "")):
            raise LoginError(
                "The browser came back without a code, or for another registration than ours. Nothing was kept. "
                "To sign in as somebody else: llmmock logout --forget, then llmmock login --use chatgpt"
            )
        return Code(values["code"], values["client_id"])

    def _values(self, query: str) -> dict[str, str]:
        """The state is looked at first, and what should stand once may not stand twice."""
        pairs = parse_qsl(query, keep_blank_values=True)
        states = [value for name, value in pairs if name == "state"]
        if len(states) != 1 or not compare_digest(states[0].encode(), self.state.encode()):
            raise ForeignCallback("This address does not belong to this attempt to sign in: its state is another one.")
        names = [name for name, _ in pairs]
        if any(names.count(name) > 1 for name in _ONCE):
            raise LoginError("The browser came back with the same parameter twice. Nothing was kept.")
        return dict(pairs)

    def _may_be(self, client_id: str) -> bool:
        """Whether this can be our registration: a new one at first, and later only the one that we have."""
        if self.is_first:
            return client_id not in ("", FIRST_CLIENT)
        return client_id == self.client_id

    def read_pasted(self, url: str, issuer: str) -> Code:
        """The same, of an address that was copied from a browser, which may not show its `http://`. Raises the same."""
        place, _, query = url.strip().partition("?")
        if place.removeprefix("http://") != self.redirect_uri.removeprefix("http://"):
            raise ForeignCallback(f"This is not where the browser ended: that address begins with {self.redirect_uri}")
        return self.read(query.partition("#")[0], issuer)


def _refusal(error: str) -> str:
    if error == "access_denied":
        return "The sign-in was declined in the browser. Nothing was kept."
    return f"The sign-in server refused the sign-in ({error!r:.80}). Nothing was kept."
