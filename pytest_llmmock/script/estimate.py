"""What an answer may cost, without a tokenizer: four characters are a token."""

from __future__ import annotations

from collections.abc import Iterator

from ..core.json_text import compact
from ..core.prompt import Delta, Prompt, Usage

NOTE = "usage is an estimate: four characters are a token"

_CHARACTERS = 4
_WORDS = ("text", "reasoning", "refusal", "tool_call")


def usage(prompt: Prompt, said: tuple[Delta, ...]) -> Usage:
    """Tokens of what was asked and what is answered, roughly."""
    output = _tokens(sum(len(delta.text) + len(delta.name) for delta in said if delta.kind in _WORDS))
    thought = _tokens(sum(len(delta.text) for delta in said if delta.kind == "reasoning"))
    asked = _tokens(sum(map(len, _asked(prompt))))
    return Usage(asked, output, asked + output, reasoning=thought or None)


def _asked(prompt: Prompt) -> Iterator[str]:
    for message in prompt.messages:
        yield message.text
        yield from (call.name + call.arguments for call in message.tool_calls)
    for tool in prompt.tools:
        yield tool.name + tool.description + compact(tool.parameters)
    for item in prompt.inputs:
        yield item if isinstance(item, str) else " " * _CHARACTERS * len(item) if isinstance(item, list) else ""


def _tokens(characters: int) -> int:
    return -(-characters // _CHARACTERS)
