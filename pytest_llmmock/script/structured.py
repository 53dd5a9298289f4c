"""In which shape a request wants its answer: a JSON schema, or the call of a certain tool."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ..core.prompt import Prompt


@dataclass(frozen=True, slots=True)
class Wanted:
    """What an answer has to look like."""

    schema: Any = None
    """The JSON schema; None when the request names none."""
    tool: str = ""
    """The tool that has to be called; '' when words are wanted."""


def wanted(prompt: Prompt) -> Wanted:
    """A response format, in the spelling of each protocol, or else the tool that is forced."""
    options = prompt.options
    for place in _PLACES:
        schema = _at(options, place)
        if isinstance(schema, Mapping):
            return Wanted(schema)
    return _forced(prompt)


_PLACES = (
    ("response_format", "json_schema", "schema"),
    ("response_format", "schema"),
    ("text", "format", "schema"),
    ("output_config", "format", "schema"),
    ("output_format", "schema"),
    ("format",),
)
"""Chat Completions; other servers of it; Responses; Anthropic, and its beta; Ollama."""


def _at(value: Any, place: tuple[str, ...]) -> Any:
    for step in place:
        value = value.get(step) if isinstance(value, Mapping) else None
    return value


def _forced(prompt: Prompt) -> Wanted:
    """The tool that the request names, or the only one when some tool has to be called."""
    choice = prompt.options.get("tool_choice")
    name = _at(choice, ("function", "name")) or _at(choice, ("name",))
    if not name and len(prompt.tools) == 1 and (choice == "required" or _at(choice, ("type",)) == "any"):
        name = prompt.tools[0].name
    return Wanted(parameters_of(prompt, name), name) if isinstance(name, str) and name else Wanted()


def parameters_of(prompt: Prompt, name: str) -> Any:
    """The schema of a tool's arguments; None when there is no such tool."""
    return next((tool.parameters or {} for tool in prompt.tools if tool.name == name), None)
