"""Faults that come over HTTP: `{"fault": "cut", "after_events": 5, "on": {"call": 2}}`."""

from __future__ import annotations

from collections.abc import Callable, Collection
from difflib import get_close_matches
from functools import partial
from inspect import signature
from typing import Any

from ..errors import UsageError
from ..faults import Faults

_FAULTS = (
    *("rate_limit", "server_error", "latency", "stall", "cut", "truncate", "garble"),
    *("mid_stream_error", "bad_tool_json", "finish", "random"),
)


def set_fault(faults: Faults, value: Any) -> str:
    """Set what a request asks for; its name. Raises `UsageError`."""
    given = dict(value) if isinstance(value, dict) else {}
    name, on = given.pop("fault", None), given.pop("on", None)
    if not isinstance(name, str) or name not in _FAULTS:
        raise UsageError(f"There is no fault {name!r}. {_known(name, _FAULTS)}")
    limited = faults if on is None else _called(partial(_on, faults), "on", on)
    _called(getattr(limited, name), name, given)
    return name


def _on(faults: Faults, *, call: int | list[int] | None = None, model: str = "", operation: str = "") -> Faults:
    """`faults.on` as JSON can say it."""
    return faults.on(call=call, model=model, operation=operation)


def _called(method: Callable[..., Faults], name: str, given: Any) -> Faults:
    """Call a method with what JSON holds, checked against what it takes."""
    from pydantic import ConfigDict, ValidationError, validate_call

    if not isinstance(given, dict):
        raise UsageError(f"{name}: an object was expected, such as {{}}, and not {given!r}.")
    try:
        return validate_call(config=ConfigDict(strict=True))(method)(**given)
    except ValidationError as wrong:
        raise UsageError("\n".join(_told(method, name, each) for each in wrong.errors())) from None


def _told(method: Callable[..., Faults], name: str, wrong: Any) -> str:
    place = ".".join(str(step) for step in wrong["loc"])
    if wrong["type"] == "unexpected_keyword_argument":
        return f"{name}.{place}: there is no such key. {_known(place, _parameters(method))}"
    if wrong["type"].startswith("missing"):
        return f"{name}.{place}: this key is missing."
    return f"{name}.{place}: {wrong['input']!r} is not possible. {wrong['msg']}."


def _parameters(method: Callable[..., Faults]) -> list[str]:
    return list(signature(method).parameters)


def _known(name: object, names: Collection[str]) -> str:
    near = get_close_matches(str(name), names, n=1)
    return f"Did you mean {near[0]!r}?" if near else f"Known are: {', '.join(names) or 'none'}."
