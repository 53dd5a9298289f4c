"""Anthropic's models, which are at the paths of OpenAI's: the list, and one of them.

The shapes are `anthropic.types.ModelInfo` and `anthropic.pagination.SyncPage`.
"""

from __future__ import annotations

from typing import Any

from ..core.model import Problem, Reply
from ..core.prompt import Answer, Delta, Prompt
from . import anthropic_errors as errors
from . import conversion, models, resources
from . import openai_shapes as shapes
from .fields import mapping, write_json

read_request = models.read_request
write_request = models.write_request
path_of = models.path_of
read_reply = models.read_reply
write_error = errors.write_error
write_failure = errors.write_failure
convert = conversion.never

_LONG_AGO = "1970-01-01T00:00:00Z"
"""What is told of a model whose release nobody knows."""


def write_reply(prompt: Prompt, answer: Answer) -> Reply:
    if error := shapes.error_of(answer):
        return errors.write_trouble(error)
    found = [_model(delta) for delta in answer.deltas if delta.kind == "model"]
    if not prompt.model:
        return resources.write_page(found)
    wanted = [model for model in found if model["id"] == prompt.model]
    return write_json(wanted[0]) if wanted else write_error(Problem(404, f"model: {prompt.model}"))


def _model(delta: Delta) -> dict[str, Any]:
    made = {"type": "model", "id": delta.text, "display_name": delta.text, "created_at": _LONG_AGO}
    return {**made, "lifecycle": "active", **mapping(delta.data), "id": delta.text}
