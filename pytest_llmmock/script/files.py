"""Files of rules: what a test says in Python, in YAML or JSON.

What a person has written is checked with pydantic, and each error names file, line and key.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from pydantic import Field

from ..errors import UsageError
from . import aimock, templates
from .checking import Part, checked, read_part
from .conditions import conditions_of
from .documents import Document, Place, parse, read
from .mock_openai import address as address_of_other
from .mock_openai import is_one as is_other
from .mock_openai import load as load_other
from .problems import Failing, error
from .replies import NOTHING, Said, reply
from .rules import Rule

T = TypeVar("T")


class _File(Part):
    rules: list[Any] = Field(default_factory=list)
    default: Any = None


class _Rule(Part):
    when: Any = Field(default_factory=dict)
    priority: int = 0
    error: Any = None
    reply: Any = None


class _When(Part):
    model: str | None = None
    contains: str | list[str] | None = None
    regex: str | None = None
    system: str | None = None
    tool: str | None = None
    turn: int | None = None
    operation: str | None = None
    header: str | dict[str, str] | None = None
    path: str | None = None


class _Reply(Part):
    text: str | None = None
    tool_calls: Any = None
    json_: Any = Field(NOTHING, alias="json")
    reasoning: str = ""
    refusal: str = ""
    annotations: Any = None
    logprobs: Any = None
    usage: dict[str, int] | None = None
    finish_reason: str = ""
    image: str | bool | list[str | bool] | None = None
    audio: bool | None = None
    embedding: Any = None
    chunks: int | list[str] | None = None
    status: int = 200
    headers: dict[str, str] | None = None
    times: int | None = None


class _Error(Part):
    status: int
    code: str | None = None
    message: str | None = None
    type: str | None = None
    retry_after: float | None = None
    times: int | None = None


def load(given: str | Path | Any, environ: Mapping[str, str]) -> tuple[list[Rule], list[Rule]]:
    """The rules of a file, and those for what nothing else answers; or what would stand in one. Raises `UsageError`.

    A configuration of mock-openai-server is read as it stands, and `environ` may change it; so are fixtures of aimock.
    """
    if not isinstance(given, str | Path):
        return load_text(INLINE, _as_json(given))
    document = read(Path(given))
    if aimock.is_one(document.value):
        return aimock.load(document), []
    return load_other(document, environ) if is_other(document.value) else _rules(document)


INLINE = "rules.json"
"""What errors call rules that stand in the settings themselves."""


def _as_json(given: Any) -> str:
    try:
        return json.dumps(given, indent=1, allow_nan=False)
    except (TypeError, ValueError, RecursionError) as error:
        raise UsageError(f"The rules in the settings cannot be those of a file: {error}.") from None


def load_text(name: str, text: str) -> tuple[list[Rule], list[Rule]]:
    """The same of JSON that no file holds: what would stand in one, a list of rules, or one rule. Raises `UsageError`.

    `name` ends in `.json`, and is what errors call it.
    """
    document = parse(Path(name), text)
    if isinstance(document.value, list):
        return [_rule(value, document.root / number) for number, value in enumerate(document.value)], []
    if isinstance(document.value, dict) and _File.model_fields.keys().isdisjoint(document.value):
        return [_rule(document.value, document.root)], []
    return _rules(document)


def _rules(document: Document) -> tuple[list[Rule], list[Rule]]:
    file = read_part(_File, document.value, document.root)
    rules = [_rule(value, document.root / "rules" / number) for number, value in enumerate(file.rules)]
    return rules, [] if file.default is None else [_default(file.default, document.root / "default")]


def address(path: Path, environ: Mapping[str, str]) -> tuple[str | None, int | None]:
    """Host and port that a file names, which only mock-openai-server's does. Raises `UsageError`."""
    document = read(path)
    return address_of_other(document, environ) if is_other(document.value) else (None, None)


def _rule(value: Any, place: Place) -> Rule:
    given = read_part(_Rule, value, place)
    when = read_part(_When, given.when, place / "when")
    conditions = checked(partial(conditions_of, (), when.model_dump()), place / "when")
    return _answered(Rule(conditions, given.priority, place.short), given, place)


def _default(value: Any, place: Place) -> Rule:
    """As a rule without conditions, or only the text."""
    given = read_part(_Rule, {"reply": value} if isinstance(value, str) else value, place)
    if given.when or given.priority:
        raise UsageError(f"{place}: the default is for any request, so it has no `when` and no `priority`.")
    return _answered(Rule((), 0, place.short), given, place)


def _answered(rule: Rule, given: _Rule, place: Place) -> Rule:
    """The rule with what it answers: its errors first, then its replies."""
    steps = [*_steps(given.error, place / "error", _failing), *_steps(given.reply, place / "reply", _said)]
    if not steps:
        raise UsageError(f"{place}: it says nothing; it needs a `reply` or an `error`.")
    for number, (action, times, at) in enumerate(steps):
        once = times is None and isinstance(action, Failing) and number < len(steps) - 1
        checked(partial(rule.add, action, 1 if once else times), at)
    return rule


Step = tuple[Said | Failing, int | None, Place]


def _steps(value: Any, place: Place, made: Callable[[Any, Place], Step]) -> Iterator[Step]:
    """One of them, or a list."""
    if isinstance(value, list):
        yield from (made(one, place / number) for number, one in enumerate(value))
    elif value is not None:
        yield made(value, place)


def _said(value: Any, place: Place) -> Step:
    given = read_part(_Reply, {"text": value} if isinstance(value, str) else value, place)
    arguments = {name: item for name, item in given.model_dump(by_alias=True).items() if name != "times"}
    _check_templates(arguments, place)
    said = checked(partial(reply, **arguments, template=True), place)
    return _placed(said, place), given.times, place


def _failing(value: Any, place: Place) -> Step:
    given = read_part(_Error, {"status": value} if isinstance(value, int) else value, place)
    arguments = given.model_dump(exclude={"times"})
    _check_templates(arguments, place)
    failing = checked(partial(error, **arguments, template=True), place)
    return _placed(failing, place), given.times, place


def _placed(action: T, place: Place) -> T:
    return replace(action, place=str(place))  # type: ignore[type-var]


def _check_templates(arguments: Mapping[str, Any], place: Place) -> None:
    for name, value in arguments.items():
        wrong = templates.check(value)
        if wrong:
            raise UsageError(f"{place / name}: {wrong}")
