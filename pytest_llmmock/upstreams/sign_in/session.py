"""A login over time: made, handed out, replaced when it is due, ended."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any

from pydantic import SecretStr

from ...core.model import Headers, Send
from ...errors import LoginError, UpstreamError
from ..unbroken import unbroken
from . import identity, oauth
from .account import PLAN_SCOPE, Account, Tokens
from .attempt import FIRST_CLIENT, Attempt, Code
from .oauth import LOGIN
from .server import Server, discover, get_json, issuer_of
from .store import Store

_CLAIMS = "https://api.openai.com/auth"


class Session:
    """The login at one sign-in server. Any number of threads and processes may share it."""

    def __init__(self, store: Store, now: Callable[[], float] = time.time) -> None:
        self.store = store
        self._now = now
        self._tokens: Tokens | None = None
        """Those in use: a keyring may take long, or ask its owner."""

    @classmethod
    def of(cls, environ: Mapping[str, str]) -> Session:
        """The one of this environment. Raises `UsageError`."""
        return cls(Store(environ, issuer_of(environ)))

    # --- in -----------------------------------------------------------------------------------------------

    def begin(self, redirect_uri: str, send: Send, *, again: bool = False) -> tuple[Server, Attempt, str]:
        """Send the browser off: the attempt, and where it is sent. Raises `LoginError` and `UpstreamError`."""
        oauth.check_installed()
        identity.check_installed()
        with self.store.locked():
            account = self.store.read()
            self.store.write(account)  # who we are is kept before anybody is asked
        server = discover(account.issuer, send)
        attempt = Attempt(redirect_uri, account.client_id or FIRST_CLIENT)
        return server, attempt, oauth.authorize_url(server, attempt, account.host_id, again=again)

    def finish(self, server: Server, attempt: Attempt, code: Code, send: Send) -> Account:
        """Exchange what the browser brought, check it, keep it. Raises `LoginError` and `UpstreamError`."""
        granted = oauth.redeem(server, attempt, code, send)
        if granted.id_token is None:
            raise LoginError("The sign-in server sent no identity token. Nothing was kept.")
        keys = get_json(server.keys, send)
        expected = identity.Expected(server.issuer, code.client_id, attempt.nonce, self._now())
        claims = identity.verify(granted.id_token, keys, expected)
        return self._keep(code.client_id, claims, granted.tokens(self._now()))

    def _keep(self, client_id: str, claims: Mapping[str, Any], tokens: Tokens) -> Account:
        whose = {
            "client_id": client_id,
            "subject": claims["sub"],
            "email": _text(claims, "email"),
            "plan": _text(claims.get(_CLAIMS), "chatgpt_plan_type"),
        }
        with self.store.locked():
            before = self.store.read()
            _check_same(before, client_id, claims["sub"])
            account = before.model_copy(update={**whose, "tokens": tokens})
            self.store.write(account)
        return account

    # --- over time ----------------------------------------------------------------------------------------

    def check(self) -> None:
        """Raises `LoginError` where nobody is signed in whose plan may be used."""
        self._tokens = _usable(self.store.read())

    def credentials(self) -> Headers:
        """What else belongs to the login, as headers would hold it: none of it is to be written anywhere."""
        secret = self._tokens.refresh_token if self._tokens else None
        return (("authorization", f"Bearer {secret.get_secret_value()}"),) if secret else ()

    def token(self, send: Send) -> SecretStr:
        """A token for a request now. Raises `LoginError` and `UpstreamError`."""
        tokens = self._tokens or _usable(self.store.read())
        self._tokens = self._renewed(tokens, send) if tokens.is_due(self._now()) else tokens
        return self._tokens.access_token

    def renewed(self, spent: SecretStr, send: Send) -> SecretStr:
        """A token in place of one that was refused; the same where another would be refused as well.

        Raises `LoginError` and `UpstreamError`.
        """
        tokens = _usable(self.store.read())
        another = tokens.access_token == spent and tokens.is_worth_renewing(self._now())
        self._tokens = self._renewed(tokens, send) if another else tokens
        return self._tokens.access_token

    def _renewed(self, seen: Tokens, send: Send) -> Tokens:
        """New tokens, or those that another thread or another process has renewed meanwhile."""
        with self.store.locked():
            account = self.store.read()
            tokens = _usable(account)
            if tokens.access_token != seen.access_token and not tokens.is_due(self._now()):
                return tokens
            return unbroken(lambda: self._refresh(account, tokens, send))

    def _refresh(self, account: Account, tokens: Tokens, send: Send) -> Tokens:
        if tokens.refresh_token is None:
            raise LoginError(f"The login is over, and cannot be renewed. Sign in: {LOGIN}")
        self.store.write(account)  # where nothing can be kept, a refresh would lose the login
        server = discover(account.issuer, send)
        try:
            granted = oauth.refresh(server, account.client_id, tokens.refresh_token, send)
        except oauth.Refused as error:
            if error.is_over:
                self.store.write(account.without_login())
            raise
        renewed = granted.tokens(self._now(), tokens)
        self.store.write(account.model_copy(update={"tokens": renewed}))
        return _allowed(renewed)

    # --- out ----------------------------------------------------------------------------------------------

    def end(self, send: Send, *, forget: bool = False) -> LoginError | None:
        """Sign out; what is kept here goes in any case. What went wrong with the sign-in server is returned.

        Raises `LoginError` when the store cannot be changed.
        """
        with self.store.locked():
            account = self.store.read()
            trouble = _revoked(account, send)
            if forget:
                self.store.forget()
            elif account.tokens:
                self.store.write(account.without_login())
        return trouble


def _revoked(account: Account, send: Send) -> LoginError | None:
    tokens = account.tokens
    if tokens is None or tokens.refresh_token is None:
        return None
    try:
        oauth.revoke(discover(account.issuer, send), account.client_id, tokens.refresh_token, send)
    except UpstreamError as error:
        return LoginError(
            f"The login was forgotten here, but the sign-in server could not be told: {error} "
            "It can be ended at https://chatgpt.com/settings as well."
        )
    return None


def _usable(account: Account) -> Tokens:
    if account.tokens is None:
        raise LoginError(f"Nobody is signed in with ChatGPT. Sign in: {LOGIN}")
    return _allowed(account.tokens)


def _allowed(tokens: Tokens) -> Tokens:
    if not tokens.allows_plan:
        raise LoginError(
            f"The login may not use the plan: {PLAN_SCOPE} was not granted. Allow it in the browser: {LOGIN} --again"
        )
    return tokens


def _check_same(before: Account, client_id: str, subject: str) -> None:
    """One installation has one account: tokens of two people are never mixed."""
    if before.client_id not in ("", client_id) or (before.client_id and before.subject not in ("", subject)):
        raise LoginError(
            "The browser is signed in as somebody else than before. Nothing was kept. "
            f"To change the account: llmmock logout --forget, then {LOGIN}"
        )


def _text(values: Any, name: str) -> str:
    value = values.get(name) if isinstance(values, Mapping) else None
    return value if isinstance(value, str) else ""
