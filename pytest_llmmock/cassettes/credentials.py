"""Which values of an environment, a request and a reply are credentials, or tell whose they are."""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any
from urllib.parse import parse_qsl, unquote

from ..core.model import Headers, Reply, Request
from .key_formats import PLACEHOLDER, SECRET, format_of
from .words import is_name, pieces, reads


@dataclass(frozen=True, slots=True)
class Credential:
    """A value that must not be written, and what is written in its place."""

    value: str
    kind: str = "secret"
    placeholder: str = SECRET


REQUEST_HEADERS = ("authorization", "proxy-authorization", "x-api-key", "api-key", "x-goog-api-key", "x-auth-token")
"""Headers that are credentials."""

ACCOUNT_HEADERS = (
    "anthropic-organization-id",
    "chatgpt-account-id",
    "openai-organization",
    "openai-project",
    "x-goog-user-project",
)
"""Headers that tell whose an exchange is, on either side."""

_SECRET_PARAMETER = re.compile(
    r"(?:.*[-_.])?(?:key|api_?key|token|secret|signature|sig|password|passwd|credential|credentials|auth)",
    re.IGNORECASE,
)
"""Names of parameters of a query that carry credentials: `key`, `api_key`, `access_token`, `X-Amz-Signature` …"""

_NO_SECRET_PARAMETER = re.compile(
    r"(?:.*[-_.])?(?:sort|cache|page|next|previous|continuation|cursor|primary|partition|foreign|group|order|row)"
    r"[-_.]?(?:key|token)",
    re.IGNORECASE,
)
"""Names that end in the same way, and tell where something is."""

_CERTAIN_VARIABLE = re.compile(
    r"(?:.*_)?(?:(?:API_?|ACCESS_|SECRET_|ADMIN_)KEYS?|TOKEN|SECRETS?|PASSWORDS?|PASSWD|PASS|PASSPHRASE|PAT)_?\d*|.+_PWD",
    re.IGNORECASE,
)
_VARIABLE = re.compile(r"(?:.*_)?(?:KEYS?|CREDENTIALS?|AUTH)_?\d*", re.IGNORECASE)
_PASSWORD = re.compile(r"://[^\s/@:]*:([^\s/@]+)@|\b(?:password|pwd)=([^\s;&]+)", re.IGNORECASE)
"""In the address of a database, and in what else a driver is told."""

_ACCOUNT_VARIABLES = ("OPENAI_ORG_ID", "OPENAI_ORGANIZATION", "OPENAI_PROJECT", "OPENAI_PROJECT_ID")

_KEY_START = re.compile(r"(?:sk|pk|xai|gsk|hf|r8|pplx|nvapi)[-_]|AIza|eyJ")
_MIXED = re.compile(r"[a-z].*[A-Z]")
_NAMED = re.compile(r"<[^>]*>|\[[^\]]*\]|\{+[^}]*\}+|\$\{\w+\}|\$[A-Z_]+")
_DUMMY_WORD = re.compile(
    "test|dummy|fake|mock|example|sample|your|my|the|a|openai|anthropic|api|key|token|here|authorization|bearer|"
    "not|needed|required|none|null|placeholder|changeme|x+"
)
"""What a key is called by people who need none."""
_LETTERS = re.compile(r"[^\W\d_]")

SHORTEST = 8


def is_secret(parameter: str) -> bool:
    """Whether a parameter of a query carries credentials, by its name."""
    return bool(_SECRET_PARAMETER.fullmatch(parameter)) and not is_harmless(parameter)


def is_harmless(parameter: str) -> bool:
    """Whether a name such as `sort_key` and `page_token` only ends as those of credentials do."""
    return _NO_SECRET_PARAMETER.fullmatch(parameter) is not None


def is_credential(value: str) -> bool:
    """Whether what stands in the place of a credential is one, and not a word such as `not-needed`.

    Ordinary words are left alone: they would be replaced wherever a prompt holds them.
    """
    if len(value) < SHORTEST or value.startswith(PLACEHOLDER) or _is_hidden(value):
        return False
    if value.isdigit():
        return len(value) >= 10
    long = len(_LETTERS.findall(value)) >= 16
    return long or bool(_KEY_START.match(value) or _MIXED.search(value)) or _has_digits(value) or not reads(value)


