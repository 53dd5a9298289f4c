"""The items of a Responses answer, and the response that holds them.

The shapes are `openai.types.responses.Response` and `ResponseOutputItem`. A response has one choice, of index 0.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from ..core.prompt import Answer, Delta, Prompt, Tool, ToolCall, Usage
from . import openai_shapes as shapes
from .fields import argument_text, mapping, objects, text, whole

KINDS = {"function_call": "function", "custom_tool_call": "custom"}
CALLS = tuple(KINDS)

_FINISHES = {"max_output_tokens": "length", "content_filter": "content_filter"}
_REASONS = {finish: reason for reason, finish in _FINISHES.items()}


# --- in -------------------------------------------------------------------------------------------------


def read_response(value: object) -> Answer:
    """A whole response."""
    response = mapping(value)
    deltas = read_output(response.get("output"))
    return answer_of(response, (*deltas, *read_ending(response, deltas)))


def answer_of(response: dict[str, Any], deltas: tuple[Delta, ...]) -> Answer:
    created = whole(response.get("created_at"))
    return Answer(deltas, text(response.get("model")), text(response.get("id")), created or None)


def read_output(output: object) -> list[Delta]:
    """The items of a whole response."""
    deltas: list[Delta] = []
    calls = 0
    for item in objects(output):
        deltas += read_item(item, calls)
        calls += item.get("type") in CALLS
    return deltas


def read_item(item: dict[str, Any], call: int) -> list[Delta]:
    """What one finished item says. An item without words of ours is kept as it is."""
    kind = item.get("type")
    if kind in CALLS:
        name, arguments, id, sort = called(item)
        return [Delta("tool_call", arguments, call=call, id=id, name=name, custom=sort == "custom")]
    if kind == "message" and item.get("role", "assistant") == "assistant":
        return [delta for part in objects(item.get("content")) if (delta := _words(part)).text]
    if kind == "reasoning" and (thought := _thought(item)):
        return [Delta("reasoning", thought)]
    return [Delta("item", data=item)] if isinstance(kind, str) else []


def _words(part: dict[str, Any]) -> Delta:
    if part.get("type") == "refusal":
        return Delta("refusal", text(part.get("refusal")))
    return Delta("text", text(part.get("text")))


def _thought(item: dict[str, Any]) -> str:
    """The summary's parts and those of the reasoning itself, a blank line between them."""
    parts = [*objects(item.get("summary")), *objects(item.get("content"))]
    return "\n\n".join(words for part in parts if (words := text(part.get("text"))))


def called(item: dict[str, Any]) -> tuple[str, str, str, str]:
    """Name, arguments, id and kind of a call of a function or of a custom tool."""
    arguments = item.get("arguments", item.get("input"))
    kind = KINDS.get(text(item.get("type")), "function")
    return text(item.get("name")), argument_text(arguments), text(item.get("call_id")), kind


def read_ending(response: dict[str, Any], so_far: list[Delta]) -> Iterator[Delta]:
    """Why the response ended, and what it cost."""
    kinds = {delta.kind for delta in so_far}
    error = shapes.read_error(response)
    if error and "error" not in kinds:
        yield error
    if finish := _finish(response, "tool_call" in kinds):
        yield Delta("finish", finish=finish)
    yield from shapes.usage_deltas(response.get("usage"))


def _finish(response: dict[str, Any], calls: bool) -> str:
    status = response.get("status")
    if status == "incomplete":
        reason = text(mapping(response.get("incomplete_details")).get("reason"))
        return _FINISHES.get(reason, reason or "length")
    return ("tool_calls" if calls else "stop") if status == "completed" else ""


# --- out ------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Group:
    """The deltas that make one item."""

    kind: str
    id: str
    deltas: tuple[Delta, ...]

    @property
    def words(self) -> str:
        return "".join(delta.text for delta in self.deltas)

    @property
    def pieces(self) -> list[str]:
        return [delta.text for delta in self.deltas if delta.text]

    def item(self) -> dict[str, Any]:
        """The item, complete."""
        named = {"id": self.id, "status": "completed"}
        if self.kind == "item":
            return mapping(self.deltas[0].data)
        if self.kind == "reasoning":
            return {"id": self.id, "type": "reasoning", "summary": [self._part()]}
        if self.kind == "tool_call":
            return self._call()
        return {**named, "type": "message", "role": "assistant", "content": [self._part()]}

    def _part(self) -> dict[str, Any]:
        if self.kind == "text":
            tokens = [token for delta in self.deltas if delta.kind == "text" for token in objects(delta.data)]
            return {"type": "output_text", "text": self.words, "annotations": self._annotations(), "logprobs": tokens}
        if self.kind == "refusal":
            return {"type": "refusal", "refusal": self.words}
        return {"type": "summary_text", "text": self.words}

    def _annotations(self) -> list[Any]:
        """Not nested, as Chat Completions has them."""
        found = [each for delta in self.deltas for each in shapes.annotations_of(delta)]
        return [{"type": each.get("type"), **mapping(each.get(text(each.get("type"))) or each)} for each in found]

    def _call(self) -> dict[str, Any]:
        id = next((delta.id for delta in self.deltas if delta.id), self.id.replace("fc_", "call_"))
        name = next((delta.name for delta in self.deltas if delta.name), "")
        if any(delta.custom for delta in self.deltas):
            return {"id": self.id.replace("fc_", "ctc_"), **write_call(ToolCall(name, self.words, id, "custom"))}
        return {"id": self.id, "status": "completed", **write_call(ToolCall(name, self.words, id))}


