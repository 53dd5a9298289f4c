"""Secrets out, before anything is written or compared: headers by allow-list, credentials out of addresses."""

from __future__ import annotations

import re
from dataclasses import replace
from fnmatch import fnmatchcase
from urllib.parse import parse_qsl, urlencode

from ..core.model import Headers, Reply, Request
from .cassette import Recorded

REQUEST_HEADERS = (
    "accept",
    "anthropic-beta",
    "anthropic-version",
    "content-type",
    "openai-beta",
)
"""What a recording keeps of a request's headers. All others, known or not, are never written."""

REPLY_HEADERS = (
    "anthropic-ratelimit-*",
    "content-disposition",
    "content-type",
    "openai-model",
    "openai-processing-ms",
    "openai-version",
    "request-id",
    "retry-after",
    "retry-after-ms",
    "x-ratelimit-*",
    "x-request-id",
    "x-should-retry",
)
"""What a recording keeps of a reply's headers. All others, known or not, are never written."""

SECRET_PARAMETERS = frozenset(
    {"key", "api_key", "api-key", "apikey", "access_token", "auth", "token", "sig", "signature", "code"}
)
"""Parameters of a query that carry credentials."""

_LIST = re.compile(r"[*?\[]")


def kept(headers: Headers, allowed: tuple[str, ...]) -> Headers:
    """The headers that are on the list, in their order."""
    exact = {name for name in allowed if not _LIST.search(name)}
    patterns = [name for name in allowed if name not in exact]
    return tuple(
        pair for pair in headers if pair[0] in exact or any(fnmatchcase(pair[0], pattern) for pattern in patterns)
    )


def scrub_request(request: Request) -> Request:
    """The request as it may be written."""
    return replace(
        request,
        origin=_without_user(request.origin),
        query=_without_secrets(request.query),
        headers=kept(request.headers, REQUEST_HEADERS),
    )


def scrub_reply(reply: Reply) -> Reply:
    """The reply as it may be written."""
    return replace(reply, headers=kept(reply.headers, REPLY_HEADERS))


def scrub(recorded: Recorded) -> Recorded:
    """The interaction as it may be written."""
    return replace(recorded, request=scrub_request(recorded.request), reply=scrub_reply(recorded.reply))


def _without_user(origin: str) -> str:
    scheme, separator, authority = origin.partition("://")
    return scheme + separator + authority.rpartition("@")[2]


def _without_secrets(query: str) -> str:
    pairs = parse_qsl(query, keep_blank_values=True)
    harmless = [pair for pair in pairs if pair[0].lower() not in SECRET_PARAMETERS]
    return query if len(harmless) == len(pairs) else urlencode(harmless)
