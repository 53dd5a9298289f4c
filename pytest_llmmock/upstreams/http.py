"""The network: the only code that opens a connection."""

from __future__ import annotations

import os
import re
import socket
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from functools import lru_cache
from typing import TYPE_CHECKING, Any
from weakref import WeakSet

from ..core.live import Live
from ..core.model import OURS, Headers, Reply, Request, without_user
from ..core.sse import is_stream
from ..errors import CutConnection, UpstreamError
from . import unpacking

if TYPE_CHECKING:
    import ssl

    import httpx

CONNECT_TIMEOUT = 15.0
"""Seconds."""

READ_TIMEOUT = 600.0
"""Seconds until an answer begins, and between two pieces of it: a model may think for minutes."""

_SECONDS_TO_LEAVE = 2.0

_NOT_SENT = frozenset(
    {
        "accept-encoding",
        "connection",
        "content-length",
        "host",
        "keep-alive",
        "proxy-authorization",
        "proxy-connection",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
        "x-llmmock-cassette",
    }
)

_FRAMING = frozenset(
    {"connection", "content-encoding", "content-length", "keep-alive", "trailer", "transfer-encoding", "upgrade"}
)


class Network:
    """Sends requests to upstreams. Proxies and certificates are those of the environment, as httpx reads them."""

    def __init__(self, timeout: float = READ_TIMEOUT) -> None:
        self._timeout = timeout
        self._client: httpx.Client | None = None
        self._opening = threading.Lock()
        self._connections: WeakSet[Any] = WeakSet()
        self._answers: WeakSet[Live] = WeakSet()
        self._asking = 0
        self._answered = threading.Condition(self._opening)

    def send(self, request: Request) -> Reply:
        """Ask. Raises `UpstreamError`.

        A stream is live: its frames come as the upstream sends them. What is none is taken before anybody sees it, so
        that it can be recorded even when the client looks at its status only.
        """
        import httpx

        since, seconds = time.monotonic(), self._seconds(request)
        client = self._open()
        try:
            with self._waiting():
                response = client.send(self._prepared(request), stream=True)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise UpstreamError(_failure(request, error, seconds)) from error
        content_type = response.headers.get("content-type", "")
        chunks = _chunks(response, request, client.headers["accept-encoding"], seconds)
        live = Live(chunks, response.close, since=since, content_type=content_type, wake=lambda: _wake(response))
        with self._opening:
            self._answers.add(live)
        if not _is_stream(request, response):
            live.take()
        frames = live.seen if live.whole else live
        reason = response.reason_phrase
        return Reply(response.status_code, _headers(response), frames, reason, "upstream", live=not live.whole)

    @contextmanager
    def _waiting(self) -> Iterator[None]:
        """While an answer has not begun."""
        with self._answered:
            self._asking += 1
        try:
            yield
        finally:
            with self._answered:
                self._asking -= 1
                self._answered.notify_all()

    def _open(self) -> httpx.Client:
        with self._opening:
            if self._client is None:
                self._client = _new_client(self._timeout)
            return self._client

    def _seconds(self, request: Request) -> float:
        """How long an answer to this is waited for."""
        return self._timeout if request.patience is None else min(request.patience, self._timeout)

    def _prepared(self, request: Request) -> httpx.Request:
        """Compression is not asked for: what comes is to pass through as it comes."""
        timeout = _timeout(self._seconds(request)).as_dict()
        kept = [*(pair for pair in request.headers if pair[0] not in _NOT_SENT), ("accept-encoding", "identity")]
        headers = [_written(*pair) for pair in kept]
        return self._open().build_request(
            request.method,
            request.url,
            headers=headers,
            content=request.body or None,
            extensions={OURS: True, "trace": self._trace, "timeout": timeout},
        )

    def _trace(self, event: str, info: dict[str, Any]) -> None:
        """Know the connections: who waits for an answer that has not begun can be woken in no other way."""
        if event.endswith((".connect_tcp.complete", ".start_tls.complete")):
            with self._opening:
                self._connections.add(info["return_value"])

    def close(self) -> None:
        """Close all connections. Threads that wait for an answer are woken, and have let go before."""
        with self._answered:
            client, self._client = self._client, None
            answers = list(self._answers)
            for connection in list(self._connections):
                _shut(connection)
            self._answered.wait_for(lambda: not self._asking, _SECONDS_TO_LEAVE)
        for answer in answers:
            answer.hang_up()
            answer.rest(_SECONDS_TO_LEAVE)
        if client is not None:
            client.close()


def _timeout(seconds: float) -> httpx.Timeout:
    import httpx

    return httpx.Timeout(seconds, connect=min(seconds, CONNECT_TIMEOUT))


def _new_client(seconds: float) -> httpx.Client:
    """Raises `UpstreamError` where the environment names a proxy or certificates that cannot be used."""
    import httpx

    limits = httpx.Limits(max_connections=None, max_keepalive_connections=20)
    try:
        trust = _trust(*(os.environ.get(name) for name in ("SSL_CERT_FILE", "SSL_CERT_DIR")))
        return httpx.Client(verify=trust, timeout=_timeout(seconds), limits=limits, follow_redirects=False)
    except (OSError, ValueError, ImportError) as error:
        raise UpstreamError(
            f"No connection can be opened with the proxies and certificates of the environment: {_cause(error)}. "
            f"Look at {_named_in(os.environ)}. Nothing was asked."
        ) from error


