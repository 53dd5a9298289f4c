"""OAuth 2 with the sign-in server: Authlib makes the requests, our network sends them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from pydantic import BaseModel, ConfigDict, SecretStr, ValidationError

from ...core.model import Reply, Send
from ...errors import LoginError, UpstreamError
from .account import Tokens
from .attempt import Attempt, Code
from .server import Server, request, whole

if TYPE_CHECKING:
    from authlib.oauth2 import OAuth2Client

RESOURCE = "https://api.openai.com/v1"
"""What the tokens are for. It names the API, wherever it is reached."""

SCOPES = "openid profile email offline_access resource.invoke chatgpt.tokens.use.direct"

PRODUCT = "pytest-llmmock"
"""What the user is asked to trust: our own name, and the same everywhere."""

LOGIN = "llmmock login --use chatgpt"

OVER = frozenset(
    {
        "invalid_grant",
        "invalid_refresh_token",
        "token_expired",
        "refresh_token_expired",
        "refresh_token_invalidated",
        "refresh_token_reused",
    }
)
"""Answers after which a refresh token is good for nothing."""

_MILLISECONDS = 1e11
_CODE = re.compile(r"[A-Za-z0-9_.-]{1,80}")


class Granted(BaseModel):
    """What the token endpoint answers."""

    model_config = ConfigDict(frozen=True, hide_input_in_errors=True)

    access_token: SecretStr
    refresh_token: SecretStr | None = None
    id_token: SecretStr | None = None
    token_type: str = "Bearer"
    expires_in: float = 3600.0
    scope: str | None = None
    earliest_refresh_at: float | None = None

    def tokens(self, now: float, before: Tokens | None = None) -> Tokens:
        """The tokens from now on; what is not said anew stays as it was."""
        return Tokens(
            access_token=self.access_token,
            refresh_token=self.refresh_token or (before.refresh_token if before else None),
            scope=self.scope if self.scope is not None else before.scope if before else "",
            expires_at=now + self.expires_in,
            earliest_refresh_at=_seconds(self.earliest_refresh_at),
            renewed_at=now,
            renewed_early=before is not None and not before.is_due(now),
        )


class Refused(LoginError):
    """The sign-in server has answered, and not with what was asked for."""

    def __init__(self, status: int, code: str, what: str) -> None:
        super().__init__(_words(status, code, what))
        self.is_over = code in OVER


def authorize_url(server: Server, attempt: Attempt, host_id: str, *, again: bool = False) -> str:
    """Where the browser is sent. `again` asks the user for the plan's permission once more."""
    first = {"agent_name_hint": PRODUCT} if attempt.is_first else {}
    consent = {"prompt": "consent"} if again else {}
    client = _client(attempt.client_id, None, code_challenge_method="S256")
    url, _ = client.create_authorization_url(
        server.authorize,
        state=attempt.state,
        code_verifier=attempt.verifier,
        redirect_uri=attempt.redirect_uri,
        scope=SCOPES,
        resource=RESOURCE,
        nonce=attempt.nonce,
        ext_agent_host_id=host_id,
        **first,
        **consent,
    )
    return str(url)


def redeem(server: Server, attempt: Attempt, code: Code, send: Send) -> Granted:
    """Tokens for the code that the browser has brought. Raises `LoginError` and `UpstreamError`."""
    client = _client(code.client_id, _Through(send, "sign-in"))
    told = client.fetch_token(
        server.token,
        grant_type="authorization_code",
        code=code.code,
        code_verifier=attempt.verifier,
        redirect_uri=attempt.redirect_uri,
        resource=RESOURCE,
    )
    return _granted(told)


def refresh(server: Server, client_id: str, token: SecretStr, send: Send) -> Granted:
    """New tokens for a refresh token, which is spent by it. Raises `LoginError` and `UpstreamError`."""
    client = _client(client_id, _Through(send, "renewal of the login"))
    told = client.refresh_token(server.token, refresh_token=token.get_secret_value(), resource=RESOURCE)
    return _granted(told)


