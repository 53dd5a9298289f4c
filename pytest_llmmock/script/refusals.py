"""What a provider refuses: bodies that cannot be read, models and things that there are not, wrong addresses."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fnmatch import fnmatchcase

from ..core.conversations import unknown
from ..core.engine import unreadable
from ..core.model import Exchange, Problem, Reply

Methods = Callable[[str], Sequence[str]]
"""The methods by which a path may be asked."""


def refuse_first(exchange: Exchange, models: Sequence[str]) -> Reply | None:
    """The refusal of what no model would see; None when it may go on. Without a list of models there is any."""
    broken = unreadable(exchange)
    if broken:
        return _refused(exchange, Problem(400, broken, "invalid_json"))
    model = exchange.prompt.model
    if not models or not model or any(fnmatchcase(model, pattern) for pattern in models):
        return None
    why = f"The model `{model}` does not exist or you do not have access to it."
    return _refused(exchange, Problem(404, why, "model_not_found", param="model"))


_KEPT = {"files": "file", "batches": "batch"}


def refuse_last(exchange: Exchange, methods: Methods) -> Reply | None:
    """The refusal of what nobody knows; None when it is something that only a model could have answered."""
    id = exchange.prompt.id
    kind = exchange.operation.partition(".")[0]
    if kind == "responses" and id:
        return _refused(exchange, unknown(id))
    if kind in _KEPT and id:
        return _refused(exchange, Problem(404, f"No {_KEPT[kind]} found with id '{id}'.", param="id"))
    if exchange.operation in ("opaque", "generated"):
        return _refused(exchange, _no_route(exchange, methods(exchange.request.path)))
    return None


def _no_route(exchange: Exchange, methods: Sequence[str]) -> Problem:
    method, path = exchange.request.method, exchange.request.path
    if not methods or method in methods:
        return Problem(404, f"There is nothing at {method} {path}.", "unknown_url")
    allowed = ", ".join(methods)
    why = f"{path} cannot be asked by {method}. It can by: {allowed}."
    return Problem(405, why, "method_not_allowed", headers=(("allow", allowed),))


def _refused(exchange: Exchange, problem: Problem) -> Reply:
    return exchange.dialect.write_error(problem)
