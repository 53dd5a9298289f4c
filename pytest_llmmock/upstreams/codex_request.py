"""A request as the Codex backend takes it: it knows few parameters, and refuses all others by name."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from ..core.json_text import compact
from ..core.model import Problem
from .efforts import split_effort

Item = dict[str, Any]

NEUTRAL = "You are a helpful assistant."
"""Said where the client gave no instructions: the backend demands some."""

SEALED = "reasoning.encrypted_content"

_TAKEN = (
    "model",
    "instructions",
    "input",
    "tools",
    "tool_choice",
    "parallel_tool_calls",
    "reasoning",
    "include",
    "prompt_cache_key",
    "text",
    "service_tier",
    "client_metadata",
)
"""All that the backend takes, beside `store` and `stream`."""

_HERE = ("store", "stream", "stream_options", "metadata", "previous_response_id")
"""What is done on this side: the client need not know that nobody else does."""

_USUAL: dict[str, tuple[Any, ...]] = {
    "temperature": (1,),
    "top_p": (1,),
    "n": (1,),
    "truncation": ("disabled",),
    "background": (False,),
    "service_tier": ("auto", "default"),
    "top_logprobs": (0,),
}
"""Values that ask for what happens anyhow."""

_THINKING = "reasoning."
"""Stands before the name of what is said of thinking."""

_KEPT_THERE = ("conversation", "prompt")
"""What names something that only OpenAI's public API keeps."""

LONGEST_KEY = 64


class Impossible(Exception):
    """The backend has nothing that comes near to what is asked."""

    def __init__(self, message: str, param: str, status: int = 400, code: str | None = None) -> None:
        self.problem = Problem(status, message, code, param=param)


@dataclass(frozen=True, slots=True)
class Wishes:
    """What the settings say of every request."""

    effort: str = ""
    summary: str = ""
    model: str = ""
    web_search: bool = False


@dataclass(frozen=True, slots=True)
class Sent:
    """What is sent, and what is to be said of it."""

    body: dict[str, Any]
    session: str
    notes: list[str] = field(default_factory=list)


Fit = Callable[[list[Any]], tuple[list[Item], list[str]]]
"""Makes the items of an input fit, and says what is to be said of them."""


def _is_taken(name: str, value: object) -> bool:
    if name.startswith(_THINKING):
        return name in (_THINKING + "effort", _THINKING + "summary")
    return value == "priority" if name == "service_tier" else name in _TAKEN


@dataclass(frozen=True, slots=True)
class Rules:
    """In what backends differ that take few parameters and keep nothing."""

    upstream: str
    takes: Callable[[str, object], bool]
    """Whether a parameter may have this value."""
    instructs: bool
    """Whether there have to be instructions."""


CODEX = Rules("codex", _is_taken, instructs=True)


def request_of(body: Mapping[str, Any], wishes: Wishes, fit: Fit, rules: Rules = CODEX) -> Sent:
    """A Responses request as the backend takes it. Raises `Impossible`."""
    taken, notes = _taken(body, rules)
    input, lost = fit(listed(taken.get("input")))
    model, thinking = _model(taken, wishes)
    instructions, input = _instructions(taken, input) if rules.instructs else (_said(taken), input)
    session = session_of(instructions, input)
    told: dict[str, Any] = {
        "model": model,
        **({"instructions": instructions} if instructions else {}),
        "input": input,
        "tools": _tools(taken, wishes),
    }
    key = str(taken.get("prompt_cache_key", ""))[:LONGEST_KEY] or session
    if thinking:
        include = taken.get("include")
        others = [each for each in include if each != SEALED] if isinstance(include, list) else []
        told |= {"reasoning": thinking, "include": [*others, SEALED]}
    if not _said(taken) and instructions == NEUTRAL:
        notes.append(f"{rules.upstream} demands instructions, and there were none: {NEUTRAL!r} was sent")
    if wishes.model:
        notes.append(f"{rules.upstream} was asked for {model} (debug_model)")
    return Sent({**taken, **told, "prompt_cache_key": key, "store": False, "stream": True}, session, [*notes, *lost])


def _taken(body: Mapping[str, Any], rules: Rules) -> tuple[dict[str, Any], list[str]]:
    """What the backend takes of it, and a note on the rest. Raises `Impossible`."""
    asked = {name: value for name, value in body.items() if value is not None and value not in _USUAL.get(name, ())}
    for name in _KEPT_THERE:
        if name in asked:
            raise Impossible(f"The upstream {rules.upstream!r} keeps no {name}s: send all of the input itself.", name)
    taken = {name: value for name, value in asked.items() if rules.takes(name, value)}
    dropped = [name for name in asked if name not in taken and name not in _HERE]
    if isinstance(thinking := taken.get("reasoning"), dict):
        taken["reasoning"] = {name: value for name, value in thinking.items() if rules.takes(_THINKING + name, value)}
        dropped += [_THINKING + name for name, value in thinking.items() if name not in taken["reasoning"] and value]
    return taken, [f"{rules.upstream} does not take {', '.join(dropped)}: sent without"] if dropped else []


def listed(value: object) -> list[Any]:
    if isinstance(value, str):
        return [{"type": "message", "role": "user", "content": [{"type": "input_text", "text": value}]}]
    return value if isinstance(value, list) else []


def _model(taken: Mapping[str, Any], wishes: Wishes) -> tuple[str, dict[str, Any]]:
    """Which model, and how it is to think: as the request says, else the model's name, else the settings."""
    model, effort = split_effort(wishes.model or str(taken.get("model", "")))
    asked = taken.get("reasoning")
    asked = asked if isinstance(asked, dict) else {}
    chosen = {
        "effort": asked.get("effort") or effort or wishes.effort,
        "summary": asked.get("summary") or wishes.summary,
    }
    told = {**asked, **chosen}
    return model, {name: value for name, value in told.items() if value and (name, value) != ("summary", "none")}


def _instructions(taken: Mapping[str, Any], input: list[Item]) -> tuple[str, list[Item]]:
    """The client's own, else what its first message says to the model, else a neutral sentence."""
    if said := _said(taken):
        return said, input
    words = _words(input[0]) if len(input) > 1 and input[0].get("role") == "developer" else ""
    return (words, input[1:]) if words else (NEUTRAL, input)


def _said(taken: Mapping[str, Any]) -> str:
    given = taken.get("instructions")
    return given if isinstance(given, str) else ""


def _words(item: Item) -> str:
    """What a message says, when it holds nothing but text."""
    parts = item.get("content")
    if not isinstance(parts, list) or any(part.get("type") != "input_text" for part in parts if isinstance(part, dict)):
        return ""
    return "\n".join(str(part.get("text", "")) for part in parts if isinstance(part, dict))


def _tools(taken: Mapping[str, Any], wishes: Wishes) -> list[Any]:
    tools = taken.get("tools")
    tools = tools if isinstance(tools, list) else []
    searches = any(str(tool.get("type", "")).startswith("web_search") for tool in tools if isinstance(tool, dict))
    wanted = wishes.web_search and taken.get("tool_choice") != "none"
    return [*tools, {"type": "web_search"}] if wanted and not searches else tools


def session_of(instructions: str, input: list[Item]) -> str:
    """The same for each turn of a conversation, so that the backend finds its cache. It tells nobody's name."""
    first = next((item for item in input if item.get("role") == "user"), None)
    digest = hashlib.sha256(compact([instructions, first]).encode()).digest()
    return str(uuid.UUID(bytes=digest[:16], version=4))