def revoke(server: Server, client_id: str, token: SecretStr, send: Send) -> None:
    """End a login at the sign-in server. Raises `LoginError` and `UpstreamError`."""
    client = _client(client_id, _Through(send, "sign-out"))
    client.revoke_token(server.revoke, token=token.get_secret_value(), token_type_hint="refresh_token")


def _client(client_id: str, session: _Through | None, **more: str) -> OAuth2Client:
    """Raises `LoginError` when Authlib is missing."""
    try:
        from authlib.oauth2 import OAuth2Client
    except ImportError:
        raise missing() from None
    return OAuth2Client(session, client_id=client_id, token_endpoint_auth_method="none", **more)


def check_installed() -> None:
    """Raises `LoginError` when Authlib is missing."""
    _client("", None)


def missing() -> LoginError:
    """What to do where the extra is not installed."""
    return LoginError(
        "Sign in with ChatGPT needs two packages more. Install them: pip install 'pytest-llmmock[chatgpt]'"
    )


class _Through:
    """The session that Authlib posts its forms through."""

    def __init__(self, send: Send, what: str) -> None:
        self._send = send
        self._what = what

    def post(self, url: str, data: Mapping[str, str], headers: Mapping[str, str], auth: Any) -> _Told:
        """Raises `Refused` unless the answer is what was asked for, and `UpstreamError` when another time may do."""
        url, told, body = auth.prepare("POST", url, dict(headers), urlencode(data))
        given = tuple((name.lower(), value) for name, value in told.items())
        reply = whole(self._send(request("POST", url, given, body.encode())))
        if reply.status == 429 or reply.status >= 500:
            raise UpstreamError(
                f"The sign-in server is not able to answer now (status {reply.status}); the {self._what} failed. "
                "The login is kept: try again later."
            )
        if reply.status != 200:
            raise Refused(reply.status, error_code(reply.json()), self._what)
        return _Told(reply)


class _Told:
    """A reply, as Authlib looks at it."""

    def __init__(self, reply: Reply) -> None:
        self.status_code = reply.status
        self._reply = reply

    def json(self) -> Any:
        return self._reply.json()

    def raise_for_status(self) -> None:
        """The status is 200: `_Through` lets no other pass."""


def _granted(told: Any) -> Granted:
    try:
        granted = Granted.model_validate(told)
    except ValidationError as error:
        raise LoginError(f"The sign-in server's answer cannot be used: {_first(error)}.") from None
    if granted.token_type.lower() != "bearer":
        raise LoginError(f"The sign-in server gave a token of the type {granted.token_type!r:.40}, and not a bearer's.")
    return granted


def _first(error: ValidationError) -> str:
    """Where and why, and not what stood there."""
    first = error.errors(include_input=False, include_url=False)[0]
    return f"{'.'.join(map(str, first['loc']))}: {first['msg']}"


def error_code(value: Any) -> str:
    """The code of an error, wherever it stands. Other words of the server may repeat a token, and are not shown."""
    if not isinstance(value, dict):
        return ""
    inner = [value.get(name) for name in ("error", "detail")]
    places = [value.get("error"), *(each.get(name) for each in inner if isinstance(each, dict) for name in _CODES)]
    found = (each for each in (*places, value.get("code")) if isinstance(each, str) and _CODE.fullmatch(each))
    return next(found, "")


_CODES = ("code", "error_code")


def _seconds(moment: float | None) -> float | None:
    """A moment in seconds since 1970; its unit is not documented, and some services tell milliseconds."""
    return moment / 1000 if moment is not None and moment > _MILLISECONDS else moment


def _words(status: int, code: str, what: str) -> str:
    said = f"status {status}" + (f", {code}" if code else "")
    if code in OVER:
        return f"The login is over: the sign-in server refused the {what} ({said}). Sign in: {LOGIN}"
    if code == "invalid_client":
        return (
            f"The sign-in server does not know this installation any more ({said}). "
            f"Begin anew: llmmock logout --forget, then {LOGIN}"
        )
    return f"The sign-in server refused the {what} ({said}). Sign in again: {LOGIN} --again"
