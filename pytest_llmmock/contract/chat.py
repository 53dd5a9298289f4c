"""Chat Completions: what its types do not tell. Each rule is a function of the body."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ..dialects.fields import listing, mapping, objects, text
from . import media, required, schemas, tools
from .finding import Finding, Steps, listed

Body = dict[str, Any]


def check(body: Body) -> Iterator[Finding]:
    for rule in RULES:
        yield from rule(body)


def answered_calls(body: Body) -> Iterator[Finding]:
    """Each tool call is answered right behind it, and nothing else is. Calls without ids are left to the types."""
    if any(not text(call.get("id")) for _, message in _messages(body) for call in objects(message.get("tool_calls"))):
        return
    open_calls: dict[str, int] = {}
    called: set[str] = set()
    for at, message in _messages(body):
        if message.get("role") == "tool":
            yield from _answer(message, at, called)
            open_calls.pop(text(message.get("tool_call_id")), None)
            continue
        yield from _unanswered(open_calls)
        called = {text(call.get("id")) for call in objects(message.get("tool_calls"))}
        open_calls = dict.fromkeys(called, at)
    yield from _unanswered(open_calls)


def _messages(body: Body) -> Iterator[tuple[int, Body]]:
    return ((at, message) for at, message in enumerate(listing(body.get("messages"))) if isinstance(message, dict))


def _answer(message: Body, at: int, called: set[str]) -> Iterator[Finding]:
    """A tool message without its call."""
    call = message.get("tool_call_id")
    param = f"messages.[{at}].role"
    if not called:
        words = "is of role 'tool', and no assistant message with tool calls stands before it."
        yield Finding(("messages", at), words, None, param)
    elif isinstance(call, str) and call not in called:
        asked = listed(sorted(called), "and")
        words = f"answers the tool call {call!r}, and the assistant message before it asks for {asked}."
        yield Finding(("messages", at, "tool_call_id"), words, None, param)


def _unanswered(open_calls: dict[str, int]) -> Iterator[Finding]:
    """Calls that no tool message answers before somebody else speaks."""
    if open_calls:
        at = next(iter(open_calls.values()))
        calls = listed(sorted(open_calls), "and")
        words = f"asks for tool calls that no tool message right behind it answers: {calls}."
        yield Finding(("messages", at, "tool_calls"), words, None, f"messages.[{at + 1}].role")


def something_said(body: Body) -> Iterator[Finding]:
    """An assistant message has content, or what stands for it."""
    for at, message in _messages(body):
        stands = any(message.get(name) for name in ("tool_calls", "function_call", "refusal", "audio"))
        if message.get("role") == "assistant" and message.get("content") is None and not stands:
            words = "is required where an assistant message has no tool calls, and is null or missing."
            yield Finding(("messages", at, "content"), words, None, f"messages.[{at}].content")


def the_word_json(body: Body) -> Iterator[Finding]:
    """JSON mode wants to be asked for in words."""
    wanted = mapping(body.get("response_format")).get("type")
    if wanted == "json_object" and "json" not in str(body.get("messages")).lower():
        words = "have to say the word 'json' somewhere, because response_format is 'json_object'."
        yield Finding(("messages",), words)


def structured_output(body: Body) -> Iterator[Finding]:
    wanted = mapping(mapping(body.get("response_format")).get("json_schema"))
    steps: Steps = ("response_format", "json_schema", "schema")
    yield from schemas.invalid(wanted.get("schema"), steps, None)
    if wanted.get("strict") is True:
        yield from schemas.strict(wanted.get("schema"), steps, None)
    yield from tools.name(wanted.get("name"), (*steps[:-1], "name"))


def functions(body: Body) -> Iterator[Finding]:
    """The functions that are offered."""
    for at, tool in enumerate(listing(body.get("tools"))):
        yield from tools.function(mapping(mapping(tool).get("function")), ("tools", at, "function"))
    for at, old in enumerate(listing(body.get("functions"))):
        yield from tools.function(mapping(old), ("functions", at))


def chosen_tool(body: Body) -> Iterator[Finding]:
    """Only a tool that is offered can be chosen."""
    names = [text(mapping(tool.get(text(tool.get("type")))).get("name")) for tool in objects(body.get("tools"))]
    choice = mapping(body.get("tool_choice"))
    wanted = mapping(choice.get(text(choice.get("type")))).get("name")
    yield from tools.chosen(wanted, names, ("tool_choice",))
    for name in ("tool_choice", "parallel_tool_calls"):
        if body.get(name) is not None and not body.get("tools"):
            yield Finding((name,), "is there, and 'tools' is not: without tools there is nothing to choose.")


def what_goes_with_it(body: Body) -> Iterator[Finding]:
    """Parameters that need another one, or that exclude each other."""
    yield from required.stream_options(body)
    if body.get("top_logprobs") is not None and body.get("logprobs") is not True:
        yield Finding(("top_logprobs",), "is for log probabilities only, and 'logprobs' is not true.")
    if body.get("max_tokens") is not None and body.get("max_completion_tokens") is not None:
        words = "says the same as 'max_completion_tokens': only one of them can be there."
        yield Finding(("max_tokens",), words, "invalid_parameter_combination")


def pictures(body: Body) -> Iterator[Finding]:
    for at, message in _messages(body):
        for number, part in enumerate(listing(message.get("content"))):
            steps = ("messages", at, "content", number, "image_url", "url")
            yield from media.image(mapping(mapping(part).get("image_url")).get("url"), steps)


RULES = (
    answered_calls,
    something_said,
    the_word_json,
    structured_output,
    functions,
    chosen_tool,
    what_goes_with_it,
    pictures,
)
