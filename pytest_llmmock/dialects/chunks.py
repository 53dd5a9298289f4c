"""Completions as runs of chunks, of which each holds a piece of some choices: chat and the older protocol."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from itertools import zip_longest
from typing import Any

from ..core import sse
from ..core.prompt import Prompt
from . import openai_shapes as shapes
from .conversion import Form, Value, joined, read_failure, status_of
from .fields import mapping, objects, text, whole, write_event


@dataclass(frozen=True, slots=True)
class Chunked:
    """What differs between the protocols that come in chunks."""

    whole: str
    """What a whole answer calls itself in `object`."""
    chunk: str
    """What a chunk calls itself."""
    field: str
    """Where a whole choice says what was said."""
    split: Callable[[int, Value], Iterator[Value]]
    """The pieces of a whole choice that has this number."""
    join: Callable[[list[Value]], Value]
    """The whole choice of these pieces."""


def form_of(kind: Chunked) -> Form:
    return Form(partial(gather, kind), partial(spread, kind), partial(is_whole, kind), read_failure, status_of)


_REPEATED = ("id", "object", "created", "model", "provider", "service_tier", "system_fingerprint")
"""Fields that every chunk has; others are in the first one, from which openai's client takes them."""


def gather(kind: Chunked, events: list[Value], done: bool) -> Value | None:
    """The whole answer of these chunks: some servers leave `[DONE]` out, others why a choice ended."""
    choices: dict[int, list[Value]] = {}
    top: Value = {}
    chunks = [event for event in events if "choices" in event]
    for chunk in chunks:
        top = joined(top, {name: value for name, value in chunk.items() if name not in ("usage", "obfuscation")})
        for position, choice in enumerate(objects(chunk["choices"])):
            number = whole(choice.get("index"))
            choices.setdefault(position if number is None else number, []).append(choice)
    found = [{"index": number, "finish_reason": None, **kind.join(choices[number])} for number in sorted(choices)]
    if not done and not all(text(choice.get("finish_reason")) for choice in found):
        return None
    return {**top, "object": kind.whole, "choices": found, **_usage(chunks, top)}


def _usage(chunks: list[Value], top: Value) -> Value:
    """The last one that was told; Groq puts it in a field of its own."""
    told = [chunk["usage"] for chunk in chunks if chunk.get("usage")] or [mapping(top.get("x_groq")).get("usage")]
    return {"usage": told[-1]} if told[-1] or any("usage" in chunk for chunk in chunks) else {}


def is_whole(kind: Chunked, answer: Value) -> bool:
    """Whether there are choices, and each says something."""
    choices = objects(answer.get("choices"))
    return bool(choices) and all(choice.get(kind.field) is not None for choice in choices)


def spread(kind: Chunked, prompt: Prompt, answer: Value) -> Iterator[bytes]:
    """The pieces of all choices in turn, then usage when the prompt asks for it."""
    asked = shapes.wants_usage(prompt) and "usage" in answer
    first = {name: value for name, value in answer.items() if name not in ("choices", "usage")} | {"object": kind.chunk}
    head = {name: first[name] for name in _REPEATED if name in first}
    for number, choice in enumerate(_in_turn(kind, objects(answer["choices"]))):
        yield write_event({**(head if number else first), "choices": [choice], **({"usage": None} if asked else {})})
    if asked and answer["usage"]:
        yield write_event({**head, "choices": [], "usage": answer["usage"]})
    yield sse.write_event("[DONE]")


def _in_turn(kind: Chunked, choices: list[Value]) -> Iterator[Value]:
    runs = [kind.split(number, choice) for number, choice in zip(_numbers(choices), choices, strict=True)]
    for together in zip_longest(*runs):
        yield from (piece for piece in together if piece is not None)


def _numbers(choices: list[Value]) -> list[int]:
    """The choices' own numbers, unless some have none or the same."""
    named = [number for choice in choices if (number := whole(choice.get("index"))) is not None]
    return named if len(set(named)) == len(choices) else list(range(len(choices)))


def rest_of(choice: Value, *known: str) -> dict[str, Any]:
    """What else a choice says; its first piece holds it."""
    return {name: value for name, value in choice.items() if name not in (*known, "index", "finish_reason")}
