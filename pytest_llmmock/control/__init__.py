"""What tests in other languages ask a server of ours: its journal, its rules, its faults, a new beginning."""

from __future__ import annotations

from collections.abc import Callable
from difflib import get_close_matches
from typing import Any
from urllib.parse import parse_qsl

from ..core.model import Headers, Problem, Reply, Request, json_reply
from ..deck import Deck
from ..errors import LLMMockError, UsageError
from ..gate.tokens import wrong_key
from .entries import Told, found, read_filter, written
from .faults import set_fault
from .rules import put, rules_of

PREFIX = "/__llmmock__/"
"""Nothing below this path is forwarded, recorded or noted."""

_PREFIXES = (PREFIX, "/v1" + PREFIX)
"""Clients know the base URL of OpenAI, which ends in `/v1`."""


class Control:
    """Answers what is asked about one deck, and what is to become of it."""

    def __init__(self, deck: Deck) -> None:
        self._deck = deck
        self._told = Told(deck.requests)
        self._routes: dict[str, dict[str, Callable[[Request], Any]]] = {
            "journal": {"GET": self._journal, "DELETE": self._forget},
            "rules": {"GET": self._rules, "POST": self._add, "PUT": self._replace, "DELETE": self._take_back},
            "faults": {"POST": self._fault, "DELETE": self._clear},
            "reset": {"POST": self._reset},
        }

    def takes(self, request: Request) -> bool:
        """Whether a request is for us, and not for a model."""
        return request.path.startswith(_PREFIXES)

    def handle(self, request: Request) -> Reply:
        """The answer as JSON. A wrong key counts for no lock-out here: a test may go on looking."""
        if not self._deck.gate.tokens.fits(request.headers):
            return _refused(wrong_key(request.headers))
        name = request.path.partition(PREFIX)[2].rstrip("/")
        methods = self._routes.get(name)
        if methods is None:
            return _refused(self._unknown(name))
        method = "GET" if request.method == "HEAD" else request.method
        if method not in methods:
            return _refused(_not_allowed(request, tuple(methods)))
        try:
            return json_reply(methods[method](request), headers=_FRESH)
        except LLMMockError as error:
            return _refused(Problem(400, self._deck.clean(str(error)), "bad_request"))

    def _unknown(self, name: str) -> Problem:
        near = get_close_matches(name, self._routes, n=1)
        all_of_them = ", ".join(PREFIX + each for each in self._routes)
        hint = f"Did you mean {PREFIX}{near[0]}?" if near else f"There are: {all_of_them}."
        return Problem(404, f"There is nothing at {PREFIX}{name}. {hint}", "unknown_url")

    # --- the journal ---

    def _journal(self, request: Request) -> Any:
        wanted = read_filter(parse_qsl(request.query, keep_blank_values=True))
        entries = found(self._told.entries(), wanted)
        return {"entries": [written(number, entry, self._deck.keys.secrets) for number, entry in entries]}

    def _forget(self, request: Request) -> Any:
        return {"forgotten": self._told.forget()}

    # --- rules ---

    def _rules(self, request: Request) -> Any:
        return {"rules": rules_of(self._deck)}

    def _add(self, request: Request) -> Any:
        return {"added": put(self._deck, _text(request)), "rules": rules_of(self._deck)}

    def _replace(self, request: Request) -> Any:
        return {"added": put(self._deck, _text(request), instead=True), "rules": rules_of(self._deck)}

    def _take_back(self, request: Request) -> Any:
        return {"removed": self._deck.script.take_back() + self._deck.behind.take_back()}

    # --- faults ---

    def _fault(self, request: Request) -> Any:
        return {"fault": set_fault(self._deck.faults, request.json())}

    def _clear(self, request: Request) -> Any:
        self._deck.faults.clear()
        return {"faults": []}

    # --- all of it ---

    def _reset(self, request: Request) -> Any:
        self._deck.reset()
        return {"forgotten": self._told.forget()}


_FRESH: Headers = (("cache-control", "no-store"),)


def _text(request: Request) -> str:
    try:
        return request.body.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise UsageError(f"The rules are not text in UTF-8: {error.reason} at byte {error.start}.") from None


def _not_allowed(request: Request, methods: tuple[str, ...]) -> Problem:
    allowed = ", ".join(methods)
    why = f"{request.path} cannot be asked by {request.method}. It can by: {allowed}."
    return Problem(405, why, "method_not_allowed", headers=(("allow", allowed),))


def _refused(problem: Problem) -> Reply:
    error = {"message": problem.message, "type": "llmmock_error", "param": None, "code": problem.code}
    return json_reply({"error": error}, problem.status, (*_FRESH, *problem.headers))
