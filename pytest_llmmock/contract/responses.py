"""Responses: what its types do not tell. Each rule is a function of the body."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ..dialects.fields import listing, mapping, objects, text
from . import media, required, schemas, tools
from .finding import Finding, Steps

Body = dict[str, Any]

ANSWERS = {"function_call_output": "function_call", "custom_tool_call_output": "custom_tool_call"}
"""Type of an item that answers -> type of the item that asks."""


def check(body: Body) -> Iterator[Finding]:
    for rule in RULES:
        yield from rule(body)


def _items(body: Body) -> Iterator[tuple[int, Body]]:
    return ((at, item) for at, item in enumerate(listing(body.get("input"))) if isinstance(item, dict))


def _is_whole(body: Body) -> bool:
    """Whether all of the conversation is in the request: else it goes on from what the provider keeps."""
    refers = any(item.get("type") == "item_reference" or set(item) == {"id"} for _, item in _items(body))
    return not (refers or any(body.get(name) for name in ("previous_response_id", "conversation", "prompt")))


def answered_calls(body: Body) -> Iterator[Finding]:
    """What answers a call has it in the conversation, and each call is answered."""
    asked = {(text(item.get("type")), text(item.get("call_id"))) for _, item in _items(body)}
    for at, item in _items(body):
        kind, call = text(item.get("type")), text(item.get("call_id"))
        asks = ANSWERS.get(kind)
        answer = next((each for each, ask in ANSWERS.items() if ask == kind), "")
        if asks and call and (asks, call) not in asked and _is_whole(body):
            words = f"answers the call {call!r}, and no '{asks}' in the input has this call_id."
            yield Finding(("input", at, "call_id"), words, None, "input")
        if answer and call and (answer, call) not in asked:
            words = f"asks for the call {call!r}, and no '{answer}' in the input answers it."
            yield Finding(("input", at), words, None, "input")


def the_word_json(body: Body) -> Iterator[Finding]:
    """JSON mode wants to be asked for in words, and in the input."""
    if _format(body).get("type") == "json_object" and _is_whole(body) and "json" not in str(body.get("input")).lower():
        words = "has to say the word 'json' somewhere, because text.format is 'json_object'."
        yield Finding(("input",), words)


def _format(body: Body) -> Body:
    return mapping(mapping(body.get("text")).get("format"))


def structured_output(body: Body) -> Iterator[Finding]:
    wanted, steps = _format(body), ("text", "format")
    place: Steps = (*steps, "schema")
    yield from schemas.invalid(wanted.get("schema"), place, "invalid_json_schema")
    if wanted.get("strict") is True:
        yield from schemas.strict(wanted.get("schema"), place, "invalid_json_schema")
    yield from tools.name(wanted.get("name"), (*steps, "name"))


def functions(body: Body) -> Iterator[Finding]:
    """The functions that are offered."""
    for at, tool in enumerate(listing(body.get("tools"))):
        if mapping(tool).get("type") == "function":
            yield from tools.function(tool, ("tools", at))


def chosen_tool(body: Body) -> Iterator[Finding]:
    """Only a tool that is offered can be chosen. A server of tools offers some that the request does not name."""
    offered = objects(body.get("tools"))
    if any(tool.get("type") not in ("function", "custom") for tool in offered):
        return
    names = [text(tool.get("name")) for tool in offered]
    yield from tools.chosen(mapping(body.get("tool_choice")).get("name"), names, ("tool_choice",))


def what_goes_with_it(body: Body) -> Iterator[Finding]:
    """Parameters that need another one, or that exclude each other."""
    yield from required.stream_options(body)
    if body.get("previous_response_id") is not None and body.get("conversation") is not None:
        words = "says the same as 'conversation': only one of them can be there."
        yield Finding(("previous_response_id",), words, "mutually_exclusive_parameters")


def pictures(body: Body) -> Iterator[Finding]:
    for at, item in _items(body):
        for number, part in enumerate(listing(item.get("content"))):
            if mapping(part).get("type") == "input_image":
                yield from media.image(part.get("image_url"), ("input", at, "content", number, "image_url"))


RULES = (
    answered_calls,
    the_word_json,
    structured_output,
    functions,
    chosen_tool,
    what_goes_with_it,
    pictures,
)
