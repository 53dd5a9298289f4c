"""Tools and structured output, as Responses has them: not nested.

The shapes are `openai.types.responses.ToolParam`, `ToolChoice…Param` and `ResponseTextConfigParam`.
"""

from __future__ import annotations

from typing import Any

from ...core.json_text import compact
from ...dialects.fields import listing, mapping, objects, text
from ...errors import TranslationError

Value = dict[str, Any]

_NO_PARAMETERS = {"type": "object", "properties": {}}

SEARCHES = ("web_search", "web_search_preview")
"""The tools of Responses that a client of another protocol may ask for with `responses_tools`."""

LARGEST_EXTRA = 32_768
"""Bytes of JSON."""

# --- tools ----------------------------------------------------------------------------------------------


def write_tools(body: Value) -> list[Value]:
    """The tools of a request, also the older `functions` and `responses_tools`. Raises `TranslationError`."""
    functions = [{"type": "function", "function": each} for each in objects(body.get("functions"))]
    tools = [_tool(tool) for tool in [*objects(body.get("tools")), *functions]]
    search = body.get("web_search_options")
    return [*tools, *([_search(search)] if isinstance(search, dict) else []), *_extra(body)]


def _tool(tool: Value) -> Value:
    kind = text(tool.get("type")) or "function"
    inner = mapping(tool.get(kind)) or tool
    if kind == "function":
        return write_function(inner.get("name"), inner.get("description"), inner.get("parameters"), inner.get("strict"))
    if kind != "custom":
        return tool
    given = inner.get("format")
    grammar = mapping(mapping(given).get("grammar"))
    known = {name: inner[name] for name in ("name", "description") if inner.get(name)}
    written = {"type": "grammar", **grammar} if grammar else given
    return {"type": "custom", **known, **({"format": written} if written else {})}


def write_function(name: object, description: object, parameters: object, strict: object = None) -> Value:
    """A function. Where a client says nothing, Chat Completions is not strict, and Responses is."""
    return {
        "type": "function",
        "name": text(name),
        "description": text(description),
        "strict": strict is True,
        "parameters": parameters if isinstance(parameters, dict) and parameters else _NO_PARAMETERS,
    }


def _search(options: Value) -> Value:
    place = mapping(options.get("user_location"))
    near = {"user_location": {"type": "approximate", **mapping(place.get("approximate"))}} if place else {}
    size = options.get("search_context_size")
    return {"type": "web_search", **({"search_context_size": size} if size else {}), **near}


def _extra(body: Value) -> list[Value]:
    """What is asked for beside the protocol. Raises `TranslationError`."""
    given = body.get("responses_tools")
    if given is None:
        return []
    wrong = [tool for tool in listing(given) if mapping(tool).get("type") not in SEARCHES]
    if not isinstance(given, list) or wrong:
        found = compact(wrong[0] if wrong else given)[:80]
        raise TranslationError(
            f"'responses_tools' takes a list of tools of the type {' or '.join(SEARCHES)}. It holds {found}.",
            "RESPONSES_TOOL_UNSUPPORTED",
        )
    size = len(compact(given).encode())
    if size > LARGEST_EXTRA:
        raise TranslationError(
            f"'responses_tools' takes {LARGEST_EXTRA} bytes of JSON at most. It holds {size}.",
            "RESPONSES_TOOLS_TOO_LARGE",
        )
    return given


def write_choice(body: Value) -> Any:
    """Which tool is to be called, or None when nothing is said."""
    if (extra := body.get("responses_tool_choice")) in ("auto", "none"):
        return extra
    choice = body.get("tool_choice")
    if choice is None:
        return _named(body.get("function_call"))
    if not isinstance(choice, dict):
        return choice
    if choice.get("type") == "allowed_tools":
        allowed = mapping(choice.get("allowed_tools")) or choice
        named = [_chosen(tool) for tool in objects(allowed.get("tools"))]
        return {"type": "allowed_tools", "mode": allowed.get("mode", "auto"), "tools": named}
    return _chosen(choice)


def _chosen(choice: Value) -> Value:
    kind = text(choice.get("type"))
    inner = mapping(choice.get(kind))
    return {"type": kind, "name": text(inner.get("name"))} if inner else choice


def _named(function_call: object) -> Any:
    """The choice of the time before tools."""
    name = text(mapping(function_call).get("name"))
    return {"type": "function", "name": name} if name else function_call


# --- structured output ----------------------------------------------------------------------------------


def write_format(asked: object) -> Value | None:
    """`response_format` as `text.format`. Raises `TranslationError`."""
    if asked is None:
        return None
    kind = text(mapping(asked).get("type"))
    if kind in ("text", "json_object"):
        return {"type": kind}
    schema = mapping(mapping(asked).get("json_schema"))
    if kind != "json_schema" or not text(schema.get("name")) or not isinstance(schema.get("schema"), dict):
        raise TranslationError(
            '\'response_format\' takes {"type": "text"}, {"type": "json_object"}, or a json_schema with name and '
            f"schema. It is {compact(asked)[:80]}.",
            "INVALID_RESPONSE_FORMAT",
        )
    known = ("name", "description", "schema", "strict")
    return {"type": kind, **{name: schema[name] for name in known if schema.get(name) is not None}}
