"""Secrets out, before anything is written or compared: headers by allow-list, all else by what it holds."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace
from fnmatch import fnmatchcase

from ..core.model import Headers, Reply, Request
from .cassette import Interaction, Recorded
from .draft import Draft
from .identity import without_asker
from .scrubber import Scrubber
from .secrets import Secrets

REQUEST_HEADERS = (
    "accept",
    "anthropic-beta",
    "anthropic-version",
    "content-type",
    "openai-beta",
    "range",
)
"""What a recording keeps of a request's headers. All others, known or not, are never written."""

REPLY_HEADERS = (
    "accept-ranges",
    "anthropic-ratelimit-*",
    "cache-control",
    "content-disposition",
    "content-length",  # of an answer to HEAD, which has no body to count
    "content-range",
    "content-type",
    "etag",
    "last-modified",
    "location",
    "openai-model",
    "openai-processing-ms",
    "openai-version",
    "request-id",
    "retry-after",
    "retry-after-ms",
    "x-chatgpt-operation-id",
    "x-ratelimit-*",
    "x-request-id",
    "x-should-retry",
)
"""What a recording keeps of a reply's headers. All others, known or not, are never written."""

_NOBODY = Request("GET", "", "/")

_LIST = re.compile(r"[*?\[]")


def kept(headers: Headers, allowed: tuple[str, ...]) -> Headers:
    """The headers that are on the list, in their order."""
    exact = {name for name in allowed if not _LIST.search(name)}
    patterns = [name for name in allowed if name not in exact]
    return tuple(
        pair for pair in headers if pair[0] in exact or any(fnmatchcase(pair[0], pattern) for pattern in patterns)
    )


def clean_request(request: Request, scrubber: Scrubber) -> Request:
    """The request as it is compared: the very same, when there is no secret in it."""
    origin, path, query = scrubber.place(request.origin, request.path, request.query)
    body = scrubber.body(request.body)
    if body is request.body and (origin, path, query) == (request.origin, request.path, request.query):
        return request
    headers = _clean_headers(request.headers, scrubber)  # the border of a form may be among what was replaced
    return replace(request, origin=origin, path=path, query=query, headers=headers, body=body)


def scrub_request(request: Request, secrets: Secrets | None = None) -> Request:
    """The request as it may be written."""
    scrubber = Scrubber(secrets or Secrets.of())
    clean = clean_request(request, scrubber)
    headers = _clean_headers(kept(request.headers, REQUEST_HEADERS), scrubber)
    return replace(clean, method=scrubber.text(request.method), headers=headers)


def scrub_reply(reply: Reply, secrets: Secrets | None = None, asked: Request | None = None) -> Reply:
    """The reply, to what was asked, as it may be written. Its frames keep their times."""
    scrubber = Scrubber(secrets or Secrets.of())
    draft = Draft(reply.arrived)
    without_asker(draft, reply.content_type, asked or _NOBODY)
    scrubber.draft(draft, reply.content_type)
    return replace(
        reply,
        reason=scrubber.text(reply.reason),
        cut=scrubber.text(reply.cut),
        headers=_clean_headers(kept(reply.headers, REPLY_HEADERS), scrubber),
        frames=draft.frames if draft.changed else reply.arrived,
    )


def _clean_headers(headers: Headers, scrubber: Scrubber) -> Headers:
    return tuple((scrubber.text(name), _clean_value(name, value, scrubber)) for name, value in headers)


def _clean_value(name: str, value: str, scrubber: Scrubber) -> str:
    """A redirect is kept, for it is followed in replay too, but not what its address may say of the user."""
    if name != "location":
        return scrubber.text(value)
    address, mark, query = value.partition("?")
    origin, separator, path = address.partition("//")
    host, slash, rest = path.partition("/")
    clean = f"{origin}{separator}{host.rpartition('@')[2]}{slash}{rest}" if separator else address
    return scrubber.address(clean) + mark + scrubber.query(query)


def learn_all(interactions: Iterable[Interaction], secrets: Secrets) -> None:
    """Know the credentials of all recordings before the first is scrubbed: one may say what another was made with."""
    for each in interactions:
        secrets.learn(each.request, each.reply)


def scrub(recorded: Recorded, secrets: Secrets | None = None) -> Recorded:
    """The interaction as it may be written, without the credentials in its own headers wherever they stand again.

    Unless told, secrets are those of the environment.
    """
    secrets = secrets or Secrets.of()
    secrets.learn(recorded.request, recorded.reply)
    return Recorded(
        scrub_request(recorded.request, secrets),
        scrub_reply(recorded.reply, secrets, recorded.request),
        Scrubber(secrets).values(recorded.meta),
    )
