"""Which requests a rule is for, and in words why one is not."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from fnmatch import fnmatchcase
from functools import partial
from typing import Any

from ..errors import LLMMockError, UsageError
from .view import View

_SHOWN = 40
"""Characters of a value that are shown."""


@dataclass(frozen=True, slots=True)
class Condition:
    """One thing that has to be so."""

    name: str
    """As it is told: `contains='weather'`."""
    misfit: Callable[[View], str]
    """Why it is not so; '' when it is."""
    search: Callable[[str], re.Match[str] | None] | None = None
    """What finds the groups that templates name."""
    names_place: bool = False
    """Whether it says which route is meant, so that the rule is not for conversations only."""
    model: str = ""
    """The model that it names in full."""


def conditions_of(given: Iterable[Any], named: Mapping[str, Any], of: str = "when") -> tuple[Condition, ...]:
    """What `when(*given, **named)` asks for, or another function, `of`. Raises `UsageError`."""
    known = {name: value for name, value in named.items() if value is not None and name in _READERS}
    others = {name: value for name, value in named.items() if value is not None and name not in _READERS}
    found = [_positional(one, of) for one in given]
    found += [_READERS[name](value) for name, value in known.items()]
    return (*found, *([_of_respx(_lookups(others, of), _told(others))] if others else []))


def _told(named: Mapping[str, Any]) -> str:
    return ", ".join(f"{name}={value!r}" for name, value in named.items())


def _positional(given: Any, of: str) -> Condition:
    """A pattern of respx, or a function that is given the request."""
    if type(given).__module__.partition(".")[0] == "respx":
        return _of_respx(given)
    if callable(given):
        name = getattr(given, "__name__", repr(given))
        return Condition(name, partial(_asked_of, given, name), names_place=True)
    raise UsageError(f"{of}({given!r}): a function, a respx pattern, or named conditions such as {_names()}.")


def _asked_of(function: Callable[[View], object], name: str, view: View) -> str:
    """A function may stumble over a request that it was not written for: then it is not for it."""
    try:
        return "" if function(view) else f"{name}() says no"
    except LLMMockError:
        raise
    except Exception as error:
        return f"{name}() raises {type(error).__name__}: {error}"


# --- by name --------------------------------------------------------------------------------------------


def _model(wanted: object) -> Condition:
    pattern = _text("model", wanted)
    name = "" if any(sign in pattern for sign in "*?[") else pattern
    return Condition(f"model={pattern!r}", lambda view: _unlike("model", view.model, pattern), model=name)


def _operation(wanted: object) -> Condition:
    pattern = _text("operation", wanted)
    return Condition(
        f"operation={pattern!r}", lambda view: _unlike("operation", view.operation, pattern), names_place=True
    )


def _path(wanted: object) -> Condition:
    pattern = _text("path", wanted)
    return Condition(f"path={pattern!r}", lambda view: _unlike("path", view.path, pattern), names_place=True)


def _unlike(what: str, found: str, pattern: str) -> str:
    return "" if fnmatchcase(found, pattern) else f"{what} is {_shown(found)}"


def _contains(wanted: object) -> Condition:
    """All of these words, as they are written."""
    words = [wanted] if isinstance(wanted, str) else wanted
    if not isinstance(words, list | tuple) or not words or not all(isinstance(word, str) and word for word in words):
        raise UsageError(f"contains={wanted!r}: a text, or a list of texts that must all be there.")
    return Condition(f"contains={wanted!r}", lambda view: _lacking("the user's last message", view.text, words))


def _system(wanted: object) -> Condition:
    words = _text("system", wanted)
    return Condition(f"system={words!r}", lambda view: _lacking("what the system says", view.system, [words]))


def _lacking(where: str, found: str, words: Iterable[str]) -> str:
    missing = next((word for word in words if word not in found), None)
    if missing is None:
        return ""
    if missing.lower() in found.lower():
        return f"{_shown(missing)} is in {where} with other capitals"
    return f"{_shown(missing)} is not in {where}" + (f": {_shown(found)}" if found else ", which is empty")


def _regex(wanted: object) -> Condition:
    pattern = _compiled("regex", wanted)

    def misfit(view: View) -> str:
        return "" if pattern.search(view.text) else f"found nothing in {_shown(view.text)}"

    return Condition(f"regex={pattern.pattern!r}", misfit, pattern.search)


def _compiled(name: str, wanted: object) -> re.Pattern[str]:
    try:
        return wanted if isinstance(wanted, re.Pattern) else re.compile(_text(name, wanted))
    except re.error as error:
        raise UsageError(f"{name}={wanted!r} is not a regular expression: {error}.") from None


def _tool(wanted: object) -> Condition:
    pattern = _text("tool", wanted)

    def misfit(view: View) -> str:
        names = [tool.name or tool.kind for tool in view.tools]
        if any(fnmatchcase(name, pattern) for name in names):
            return ""
        return f"the tools are {_shown(', '.join(names))}" if names else "no tools are offered"

    return Condition(f"tool={pattern!r}", misfit)


def _turn(wanted: object) -> Condition:
    if not isinstance(wanted, int) or isinstance(wanted, bool) or wanted < 1:
        raise UsageError(f"turn={wanted!r}: the user's messages are counted from 1.")
    return Condition(f"turn={wanted}", lambda view: "" if view.turn == wanted else f"turn is {view.turn}")


def _header(wanted: object) -> Condition:
    """A header that is there, or several with the values that they have."""
    given = {wanted: "*"} if isinstance(wanted, str) else wanted
    if not isinstance(given, Mapping) or not all(isinstance(item, str) for pair in given.items() for item in pair):
        raise UsageError(f"header={wanted!r}: a name, or a dict of names and values (patterns with *).")
    patterns = {name.lower(): pattern for name, pattern in given.items()}

    def misfit(view: View) -> str:
        headers = view.headers
        absent = next((name for name in patterns if name not in headers), None)
        if absent is not None:
            return f"there is no header {absent!r}"
        wrong = (name for name, pattern in patterns.items() if not fnmatchcase(headers[name], pattern))
        return next((f"header {name!r} has another value" for name in wrong), "")

    return Condition(f"header={wanted!r}", misfit, names_place=True)


_READERS: Mapping[str, Callable[[object], Condition]] = {
    "model": _model,
    "contains": _contains,
    "regex": _regex,
    "system": _system,
    "tool": _tool,
    "turn": _turn,
    "operation": _operation,
    "header": _header,
    "path": _path,
}
"""What `when` knows by name."""

NAMES = tuple(_READERS)


def _names() -> str:
    return ", ".join(f"{name}=" for name in _READERS)


def _text(name: str, wanted: object) -> str:
    if not isinstance(wanted, str) or not wanted:
        raise UsageError(f"{name}={wanted!r}: a text was expected.")
    return wanted


def _shown(text: str) -> str:
    flat = " ".join(text.split())
    return repr(flat if len(flat) <= _SHOWN else flat[: _SHOWN - 2].rstrip() + " …")


# --- respx ----------------------------------------------------------------------------------------------


def _lookups(named: Mapping[str, Any], of: str) -> Any:
    """respx's own lookups by name: `json__model="x"`."""
    odd = [name for name in named if not is_lookup(name)]
    if odd:
        near = get_close_matches(odd[0], NAMES, n=1)
        hint = f"Did you mean {near[0]!r}?" if near else f"Known are {_names()} and respx's lookups."
        raise UsageError(f"{of}({odd[0]}=…): there is no such condition. {hint}")
    try:
        from respx.patterns import M
    except ImportError:
        name = next(iter(named))
        raise UsageError(
            f"{of}({name}=…) is a pattern of respx, which is not installed: pip install 'pytest-llmmock[respx]'."
        ) from None
    try:
        return M(**named)
    except (ValueError, TypeError, KeyError, NotImplementedError) as error:
        raise UsageError(f"{of}({', '.join(named)}): respx cannot make a pattern of this: {error}.") from None


