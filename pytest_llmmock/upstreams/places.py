"""Where a request goes at another address."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from ..core.model import Exchange

_VERSION = re.compile(r"v\d+\w*")


def place(base_url: str, path: str) -> tuple[str, str]:
    """Origin and path of a request below a base URL.

    A base URL with a path (`https://host/openai/v1`) stands for the client's `/v1`; one without
    (`http://127.0.0.1:8000`) for the root of the server. Ollama's routes and other versions are beside `/v1`. What
    Anthropic's clients take as a base URL has no `/v1`.
    """
    parts = urlsplit(base_url)
    root = parts.path.rstrip("/")
    origin = f"{parts.scheme}://{parts.netloc}"
    if not root:
        return origin, path
    first = path.split("/", 2)[1]
    if first == "api" or (_VERSION.fullmatch(first) and first != "v1"):
        return origin, root.removesuffix("/v1") + path
    beside = path.startswith("/v1/messages") and not _VERSION.fullmatch(root.rpartition("/")[2])
    return origin, root + (path.removeprefix("/v1") if first == "v1" and not beside else path)


def below(exchange: Exchange) -> str:
    """The path without what the client's own provider has before it, such as Groq's `/openai/v1`."""
    path = exchange.sent.path
    route = exchange.target.partition(" ")[2]
    versioned = route if route.startswith(("/v1/", "/api/")) else "/v1" + route
    named = exchange.operation != "opaque" and path.endswith(route)
    return versioned if named and len(path) > len(versioned) else path
