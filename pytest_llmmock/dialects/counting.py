"""How many tokens a prompt is, when nobody has counted them: an estimate, for there is no tokenizer here."""

from __future__ import annotations

from collections.abc import Iterator

from ..core.json_text import compact
from ..core.prompt import Answer, Prompt

_CHARACTERS = 4
"""Of English, in a token."""

_PER_MESSAGE = 4
_PER_PICTURE = 85


def counted(prompt: Prompt, answer: Answer) -> int:
    """The tokens that an answer tells of, or an estimate of those of the prompt."""
    told = answer.usage.input if answer.usage else None
    return estimate(prompt) if told is None else told


def estimate(prompt: Prompt) -> int:
    """Words by their characters, pictures and other parts as what the smallest one costs."""
    parts = sum(len(message.parts) for message in prompt.messages)
    return of_text("".join(_texts(prompt))) + _PER_MESSAGE * len(prompt.messages) + _PER_PICTURE * parts


def of_text(text: str) -> int:
    return -(-len(text) // _CHARACTERS)


def _texts(prompt: Prompt) -> Iterator[str]:
    for message in prompt.messages:
        yield message.text
        yield from (call.name + call.arguments for call in message.tool_calls)
    for tool in prompt.tools:
        yield tool.name + tool.description + ("" if tool.parameters is None else compact(tool.parameters))
    yield from (each if isinstance(each, str) else compact(each) for each in prompt.inputs)
