"""A stand-in for OpenAI's sign-in server, on loopback: it refuses what the real one is known to refuse.

Its key is made anew for each server. `browse` plays the browser of a user who agrees.
"""

from __future__ import annotations

import base64
import hashlib
import secrets
from collections.abc import Callable
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import httpx
from serving import Serving

from pytest_llmmock.core.model import Reply, Request, json_reply

if TYPE_CHECKING:  # an extra brings it
    from joserfc.jwk import ECKey, RSAKey

SCOPES = {"openid", "profile", "email", "offline_access", "resource.invoke", "chatgpt.tokens.use.direct"}
RESOURCE = "https://api.openai.com/v1"
LIFETIME = 3600
EARLIEST = 3240
"""Seconds after which a refresh is allowed."""

_ALWAYS = {
    "client_id",
    "response_type",
    "redirect_uri",
    "scope",
    "resource",
    "state",
    "nonce",
    "code_challenge",
    "code_challenge_method",
    "ext_agent_host_id",
}
_MAY = {"agent_name_hint", "prompt", "id_token_hint", "login_hint"}
_FIRST = "dynamic_agent_client"


class SignInServer(Serving):
    """Registers, gives tokens, takes them back."""

    def __init__(self, clock: Callable[[], float], *, key: str = "RSA") -> None:
        super().__init__()
        self.clock = clock
        self.key = _new_key(key)
        self.algorithm = "RS256" if key == "RSA" else "ES256"
        self.scope = " ".join(sorted(SCOPES))
        self.claims: dict[str, Any] = {}
        """Changes of the identity token's claims."""
        self.sign: Callable[[dict[str, Any]], str] = self._sign
        self.callback: dict[str, Any] = {}
        """Changes of what the browser comes back with."""
        self.answer: dict[str, Any] = {}
        """Changes of what the token endpoint answers."""
        self.discovery: dict[str, Any] = {}
        self.down = 0
        """How many of the next forms are answered with 503."""
        self.asked: list[tuple[str, dict[str, str]]] = []
        self.registered: set[str] = set()
        self.hosts: set[str] = set()
        self.access: set[str] = set()
        """Access tokens that are good."""
        self.refresh: dict[str, float] = {}
        """Refresh tokens that are good, and from when on."""
        self.spent: set[str] = set()
        self.revoked: set[str] = set()
        self._codes: dict[str, dict[str, str]] = {}

    @property
    def secrets(self) -> set[str]:
        """Everything that must be seen by nobody."""
        return self.access | set(self.refresh) | self.spent | self.revoked | set(self._codes)

    def handle(self, request: Request) -> Reply:
        routes: dict[str, Callable[[Request], Reply]] = {
            "GET /.well-known/openid-configuration": self._discovery,
            "GET /jwks": lambda request: json_reply({"keys": [self.key.as_dict(private=False)]}),
            "GET /api/accounts/authorize": self._authorize,
            "POST /api/accounts/oauth/token": self._token,
            "POST /api/accounts/oauth/revoke": self._revoke,
        }
        answer = routes.get(f"{request.method} {request.path}")
        return answer(request) if answer else json_reply({"detail": "Not Found"}, 404)

    def _discovery(self, request: Request) -> Reply:
        accounts = self.url + "/api/accounts"
        told = {
            "issuer": self.url,
            "authorization_endpoint": accounts + "/authorize",
            "token_endpoint": accounts + "/oauth/token",
            "revocation_endpoint": accounts + "/oauth/revoke",
            "jwks_uri": self.url + "/jwks",
        }
        return json_reply({**told, **self.discovery})

    # --- the browser --------------------------------------------------------------------------------------

    def _authorize(self, request: Request) -> Reply:
        pairs = parse_qsl(request.query, keep_blank_values=True)
        asked = dict(pairs)
        self.asked.append(("authorize", asked))
        trouble = self._wrong(pairs, asked)
        if trouble:
            return json_reply({"error": "invalid_request", "error_description": trouble}, 400)
        client_id = asked["client_id"]
        if client_id == _FIRST:
            client_id = f"oaiapp_{secrets.token_hex(8)}"
            self.registered.add(client_id)
        self.hosts.add(asked["ext_agent_host_id"])
        code = "ac_" + secrets.token_urlsafe(24)
        self._codes[code] = {**asked, "client_id": client_id}
        back = {"code": code, "state": asked["state"], "client_id": client_id, "scope": self.scope, **self.callback}
        query = urlencode({name: value for name, value in back.items() if value is not None}, doseq=True)
        return Reply(302, (("location", f"{asked['redirect_uri']}?{query}"),), [])

    def _wrong(self, pairs: list[tuple[str, str]], asked: dict[str, str]) -> str:
        """Why a browser is not sent back."""
        first = asked.get("client_id") == _FIRST
        rules = {
            "a parameter stands twice": len(pairs) == len(asked),
            "a parameter is missing": asked.keys() >= _ALWAYS,
            "a parameter is unknown": asked.keys() <= _ALWAYS | _MAY,
            "an empty parameter": all(asked.values()),
            "response_type": asked.get("response_type") == "code",
            "code_challenge_method": asked.get("code_challenge_method") == "S256",
            "code_challenge": len(asked.get("code_challenge", "")) == 43,
            "scope": set(asked.get("scope", "").split()) == SCOPES,
            "resource": asked.get("resource") == RESOURCE,
            "redirect_uri": _is_loopback(asked.get("redirect_uri", "")),
            "agent_name_hint": ("agent_name_hint" in asked) == first,
            "client_id": first or asked.get("client_id") in self.registered,
            "ext_agent_host_id": asked.get("ext_agent_host_id", "").startswith("urn:uuid:"),
            "prompt": asked.get("prompt", "consent") == "consent",
        }
        return ", ".join(name for name, kept in rules.items() if not kept)

    # --- the program --------------------------------------------------------------------------------------

    def _token(self, request: Request) -> Reply:
        form = self._form("token", request)
        if self.down:
            self.down -= 1
            return json_reply({"error": "temporarily_unavailable"}, 503)
        kinds = {"authorization_code": self._redeem, "refresh_token": self._renew}
        kind = kinds.get(form.get("grant_type", ""))
        if kind is None or form.get("resource") != RESOURCE or request.header("authorization"):
            return _refusal("invalid_request")
        if form.get("client_id") not in self.registered:
            return _refusal("invalid_client", 401)
        return kind(form)

    def _form(self, name: str, request: Request) -> dict[str, str]:
        content_type = request.header("content-type") or ""
        pairs = parse_qsl(request.body.decode(), keep_blank_values=True, strict_parsing=True)
        form = dict(pairs)
        self.asked.append((name, form))
        is_form = content_type.partition(";")[0] == "application/x-www-form-urlencoded"
        return form if is_form and len(pairs) == len(form) else {}

    def _redeem(self, form: dict[str, str]) -> Reply:
        known = {"grant_type", "client_id", "code", "code_verifier", "redirect_uri", "resource"}
        asked = self._codes.pop(form.get("code", ""), None)
        if form.keys() != known or asked is None:
            return _refusal("invalid_grant" if form.keys() == known else "invalid_request")
        challenge = hashlib.sha256(form["code_verifier"].encode()).digest()
        right = (
            base64.urlsafe_b64encode(challenge).rstrip(b"=").decode() == asked["code_challenge"]
            and form["redirect_uri"] == asked["redirect_uri"]
            and form["client_id"] == asked["client_id"]
        )
        return self._grant(asked["client_id"], asked["nonce"]) if right else _refusal("invalid_grant")

    def _renew(self, form: dict[str, str]) -> Reply:
        token = form.get("refresh_token", "")
        if form.keys() != {"grant_type", "client_id", "refresh_token", "resource"}:
            return _refusal("invalid_request")
        if token in self.spent:
            return _refusal("refresh_token_reused", 401)
        if token in self.revoked or token not in self.refresh:
            return _refusal("invalid_refresh_token", 401)
        early = self.clock() < self.refresh.pop(token)
        self.spent.add(token)  # an early refresh is refused, and spends it all the same
        return _refusal("invalid_grant") if early else self._grant(form["client_id"])

    def _grant(self, client_id: str, nonce: str | None = None) -> Reply:
        now = self.clock()
        access, renewal = "at_" + secrets.token_urlsafe(40), "rt_" + secrets.token_urlsafe(40)
        self.access.add(access)
        self.refresh[renewal] = now + EARLIEST
        told = {
            "access_token": access,
            "refresh_token": renewal,
            "token_type": "Bearer",
            "expires_in": LIFETIME,
            "scope": self.scope,
            "earliest_refresh_at": int(now + EARLIEST),
        }
        if nonce is not None:
            told["id_token"] = self.sign({**self._identity(client_id, nonce), **self.claims})
        told.update(self.answer)
        return json_reply({name: value for name, value in told.items() if value is not None})

    def _identity(self, client_id: str, nonce: str) -> dict[str, Any]:
        now = int(self.clock())
        return {
            "iss": self.url,
            "aud": [client_id],
            "sub": "user-1",
            "exp": now + 600,
            "iat": now,
            "nonce": nonce,
            "email": "ada@example.org",
            "https://api.openai.com/auth": {"chatgpt_plan_type": "plus"},
        }

    def _sign(self, claims: dict[str, Any]) -> str:
        from joserfc import jwt

        return jwt.encode({"alg": self.algorithm, "kid": self.key.kid}, claims, self.key)

    def _revoke(self, request: Request) -> Reply:
        form = self._form("revoke", request)
        if self.down:
            self.down -= 1
            return json_reply({"error": "temporarily_unavailable"}, 503)
        if form.keys() != {"token", "token_type_hint", "client_id"} or form["token_type_hint"] != "refresh_token":
            return _refusal("invalid_request")
        if form["client_id"] not in self.registered:
            return _refusal("invalid_client", 401)
        self.refresh.pop(form["token"], None)
        self.revoked.add(form["token"])
        return Reply(200, (), [])


def _new_key(kind: str) -> RSAKey | ECKey:
    from joserfc.jwk import ECKey, RSAKey

    key = RSAKey.generate_key(2048) if kind == "RSA" else ECKey.generate_key("P-256")
    key.ensure_kid()
    return key


def _is_loopback(uri: str) -> bool:
    parts = urlsplit(uri)
    exact = (parts.scheme, parts.hostname, parts.path, parts.query, parts.fragment)
    return exact == ("http", "127.0.0.1", "/auth/callback", "", "") and bool(parts.port)


def _refusal(code: str, status: int = 400) -> Reply:
    return json_reply({"error": code, "error_description": "a text of the server"}, status)


def browse(url: str) -> httpx.Response:
    """What a browser does whose user agrees: it follows the redirect, and shows the page."""
    with httpx.Client(follow_redirects=True, timeout=10) as browser:
        return browser.get(url)


def landing(url: str) -> str:
    """The address at which the browser of another machine ends: nothing answers there."""
    with httpx.Client(timeout=10) as browser:
        response = browser.get(url)
    assert response.status_code == 302, response.text
    return response.headers["location"]