def _has_digits(value: str) -> bool:
    return any(map(str.isdigit, value))


def _is_hidden(value: str) -> bool:
    """Such as `****`, `<OPENAI_API_KEY>`, `${TOKEN}`, `your-api-key`: what stands there only names a value."""
    words = all(map(_DUMMY_WORD.fullmatch, pieces(value.lower())))
    return words or bool(_NAMED.fullmatch(value)) or "REDACTED" in value or "FILTERED" in value


def is_likely(value: str) -> bool:
    """Whether what stands where a credential may stand is one: not `customer_id_1`, a model or the path of a file."""
    if not is_credential(value) or is_name(value):
        return False
    return bool(_KEY_START.match(value)) or not reads(value) or _says_secret(value)


def is_set_secret(value: str, *, certain: bool) -> bool:
    """Whether the value of a variable is a credential, and no setting that a prompt may hold as well.

    What was drawn at random is one, and long words with hyphens that name nothing. `certain`: the variable's name
    is one of credentials only, so that also a phrase of words or a word with signs is one.
    """
    if not is_credential(value) or is_name(value):
        return False
    if is_likely(value) or format_of(value.encode(errors="surrogatepass")):
        return True
    if certain and _SIGN.search(value) and _has_digits(value):
        return True
    return (
        len(value) >= 16
        and bool(_HYPHENED.fullmatch(value))
        and (_is_numbered(value) or (certain and _is_phrase(value)))
    )


_SIGN = re.compile(r"[^\w\s./:,@-]")
_HYPHENED = re.compile(r"[^\W_]+(?:-[^\W_]+)*")
_YEAR = re.compile(r"(?:19|20)\d\d")
_CALLED = {"secret", "password", "passwd", "passphrase"}


def _is_numbered(value: str) -> bool:
    return any(_has_digits(piece) and not _YEAR.fullmatch(piece) for piece in pieces(value))


def _is_phrase(value: str) -> bool:
    words = pieces(value.lower())
    return len(words) >= 4 or not _CALLED.isdisjoint(words)


def _says_secret(value: str) -> bool:
    """Such as `my-secret-123`."""
    return bool(_HYPHENED.fullmatch(value)) and _has_digits(value) and not _CALLED.isdisjoint(pieces(value.lower()))


_TELLING = frozenset({*REQUEST_HEADERS, *ACCOUNT_HEADERS, "cookie", "set-cookie"})


def telling(message: Request | Reply) -> tuple[object, ...]:
    """What of a message can hold credentials: where it is the same, nothing new is told."""
    pairs = tuple([pair for pair in message.headers if pair[0] in _TELLING])
    return (pairs, message.origin, message.query) if isinstance(message, Request) else (pairs,)


# --- where they come from -------------------------------------------------------------------------------


def of_environment(environ: Mapping[str, str]) -> Iterator[Credential]:
    """The values of `OPENAI_API_KEY`, `GITHUB_TOKEN` and their like."""
    for name, value in environ.items():
        if name in _ACCOUNT_VARIABLES:
            yield from _account(value)
        else:
            yield from of_variable(name, value)


@lru_cache(maxsize=1024)
def of_variable(name: str, value: str) -> tuple[Credential, ...]:
    """Those in the value of one variable. Every test looks at the same ones again."""
    return tuple(_in_variable(name, value))


def _in_variable(name: str, value: str) -> Iterator[Credential]:
    certain = _CERTAIN_VARIABLE.fullmatch(name) is not None
    if certain or _VARIABLE.fullmatch(name):
        yield from (Credential(each) for each in _parts(name, value) if is_set_secret(each, certain=certain))
        yield from claims(value)
    for found in _PASSWORD.finditer(value):
        password = found[1] or found[2]
        each = dict.fromkeys((password, unquote(password)))
        yield from (Credential(one) for one in each if is_set_secret(one, certain=True))


