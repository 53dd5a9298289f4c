"""Renewing another tool's login as that tool would: alone, once, into the same file, and no sooner than needed."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from urllib.parse import urlsplit

from .. import files
from ..core.json_text import compact
from ..core.live import taken
from ..core.model import Reply, Request, Send
from ..errors import UpstreamError, UsageError
from . import token_file
from .logins import Login
from .token_file import Document, Tokens

EARLY = 300.0
"""Seconds before its end at which a token is renewed, as ChatMock and GPTMock do."""

_PERMANENT = ("refresh_token_reused", "refresh_token_expired", "refresh_token_invalidated", "invalid_grant")
_CODE = re.compile(r"[a-z_]{3,60}")


class Renewal:
    """One login that is kept fit for use."""

    def __init__(self, login: Login, issuer: str, user_agent: str, clock: Callable[[], float] = time.time) -> None:
        self.login = login
        self.trouble = ""
        """Why the file does not hold what was renewed."""
        self._issuer = issuer
        self._user_agent = user_agent
        self._clock = clock
        self._unwritten: tuple[Tokens, Tokens] | None = None
        """What the file held, and what has come in its place without finding its way there."""

    def tokens(self, send: Send) -> Tokens:
        """Tokens that hold for a while. Raises `UpstreamError`."""
        tokens = self._read()
        left = EARLY if tokens.expires is None else tokens.expires - self._clock()
        if left >= EARLY:
            return tokens
        try:
            return self.other_than(tokens, send)
        except UpstreamError:
            if left <= 0:
                raise
            return tokens  # it ends soon, and is still good

    def other_than(self, used: Tokens, send: Send) -> Tokens:
        """Tokens in place of those that are no good: another process's, or new ones. Raises `UpstreamError`."""
        with self._alone():
            found = self._read()
            if found.access != used.access:
                return found
            self._check(found)
            fresh = self._fresh(found, taken(send(self._request(found))))
            self._write(found, fresh)
            return fresh

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Whoever comes second finds what the first one has written: a token that is used twice ends the login."""
        with ExitStack() as held:
            try:
                held.enter_context(files.locked(self.login.path))
            except OSError as error:
                raise UpstreamError(f"{self._called} cannot be locked: {error.strerror or error}.") from None
            yield

    def _read(self) -> Tokens:
        try:
            tokens = token_file.read(self.login.path)
        except UsageError as error:
            raise UpstreamError(f"{self._called} {error}. Log in again:  {self.login.tool.renew}") from None
        if self._unwritten and tokens == self._unwritten[0]:
            return self._unwritten[1]
        return tokens

    def _check(self, tokens: Tokens) -> None:
        """Refuse before anything is asked: a token that is renewed and cannot be written is lost to its owner."""
        why = token_file.why_read_only(self.login.path) if tokens.refresh else "it holds no refresh token"
        if why:
            raise UpstreamError(
                f"{self._called} has run out, and was not renewed because {why}. "
                f"Have its owner renew it: use {self.login.tool.name} once, or log in again:  {self.login.tool.renew}"
            )

    def _request(self, tokens: Tokens) -> Request:
        parts = urlsplit(self._issuer)
        asked = Document(client_id=self.login.client_id, grant_type="refresh_token", refresh_token=tokens.refresh)
        headers = (
            ("content-type", "application/json"),
            ("accept", "application/json"),
            ("user-agent", self._user_agent),
        )
        path = f"{parts.path}/oauth/token"
        return Request("POST", f"{parts.scheme}://{parts.netloc}", path, headers=headers, body=compact(asked).encode())

    def _fresh(self, before: Tokens, reply: Reply) -> Tokens:
        """What the sign-in server has given. Fields that it leaves out stay as they were. Raises `UpstreamError`."""
        given = Document.of(reply.json())
        if reply.status != 200 or not given.text("access_token"):
            raise UpstreamError(self._refused(reply.status, _code(given)))
        access, refresh, id = (given.text(name) for name in ("access_token", "refresh_token", "id_token"))
        return replace(before, access=access, refresh=refresh or before.refresh, id=id or before.id)

    def _refused(self, status: int, code: str) -> str:
        why = f"status {status}{', ' + code if code else ''}"
        tool = self.login.tool
        if status == 401 or code in _PERMANENT:
            return (
                f"{self._called} has ended: its sign-in server refuses to renew it ({why}). Log in again:  {tool.renew}"
            )
        return f"{self._called} could not be renewed now ({why}). It is unchanged; try again later."

    def _write(self, before: Tokens, fresh: Tokens) -> None:
        """A disk that is full must not cost the login: what is new is used to the end of this run, and that is said."""
        when = datetime.fromtimestamp(self._clock(), UTC).isoformat().replace("+00:00", "Z")
        try:
            token_file.write(self.login.path, fresh, when)
        except (OSError, UsageError) as error:
            self._unwritten = before, fresh
            why = getattr(error, "strerror", None) or error
            self.trouble = (
                f"{self._called} was renewed, and cannot be written: {why}. It is used to the end of this run; "
                f"then log in again:  {self.login.tool.renew}"
            )

    @property
    def _called(self) -> str:
        return f"The login of {self.login.tool.name} ({self.login.path})"


def _code(value: Document) -> str:
    """Why it was refused: `error`, `error.code` or `code`, and nothing else of what was said."""
    told = (value.text("error"), Document.of(value.get("error")).text("code"), value.text("code"))
    return next(filter(_CODE.fullmatch, told), "")
