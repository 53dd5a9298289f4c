"""Tools of Anthropic's Messages: names, schemas, and the one that is chosen."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from ..dialects.fields import listing, mapping, text
from . import schemas, tools
from .finding import Finding, Steps

NAME = re.compile(r"[a-zA-Z0-9_-]{1,128}")

LOOSE = ("minimum", "maximum", "multipleOf", "minLength", "maxLength", "maxItems")
"""Keywords that a strict schema of Anthropic's does not enforce."""

Body = dict[str, Any]


def check(body: Body) -> Iterator[Finding]:
    offered = [mapping(tool) for tool in listing(body.get("tools"))]
    names: list[str] = []
    for at, tool in enumerate(offered):
        yield from _tool(tool, ("tools", at))
        name = text(tool.get("name"))
        if name and name in names:
            yield Finding(("tools", at, "name"), f"is {name!r}, as another tool's: names have to be unique.")
        names.append(name)
    yield from _chosen(body, offered, names)
    wanted = mapping(mapping(body.get("output_config")).get("format"))
    yield from _strict(wanted.get("schema"), ("output_config", "format", "schema"))


def _tool(tool: Body, steps: Steps) -> Iterator[Finding]:
    schema, place = tool.get("input_schema"), (*steps, "input_schema")
    yield from tools.name(tool.get("name"), (*steps, "name"), NAME)
    yield from schemas.invalid(schema, place, None)
    if tool.get("strict") is True:
        yield from _strict(schema, place)


def _chosen(body: Body, offered: list[Body], names: list[str]) -> Iterator[Finding]:
    choice = mapping(body.get("tool_choice"))
    if not offered and choice.get("type") in ("any", "tool"):
        yield Finding(("tool_choice",), "is there, and 'tools' is not: without tools there is nothing to choose.")
    if all(tool.get("type") in (None, "custom") for tool in offered):  # a set of tools brings names of its own
        yield from tools.chosen(choice.get("name"), names, ("tool_choice", "name"))


def _strict(schema: Any, steps: Steps) -> Iterator[Finding]:
    """What is enforced has no other properties; what cannot be enforced is a hint."""
    for at, each in schemas.walk(schema, steps):
        if each.get("type") == "object" and each.get("additionalProperties") is not False:
            yield Finding((*at, "additionalProperties"), schemas.CLOSED)
        for keyword in LOOSE:
            if keyword in each:
                yield Finding((*at, keyword), "is a keyword that a strict schema does not enforce.", refused=False)
