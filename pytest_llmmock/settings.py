"""Settings: default < ini < `llm_config` < environment < command line < marker."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, fields
from difflib import get_close_matches
from functools import cache
from pathlib import Path
from typing import Any, Literal

from .cassettes.matchers import DEFAULT, Keys
from .core.chunking import read_chunking
from .core.delivery import Delivery
from .core.pacing import read_speed
from .declared import Misfit, conforming
from .errors import UsageError
from .gate.limits import read_limits
from .gate.origins import read_origins
from .gate.tokens import read_lock_out, read_tokens
from .upstreams import UPSTREAMS, own, routing
from .upstreams import check as check_upstream
from .upstreams.own import Own

Mode = Literal["none", "once", "new_episodes", "changed", "all"]

MODES: tuple[Mode, ...] = ("none", "once", "new_episodes", "changed", "all")

Unplayed = Literal["ignore", "warn", "fail"]

Egress = Literal["guard", "allow"]

ReasoningCompat = Literal["off", "think-tags", "o3", "legacy"]

OnMiss = Literal["default", "error", "rules"]

Validate = Literal["off", "warn", "error"]

ENVIRONMENT = {
    "LLMMOCK_RECORD": "mode",
    "LLMMOCK_UPSTREAM": "upstream",
    "LLMMOCK_UPSTREAMS": "upstreams",
    "LLMMOCK_MODELS": "models",
    "LLMMOCK_MAX_CONCURRENCY": "max_concurrency",
    "LLMMOCK_QUEUE_LIMIT": "queue_limit",
    "LLMMOCK_RETRIES": "retries",
    "LLMMOCK_RETRY_SECONDS": "retry_seconds",
    "LLMMOCK_TIMEOUT": "timeout",
    "LLMMOCK_BUDGET": "budget",
    "LLMMOCK_CASSETTE_DIR": "cassette_dir",
    "LLMMOCK_UNPLAYED": "unplayed",
    "LLMMOCK_EGRESS": "egress",
    "LLMMOCK_SPEED": "speed",
    "LLMMOCK_CHUNKING": "chunking",
    "LLMMOCK_RULES": "rules",
    "LLMMOCK_VALIDATE": "validate",
    "LLMMOCK_REASONING_EFFORT": "reasoning_effort",
    "LLMMOCK_REASONING_SUMMARY": "reasoning_summary",
    "LLMMOCK_REASONING_COMPAT": "reasoning_compat",
    "LLMMOCK_WEB_SEARCH": "web_search",
    "LLMMOCK_DEBUG_MODEL": "debug_model",
}
"""Variable -> setting."""

OF_UPSTREAMS = ("reasoning_effort", "reasoning_summary", "reasoning_compat", "web_search", "debug_model")
"""Settings that change what an upstream is asked."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """How requests are matched, answered and recorded."""

    mode: Mode = "none"
    """`none` replays and never asks an upstream; the others record, in vcrpy's words."""
    upstream: str = ""
    """A name or a base URL; '' for the default of the way in."""
    upstreams: dict[str, Own] = field(default_factory=dict)
    """Upstreams of one's own, by name: an address, or `url`, `key_env` and `headers`."""
    models: dict[str, str] = field(default_factory=dict)
    """Model, or pattern with `*` -> the upstream that is asked for it: `{"grok-*": "xai"}`."""
    max_concurrency: int | None = None
    """How many requests an upstream is asked at once; None for as many as come."""
    queue_limit: int = 100
    """How many more may wait for their turn; who comes then is told 429."""
    retries: int | None = None
    """How often an upstream that says 429 or 503 is asked again; None for twice, where it says how long to wait."""
    retry_seconds: float = 60.0
    """How long it is waited for that in all."""
    timeout: float = 600.0
    """Seconds until an answer has to begin, and between two pieces of it."""
    budget: str | int = ""
    """How much a recording run may ask: so many requests, or `200000 tokens`."""
    cassette_dir: str = "cassettes"
    """Where cassettes are, relative to pytest's root directory."""
    match_on: tuple[str, ...] = DEFAULT
    """Which matchers make the key."""
    ignore: tuple[str, ...] = ()
    """Paths in the body that do not count: `metadata.*`, `messages[0].content`."""
    normalisers: tuple[str | re.Pattern[str] | Callable[..., Any], ...] = ()
    """What changes on every run and is made the same before comparing: `uuid`, `timestamp`, a pattern, a function."""
    repeat: bool = False
    """Whether the last recording of a request is played again when it is asked once more."""
    unplayed: Unplayed = "warn"
    """What is done about interactions of a cassette that its test did not use."""
    hosts: tuple[str, ...] = ()
    """Further hosts, or patterns with `*`, whose requests are ours in process."""
    ignore_hosts: tuple[str, ...] = ()
    """Hosts, or patterns with `*`, whose requests always go to the real network."""
    record_errors: bool = False
    """Whether an upstream's 4xx and 5xx are recorded."""
    reasoning_effort: str = ""
    """How hard a model is to think where a request does not say: `low`, `medium`, `high` … (upstream `codex`)."""
    reasoning_summary: str = ""
    """How its thoughts are told where a request does not say: `auto`, `concise`, `detailed`, `none`."""
    reasoning_compat: ReasoningCompat = "off"
    """How thoughts are told to clients whose protocol has no place for them."""
    web_search: bool = False
    """Whether a model may search the web where a request does not say."""
    debug_model: str = ""
    """The model that is asked, whatever a request names."""
    record_abandoned: bool = False
    """Whether a stream that its client leaves early is read to its end, and recorded."""
    egress: Egress = "guard"
    """`guard` stops connections to model providers that no way in took, when nothing is recorded."""
    speed: str = "instant"
    """How fast replies come: `instant`, `recorded`, `x10`, `tps=40`, `ttft=0.3,tps=40`."""
    chunking: str = "recorded"
    """In which pieces bodies come: `recorded`, `event`, `bytes=N`, `hostile`, `hostile=SEED`."""
    rules: str | Path | dict[str, Any] | list[Any] = ""
    """A file of rules, which answer before the recordings do, or what would stand in one."""
    on_miss: OnMiss = "default"
    """`default`: what no rule and no recording answers, the file's `default` does. `error`: nothing does. `rules`: the
    recordings come first, and rules answer what they miss."""
    validate: Validate = "off"
    """Whether requests are checked as their API would: `error` answers its 400, `warn` tells at the end."""
    simulate: bool = False
    """Whether a provider is played that keeps what it is given: files, batches, responses."""
    model_list: tuple[str, ...] = ()
    """The models that a played provider has, or patterns with `*`; without any, it has every model."""
    expose_reasoning_models: bool = False
    """Whether a played provider also lists each reasoning model once for each effort: `gpt-5-high`."""
    auth_token: str | tuple[str, ...] = field(default=(), repr=False)
    """Keys of which a request must have one; without any, every request is answered."""
    lock_out: str = ""
    """When nobody is let in any more: `5/60s`, after so many wrong keys in such a time."""
    limits: str = ""
    """How much may be asked: `rpm=3,tpm=1000`, or the name of a profile."""
    cors_origin: str | tuple[str, ...] = ()
    """Origins of pages in a browser that may ask a server of ours; `*` for any."""


