"""Pages of other origins that may ask a server of ours (CORS): https://fetch.spec.whatwg.org/#http-cors-protocol"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import replace

from ..core.model import Headers, Reply, Request
from ..errors import UsageError

_ORIGIN = re.compile(r"\*|null|[a-z][a-z0-9+.-]*://[^\s/?#,@]+", re.IGNORECASE)
_METHODS = "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS"
_OURS = re.compile("access-control-(?:allow|expose)-.*")
_SECONDS = "86400"

Handle = Callable[[Request], Reply]


def read_origins(value: str | Sequence[str]) -> tuple[str, ...]:
    """The origins of a setting. Raises `UsageError`."""
    origins = (value,) if isinstance(value, str) else tuple(value)
    for origin in origins:
        if not _ORIGIN.fullmatch(origin):
            raise UsageError(
                f"{origin!r} is not an origin. Say scheme, host and port without a path, such as "
                "http://localhost:5173, or * for any."
            )
    return tuple(origin.lower() for origin in origins)


def opened_to(origins: Sequence[str], handle: Handle) -> Handle:
    """The same function for pages of these origins as well; without any, the function itself."""
    return _Opened(origins, handle).handle if origins else handle


class _Opened:
    """Answers what a browser asks ahead, and says of each answer who may read it."""

    def __init__(self, origins: Sequence[str], handle: Handle) -> None:
        self._origins = origins
        self._handle = handle

    def handle(self, request: Request) -> Reply:
        if request.method == "OPTIONS" and request.header("access-control-request-method") is not None:
            return self._ahead(request)
        reply = self._handle(request)
        allowed = self._allowed(request)
        kept = tuple(pair for pair in reply.headers if not _OURS.fullmatch(pair[0]))
        exposed = ", ".join(dict.fromkeys(name for name, _ in kept))
        more = (*allowed, ("access-control-expose-headers", exposed)) if allowed and exposed else allowed
        return replace(reply, headers=(*self._varying(kept), *more))

    def _ahead(self, request: Request) -> Reply:
        """The answer before a request: whether it may be sent. No recording and no key is asked for it."""
        allowed = self._allowed(request)
        if allowed:
            wanted = request.header("access-control-request-headers")
            allowed += (("access-control-allow-methods", _METHODS), ("access-control-max-age", _SECONDS))
            allowed += (("access-control-allow-headers", wanted),) if wanted else ()
            private = request.header("access-control-request-private-network") == "true"
            allowed += (("access-control-allow-private-network", "true"),) if private else ()
        vary = "Origin, Access-Control-Request-Method, Access-Control-Request-Headers"
        return Reply(204, (("vary", vary), *allowed), [], source="script")

    def _allowed(self, request: Request) -> Headers:
        """Who may read the answer; nothing when this origin may not."""
        origin = request.header("origin")
        if "*" in self._origins:
            return (("access-control-allow-origin", "*"),)
        if origin is None or origin.lower() not in self._origins:
            return ()
        return (("access-control-allow-origin", origin),)

    def _varying(self, headers: Headers) -> Headers:
        """That the answer is another for another origin: else a cache gives one page what another was allowed."""
        if "*" in self._origins:
            return headers
        told = [value for name, value in headers if name == "vary"]
        known = {member.strip().lower() for value in told for member in value.split(",")}
        return headers if known & {"origin", "*"} else (*headers, ("vary", "Origin"))
