"""What of a request tells who asks, and what becomes of it on the way to an upstream."""

from __future__ import annotations

from urllib.parse import unquote_plus

from ..core.model import Headers

DUMMY_KEY = "llmmock"
"""What `llm_server` gives to clients as a key when the environment has none. It is never sent on."""

KEY_HEADERS = ("authorization", "api-key", "x-api-key")

_FOREIGN = frozenset(
    {
        *KEY_HEADERS,
        "anthropic-organization-id",
        "chatgpt-account-id",
        "cookie",
        "openai-organization",
        "openai-project",
        "proxy-authorization",
        "x-auth-token",
        "x-goog-api-key",
        "x-goog-user-project",
    }
)
"""Headers that hold a credential, or name an account."""

_IN_QUERY = frozenset({"key", "api_key", "apikey", "api-key", "access_token", "token"})

CHOICE = "provider"
"""The parameter of the query by which a request names its upstream. It is for us, and not sent on."""


def without_foreign(headers: Headers, name: str) -> Headers:
    """The headers without what was meant for another provider; an account at the one of this name may stay."""
    return tuple(
        pair for pair in headers if pair[0] not in _FOREIGN or (pair[0].startswith(name + "-") and not is_dummy(pair))
    )


def without_dummies(headers: Headers) -> Headers:
    return tuple(pair for pair in headers if not is_dummy(pair))


def is_dummy(pair: tuple[str, str]) -> bool:
    """Whether a header carries the key that we gave out ourselves."""
    return pair[0] in _FOREIGN and pair[1].split()[-1:] == [DUMMY_KEY]


def without_choice(query: str) -> str:
    """The query without the name of an upstream."""
    return _without(query, frozenset({CHOICE}))


def without_keys(query: str) -> str:
    """The query without the credentials that some providers take there."""
    return _without(query, _IN_QUERY)


def _without(query: str, names: frozenset[str]) -> str:
    """What is left is left as its client wrote it."""
    pairs = query.split("&") if query else []
    return "&".join(pair for pair in pairs if unquote_plus(pair.partition("=")[0]) not in names)
