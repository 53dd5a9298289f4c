"""Anything that speaks OpenAI's protocol at an address: a proxy, a gateway, a local server."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from urllib.parse import urlsplit, urlunsplit

from ..core.model import Exchange, Headers, Reply, Send
from ..errors import UsageError

KEY_VARIABLE = "LLMMOCK_UPSTREAM_API_KEY"
"""Holds the key for a base URL, where the client's own is not the right one."""

DUMMY_KEY = "llmmock"
"""What `llm_server` gives to clients as a key when the environment has none. It is never sent on."""

_KEY_HEADERS = ("authorization", "api-key", "x-api-key")

_VERSION = re.compile(r"v\d+\w*")


@dataclass(frozen=True, slots=True)
class BaseURL:
    """An upstream that is asked what the client asked, at another address."""

    NAME: str
    BASE_URL: str
    key: str = ""
    """Sent in place of the client's, if it is set."""

    def forward(self, exchange: Exchange, send: Send) -> Reply:
        request = exchange.sent
        origin, path = place(self.BASE_URL, request.path)
        return send(replace(request, origin=origin, path=path, headers=self.credentials(request.headers)))

    def credentials(self, headers: Headers) -> Headers:
        """The client's headers with the key that this upstream wants."""
        if self.key:
            others = tuple(pair for pair in headers if pair[0] not in _KEY_HEADERS)
            given = {name for name, _ in headers}
            used = next((name for name in _KEY_HEADERS if name in given), "authorization")
            return (*others, (used, f"Bearer {self.key}" if used == "authorization" else self.key))
        return tuple(pair for pair in headers if not is_dummy(pair))


def is_dummy(pair: tuple[str, str]) -> bool:
    """Whether a header carries the key that we gave out ourselves."""
    return pair[0] in _KEY_HEADERS and pair[1].split()[-1:] == [DUMMY_KEY]


def at(url: str, environ: Mapping[str, str]) -> BaseURL:
    """The upstream at a base URL. Raises `UsageError`."""
    parts = urlsplit(url)
    if not parts.hostname:
        raise UsageError(f"The upstream {url!r} has no host. A base URL looks like http://127.0.0.1:8000/v1.")
    bare = urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path.rstrip("/"), "", ""))
    return BaseURL(NAME=bare, BASE_URL=url.rstrip("/"), key=environ.get(KEY_VARIABLE, ""))


def place(base_url: str, path: str) -> tuple[str, str]:
    """Origin and path of a request below a base URL.

    A base URL with a path (`https://host/openai/v1`) stands for the client's `/v1`; one without
    (`http://127.0.0.1:8000`) for the root of the server. Ollama's routes and other versions are beside `/v1`.
    """
    parts = urlsplit(base_url)
    root = parts.path.rstrip("/")
    origin = f"{parts.scheme}://{parts.netloc}"
    if not root:
        return origin, path
    first = path.split("/", 2)[1]
    if first == "api" or (_VERSION.fullmatch(first) and first != "v1"):
        return origin, root.removesuffix("/v1") + path
    return origin, root + (path.removeprefix("/v1") if first == "v1" else path)
