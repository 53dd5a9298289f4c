"""Requests that ask for too much at once, whenever they are sent."""

from __future__ import annotations

from collections.abc import Iterator

from ..core.model import Exchange, Problem
from ..core.prompt import Prompt
from .limits import Limits

_MOST_TOKENS = ("max_tokens", "max_completion_tokens", "max_output_tokens")


def too_large(exchange: Exchange, limits: Limits) -> Problem | None:
    """Why a request is refused for what it holds; None when it is not."""
    return next(_problems(exchange.prompt, _field(exchange), limits), None)


def _field(exchange: Exchange) -> str:
    """What the request calls its messages."""
    return "input" if exchange.operation.startswith("responses") else "messages"


def _problems(prompt: Prompt, field: str, limits: Limits) -> Iterator[Problem]:
    sizes = [len(message.text) for message in prompt.messages]
    if limits.messages is not None and len(sizes) > limits.messages:
        yield _refused("array_above_max_length", field, f"{len(sizes)} messages", limits.messages)
    for number, size in enumerate(sizes):
        if limits.characters is not None and size > limits.characters:
            place = f"{field}[{number}].content"
            yield _refused("string_above_max_length", place, f"{size} characters", limits.characters)
    total = sum(len(message.text.encode(errors="replace")) for message in prompt.messages)
    if limits.bytes is not None and total > limits.bytes:
        yield _refused("context_length_exceeded", field, f"{total} bytes", limits.bytes)
    for name, wanted in _wanted(prompt):
        if limits.max_tokens is not None and wanted > limits.max_tokens:
            yield _refused("integer_above_max_value", name, str(wanted), limits.max_tokens)


def _wanted(prompt: Prompt) -> Iterator[tuple[str, int]]:
    """How many tokens a request asks for, and where it says so; Ollama's among its options."""
    inner = prompt.options.get("options")
    found = [(name, prompt.options.get(name)) for name in _MOST_TOKENS]
    found += [("options.num_predict", inner.get("num_predict"))] if isinstance(inner, dict) else []
    yield from ((name, value) for name, value in found if isinstance(value, int) and not isinstance(value, bool))


def most_tokens(prompt: Prompt) -> int:
    """The tokens that a request asks for at most; 0 when it does not say."""
    return max((wanted for _, wanted in _wanted(prompt)), default=0)


def _refused(code: str, param: str, found: str, allowed: int) -> Problem:
    return Problem(400, f"Invalid '{param}': {found}, and {allowed} is the most that is allowed.", code, param=param)