def _parts(name: str, value: str) -> Iterator[str]:
    """All of it, each of several keys, and of `user:password` the password, also behind `Basic`."""
    yield value
    kind = name.upper().rstrip("_0123456789")
    if kind.endswith("S"):
        yield from (each for each in re.split(r"[,;\s]+", value) if each != value)
    if kind.endswith("AUTH"):
        token = value.rpartition(" ")[2]
        plain = _decoded(token)
        yield from (each.partition(":")[2] for each in (token, plain) if each.isprintable())


def of_request(request: Request) -> Iterator[Credential]:
    """The credentials with which a request is made, and the accounts that it names."""
    user = request.origin.partition("://")[2].rpartition("@")[0]
    if user:
        yield from _certain(*map(unquote, user.split(":", 1)))
    if request.query:
        yield from _certain(*(value for name, value in parse_qsl(request.query) if is_secret(name)))
    yield from of_headers(request.headers)


def of_message(message: Request | Reply) -> Iterator[Credential]:
    """Those of a request; the session that a reply begins, and the account that it names."""
    return of_request(message) if isinstance(message, Request) else of_headers(message.headers)


def of_headers(headers: Headers) -> Iterator[Credential]:
    for name, value in headers:
        if name in REQUEST_HEADERS:
            yield from _authorization(value)
        elif name in ACCOUNT_HEADERS:
            yield from _account(value)
        elif name in ("cookie", "set-cookie"):
            yield from _cookies(value, name)


def _certain(*values: str) -> Iterator[Credential]:
    yield from (Credential(value) for value in values if is_credential(value))


def _authorization(value: str) -> Iterator[Credential]:
    """What stands behind `Bearer`; of `Basic` the password, and the name if it is one as well."""
    scheme, token = _SCHEME.match(value).groups()  # type: ignore[union-attr]  # it matches any text
    yield from _certain(token)
    yield from claims(token)
    if scheme and scheme.lower() == "basic":
        yield from _certain(*_decoded(token).split(":", 1))


_SCHEME = re.compile(r"\s*(?:([A-Za-z]+)\s+)?(.*?)\s*\Z", re.DOTALL)


def _account(value: str) -> Iterator[Credential]:
    if is_likely(value):
        yield Credential(value, "account", PLACEHOLDER + "account")


def _cookies(value: str, name: str) -> Iterator[Credential]:
    pairs = value.split(";")[: 1 if name == "set-cookie" else None]
    values = (pair.partition("=")[2].strip().strip('"') for pair in pairs)
    yield from (Credential(each, "cookie") for each in values if is_likely(each))


# --- who a token says that its user is ------------------------------------------------------------------

_IDENTITY = re.compile(
    r"email|sub|sid|jti|(?:.*_)?(?:account|user|organization|org|project|tenant|session)_?(?:user_)?id|poid|oid|tid",
    re.IGNORECASE,
)
_JWT = re.compile(r"eyJ[\w-]+\.(eyJ[\w-]+)\.[\w-]*")


def claims(token: str) -> Iterator[Credential]:
    """The e-mail and the ids in a JWT."""
    found = _JWT.fullmatch(token)
    if found:
        try:
            value = json.loads(_decoded(found[1]))
        except (ValueError, RecursionError):
            return
        yield from _identities(value, "")


def _identities(value: Any, name: str) -> Iterator[Credential]:
    if isinstance(value, dict):
        for inner, item in value.items():
            listed = isinstance(item, list) and inner == "organizations"
            yield from _organizations(item) if listed else _identities(item, inner)
    elif isinstance(value, str) and _IDENTITY.fullmatch(name):
        if "@" in value:
            yield Credential(value, "e-mail", PLACEHOLDER + "email@example.com")
        elif is_likely(value):
            yield Credential(value, "account", PLACEHOLDER + "account")


def _organizations(items: list[Any]) -> Iterator[Credential]:
    """ChatGPT lists them with an `id`, which alone says too little to be known by."""
    for item in items:
        if isinstance(item, dict) and isinstance(item.get("id"), str):
            yield from _account(item["id"])


def _decoded(text: str) -> str:
    """Base64 of either alphabet, with its padding or without; '' when it is none."""
    try:
        content = base64.b64decode(text.replace("-", "+").replace("_", "/") + "=" * (-len(text) % 4))
    except (binascii.Error, ValueError):
        return ""
    return content.decode(errors="replace")
