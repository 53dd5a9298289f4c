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
from .addresses import SIGN_IN_PATIENCE
from .logins import Login
from .token_file import Document, Tokens
from .unbroken import unbroken

EARLY = 300.0
"""Seconds before its end at which a token is renewed, as ChatMock and GPTMock do."""

_PERMANENT = ("refresh_token_reused", "refresh_token_expired", "refresh_token_invalidated", "invalid_grant")
_CODE = re.compile(r"[a-z_]{3,60}")


class Renewal:
    """One login that is kept fit for use."""

    def __init__(
        self,
        login: Login,
        issuer: str,
        user_agent: str,
        clock: Callable[[], float] = time.time,
        steady: Callable[[], float] = time.monotonic,
    ) -> None:
        """`steady` is a clock that nobody sets."""
        self.login = login
        self.trouble = ""
        """What whoever runs the tests should know: the file does not hold what was renewed, the clock is wrong."""
        self._issuer = issuer
        self._user_agent = user_agent
        self._clock = clock
        self._steady = steady
        self._unwritten: tuple[Tokens, Tokens] | None = None
        """What the file holds, and what has come in its place without finding its way there."""
        self._last = "", 0.0
        """The access token that came last, and when."""

    def tokens(self, send: Send) -> Tokens:
        """Tokens that hold for a while. Raises `UpstreamError`."""
        tokens = self._read()
        left = self._left(tokens)
        if left >= EARLY:
            return tokens
        try:
            return self.other_than(tokens, send)
        except UpstreamError:
            if left <= 0:
                raise
            return tokens  # it ends soon, and is still good

    def other_than(self, used: Tokens, send: Send) -> Tokens:
        """Tokens in place of those that are no good: another process's, or new ones. Raises `UpstreamError`.

        What came a moment ago is not renewed: the clock is wrong, or it was refused for another reason than its age.
        """
        if self._is_new(used):
            return used
        with self._alone():
            found = self._read()
            return found if found.access != used.access else unbroken(lambda: self._renewed(found, send))

    def _left(self, tokens: Tokens) -> float:
        """Seconds to its end; what does not say when that is has time."""
        return EARLY if tokens.expires is None else tokens.expires - self._clock()

    def _is_new(self, tokens: Tokens) -> bool:
        access, since = self._last
        return tokens.access == access and self._steady() - since < EARLY

    def _renewed(self, found: Tokens, send: Send) -> Tokens:
        """Raises `UpstreamError`."""
        self._check(found)
        try:
            fresh = self._fresh(found, taken(send(self._request(found))))
        except UpstreamError:
            now = self._read()
            if now == found:
                raise
            return now  # its owner, who knows no lock, was faster
        return self._kept(found, fresh)

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Whoever comes second finds what the first one has written: a token that is used twice ends the login."""
        with ExitStack() as held:
            try:
                held.enter_context(files.locked_for_all(self.login.path))
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
        origin, body = f"{parts.scheme}://{parts.netloc}", compact(asked).encode()
        return Request("POST", origin, path, headers=headers, body=body, patience=SIGN_IN_PATIENCE)

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

    def _kept(self, before: Tokens, fresh: Tokens) -> Tokens:
        """What is used from now on: the new tokens, or those with which somebody has logged in meanwhile.

        A disk that is full must not cost the login: what is new is used to the end of this run, and that is said.
        """
        self._last = fresh.access, self._steady()
        stored = self._unwritten[0] if self._unwritten and self._unwritten[1] == before else before
        when = datetime.fromtimestamp(self._clock(), UTC).isoformat().replace("+00:00", "Z")
        try:
            now = token_file.read(self.login.path)
            if now != stored:
                return now
            token_file.write(self.login.path, fresh, when)
        except (OSError, UsageError) as error:
            self._unwritten = stored, fresh
            self.trouble = (
                f"{self._called} was renewed, and cannot be written: {getattr(error, 'strerror', None) or error}. "
                f"It is used to the end of this run; then log in again:  {self.login.tool.renew}"
            )
            return fresh
        self.trouble = self._of_the_clock(fresh)
        return fresh

    def _of_the_clock(self, fresh: Tokens) -> str:
        """'' when it is right."""
        if self._left(fresh) >= EARLY:
            return ""
        return f"{self._called} was renewed, and ends at once by the clock of this machine. Is the clock right?"

    @property
    def _called(self) -> str:
        return f"The login of {self.login.tool.name} ({self.login.path})"


def _code(value: Document) -> str:
    """Why it was refused: `error`, `error.code` or `code`, and nothing else of what was said."""
    told = (value.text("error"), Document.of(value.get("error")).text("code"), value.text("code"))
    return next(filter(_CODE.fullmatch, told), "")
