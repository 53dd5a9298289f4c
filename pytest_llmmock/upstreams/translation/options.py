"""Settings of a request that Responses has too, under this or another name."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ...dialects.fields import mapping, text, whole
from ...errors import TranslationError
from .notes import Notes

Value = dict[str, Any]

KEPT = (
    "temperature",
    "top_p",
    "parallel_tool_calls",
    "service_tier",
    "metadata",
    "user",
    "safety_identifier",
    "prompt_cache_key",
    "prompt_cache_retention",
)
"""What is called the same and means the same."""

_FAST = {True: "priority", "true": "priority", "1": "priority", "yes": "priority", "on": "priority"}


def write_kept(body: Value) -> Value:
    kept = {name: body[name] for name in KEPT if body.get(name) is not None}
    fast = body.get("fast_mode")
    return kept | ({"service_tier": _FAST[fast]} if isinstance(fast, bool | str) and fast in _FAST else {})


def write_longest(*asked: object) -> Value:
    """How long the answer may be: the first that says it."""
    longest = next((number for number in map(whole, asked) if number is not None and number > 0), None)
    return {} if longest is None else {"max_output_tokens": longest}


def write_reasoning(body: Value) -> Value:
    """How much is to be thought. The object of Responses counts more than the name of Chat Completions."""
    effort = text(body.get("reasoning_effort"))
    said = {**({"effort": effort} if effort else {}), **mapping(body.get("reasoning"))}
    return {"reasoning": said} if said else {}


def write_logprobs(body: Value) -> Value:
    """How likely the tokens were has to be asked for by name."""
    if body.get("logprobs") is not True:
        return {}
    top = {"top_logprobs": body["top_logprobs"]} if body.get("top_logprobs") is not None else {}
    return {"include": ["message.output_text.logprobs"], **top}


def leave_out(body: Value, known: Iterable[str], notes: Notes) -> None:
    """Tell of everything that says something and is not known. Zero penalties and empty lists say nothing."""
    for name, value in body.items():
        if name not in known and (value or (name == "seed" and value is not None)):
            notes.leave_out(name)


def refuse_many(body: Value, *names: str) -> None:
    """Raises `TranslationError` where several answers are asked for."""
    for name in names:
        number = whole(body.get(name))
        if number is not None and number > 1:
            raise TranslationError(
                f"This upstream gives one answer to a request, and {name!r} asks for {number}. Ask {number} times, or "
                "record this with another upstream."
            )
