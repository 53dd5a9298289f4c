"""Anthropic's other routes. Read as any endpoint is, refused as Anthropic refuses."""

from __future__ import annotations

from ..core.model import Reply
from ..core.prompt import Answer, Prompt
from . import anthropic_errors as errors
from . import conversion, opaque
from . import openai_shapes as shapes

read_request = opaque.read_request
write_request = opaque.write_request
read_reply = opaque.read_reply
write_error = errors.write_error
write_failure = errors.write_failure
convert = conversion.never


def write_reply(prompt: Prompt, answer: Answer) -> Reply:
    """The first item as JSON, or else the words as plain text."""
    if error := shapes.error_of(answer):
        return errors.write_trouble(error)
    return opaque.write_reply(prompt, answer)