NAMES = tuple(each.name for each in fields(Settings))

Layer = tuple[str, Mapping[str, Any]]
"""Where settings come from, in words, and the settings."""


def combine(layers: Iterable[Layer]) -> Settings:
    """The settings of all layers, a later one over an earlier one; None is not set. Raises `UsageError`."""
    chosen: dict[str, Any] = {}
    for place, layer in layers:
        given = {name: value for name, value in layer.items() if value is not None}
        if not given:
            continue
        _check_names(place, given)
        chosen.update(_checked(place, {**given, **_read(place, given)}))
    if not chosen:
        return _defaults()
    settings = Settings(**chosen)
    _check_upstreams(settings)
    return settings


_defaults = cache(Settings)


_TEXTS: dict[str, Callable[[str], tuple[str, Any]]] = {"upstreams": own.read, "models": routing.read}
"""Settings that are a table, and what reads a line of one."""


def _read(place: str, given: Mapping[str, Any]) -> dict[str, Any]:
    """The tables that are told as text, as an ini file and the environment have it."""
    told = {name: given[name] for name in _TEXTS if isinstance(given.get(name), str | list | tuple)}
    try:
        tables = {name: dict(map(_TEXTS[name], routing.lines(text))) for name, text in told.items()}
    except UsageError as error:
        raise UsageError(f"{place}: {error}") from None
    owns = {**given, **tables}.get("upstreams")
    if isinstance(owns, Mapping):
        tables["upstreams"] = {name: {"url": told} if isinstance(told, str) else told for name, told in owns.items()}
    return tables


