"""The models that a server offers: the list, and one of them.

The shapes are `openai.types.Model` and `openai.pagination.SyncPage`.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import quote, unquote

from ..core.model import Problem, Reply, Request
from ..core.prompt import Answer, Delta, Prompt
from . import conversion
from . import openai_shapes as shapes
from .fields import first_text, listing, mapping, objects, read_values, write_json

write_error = shapes.write_error
write_failure = shapes.write_failure
convert = conversion.never


def read_request(request: Request) -> Prompt:
    """A prompt that names the model when one is asked for; for the list an empty one."""
    return Prompt(model=unquote(request.path.partition("/models/")[2]).strip("/"))


def write_request(prompt: Prompt) -> bytes:
    """Nothing: which model is asked for stands in the path."""
    return b""


def path_of(prompt: Prompt) -> str:
    """The path that asks this, from the route on."""
    return f"/models/{quote(prompt.model)}" if prompt.model else "/models"


def read_reply(reply: Reply) -> Answer:
    values = read_values(reply)
    refused = shapes.read_refusal(reply, values)
    if refused:
        return Answer((refused,))
    body = values[0] if values else None
    error = shapes.read_error(body)
    return Answer((*(_delta(entry) for entry in _entries(body) if _name(entry)), *([error] if error else [])))


def _entries(body: Any) -> list[dict[str, Any]]:
    """OpenAI's list, Google's and the Codex backend's, Together's bare one, or one model."""
    if isinstance(body, list):
        return objects(body)
    fields = mapping(body)
    many = listing(fields.get("data")) or listing(fields.get("models"))
    return objects(many) if many else [fields]


def _name(entry: dict[str, Any]) -> str:
    return first_text(entry.get("id"), entry.get("slug"), entry.get("name"))


def _delta(entry: dict[str, Any]) -> Delta:
    return Delta("model", _name(entry), data=entry)


def write_reply(prompt: Prompt, answer: Answer) -> Reply:
    if error := shapes.error_of(answer):
        return write_json({"error": shapes.error_object(error)}, 500)
    models = [_model(delta, answer) for delta in answer.deltas if delta.kind == "model"]
    if not prompt.model:
        return write_json({"object": "list", "data": models})
    wanted = [model for model in models if model["id"] == prompt.model]
    return write_json(wanted[0]) if wanted else write_error(_unknown(prompt.model))


def _model(delta: Delta, answer: Answer) -> dict[str, Any]:
    made = {"id": delta.text, "object": "model", "created": answer.created or 0, "owned_by": "llmmock"}
    return {**made, **mapping(delta.data), "id": delta.text}


def _unknown(model: str) -> Problem:
    return Problem(404, f"The model '{model}' does not exist", "model_not_found", param="model")
