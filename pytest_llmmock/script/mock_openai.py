"""The configuration of mock-openai-server as it stands, as rules.

What it leaves to chance falls the same way in each run, and vectors that nobody gives are the same for the same text.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from itertools import count
from random import Random
from typing import Any

from pydantic import AliasChoices, BaseModel, Field

from ..errors import UsageError
from . import vectors
from .checking import read_part
from .conditions import Condition, conditions_of
from .documents import Document, Place
from .functions import Computed
from .mock_openai_bodies import Bodies, Streaming
from .problems import Failing
from .replies import reply, usage_of
from .rules import Rule
from .view import View

_KEYS = ("server", "streaming", "responses", "models", "scenario_failures", "response_base_dir")

_OPERATIONS = {
    "chat_completions": "chat",
    "completions": "completions",
    "embeddings": "embeddings",
    "models": "models*",
}
"""What it calls an endpoint -> operation."""

_MODELS = (
    "gpt-4",
    "gpt-4-turbo",
    "gpt-3.5-turbo",
    "text-embedding-ada-002",
    "text-embedding-3-small",
    "text-embedding-3-large",
)
"""What it offers when nobody says."""

_DEFAULTS = {"temperature": 1.0, "top_p": 1.0, "n": 1, "stream": False, "presence_penalty": 0, "frequency_penalty": 0}
"""What a request says that does not say it."""

_ANSWER = "This is a mock response from the OpenAI API mock server."
_USAGE = {"input": 10, "output": 15, "total": 25}

_FIRST = 1_000_000_000
"""The priority of what comes before all answers: errors."""


class _Server(BaseModel):
    host: str | None = None
    port: int | None = None
    simulate_errors: bool = False
    error_rate: float = 0.0
    require_auth: bool = False


class _Pattern(BaseModel):
    match: dict[str, Any] = {}
    response_file: str
    priority: int = 0


class _Endpoint(BaseModel):
    patterns: list[Any] = []
    default: str | None = None


class _Failure(BaseModel):
    match: dict[str, Any] = {}
    status_code: int = 500
    message: str = "Simulated failure"
    type: str | None = Field(None, validation_alias=AliasChoices("type", "error_type"))
    code: str | None = None
    times: int = 1


class _File(BaseModel):
    server: Any = {}
    streaming: Any = {}
    responses: dict[str, Any] = {}
    models: list[Any] = []
    scenario_failures: dict[str, list[Any]] = {}
    response_base_dir: str = ""


def is_one(value: Any) -> bool:
    """Whether this is such a configuration."""
    return isinstance(value, dict) and "rules" not in value and any(key in value for key in _KEYS)


def address(document: Document, environ: Mapping[str, str]) -> tuple[str | None, int | None]:
    """Where it wants to be served, as far as it says."""
    file = read_part(_File, document.value, document.root)
    server = _changed(_Server, file.server, document.root / "server", environ, host="HOST", port="PORT")
    return server.host, server.port


def load(document: Document, environ: Mapping[str, str]) -> tuple[list[Rule], list[Rule]]:
    """Its rules, and what answers where none fits. Raises `UsageError`."""
    root = document.root
    file = read_part(_File, document.value, root)
    streaming = _changed(
        Streaming,
        file.streaming,
        root / "streaming",
        environ,
        enabled="STREAMING_ENABLED",
        chunk_delay_ms="CHUNK_DELAY",
    )
    bodies = Bodies(document.path.parent / file.response_base_dir, streaming)
    rules = [*_refusals(read_part(_Server, file.server, root / "server")), *_failures(file, root)]
    behind: list[Rule] = []
    for name, value in file.responses.items():
        place = root / "responses" / name
        endpoint = read_part(_Endpoint, value, place)
        rules += [_pattern(name, each, place / "patterns" / n, bodies) for n, each in enumerate(endpoint.patterns)]
        if endpoint.default is not None:
            behind.append(_rule(name, {}, 0, place / "default", bodies.of(endpoint.default, place / "default")))
    return rules, [*behind, *_usual(file, root)]


def _changed(kind: type[Any], value: Any, place: Place, environ: Mapping[str, str], **variables: str) -> Any:
    """A part of the file, over which variables `MOCK_OPENAI_…` go."""
    if not isinstance(value, dict):
        return read_part(kind, value, place)
    given = {name: environ.get(f"MOCK_OPENAI_{variable}") for name, variable in variables.items()}
    return read_part(kind, {**value, **{name: text for name, text in given.items() if text}}, place)


# --- rules ----------------------------------------------------------------------------------------------


def _pattern(endpoint: str, value: Any, place: Place, bodies: Bodies) -> Rule:
    given = read_part(_Pattern, value, place)
    body = bodies.of(given.response_file, place / "response_file")
    return _rule(endpoint, given.match, given.priority, place, body)


def _rule(endpoint: str, match: Mapping[str, Any], priority: int, place: Place, body: Callable[[View], Any]) -> Rule:
    return Rule(_conditions(endpoint, match, place), priority, place.short).add(Computed(body))


def _conditions(endpoint: str, match: Mapping[str, Any], place: Place) -> list[Condition]:
    operation = _OPERATIONS.get(endpoint)
    if operation is None:
        raise UsageError(f"{place}: there is no endpoint {endpoint!r}. Known are: {', '.join(_OPERATIONS)}.")
    conditions = conditions_of((), {"operation": operation})
    return [*conditions, *(_condition(name, value, place / "match" / name) for name, value in match.items())]


def _condition(name: str, wanted: Any, place: Place) -> Condition:
    if name in ("content_regex", "system_prompt"):
        if not isinstance(wanted, str):
            raise UsageError(f"{place}: {wanted!r} is no text.")
        return _looks_at_last(wanted, place) if name == "content_regex" else _looks_at_system(wanted)

    def misfit(view: View) -> str:
        body = view.json if isinstance(view.json, dict) else {}
        found = body.get(name, _DEFAULTS.get(name))
        return "" if found == wanted else f"{name} is {found!r}"

    return Condition(f"{name}={wanted!r}", misfit)


def _looks_at_last(pattern: str, place: Place) -> Condition:
    """At the last message, whoever said it."""
    try:
        compiled = re.compile(pattern)
    except re.error as error:
        raise UsageError(f"{place}: {pattern!r} is not a regular expression: {error}.") from None

    def misfit(view: View) -> str:
        said = view.messages[-1].text if view.messages else ""
        return "" if compiled.search(said) else "it is not in the last message"

    return Condition(f"content_regex={pattern!r}", misfit)


def _looks_at_system(words: str) -> Condition:
    def misfit(view: View) -> str:
        said = next((message.text for message in view.messages if message.role == "system"), "")
        return "" if words in said else "it is not in the first system message"

    return Condition(f"system_prompt={words!r}", misfit)


# --- errors ---------------------------------------------------------------------------------------------


def _refusals(server: _Server) -> list[Rule]:
    """Keys that are asked for, and errors by chance."""
    rules = []
    if server.require_auth:
        rules.append(Rule([_without_key()], _FIRST + 1).add(Failing(401)))
    if server.simulate_errors and server.error_rate > 0:
        rate = server.error_rate / 100 if server.error_rate > 1 else server.error_rate
        failing = Failing(500, "simulated_error", "Simulated server error", type="server_error")
        rules.append(Rule([_by_chance(rate)], _FIRST).add(failing))
    return rules


def _without_key() -> Condition:
    def misfit(view: View) -> str:
        return "it has a key" if view.headers.get("authorization", "").startswith("Bearer sk-") else ""

    return Condition("server.require_auth", misfit)


def _by_chance(rate: float) -> Condition:
    numbers = count(1)

    def misfit(view: View) -> str:
        return "" if Random(f"mock-openai-server:{next(numbers)}").random() < rate else "by chance"

    return Condition(f"server.error_rate={rate}", misfit)


def _failures(file: _File, root: Place) -> list[Rule]:
    """Errors for so many times; below 0 for ever."""
    rules = []
    for endpoint, values in file.scenario_failures.items():
        for number, value in enumerate(values):
            place = root / "scenario_failures" / endpoint / number
            given = read_part(_Failure, value, place)
            failing = Failing(given.status_code, given.code, given.message, type=given.type)
            rule = Rule(_conditions(endpoint, given.match, place), _FIRST - 1, place.short)
            rules += [rule.add(failing, given.times if given.times > 0 else None)] if given.times else []
    return rules


# --- answers --------------------------------------------------------------------------------------------


def _usual(file: _File, root: Place) -> list[Rule]:
    """What it answers where nobody says anything."""
    words = reply(_ANSWER, usage=usage_of(_USAGE))
    offered = [_model(model) for model in file.models or _MODELS]
    made = {
        "chat_completions": words,
        "completions": words,
        "embeddings": reply(embedding={"dimensions": vectors.DIMENSIONS}),
        "models": reply(json={"object": "list", "data": offered}),
    }
    return [Rule(_conditions(name, {}, root), 0, f"{root.short} {name}").add(said) for name, said in made.items()]


def _model(given: Any) -> dict[str, Any]:
    described = given if isinstance(given, dict) else {"id": str(given)}
    return {"object": "model", "created": 0, "owned_by": "openai", **described}
