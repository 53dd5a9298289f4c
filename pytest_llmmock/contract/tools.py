"""Tools as OpenAI's protocols have them: names, schemas, and the one that is chosen."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from . import schemas
from .finding import Finding, Steps, listed, meant

NAME = re.compile(r"[a-zA-Z0-9_-]{1,64}")


def name(value: Any, steps: Steps, pattern: re.Pattern[str] = NAME) -> Iterator[Finding]:
    if isinstance(value, str) and not pattern.fullmatch(value):
        length = pattern.pattern.rpartition(",")[2].rstrip("}")
        words = f"is {value!r}, and a name has 1 to {length} letters, digits, underscores and dashes."
        yield Finding(steps, words, "invalid_value")


def function(tool: dict[str, Any], steps: Steps) -> Iterator[Finding]:
    """One function: its name, and the schema of its parameters."""
    schema, code = tool.get("parameters"), "invalid_function_parameters"
    place = (*steps, "parameters")
    yield from name(tool.get("name"), (*steps, "name"))
    yield from schemas.invalid(schema, place, code)
    yield from schemas.function(schema, place, code)
    if tool.get("strict") is True:
        yield from schemas.strict(schema, place, code)


def chosen(wanted: Any, offered: list[str], steps: Steps) -> Iterator[Finding]:
    """A tool that is chosen by its name is one that is offered."""
    if isinstance(wanted, str) and offered and wanted not in offered:
        there = listed(offered, "and")
        words = f"names the tool {wanted!r}, and the tools that are offered are {there}.{meant(wanted, offered)}"
        yield Finding(steps, words)
