"""Settings: default < ini < `llm_config` < environment < command line < marker."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, fields
from difflib import get_close_matches
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from .cassettes.matchers import DEFAULT, Keys
from .core.chunking import read_chunking
from .core.delivery import Delivery
from .core.pacing import read_speed
from .errors import UsageError

if TYPE_CHECKING:
    from pydantic import TypeAdapter

Mode = Literal["none", "once", "new_episodes", "changed", "all"]

MODES: tuple[Mode, ...] = ("none", "once", "new_episodes", "changed", "all")

Unplayed = Literal["ignore", "warn", "fail"]

Egress = Literal["guard", "allow"]

ReasoningCompat = Literal["off", "think-tags", "o3", "legacy"]

OnMiss = Literal["default", "error", "rules"]

ENVIRONMENT = {
    "LLMMOCK_RECORD": "mode",
    "LLMMOCK_UPSTREAM": "upstream",
    "LLMMOCK_CASSETTE_DIR": "cassette_dir",
    "LLMMOCK_UNPLAYED": "unplayed",
    "LLMMOCK_EGRESS": "egress",
    "LLMMOCK_SPEED": "speed",
    "LLMMOCK_CHUNKING": "chunking",
    "LLMMOCK_RULES": "rules",
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
    rules: str | Path = ""
    """A file of rules, which answer before the recordings do."""
    on_miss: OnMiss = "default"
    """`default`: what no rule and no recording answers, the file's `default` does. `error`: nothing does. `rules`: the
    recordings come first, and rules answer what they miss."""
    simulate: bool = False
    """Whether a provider is played that keeps what it is given: files, batches, responses."""
    model_list: tuple[str, ...] = ()
    """The models that a played provider has, or patterns with `*`; without any, it has every model."""


NAMES = tuple(field.name for field in fields(Settings))

Layer = tuple[str, Mapping[str, Any]]
"""Where settings come from, in words, and the settings."""


def combine(layers: Iterable[Layer]) -> Settings:
    """The settings of all layers, a later one over an earlier one; None is not set. Raises `UsageError`."""
    chosen: dict[str, Any] = {}
    for place, layer in layers:
        given = {name: value for name, value in layer.items() if value is not None}
        _check_names(place, given)
        chosen.update(_checked(place, given))
    return Settings(**chosen)


def _check_names(place: str, given: Mapping[str, Any]) -> None:
    for name in given:
        if name not in NAMES:
            near = get_close_matches(name, NAMES, n=1)
            hint = f"Did you mean {near[0]!r}?" if near else f"Known are: {', '.join(NAMES)}."
            raise UsageError(f"{place}: there is no setting {name!r}. {hint}")


def _checked(place: str, given: Mapping[str, Any]) -> dict[str, Any]:
    """The values as the types that `Settings` declares."""
    if not given:
        return {}
    from pydantic import ValidationError

    try:
        settings = _adapter().validate_python(dict(given))
    except ValidationError as error:
        first = error.errors()[0]
        name = ".".join(str(step) for step in first["loc"])
        raise UsageError(f"{place}: {name}={first['input']!r} is not possible. {first['msg']}.") from None
    for name, read in _GRAMMARS.items():
        if name in given:
            _check_grammar(place, name, read, getattr(settings, name))
    return {name: getattr(settings, name) for name in given}


_GRAMMARS: dict[str, Callable[[str], object]] = {"speed": read_speed, "chunking": read_chunking}


def _check_grammar(place: str, name: str, read: Callable[[str], object], text: str) -> None:
    try:
        read(text)
    except UsageError as error:
        raise UsageError(f"{place}: {name}={text!r} is not possible. {error}") from None


@cache
def _adapter() -> TypeAdapter[Settings]:
    """Made once: building its schema takes longer than reading a cassette."""
    from pydantic import TypeAdapter

    return TypeAdapter(Settings)


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
