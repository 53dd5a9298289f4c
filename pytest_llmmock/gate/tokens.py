"""Keys that a server of ours asks for, and what comes of wrong ones."""

from __future__ import annotations

import math
import re
import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from hmac import compare_digest

from ..core.model import Headers, Problem
from ..errors import UsageError

HEADERS = ("authorization", "x-api-key", "api-key")
"""Headers in which clients send their key: OpenAI's behind `Bearer`, Anthropic's, Azure's."""

_BEARER = re.compile(r"\s*bearer\s+(.*?)\s*\Z", re.IGNORECASE | re.DOTALL)
_TOKEN = re.compile(r"[\x21-\x7e]+")
_LOCK_OUT = re.compile(r"\s*(\d+)\s*/\s*(\d+(?:\.\d+)?)\s*([smh]?)\s*")
_SECONDS = {"": 1, "s": 1, "m": 60, "h": 3600}


@dataclass(frozen=True, slots=True)
class LockOut:
    """After so many wrong keys within so many seconds nobody is let in."""

    failures: int
    seconds: float


def read_tokens(value: str | Sequence[str]) -> tuple[str, ...]:
    """The keys of a setting. Raises `UsageError`, which shows none of them."""
    tokens = (value,) if isinstance(value, str) else tuple(value)
    for number, token in enumerate(tokens, 1):
        if not _TOKEN.fullmatch(token):
            what = "is empty" if not token else "holds a space, or a sign that a header cannot carry"
            which = f"Token {number} of {len(tokens)}" if len(tokens) > 1 else "The token"
            raise UsageError(f"{which} {what}. Say one that a client can send, such as sk-test-1.")
    return tokens


def read_lock_out(text: str) -> LockOut | None:
    """What `--lock-out 5/60s` says; None for ''. Raises `UsageError`."""
    if not text:
        return None
    found = _LOCK_OUT.fullmatch(text)
    failures, seconds = (int(found[1]), float(found[2]) * _SECONDS[found[3]]) if found else (0, 0.0)
    if failures < 1 or seconds <= 0:
        raise UsageError(f"There is no lock-out {text!r}. Say failures/time, such as 5/60s or 3/10m.")
    return LockOut(failures, seconds)


class Tokens:
    """The keys of which a request must have one; without any, every request is let in."""

    def __init__(self, tokens: Sequence[str], dummy: str, lock_out: LockOut | None, clock: Callable[[], float]) -> None:
        """`dummy` is what is seen in place of a right key."""
        self._tokens = [token.encode() for token in tokens]
        self._dummy = dummy
        self._lock_out = lock_out
        self._clock = clock
        self._lock = threading.Lock()
        self._failures: deque[float] = deque()

    def fits(self, headers: Headers) -> bool:
        """Whether one of the keys is among these headers, or none is asked for."""
        return not self._tokens or any(self._is_right(key) for _, _, key in _keys(headers))

    def _is_right(self, key: str) -> bool:
        """Compared with every key, each in a time that does not tell how much of it is right."""
        given = key.encode(errors="replace")
        return sum(compare_digest(given, token) for token in self._tokens) > 0

    def refusal(self, headers: Headers) -> Problem | None:
        """Why a request is not let in; None when it is."""
        if not self._tokens:
            return None
        with self._lock:
            wait = self._locked_for()
        if wait > 0:
            return _locked_out(wait)
        if self.fits(headers):
            return None
        with self._lock:
            self._failures.append(self._clock())
        return wrong_key(headers)

    def _locked_for(self) -> float:
        """Seconds until somebody is let in again. What failed too long ago does not count."""
        if self._lock_out is None:
            self._failures.clear()
            return 0.0
        since = self._clock() - self._lock_out.seconds
        while self._failures and self._failures[0] <= since:
            self._failures.popleft()
        if len(self._failures) < self._lock_out.failures:
            return 0.0
        return self._failures[-self._lock_out.failures] - since

    def hidden(self, headers: Headers) -> Headers:
        """The headers with the dummy in place of each right key."""
        right = {at: scheme + self._dummy for at, scheme, key in _keys(headers) if self._is_right(key)}
        if not right:
            return headers
        return tuple((name, right.get(at, value)) for at, (name, value) in enumerate(headers))

    def reset(self) -> None:
        """Forget who had a wrong key."""
        with self._lock:
            self._failures.clear()


def _keys(headers: Headers) -> Iterator[tuple[int, str, str]]:
    """The keys among headers: the number of the header, what stands before the key, and the key."""
    for number, (name, value) in enumerate(headers):
        bearer = _BEARER.match(value) if name == "authorization" else None
        if bearer is not None:
            yield number, "Bearer ", bearer[1]
        elif name in HEADERS and name != "authorization":
            yield number, "", value.strip()


def wrong_key(headers: Headers) -> Problem:
    """A request without a key, or with a wrong one, which is not said back."""
    told = "Incorrect API key provided." if any(_keys(headers)) else "You didn't provide an API key."
    how = "This server wants one of its keys, as `Authorization: Bearer KEY`, `x-api-key: KEY` or `api-key: KEY`."
    return Problem(401, f"{told} {how}", "invalid_api_key", headers=(("www-authenticate", "Bearer"),))


def _locked_out(wait: float) -> Problem:
    seconds = math.ceil(wait)
    why = f"Too many requests had a wrong key, so nobody is let in. Try again in {seconds} s."
    return Problem(429, why, "too_many_auth_failures", "requests", headers=(("retry-after", str(seconds)),))