def _check_upstreams(settings: Settings) -> None:
    for name, told in settings.upstreams.items():
        own.check(name, told, UPSTREAMS)
    for pattern, name in settings.models.items():
        try:
            check_upstream(name, settings.upstreams)
        except UsageError as error:
            raise UsageError(f"models: {pattern!r} is to go to {name!r}. {error}") from None


def _check_names(place: str, given: Mapping[str, Any]) -> None:
    for name in given:
        if name not in NAMES:
            near = get_close_matches(name, NAMES, n=1)
            hint = f"Did you mean {near[0]!r}?" if near else f"Known are: {', '.join(NAMES)}."
            raise UsageError(f"{place}: there is no setting {name!r}. {hint}")


def _at_least(least: int) -> Callable[[float], None]:
    def check(number: float) -> None:
        if not least <= number < math.inf:
            raise UsageError(f"It is a number, {least} or more.")

    return check


def _above(bound: int) -> Callable[[float], None]:
    def check(number: float) -> None:
        if not bound < number < math.inf:
            raise UsageError(f"It is a number of seconds, more than {bound}.")

    return check


def _checked(place: str, given: Mapping[str, Any]) -> dict[str, Any]:
    """The values as the types that `Settings` declares."""
    try:
        checked = conforming(Settings, given)
    except Misfit as misfit:
        raise UsageError(f"{place}: {_shown(misfit.name, misfit.value)} is not possible. {misfit}.") from None
    for name, read in _GRAMMARS.items():
        if name in checked:
            _check_grammar(place, name, read, checked[name])
    return checked


def _check_budget(text: str) -> None:
    from .cassettes.budget import read_budget  # only recording spends anything

    read_budget(text)


_GRAMMARS: dict[str, Callable[[Any], object]] = {
    "speed": read_speed,
    "chunking": read_chunking,
    "auth_token": read_tokens,
    "lock_out": read_lock_out,
    "limits": read_limits,
    "cors_origin": read_origins,
    "budget": _check_budget,
    "max_concurrency": _at_least(1),
    "queue_limit": _at_least(0),
    "retries": _at_least(0),
    "retry_seconds": _at_least(0),
    "timeout": _above(0),
}


def _check_grammar(place: str, name: str, read: Callable[[Any], object], value: object) -> None:
    try:
        read(value)
    except UsageError as error:
        raise UsageError(f"{place}: {_shown(name, value)} is not possible. {error}") from None


def _shown(name: str, value: object) -> str:
    """A setting as it is told: never a key."""
    return name.partition(".")[0] if name.startswith("auth_token") else f"{name}={value!r}"


def from_environment(environ: Mapping[str, str]) -> Layer:
    """What the variables `LLMMOCK_…` say; an empty one says nothing."""
    given = {name: environ[variable] for variable, name in ENVIRONMENT.items() if environ.get(variable)}
    return f"environment ({', '.join(ENVIRONMENT)})", given


def told_to_upstreams(settings: Settings, environ: Mapping[str, str]) -> dict[str, str]:
    """The environment with the settings in it that upstreams read: these may come from anywhere."""
    variables = {name: variable for variable, name in ENVIRONMENT.items()}
    chosen = ((name, getattr(settings, name)) for name in OF_UPSTREAMS)
    return {**environ, **{variables[name]: str(value or "") for name, value in chosen}}


def keys_of(settings: Settings) -> Keys:
    """What makes two requests the same under these settings. Raises `UsageError`."""
    return Keys(settings.match_on, settings.ignore, settings.normalisers)


def delivery_of(settings: Settings) -> Delivery:
    """How replies are handed out under these settings. Raises `UsageError`."""
    return Delivery(read_speed(settings.speed), read_chunking(settings.chunking))
