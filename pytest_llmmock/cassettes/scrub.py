"""Secrets out, before anything is written or compared: headers by allow-list, credentials out of addresses."""

from __future__ import annotations

import re
from dataclasses import replace
from fnmatch import fnmatchcase
from urllib.parse import parse_qsl, urlencode

from ..core.model import Headers, Reply, Request, without_user
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
    "location",
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

_SECRET_PARAMETER = re.compile(
    r"(?:.*[-_.])?(?:key|api_?key|token|secret|signature|sig|password|passwd|credential|credentials|auth)",
    re.IGNORECASE,
)
"""Names of parameters of a query that carry credentials: `key`, `api_key`, `access_token`, `X-Amz-Signature` …"""

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
        origin=without_user(request.origin),
        query=_without_secrets(request.query),
        headers=kept(request.headers, REQUEST_HEADERS),
    )


def scrub_reply(reply: Reply) -> Reply:
    """The reply as it may be written."""
    return replace(reply, headers=tuple(map(_clean, kept(reply.headers, REPLY_HEADERS))))


def _clean(pair: tuple[str, str]) -> tuple[str, str]:
    """A redirect is kept, for it is followed in replay too, but not what its address may say of the user."""
    if pair[0] != "location":
        return pair
    address, mark, query = pair[1].partition("?")
    origin, separator, path = address.partition("//")
    host, slash, rest = path.partition("/")
    clean = f"{origin}{separator}{host.rpartition('@')[2]}{slash}{rest}" if separator else address
    return pair[0], clean + mark + _without_secrets(query)


def scrub(recorded: Recorded) -> Recorded:
    """The interaction as it may be written."""
    return replace(recorded, request=scrub_request(recorded.request), reply=scrub_reply(recorded.reply))


def _without_secrets(query: str) -> str:
    pairs = parse_qsl(query, keep_blank_values=True)
    harmless = [pair for pair in pairs if not is_secret(pair[0])]
    return query if len(harmless) == len(pairs) else urlencode(harmless)


def is_secret(parameter: str) -> bool:
    """Whether a parameter of a query carries credentials, by its name."""
    return _SECRET_PARAMETER.fullmatch(parameter) is not None
