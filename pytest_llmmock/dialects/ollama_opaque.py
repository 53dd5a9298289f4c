"""Ollama's other routes: models are pulled, copied, made. Read as any endpoint is, refused as Ollama refuses."""

from __future__ import annotations

from ..core.model import Reply
from ..core.prompt import Answer, Prompt
from . import conversion, opaque
from . import ollama_answers as answers
from . import openai_shapes as shapes
from .fields import write_json

read_request = opaque.read_request
write_request = opaque.write_request
read_reply = opaque.read_reply
write_error = answers.write_error
write_failure = answers.write_failure
convert = conversion.never


def write_reply(prompt: Prompt, answer: Answer) -> Reply:
    """The first item as JSON, or else the words as plain text."""
    error = shapes.error_of(answer)
    return write_json({"error": error.text}, 500) if error else opaque.write_reply(prompt, answer)
