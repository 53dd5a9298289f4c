"""The sign-in server: where it is, what its addresses are, and how it is asked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from ...core.model import Reply, Request, Send
from ...errors import LoginError
from ..addresses import SIGN_IN_PATIENCE, address, is_safe

ISSUER = "https://auth.openai.com"
ISSUER_VARIABLE = "LLMMOCK_ISSUER"

_DISCOVERY = "/.well-known/openid-configuration"
_NAMES = {
    "authorize": "authorization_endpoint",
    "token": "token_endpoint",
    "revoke": "revocation_endpoint",
    "keys": "jwks_uri",
}


@dataclass(frozen=True, slots=True)
class Server:
    """The addresses of a sign-in server, as it tells them."""

    issuer: str
    authorize: str
    token: str
    revoke: str
    keys: str


def issuer_of(environ: Mapping[str, str]) -> str:
    """Which sign-in server is asked. Raises `UsageError`."""
    return address(environ, ISSUER_VARIABLE, ISSUER)


def discover(issuer: str, send: Send) -> Server:
    """Ask a sign-in server for its addresses. Raises `LoginError` and `UpstreamError`."""
    told = get_json(issuer + _DISCOVERY, send)
    if not isinstance(told.get("issuer"), str) or told["issuer"].rstrip("/") != issuer:
        raise LoginError(f"The sign-in server {issuer} says that it is another one ({told.get('issuer')!r:.80}).")
    addresses = {name: _checked(issuer, field, told.get(field)) for name, field in _NAMES.items()}
    return Server(told["issuer"], **addresses)


def _checked(issuer: str, field: str, url: Any) -> str:
    if not isinstance(url, str) or not is_safe(url):
        raise LoginError(f"The sign-in server {issuer} names {url!r:.200} as its {field}: no login is sent there.")
    return url


def get_json(url: str, send: Send) -> dict[str, Any]:
    """A JSON object that the sign-in server publishes. Raises `LoginError` and `UpstreamError`."""
    reply = whole(send(request("GET", url, (("accept", "application/json"),))))
    value = reply.json()
    if reply.status != 200 or not isinstance(value, dict):
        raise LoginError(
            f"The sign-in server answered {url} with status {reply.status} and no JSON object. "
            f"Is {ISSUER_VARIABLE} right?"
        )
    return value


def request(method: str, url: str, headers: tuple[tuple[str, str], ...] = (), body: bytes = b"") -> Request:
    parts = urlsplit(url)
    origin = f"{parts.scheme}://{parts.netloc}"
    return Request(method, origin, parts.path or "/", parts.query, headers, body, patience=SIGN_IN_PATIENCE)


def whole(reply: Reply) -> Reply:
    """The reply, read to its end. Raises `CutConnection`."""
    for _ in reply.frames:
        pass
    return reply
