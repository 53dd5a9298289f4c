"""The typed events that lead to a whole response.

The shapes are `openai.types.responses.ResponseStreamEvent`. They are written from the response's own JSON, so an item
or a part that nobody knows yet comes whole.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

from ..core.model import Problem
from .conversion import Value, pieces, tokens
from .fields import listing, objects, text, write_event

ENDS = {f"response.{status}": status for status in ("completed", "incomplete", "failed")}
"""The last event of a stream, and the status of the response that it carries."""

Cut = Callable[[int, str], list[str]]
"""Cuts the words of the item of this number in the output."""

_Event = tuple[str, Value]


def write_failure(problem: Problem) -> bytes:
    """`openai.types.responses.ResponseErrorEvent`"""
    error = {"code": problem.code, "message": problem.message, "param": problem.param, "sequence_number": 0}
    return write_event({"type": "error", **error}, "error")


def write_events(response: Value, cut: Cut = lambda index, words: pieces(words)) -> Iterator[bytes]:
    """The events of a response that has ended."""
    for number, (kind, fields) in enumerate(_events(response, cut)):
        yield write_event({"type": kind, "sequence_number": number, **fields}, kind)


_KNOWN_LATER = ("completed_at", "error", "incomplete_details", "usage")


def _events(response: Value, cut: Cut) -> Iterator[_Event]:
    later = {name: None for name in _KNOWN_LATER if name in response}
    begun = {**response, "status": "in_progress", "output": [], **later}
    yield "response.created", {"response": begun}
    yield "response.in_progress", {"response": begun}
    for index, item in enumerate(objects(response.get("output"))):
        yield "response.output_item.added", {"output_index": index, "item": _begun(item)}
        at = {"item_id": text(item.get("id")), "output_index": index}
        yield from _said(item, at, partial(cut, index))
        yield "response.output_item.done", {"output_index": index, "item": item}
    yield f"response.{response['status']}", {"response": response}


# --- items ----------------------------------------------------------------------------------------------

_RESULTS = ("result", "results", "output", "outputs", "error")
"""What a hosted tool has found when it is done."""

_CALLS = {
    "function_call": ("response.function_call_arguments", "arguments"),
    "custom_tool_call": ("response.custom_tool_call_input", "input"),
    "mcp_call": ("response.mcp_call_arguments", "arguments"),
}
"""Calls whose arguments come in pieces: the events' name, and the field of the arguments."""

_PHASES = {
    "web_search_call": ("searching",),
    "file_search_call": ("searching",),
    "code_interpreter_call": ("interpreting",),
    "image_generation_call": ("generating",),
    "mcp_list_tools": (),
    "mcp_call": (),
}
"""What hosted tools tell of themselves between their beginning and their end."""


def _begun(item: Value) -> Value:
    """The item as it is before anything was said or found."""
    kind = text(item.get("type"))
    empty: Value = {name: [] for name in ("content", "summary") if isinstance(item.get(name), list)}
    if kind in _CALLS and isinstance(item.get(_CALLS[kind][1]), str):
        empty[_CALLS[kind][1]] = ""
    if kind in _PHASES:
        empty |= {name: None for name in _RESULTS if name in item}
    return {**item, **empty, **({"status": "in_progress"} if item.get("status") else {})}


def _said(item: Value, at: Value, cut: Callable[[str], list[str]]) -> Iterator[_Event]:
    kind = text(item.get("type"))
    if kind in _PHASES:
        yield from ((f"response.{kind}.{phase}", at) for phase in ("in_progress", *_PHASES[kind]))
    if kind in _CALLS:
        yield from _called(item, at, cut)
    for field, index in (("summary", "summary_index"), ("content", "content_index")):
        for number, part in enumerate(objects(item.get(field))):
            yield from _part(part, {**at, index: number}, cut, field)
    if kind in _PHASES and (end := _ended(item)):
        yield f"response.{kind}.{end}", at


def _ended(item: Value) -> str:
    if item.get("error") and item.get("type") in ("mcp_call", "mcp_list_tools"):
        return "failed"
    return "completed" if item.get("status", "completed") == "completed" else ""


def _called(item: Value, at: Value, cut: Callable[[str], list[str]]) -> Iterator[_Event]:
    name, field = _CALLS[text(item.get("type"))]
    arguments = text(item.get(field))
    yield from ((f"{name}.delta", {**at, "delta": piece}) for piece in cut(arguments))
    named = {"name": text(item.get("name"))} if item["type"] == "function_call" else {}  # openai 2's types want it
    yield f"{name}.done", {**at, field: arguments, **named}


# --- parts ----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Names:
    """How the events of the words of a part are called, and the field of its words."""

    events: str
    words: str = "text"


_NAMES = {
    "output_text": _Names("response.output_text"),
    "refusal": _Names("response.refusal", "refusal"),
    "summary_text": _Names("response.reasoning_summary_text"),
    "reasoning_text": _Names("response.reasoning_text"),
}


def _part(part: Value, at: Value, cut: Callable[[str], list[str]], field: str) -> Iterator[_Event]:
    """A part of a message or of a thought; one that nobody knows comes at once."""
    around = "response.reasoning_summary_part" if field == "summary" else "response.content_part"
    names = _NAMES.get(text(part.get("type")))
    if names is None or not isinstance(part.get(names.words), str):
        yield f"{around}.added", {**at, "part": part}
    else:
        lists: Value = {name: [] for name in ("annotations", "logprobs") if isinstance(part.get(name), list)}
        yield f"{around}.added", {**at, "part": {**part, names.words: "", **lists}}
        yield from _words(part, names, at, cut)
    yield f"{around}.done", {**at, "part": part}


def _words(part: Value, names: _Names, at: Value, cut: Callable[[str], list[str]]) -> Iterator[_Event]:
    words, has_logprobs = part[names.words], part.get("type") == "output_text"
    found = tokens(part.get("logprobs"), words)
    steps: list[tuple[str, list[Any]]] = [(token, [entry]) for token, entry in found] or [(p, []) for p in cut(words)]
    for piece, logprobs in steps:
        yield f"{names.events}.delta", {**at, "delta": piece, **({"logprobs": logprobs} if has_logprobs else {})}
    for number, annotation in enumerate(listing(part.get("annotations"))):
        yield "response.output_text.annotation.added", {**at, "annotation_index": number, "annotation": annotation}
    more = {"logprobs": listing(part.get("logprobs"))} if has_logprobs else {}
    yield f"{names.events}.done", {**at, names.words: words, **more}
