"""A stand-in for ChatGPT's Codex backend and its sign-in server, on loopback. It refuses what the real ones refuse."""

from __future__ import annotations

import base64
import json
import os
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

from backend_answers import answer
from backend_rules import Refused, check
from serving import Serving

from pytest_llmmock.core.live import Live
from pytest_llmmock.core.model import Reply, Request, json_reply

CLIENT_ID = "app_EMoamEEZ73f0CkXaXp7hrann"
ACCOUNT = "3f1c2a54-9d3e-4f6b-8a57-1c2d3e4f5a6b"
EMAIL = "somebody.private@example.org"
USER = "user-Qx7Lm2Vb9Tz4Rk8Wp3Nc6Hd1"
PLANTED = (
    ("set-cookie", "__cf_bm=Vk3Jq8Rz1Lm5Xw9Tb2Nc; Path=/; Secure"),
    ("cf-ray", "8f2a4c6e0b1d3f5a-FRA"),
    ("x-request-id", "7c9e6679-7425-40de-944b-e07fc1f90ae7"),
    ("x-oai-request-id", "7c9e6679-7425-40de-944b-e07fc1f90ae8"),
    ("x-codex-turn-state", "turn-Zk4Vw8Qm2Rt6"),
    ("x-codex-plan-type", "plus"),
    ("x-codex-primary-used-percent", "12.5"),
    ("x-codex-credits-balance", "17"),
    ("openai-organization", "org-Ab12Cd34Ef56Gh78Ij90Kl12"),
    ("openai-model", "gpt-5.6-sol"),
)
"""What the backend says in its headers."""


def jwt(**claims: object) -> str:
    """A token as it looks; nobody verifies it."""
    parts = (json.dumps(part).encode() for part in ({"alg": "RS256", "typ": "JWT"}, claims))
    signature = base64.urlsafe_b64encode(os.urandom(24)).decode()
    return ".".join([*(base64.urlsafe_b64encode(part).decode().rstrip("=") for part in parts), signature])


class Backend(Serving):
    """One account, its tokens, and what it is asked."""

    def __init__(self, lasts: float = 3600.0) -> None:
        super().__init__()
        self.lasts = lasts
        """Seconds that an access token lasts."""
        self.refreshes: list[Request] = []
        self.valid: set[str] = set()
        """Access tokens that are taken."""
        self.down: tuple[int, object] | None = None
        """What the sign-in server says instead."""
        self.sealed: set[str] = set()
        """Encrypted thoughts that it has given out."""
        self.instructs = True
        """Whether it demands instructions. It did for long, and programs of today leave them out."""
        self._refresh = ""
        self._used: set[str] = set()
        self._lock = threading.Lock()

    @property
    def issuer(self) -> str:
        return self.url

    @property
    def base_url(self) -> str:
        return self.url + "/backend-api/codex"

    @property
    def bodies(self) -> list[Any]:
        return [json.loads(request.body) for request in self.requests]

    def environ(self, home: Path) -> dict[str, str]:
        """The variables of a user of this backend, whose login is in this folder."""
        return {"CODEX_HOME": str(home), "LLMMOCK_CODEX_URL": self.base_url, "LLMMOCK_ISSUER": self.issuer}

    # --- signing in ---

    def issue(self, lasts: float | None = None) -> dict[str, str]:
        """New tokens; the refresh token before is used up, the access tokens before stay."""
        ends = int(time.time() + (self.lasts if lasts is None else lasts))
        whose = {"chatgpt_account_id": ACCOUNT, "chatgpt_plan_type": "plus", "chatgpt_user_id": USER}
        profile = {"https://api.openai.com/auth": whose, "https://api.openai.com/profile": {"email": EMAIL}}
        self._used.add(self._refresh)
        self._refresh = "rt_" + base64.urlsafe_b64encode(os.urandom(33)).decode()
        access = jwt(exp=ends, sub=USER, jti=os.urandom(8).hex(), **profile)
        self.valid.add(access)
        identity = jwt(exp=ends, sub=USER, email=EMAIL, aud=[CLIENT_ID], **profile)
        return {"id_token": identity, "access_token": access, "refresh_token": self._refresh}

    def login(self, home: Path, lasts: float | None = None, **more: object) -> Path:
        """A file as `codex login` writes it."""
        home.mkdir(parents=True, exist_ok=True)
        path = home / "auth.json"
        tokens = {**self.issue(lasts), "account_id": ACCOUNT}
        stored = {"OPENAI_API_KEY": None, "tokens": tokens, "last_refresh": "2026-11-01T08:00:00Z", **more}
        path.write_text(json.dumps(stored, indent=2))
        path.chmod(0o600)
        return path

    def _token(self, request: Request) -> Reply:
        self.refreshes.append(request)
        if self.down:
            return json_reply(self.down[1], self.down[0])
        asked = _fields(request)
        if asked.get("client_id") != CLIENT_ID or asked.get("grant_type") != "refresh_token":
            return json_reply({"error": "invalid_request", "error_description": "unknown client or grant"}, 400)
        with self._lock:
            given = asked.get("refresh_token")
            if given != self._refresh:
                code = "refresh_token_reused" if given in self._used else "refresh_token_invalidated"
                return json_reply({"error": {"message": f"Your refresh token {given} is no good.", "code": code}}, 401)
            return json_reply(self.issue())

    # --- the backend ---

    def handle(self, request: Request) -> Reply:
        """Nothing it says has a length: what stands in front of the real one sends all in chunks."""
        reply = self._handled(request)
        if reply.live:
            return reply
        live = Live([reply.body], lambda: None, since=0.0)
        return Reply(reply.status, reply.headers, live, live=True)

    def _handled(self, request: Request) -> Reply:
        if (request.method, request.path) == ("POST", "/oauth/token"):
            return self._token(request)
        self.requests.append(request)
        try:
            self._admit(request)
            body = check(request.json() | ({} if self.instructs else {"instructions": "none"}), self.sealed)
        except Refused as refused:
            return json_reply(refused.body, refused.status, (*PLANTED, *refused.headers))
        return answer(self, body)

    def _admit(self, request: Request) -> None:
        """Whether this is a request of somebody with a plan, for what there is."""
        if request.path != "/backend-api/codex/responses":
            raise Refused(404, {"detail": "Not Found"})
        token = (request.header("authorization") or "").removeprefix("Bearer ")
        if token not in self.valid:
            error = {"message": "Provided authentication token is expired. Please try signing in again."}
            more = {"type": "invalid_request_error", "code": "token_expired", "param": None}
            raise Refused(401, {"error": {**error, **more}}, (("x-openai-authorization-error", "token_expired"),))
        if request.header("chatgpt-account-id") != ACCOUNT:
            raise Refused(401, {"detail": "Unauthorized"})
        if request.header("accept") != "text/event-stream" or request.header("content-type") != "application/json":
            raise Refused(415, {"detail": "Unsupported media type"})


def _fields(request: Request) -> dict[str, Any]:
    if "json" in (request.header("content-type") or ""):
        return request.json() or {}
    return {name: values[0] for name, values in parse_qs(request.body.decode()).items()}


def tokens_in(path: Path) -> dict[str, str]:
    return json.loads(path.read_text())["tokens"]


def identifying(backend: Backend, path: Path) -> Iterator[str]:
    """All that must not stand in a cassette."""
    yield from tokens_in(path).values()
    yield from backend.valid
    yield from backend.sealed
    yield from (EMAIL, USER, ACCOUNT)
    yield from (value.partition(";")[0] for name, value in PLANTED if len(value) > 12)