@lru_cache(maxsize=4)
def _trust(file: str | None, folder: str | None) -> ssl.SSLContext:
    """Whose certificates are trusted. Reading them takes longer than a short answer, and each test has a client."""
    import httpx

    return httpx.create_ssl_context()


_OF_THE_NETWORK = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", "SSL_CERT_FILE", "SSL_CERT_DIR")


def _named_in(environ: Mapping[str, str]) -> str:
    """The variables that may be wrong. Their values may hold a password."""
    found = [name for name in environ if name.upper() in _OF_THE_NETWORK]
    return ", ".join(sorted(found) or _OF_THE_NETWORK)


def _written(name: str, value: str) -> tuple[bytes, bytes]:
    """A header as it came in. Raises `UpstreamError`, which does not tell the value: it may be a key."""
    if _IN_NO_HEADER.search(value):
        raise UpstreamError(
            f"The header {name!r} holds a line break or another character that no header may hold, so nothing was "
            "asked. Is the key, or the setting, that it is made of whole, and without anything around it?"
        )
    return name.encode("latin-1"), value.encode("latin-1")


_IN_NO_HEADER = re.compile(r"[^\t -~\x80-\xff]")


def _headers(response: httpx.Response) -> Headers:
    pairs = ((name.lower(), value) for name, value in response.headers.multi_items())
    told = response.request.method == "HEAD"  # how long the body would be that does not come
    return tuple(pair for pair in pairs if pair[0] not in _FRAMING or (told and pair[0] == "content-length"))


def _is_stream(request: Request, response: httpx.Response) -> bool:
    """Whether an answer may come in pieces that somebody waits for, or may have no end."""
    media_type = response.headers.get("content-type", "").partition(";")[0].strip().lower()
    if is_stream(media_type):
        return True
    is_json = media_type == "application/json" or media_type.endswith("+json")
    return "content-length" not in response.headers and (not is_json or _asks_for_stream(request))


def _asks_for_stream(request: Request) -> bool:
    """Some providers stream JSON as one long list; it is asked for in the path (Gemini) or in the body."""
    asked = request.json()
    return "stream" in request.path.lower() or (isinstance(asked, dict) and bool(asked.get("stream")))


def _chunks(response: httpx.Response, request: Request, known: str, timeout: float) -> Iterator[bytes]:
    """What arrives, as it arrives. Raises `CutConnection` when it breaks off."""
    import httpx

    try:
        yield from unpacking.pieces(response, known)
    except httpx.ReadTimeout as error:
        raise CutConnection(
            f"The answer of {without_user(request.origin)} stopped: nothing came for {timeout:g} seconds. "
            f"{_more_time(request)}",
            f"nothing came for {timeout:g} seconds",
        ) from error
    except (httpx.HTTPError, httpx.StreamError) as error:
        raise CutConnection(
            f"The answer of {without_user(request.origin)} broke off: {_cause(error)}.", _cause(error)
        ) from error


def _more_time(request: Request) -> str:
    """What to do where a model takes longer; what is no model is asked again."""
    if request.patience is not None:
        return "Try again later."
    return "To wait longer, set LLMMOCK_TIMEOUT, or timeout in llm_config or the ini file (llm_timeout), in seconds."


def _failure(request: Request, error: Exception, timeout: float) -> str:
    import httpx

    asked = f"{request.method} {request.path}"
    if isinstance(error, httpx.ConnectTimeout):
        return (
            f"The upstream {without_user(request.origin)} could not be reached within "
            f"{min(timeout, CONNECT_TIMEOUT):g} seconds, for {asked}. Is its address right, and does a proxy stand "
            "before it (HTTPS_PROXY)? Nothing was recorded."
        )
    if isinstance(error, httpx.TimeoutException):
        return (
            f"The upstream {without_user(request.origin)} did not answer {asked} within {timeout:g} seconds. "
            f"Nothing was recorded. {_more_time(request)}"
        )
    if "CERTIFICATE_VERIFY_FAILED" in str(error):
        return (
            f"The upstream {without_user(request.origin)} was not asked {asked}: its certificate is not trusted "
            f"({_cause(error)}). If a gateway or a proxy has one of its own, SSL_CERT_FILE names its authority's file."
        )
    return (
        f"The upstream {without_user(request.origin)} did not answer {asked}: {_cause(error)}. "
        "Is it running, and is its address right? Nothing was recorded."
    )


def _wake(response: httpx.Response) -> None:
    """End the wait of a thread for the next piece of an answer."""
    stream = response.extensions.get("network_stream")
    if stream is not None:
        _shut(stream)


def _shut(stream: Any) -> None:
    connection = stream.get_extra_info("socket")
    if connection is not None:
        with suppress(OSError):  # the other side was faster
            connection.shutdown(socket.SHUT_RDWR)


def _cause(error: Exception) -> str:
    return str(error) or type(error).__name__
