"""Which models an Ollama server has and runs, what one of them is, and the server's version.

The shapes are `ollama.ListResponse`, `ProcessResponse` and `ShowResponse`.
"""

from __future__ import annotations

import re
from dataclasses import replace
from hashlib import sha256
from typing import Any

from ..core.model import Reply, Request
from ..core.prompt import Answer, Delta, Prompt
from . import conversion, opaque, resources
from . import ollama_answers as answers
from . import openai_shapes as shapes
from .fields import first_text, mapping, objects, read_values, text, write_json

write_request = opaque.write_request
write_error = answers.write_error
write_failure = answers.write_failure
convert = conversion.never

VERSION = "0.40.0"
"""The server that is played."""

_ACTION = re.compile(r"/api/(tags|show|ps|version)/?$")
_LONG_AGO, _LATER = "2025-01-01T00:00:00Z", "2099-01-01T00:00:00Z"
_DETAILS: dict[str, Any] = {
    "parent_model": "",
    "format": "gguf",
    "family": "llama",
    "families": ["llama"],
    "parameter_size": "8.0B",
    "quantization_level": "Q4_K_M",
}
_CAPABILITIES = ["completion", "tools", "vision", "thinking", "embedding"]


def read_request(request: Request) -> Prompt:
    """What is asked for; older clients name the model `name`."""
    prompt = opaque.read_request(request)
    found = _ACTION.search(request.path)
    model = prompt.model or text(prompt.options.get("name"))
    return replace(prompt, model=model, action=found[1] if found else "")


def read_reply(reply: Reply) -> Answer:
    """Models by their names, with all that is told of them; a version as words; of one model all that is told."""
    values = objects(read_values(reply))
    if trouble := shapes.read_trouble(reply, values):
        return Answer((trouble,))
    value = mapping(values[0] if values else None)
    models = [Delta("model", name, data=model) for model in objects(value.get("models")) if (name := _name(model))]
    words = [Delta("text", version) for version in [text(value.get("version"))] if version]
    shown = [Delta("item", data=value)] if "details" in value or "model_info" in value else []
    return Answer((*models, *words, *shown))


def _name(model: dict[str, Any]) -> str:
    return first_text(model.get("name"), model.get("model"))


def write_reply(prompt: Prompt, answer: Answer) -> Reply:
    if error := shapes.error_of(answer):
        return write_json({"error": error.text}, 500)
    if prompt.action == "version":
        return write_json({"version": answer.text or VERSION})
    if prompt.action == "show":
        return write_json({**_shown(prompt.model), **_one(answer)})
    runs = prompt.action == "ps"
    return write_json({"models": [_listed(delta, runs) for delta in answer.deltas if delta.kind == "model"]})


def _one(answer: Answer) -> dict[str, Any]:
    told = resources.told(answer)
    return told[0] if told else {}


def _listed(delta: Delta, runs: bool) -> dict[str, Any]:
    """A model in a list; one that runs will be unloaded some day, and lies in the memory of a graphics card."""
    size = 4_920_753_328
    beside: dict[str, Any] = {"expires_at": _LATER, "size_vram": size} if runs else {"modified_at": _LONG_AGO}
    made = {"name": delta.text, "model": delta.text, "size": size, "digest": _digest(delta.text), "details": _DETAILS}
    return {**made, **beside, **mapping(delta.data)}


def _digest(name: str) -> str:
    return sha256(name.encode(errors="replace")).hexdigest()


def _shown(name: str) -> dict[str, Any]:
    """`ShowResponse`"""
    return {
        "modelfile": f"FROM {name}\n",
        "parameters": "",
        "template": "{{ .Prompt }}",
        "details": _DETAILS,
        "model_info": {"general.architecture": "llama", "llama.context_length": 131072},
        "capabilities": _CAPABILITIES,
        "modified_at": _LONG_AGO,
    }
