"""How many tokens a request of Anthropic's would be. The shape is `anthropic.types.MessageTokensCount`."""

from __future__ import annotations

from ..core.model import Reply
from ..core.prompt import Answer, Delta, Prompt, Usage
from . import anthropic, conversion
from . import anthropic_errors as errors
from . import openai_shapes as shapes
from .counting import counted
from .fields import mapping, objects, read_values, whole, write_json

read_request = anthropic.read_request
write_request = anthropic.write_request
write_error = errors.write_error
write_failure = errors.write_failure
convert = conversion.never


def read_reply(reply: Reply) -> Answer:
    values = objects(read_values(reply))
    if trouble := shapes.read_trouble(reply, values):
        return Answer((errors.coded(trouble),))
    count = whole(mapping(values[0] if values else None).get("input_tokens"))
    return Answer(() if count is None else (Delta("usage", usage=Usage(input=count)),))


def write_reply(prompt: Prompt, answer: Answer) -> Reply:
    """`MessageTokensCount`: what was told, or an estimate."""
    if error := shapes.error_of(answer):
        return errors.write_trouble(error)
    return write_json({"input_tokens": counted(prompt, answer)})