def is_lookup(name: str) -> bool:
    """Whether respx knows this name, with what may stand behind it."""
    return name.partition("__")[0] in _LOOKUPS


_LOOKUPS = ("method", "scheme", "host", "port", "url", "params", "cookies", "content", "json", "data", "files")


def _of_respx(pattern: Any, name: str = "") -> Condition:
    leaves = [f"{_place(leaf)} {leaf.lookup.value} {leaf.value!r}" for leaf in pattern]
    return Condition(name or f"M({', '.join(leaves)})", partial(_unmatched, pattern), names_place=True)


def _unmatched(pattern: Any, view: View) -> str:
    """A pattern that cannot be evaluated does not match, and respx keeps the reason to itself: we tell it."""
    request = _as_httpx(view)
    if pattern.match(request):
        return ""
    reasons = [reason for leaf in pattern if (reason := _unreadable(leaf, request))]
    return reasons[0] if reasons else "the pattern does not match"


def _unreadable(leaf: Any, request: Any) -> str:
    try:
        leaf.parse(request)
    except NotImplementedError:  # an empty pattern, which fits all
        return ""
    except Exception as error:
        where = _place(leaf)
        lacking = isinstance(error, LookupError | TypeError) and where != leaf.key
        found = "it is not in the request" if lacking else f"{type(error).__name__}: {error}"
        return f"{where} can never be evaluated here: {found}"
    return ""


def _place(leaf: Any) -> str:
    """`json.messages[9].content`"""
    return str(leaf.key) + "".join(_steps(getattr(leaf, "path", None) or ""))


def _steps(path: str) -> Iterator[str]:
    return (f"[{step}]" if step.isdigit() else f".{step}" for step in path.split("__") if step)


def _as_httpx(view: View) -> Any:
    import httpx

    request = view.exchange.request
    return httpx.Request(request.method, request.url, headers=list(request.headers), content=request.body)