def write_call(call: ToolCall) -> dict[str, Any]:
    """The item of a call, without what is its own."""
    kind, arguments = ("custom_tool_call", "input") if call.kind == "custom" else ("function_call", "arguments")
    return {"type": kind, "call_id": call.id, "name": call.name, arguments: call.arguments}


_PREFIXES = {"text": "msg", "refusal": "msg", "reasoning": "rs", "tool_call": "fc", "item": "item"}


def output_of(prompt: Prompt, answer: Answer) -> list[Group]:
    """The items of an answer, in the order in which they begin. An error is the end."""
    named = shapes.digest(prompt, answer)
    groups: list[list[Delta]] = []
    calls: dict[int, list[Delta]] = {}
    for delta in _until_error(answer):
        if delta.kind == "tool_call" and delta.call in calls:
            calls[delta.call].append(delta)
        elif delta.kind == "item" and not _is_item(delta):
            groups[-1:] = [[*group, delta] if group[0].kind == "text" else group for group in groups[-1:]]
        elif groups and delta.kind == groups[-1][0].kind and delta.kind not in ("tool_call", "item"):
            groups[-1].append(delta)
        else:
            groups.append([delta])
            calls.update({delta.call: groups[-1]} if delta.kind == "tool_call" else {})
    kinds = [group[0].kind for group in groups]
    return [Group(k, f"{_PREFIXES[k]}_{named}{n}", tuple(groups[n])) for n, k in enumerate(kinds)]


def _until_error(answer: Answer) -> Iterator[Delta]:
    for delta in answer.deltas:
        if delta.kind == "error":
            return
        if (
            delta.kind in _PREFIXES
            and delta.index == 0
            and (delta.kind != "item" or _is_item(delta) or shapes.annotations_of(delta))
        ):
            yield delta


def _is_item(delta: Delta) -> bool:
    return isinstance(mapping(delta.data).get("type"), str)


_ECHOED: dict[str, Any] = {
    "instructions": None,
    "max_output_tokens": None,
    "metadata": {},
    "parallel_tool_calls": True,
    "previous_response_id": None,
    "reasoning": {"effort": None, "summary": None},
    "store": True,
    "temperature": 1.0,
    "text": {"format": {"type": "text"}},
    "tool_choice": "auto",
    "top_p": 1.0,
    "truncation": "disabled",
}
"""What a response repeats of its request, and what it says when the request did not."""


def write_response(prompt: Prompt, answer: Answer, output: list[Any]) -> dict[str, Any]:
    """`Response`, whole."""
    error = shapes.error_of(answer)
    reason = None if error else _REASONS.get(answer.finish_reason)
    return {
        "id": answer.id or f"resp_{shapes.digest(prompt, answer)}",
        "object": "response",
        "created_at": answer.created or 0,
        "status": "failed" if error else "incomplete" if reason else "completed",
        "error": _error(error) if error else None,
        "incomplete_details": {"reason": reason} if reason else None,
        "model": answer.model or prompt.model,
        "output": output,
        **{name: prompt.options.get(name, default) for name, default in _ECHOED.items()},
        "tools": [write_tool(tool) for tool in prompt.tools],
        "usage": write_usage(answer.usage) if answer.usage else None,
    }


def _error(delta: Delta) -> dict[str, Any]:
    """`openai.types.responses.ResponseError`"""
    return {"code": shapes.error_object(delta)["code"] or "server_error", "message": delta.text}


def write_tool(tool: Tool) -> dict[str, Any]:
    return {"type": tool.kind, **shapes.write_tool(tool)}


def write_usage(usage: Usage) -> dict[str, Any]:
    """`openai.types.responses.ResponseUsage`"""
    return {
        "input_tokens": usage.input or 0,
        "input_tokens_details": {"cached_tokens": usage.cached or 0, "cache_write_tokens": 0},
        "output_tokens": usage.output or 0,
        "output_tokens_details": {"reasoning_tokens": usage.reasoning or 0},
        "total_tokens": shapes.total_of(usage),
    }
