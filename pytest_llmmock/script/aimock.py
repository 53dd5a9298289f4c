"""Fixtures of aimock as they stand, written by hand or recorded by it, as rules.

What it says of times is left out: at the speed `recorded` such replies come at once.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any

from ..errors import UsageError
from .aimock_replies import action_of
from .checking import Part, checked, read_part
from .conditions import Condition, conditions_of
from .documents import Document, Place
from .problems import Failing
from .replies import Said
from .rules import Rule
from .view import View

_OPERATIONS = {
    "embedding": "embeddings",
    "image": "images*",
    "speech": "audio.speech",
    "transcription": "audio.transcriptions",
    "translation": "audio.translations",
}
"""What it calls an endpoint -> operation. `chat` is any conversation, and needs no condition."""

_CONTEXT = "x-aimock-context"


class _Match(Part):
    userMessage: str | None = None
    systemMessage: str | list[str] | None = None
    inputText: str | None = None
    toolCallId: str | None = None
    toolResultContains: str | None = None
    toolName: str | None = None
    model: str | None = None
    responseFormat: str | None = None
    sequenceIndex: int | None = None
    turnIndex: int | None = None
    hasToolResult: bool | None = None
    endpoint: str | None = None
    context: str | None = None


class _Fixture(Part):
    match: Any
    response: Any
    chunkSize: int | None = None
    # Known, and without effect here.
    latency: Any = None
    streamingProfile: Any = None
    recordedTimings: Any = None
    replaySpeed: Any = None
    openRouterProcessing: Any = None
    metadata: Any = None
    # What changes the reply on its way out.
    truncateAfterChunks: Any = None
    disconnectAfterMs: Any = None
    chaos: Any = None


def is_one(value: Any) -> bool:
    """Whether this is a file of such fixtures."""
    return isinstance(value, dict) and isinstance(value.get("fixtures"), list) and "rules" not in value


def load(document: Document) -> list[Rule]:
    """Its rules. Raises `UsageError`."""
    rules: dict[str, Rule] = {}
    for _, name, rule, action, times in sorted(_fixtures(document), key=lambda each: each[0]):
        rules.setdefault(name, rule).add(action, times)
    return list(rules.values())


Fixture = tuple[int, str, Rule, Said | Failing, int | None]
"""Its place in a sequence, what those of a sequence have in common, its rule, what is answered, and how often."""


def _fixtures(document: Document) -> Iterator[Fixture]:
    for number, value in enumerate(document.value["fixtures"]):
        place = document.root / "fixtures" / number
        given = read_part(_Fixture, value, place)
        _refuse_faults(given, place)
        match = read_part(_Match, given.match, place / "match")
        at = match.sequenceIndex
        conditions = [*checked(partial(_conditions, match), place / "match")]
        rule = Rule(conditions, 0 if match.turnIndex is None else match.turnIndex + 1, place.short)
        name = str(number) if at is None else repr(match.model_copy(update={"sequenceIndex": None}))
        yield (
            at or 0,
            name,
            rule,
            action_of(given.response, given.chunkSize, place / "response"),
            None if at is None else 1,
        )


def _refuse_faults(given: _Fixture, place: Place) -> None:
    for name in ("truncateAfterChunks", "disconnectAfterMs", "chaos"):
        if getattr(given, name) is not None:
            raise UsageError(
                f"{place / name}: rules have no place for this. Take it out, and use `faults` in the test."
            )


# --- which requests -------------------------------------------------------------------------------------


def _conditions(match: _Match) -> Iterator[Condition]:
    """Those that rules have, and those that only such fixtures have."""
    yield from conditions_of((), {"contains": match.userMessage or match.inputText or None, "tool": match.toolName})
    for words in [match.systemMessage] if isinstance(match.systemMessage, str) else match.systemMessage or []:
        yield from conditions_of((), {"system": words or None})
    operation = _operation(match)
    yield from conditions_of((), {"operation": operation})
    if match.context is not None:
        yield from conditions_of((), {"header": {_CONTEXT: match.context}})
    for name, misfit in _MISFITS.items():
        wanted = getattr(match, name)
        if wanted is not None:
            yield Condition(f"{name}={wanted!r}", partial(misfit, wanted))


def _operation(match: _Match) -> str | None:
    if match.endpoint in (None, "chat"):
        return "embeddings" if match.inputText is not None else None
    if match.endpoint not in _OPERATIONS:
        raise UsageError(f"there is no endpoint {match.endpoint!r} here. Known are: chat, {', '.join(_OPERATIONS)}.")
    return _OPERATIONS[match.endpoint]


def _model(wanted: str, view: View) -> str:
    """A model, or a version of it by its date: `gpt-4o` is also `gpt-4o-2024-08-06`."""
    known = view.model == wanted or re.match(re.escape(wanted) + r"-\d", view.model)
    return "" if known else f"model is {view.model!r}"


def _answers_call(wanted: str, view: View) -> str:
    found = view.messages[-1].tool_call_id if view.messages else ""
    return "" if found == wanted else f"the last message answers {f'call {found!r}' if found else 'no call of a tool'}"


def _told_by_tool(wanted: str, view: View) -> str:
    last = view.messages[-1] if view.messages else None
    if last is None or last.role != "tool":
        return "the last message is not a tool's"
    return "" if wanted in last.text else "the last tool said something else"


def _has_result(wanted: bool, view: View) -> str:
    """Whether a tool has spoken since the user has."""
    roles = [message.role for message in view.messages]
    spoken = "tool" in roles[len(roles) - roles[::-1].index("user") :] if "user" in roles else "tool" in roles
    return "" if spoken == wanted else f"{'a' if spoken else 'no'} tool has answered since the user spoke"


def _turn(wanted: int, view: View) -> str:
    """Of several the latest that is not ahead answers: it has the higher priority."""
    spoken = sum(message.role == "assistant" for message in view.messages)
    return "" if spoken >= wanted else f"the model has spoken {spoken} times"


def _format(wanted: str, view: View) -> str:
    body = view.json if isinstance(view.json, dict) else {}
    text = body.get("text")
    found = body.get("response_format") or (text.get("format") if isinstance(text, dict) else None)
    kind = found.get("type") if isinstance(found, dict) else found
    return "" if kind == wanted else f"the response format is {kind!r}"


_MISFITS: Mapping[str, Callable[[Any, View], str]] = {
    "model": _model,
    "toolCallId": _answers_call,
    "toolResultContains": _told_by_tool,
    "hasToolResult": _has_result,
    "turnIndex": _turn,
    "responseFormat": _format,
}
