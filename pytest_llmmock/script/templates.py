"""Templates: texts with values of the request in them, `{{ last_message }}`.

Jinja2 renders them in its sandbox: a file of rules can compute texts, and do nothing else.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from difflib import get_close_matches
from functools import cache, cached_property, lru_cache
from random import Random
from typing import Any

from ..core.json_text import compact
from ..errors import ScriptError
from .view import View

NAMES = (
    "call",
    "headers",
    "inputs",
    "json",
    "last_message",
    "last_word",
    "messages",
    "model",
    "now",
    "operation",
    "options",
    "path",
    "regex",
    "stream",
    "system",
    "timestamp",
    "tools",
    "turn",
    "uuid",
)
"""What a template can name."""

_ALONE = re.compile(r"\s*\{\{-?((?:(?!\{\{|\}\}).)*?)-?\}\}\s*", re.DOTALL)
"""A text that is one expression and nothing else."""


class Values(Mapping[str, Any]):
    """The values that templates can name for one reply; what none names is not worked out."""

    def __init__(self, view: View, seed: str) -> None:
        self._view = view
        self._seed = seed

    def __getitem__(self, name: str) -> Any:
        if name not in NAMES:
            raise KeyError(name)
        own = getattr(type(self), f"_{name}", None)
        return getattr(self, f"_{name}") if own is not None else getattr(self._view, name)

    def __iter__(self) -> Iterator[str]:
        return iter(NAMES)

    def __len__(self) -> int:
        return len(NAMES)

    @property
    def _last_message(self) -> str:
        return self._view.text

    @property
    def _last_word(self) -> str:
        """Without the signs around it."""
        words = re.findall(r"\w+(?:[-'.]\w+)*", self._view.text)
        return str(words[-1]) if words else ""

    @property
    def _headers(self) -> Mapping[str, str]:
        return _Headers(self._view.headers)

    @property
    def _inputs(self) -> tuple[Any, ...]:
        return self._view.prompt.inputs

    @property
    def _json(self) -> Any:
        return self._view.json if self._view.json is not None else {}

    @cached_property
    def _moment(self) -> datetime:
        return datetime.fromtimestamp(self._view.exchange.started, UTC)

    @property
    def _now(self) -> str:
        return self._moment.strftime("%Y-%m-%dT%H:%M:%SZ")

    @property
    def _timestamp(self) -> int:
        return int(self._moment.timestamp())

    @property
    def _regex(self) -> Any:
        """The groups, by number and by name."""
        found = self._view.regex
        return {} if found is None else {**dict(enumerate((found[0], *found.groups()))), **found.groupdict()}

    @cached_property
    def _uuid(self) -> str:
        """One for each reply: the same for the n-th reply of a test in every run."""
        from uuid import UUID

        return str(UUID(int=Random(self._seed).getrandbits(128), version=4))


class _Headers(dict[str, str]):
    """Names are the same in capitals and without."""

    def __getitem__(self, name: str) -> str:
        return super().__getitem__(name.lower())

    def get(self, name: str, default: Any = None) -> Any:
        return super().get(name.lower(), default)

    def __contains__(self, name: object) -> bool:
        return super().__contains__(str(name).lower())


def render(text: str, values: Mapping[str, Any], place: str = "") -> str:
    """The text with the values in it. Raises `ScriptError`."""
    if not _has_marks(text):
        return text
    return str(_told(text, place, lambda: _compiled(text).render(values)))


def render_value(value: Any, values: Mapping[str, Any], place: str = "") -> Any:
    """JSON with the values in its texts. A text that is one expression becomes what that is: `"{{ json.n }}"` a number.

    Raises `ScriptError`.
    """
    if isinstance(value, Mapping):
        return {render(str(key), values, place): render_value(item, values, place) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [render_value(item, values, place) for item in value]
    if not isinstance(value, str):
        return value
    alone = _ALONE.fullmatch(value)
    if alone is None:
        return render(value, values, place)
    return _told(value, place, lambda: _evaluated(alone[1], values))


def check(value: Any) -> str:
    """What is wrong with the templates in a value before anything is asked; '' when nothing is."""
    from jinja2 import TemplateError

    if isinstance(value, Mapping):
        return next(filter(None, map(check, [*value, *value.values()])), "")
    if isinstance(value, list | tuple):
        return next(filter(None, map(check, value)), "")
    if not isinstance(value, str) or not _has_marks(value):
        return ""
    try:
        return _unknown(value)
    except TemplateError as error:
        return f"{value!r} is no template: {error.message or error}"


def _unknown(text: str) -> str:
    """Names that no request has: a typo is found before a test runs."""
    from jinja2.meta import find_undeclared_variables

    odd = sorted(find_undeclared_variables(_environment().parse(text)) - set(NAMES))
    _compiled(text)
    return f"{text!r} names {odd[0]!r}, which there is not.{_nearest(odd[0])}" if odd else ""


def _nearest(name: str) -> str:
    near = get_close_matches(name, NAMES, n=1)
    return f" Did you mean {near[0]!r}?" if near else f" There are: {', '.join(NAMES)}."


def _has_marks(text: str) -> bool:
    return "{{" in text or "{%" in text or "{#" in text


def _told(text: str, place: str, made: Callable[[], Any]) -> Any:
    """What a template makes, or where it went wrong."""
    from jinja2 import TemplateError, TemplateSyntaxError

    where = f"{place}: " if place else ""
    try:
        return made()
    except TemplateSyntaxError as error:
        raise ScriptError(f"{where}{text!r} is no template: {error.message}") from None
    except TemplateError as error:
        raise ScriptError(f"{where}the template {text!r} cannot be rendered: {error.message}") from None
    except (TypeError, ValueError, ArithmeticError, LookupError, AttributeError) as error:
        raise ScriptError(f"{where}the template {text!r} fails: {type(error).__name__}: {error}") from None


@lru_cache(maxsize=512)
def _compiled(text: str) -> Any:
    return _environment().from_string(text)


def _evaluated(expression: str, values: Mapping[str, Any]) -> Any:
    """What an expression is, as JSON can hold it."""
    from jinja2 import Undefined

    found = _expression(expression)(**values)
    if isinstance(found, Undefined):
        str(found)  # raises, and says what is not there
    return found if _is_json(found) else str(found)


def _is_json(value: Any) -> bool:
    try:
        compact(value)
    except (TypeError, ValueError):
        return False
    return True


@lru_cache(maxsize=512)
def _expression(expression: str) -> Any:
    return _environment().compile_expression(expression, undefined_to_none=False)


@cache
def _environment() -> Any:
    """The sandbox: no files, no functions beside Jinja2's filters, and no name that is not there passes for ''."""
    from jinja2 import StrictUndefined
    from jinja2.sandbox import ImmutableSandboxedEnvironment

    environment = ImmutableSandboxedEnvironment(
        undefined=StrictUndefined, keep_trailing_newline=True, finalize=_finalized, autoescape=False
    )
    environment.globals.clear()
    return environment


def _finalized(value: Any) -> Any:
    """What is no text stands in one as JSON has it."""
    return compact(value) if isinstance(value, bool | Mapping | list | None) else value
