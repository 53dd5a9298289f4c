"""What makes two requests the same: each matcher gives a value, and all values together are the key."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Sequence
from hashlib import blake2b, sha256
from secrets import token_bytes
from typing import Any
from urllib.parse import parse_qsl

from ..core.model import Exchange, header
from ..errors import UsageError
from . import media
from .credentials import is_secret
from .normalisers import Normaliser, Normalisers
from .normalisers import signature as signature_of
from .scrub import clean_request
from .scrubber import Scrubber
from .secrets import Secrets
from .values import parsed

VERSION = 2
"""Changes when the same request gets another key than before: stored keys are then computed anew."""

Matcher = Callable[[Exchange], object]

UNMATCHED_FIELDS = (
    "stream",  # a matcher of its own
    "stream_options",
    "service_tier",
    "fast_mode",
    "prompt_cache_key",
    "prompt_cache_retention",
    "client_metadata",
)
"""Fields of a body that say how to transport, bill or trace a request, not what is asked."""

UNMATCHED_PARAMETERS = ("provider",)
"""Parameters of the query that say where a request goes; those that say who sends it do not count either."""

_STREAMS_BY_DEFAULT = ("ollama.chat", "ollama.generate")
_MEMO_BYTES = 16 * 1024 * 1024

_Seen = tuple[int, tuple[object, ...], bytes]


def operation(exchange: Exchange) -> object:
    """Method and path, without host and prefix, and which part of a file is asked for."""
    part = header(exchange.request.headers, "range")
    return exchange.target if part is None else f"{exchange.target} {part}"


def query(exchange: Exchange) -> object:
    """The parameters behind the path, in any order."""
    asked = exchange.request.query
    if not asked:
        return []
    pairs = parse_qsl(asked, keep_blank_values=True)
    return sorted(pair for pair in pairs if pair[0] not in UNMATCHED_PARAMETERS and not is_secret(pair[0]))


def stream(exchange: Exchange) -> object:
    """Whether the answer is to come as a stream."""
    asked = parsed(exchange.request.body)
    default = exchange.operation in _STREAMS_BY_DEFAULT
    return bool(asked.get("stream", default)) if isinstance(asked, dict) else False


def body(exchange: Exchange) -> object:
    """What is asked: JSON without the fields that do not count, multipart by its parts, else the content."""
    request = exchange.request
    value = parsed(request.body)
    if isinstance(value, dict):
        counted = {name: item for name, item in value.items() if name not in UNMATCHED_FIELDS}
        return media.by_hash(counted) if media.may_hold(request.body) else counted
    content_type = request.header("content-type") or ""
    if value is None and content_type.lower().startswith("multipart/"):
        return multipart(request.body, content_type)
    return _content(request.body) if value is None else value


def model(exchange: Exchange) -> object:
    return exchange.prompt.model


def method(exchange: Exchange) -> object:
    return exchange.request.method


def path(exchange: Exchange) -> object:
    """The whole path, with its prefix."""
    return exchange.request.path


def host(exchange: Exchange) -> object:
    return exchange.request.host


MATCHERS: dict[str, Matcher] = {
    "operation": operation,
    "query": query,
    "stream": stream,
    "body": body,
    "model": model,
    "method": method,
    "path": path,
    "host": host,
}

DEFAULT = ("operation", "query", "stream", "body")


# --- bodies ---------------------------------------------------------------------------------------------


def _content(content: bytes) -> str:
    """Text as it is, anything else by its hash."""
    try:
        return content.decode()
    except UnicodeDecodeError:
        return "sha256:" + sha256(content).hexdigest()


_BOUNDARY = re.compile(r'boundary="?([^";,]+)"?', re.IGNORECASE)
_PARAMETER = re.compile(r'\b(name|filename)="((?:[^"\\]|\\.)*)"', re.IGNORECASE)


def multipart(content: bytes, content_type: str) -> object:
    """The parts of a form: name, file name and content of each, whatever the boundary (RFC 7578)."""
    found = _BOUNDARY.search(content_type)
    if found is None:
        return _content(content)
    delimiter = b"--" + found[1].encode()
    pieces = (b"\r\n" + content).split(b"\r\n" + delimiter)[1:]
    if not pieces or not pieces.pop().startswith(b"--"):
        return _content(content)  # not the form that its header says
    return [_part(piece.removeprefix(b"\r\n")) for piece in pieces]


def _part(piece: bytes) -> object:
    head, _, content = (b"\r\n" + piece).partition(b"\r\n\r\n")
    named = {name.lower(): value for name, value in _PARAMETER.findall(head.decode(errors="replace"))}
    return [named.get("name"), named.get("filename"), _content(content)]


# --- ignored paths --------------------------------------------------------------------------------------

_STEP = re.compile(r"\[(\d+|\*)\]|\.?([^.\[\]]+)")

Steps = tuple[str, ...]


def steps(path: str) -> Steps:
    """The steps of a path such as `messages[0].content` or `metadata.*`. Raises `UsageError`."""
    found = list(_STEP.finditer(path))
    if not found or "".join(match.group() for match in found) != path:
        raise UsageError(f"ignore={path!r} is not a path such as 'metadata.*', 'user' or 'messages[0].content'.")
    return tuple(match[1] or match[2] for match in found)


_GONE = object()


def without(value: Any, paths: Iterable[Steps]) -> Any:
    """The value without what the paths lead to; `*` leads to everything."""
    for path in paths:
        value = _marked(value, path)
    return _pruned(value)


def _marked(value: Any, path: Steps) -> Any:
    """Marked first and taken out later, so that no path shifts the numbers of another."""
    if not path:
        return _GONE
    step, rest = path[0], path[1:]
    if isinstance(value, dict):
        return {name: _marked(item, rest) if step in (name, "*") else item for name, item in value.items()}
    if isinstance(value, list):
        return [_marked(item, rest) if step in (str(n), "*") else item for n, item in enumerate(value)]
    return value


def _pruned(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _pruned(item) for name, item in value.items() if item is not _GONE}
    if isinstance(value, list):
        return [_pruned(item) for item in value if item is not _GONE]
    return value


# --- the key --------------------------------------------------------------------------------------------

_ENCODE = json.JSONEncoder(sort_keys=True, separators=(",", ":"), check_circular=False).encode


class Keys:
    """Computes keys in one way: from these matchers, without these paths, with these normalisers."""

    def __init__(
        self,
        match_on: Sequence[str] = DEFAULT,
        ignore: Iterable[str] = (),
        normalisers: Sequence[Normaliser] = (),
        secrets: Secrets | None = None,
    ) -> None:
        if not match_on:
            raise UsageError(f"match_on is empty: any request would do. Known are: {', '.join(MATCHERS)}.")
        self.match_on = tuple(match_on)
        self.ignore = tuple(ignore)
        self.normalisers = tuple(normalisers)
        self._matchers = [(name, _matcher(name)) for name in self.match_on]
        self._ignored = [steps(path) for path in self.ignore]
        self._normal = Normalisers(self.normalisers)
        self.secrets = secrets or Secrets.of()
        """What recordings must not hold: it is taken out of what is asked too, before they are compared."""
        self._scrubber = Scrubber(self.secrets, asked=True)
        self._memo: dict[_Seen, str] = {}
        self._memo_bytes = 0
        self._memorable = set(self.match_on) <= set(DEFAULT) and not any(map(callable, self.normalisers))
        self.signature = self._signature()
        """Names this way of computing keys; stored keys hold only where it is the same."""

    def _signature(self) -> bytes:
        """A function may be another in the next run, under the same name: its keys are never trusted."""
        normalisers = signature_of(self.normalisers)
        if normalisers is None:
            return token_bytes(16)
        way = (VERSION, self.match_on, self.ignore, *([normalisers] if normalisers else []))
        return blake2b(repr(way).encode(), digest_size=16).digest()

    def values(self, exchange: Exchange) -> dict[str, object]:
        """What each matcher sees, as it is compared."""
        exchange = self._without_secrets(exchange)
        if not self.normalisers and not self._ignored:
            return {name: matcher(exchange) for name, matcher in self._matchers}
        return {name: self._value(name, matcher, exchange) for name, matcher in self._matchers}

    def _without_secrets(self, exchange: Exchange) -> Exchange:
        """As it is recorded: one developer's recording answers another's request, and a key tells nothing."""
        clean = clean_request(exchange.request, self._scrubber)
        if clean is exchange.request:
            return exchange
        return Exchange(clean, exchange.operation, self._scrubber.address(exchange.target), exchange.dialect)

    def _value(self, name: str, matcher: Matcher, exchange: Exchange) -> object:
        value = matcher(exchange)
        if name != "body":
            return self._normal.value(value) if self.normalisers else value
        value = without(value, self._ignored) if self._ignored else value
        return self._normal.body(value) if self.normalisers else value

    def key(self, exchange: Exchange, *, stream: bool | None = None) -> str:
        """32 hexadecimal digits, as if `stream` were that where it is told. The same bytes again cost one lookup."""
        request = exchange.request
        self.secrets.learn(request, asked=True)
        asked = operation(exchange), request.query, header(request.headers, "content-type"), stream
        seen = (self.secrets.generation, asked, request.body)
        known = self._memo.get(seen)
        if known is None:
            known = self._computed(self.values(exchange), stream)
            self._remember(seen, known)
        return known

    def _computed(self, values: dict[str, object], stream: bool | None) -> str:
        if stream is not None:
            values["stream"] = stream
        return blake2b(_ENCODE(list(values.items())).encode(), digest_size=16).hexdigest()

    def _remember(self, seen: _Seen, key: str) -> None:
        if not self._memorable:
            return
        self._memo_bytes += len(seen[-1]) + 500
        if self._memo_bytes > _MEMO_BYTES:
            self._memo, self._memo_bytes = {}, 0
        self._memo[seen] = key


def _matcher(name: str) -> Matcher:
    if name not in MATCHERS:
        raise UsageError(f"match_on has {name!r}, which is not a matcher. Known are: {', '.join(MATCHERS)}.")
    return MATCHERS[name]
