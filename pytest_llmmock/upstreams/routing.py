"""Which upstream a request goes to: the one that it names, the one for its model, or the default."""

from __future__ import annotations

import re
from collections.abc import Callable, Container, Iterable, Mapping
from fnmatch import fnmatchcase
from urllib.parse import parse_qsl

from ..core.model import Exchange, Upstream
from ..errors import UpstreamError, UsageError
from . import UPSTREAMS
from .credentials import CHOICE
from .own import Own

Find = Callable[[str], Upstream]
"""The upstream of a name. Raises `UsageError`."""


class Models:
    """Which upstream is asked for which models."""

    def __init__(self, models: Mapping[str, str]) -> None:
        self._models = sorted(models.items(), key=lambda pair: _specific(pair[0]))

    def upstream(self, model: str) -> str:
        """The name of the upstream for a model; '' when there is none."""
        lower = model.lower()
        return next((name for pattern, name in self._models if model and fnmatchcase(lower, pattern.lower())), "")

    def __bool__(self) -> bool:
        return bool(self._models)


def named_by(exchange: Exchange) -> str:
    """The upstream that a request names itself; '' when it names none."""
    return dict(parse_qsl(exchange.sent.query)).get(CHOICE, "") if exchange.sent.query else ""


class Routes:
    """Chooses. An upstream is looked up when the first request goes there, for it may want a key."""

    def __init__(
        self, default: Callable[[], Upstream], models: Mapping[str, str], find: Find, names: Container[str]
    ) -> None:
        """`names` are those of all upstreams."""
        self._default = default
        self._names = names
        self._models = Models(models)
        self._find = find
        self._found: dict[str, Upstream] = {}

    def __call__(self, exchange: Exchange) -> Upstream:
        """Raises `UpstreamError` when the request names one that there is not, and `UsageError`."""
        named = named_by(exchange)
        if named and (named in self._names or self._default().NAME != "original"):
            return self._named(named)  # else it is a parameter that the client's own provider knows
        for_model = self._models.upstream(exchange.prompt.model) if self._models else ""
        return self._looked_up(for_model) if for_model else self._default()

    def _named(self, name: str) -> Upstream:
        """A request may only name what has a name: with an address, anybody who reaches us could send keys there."""
        try:
            if "://" in name:
                raise UsageError("A request names an upstream, and no address.")
            return self._looked_up(name)
        except UsageError as error:
            raise UpstreamError(f"The request asks for ?{CHOICE}={name}, and was not sent. {error}") from None

    def _looked_up(self, name: str) -> Upstream:
        if name not in self._found:
            self._found[name] = self._find(name)
        return self._found[name]


def _specific(pattern: str) -> tuple[bool, int, str]:
    """Sorts the most specific first: a name before patterns, of those the one that says more."""
    plain = len(re.sub(r"\[.*?\]|[*?]", "", pattern))
    return any(sign in pattern for sign in "*?["), -plain, pattern


def read(text: str) -> tuple[str, str]:
    """`grok-* = xai`. Raises `UsageError`."""
    pattern, equals, name = (each.strip() for each in text.rpartition("="))
    if not (equals and pattern and name):
        raise UsageError(f"{text.strip()!r} is not of the form PATTERN=UPSTREAM, such as grok-*=xai.")
    return pattern, name


def lines(text: str | Iterable[str]) -> list[str]:
    """What is told in several lines, or with commas between."""
    found = re.split(r"[\n,]", text) if isinstance(text, str) else [*text]
    return [each.strip() for each in found if each.strip()]


def destination(models: Mapping[str, str], owns: Mapping[str, Own], default: str) -> Callable[[Exchange], str]:
    """Where a request would go: a name, an address, or `default`, which is '' where nobody says."""
    wanted, names = Models(models), {*UPSTREAMS, *owns}

    def found(exchange: Exchange) -> str:
        named = named_by(exchange)
        name = named if named in names else wanted.upstream(exchange.prompt.model) or default
        return owns[name].url if name in owns else name

    return found
