"""Embeddings, as numbers and as base64.

The shapes are `openai.types.CreateEmbeddingResponse` and `openai.types.EmbeddingCreateParams`.
"""

from __future__ import annotations

import sys
from array import array
from base64 import b64decode, b64encode
from typing import Any

from ..core.json_text import compact
from ..core.model import Reply, Request
from ..core.prompt import Answer, Delta, Prompt, Usage
from . import conversion
from . import openai_shapes as shapes
from .fields import mapping, objects, read_values, text, whole, write_json

write_error = shapes.write_error
write_failure = shapes.write_failure
convert = conversion.never

_READ = ("model", "input")


def read_request(request: Request) -> Prompt:
    body = mapping(request.json())
    return Prompt(
        model=text(body.get("model")),
        inputs=read_inputs(body.get("input")),
        options={key: value for key, value in body.items() if key not in _READ},
    )


def read_inputs(value: object) -> tuple[Any, ...]:
    """One text, one list of token numbers, or a list of either."""
    if not isinstance(value, list):
        return (value,) if isinstance(value, str | dict) else ()
    tokens = bool(value) and all(isinstance(item, int) for item in value)
    return (value,) if tokens else tuple(value)


def write_request(prompt: Prompt) -> bytes:
    model = {"model": prompt.model} if prompt.model else {}
    return compact({**model, "input": list(prompt.inputs), **prompt.options}).encode()


def read_reply(reply: Reply) -> Answer:
    values = read_values(reply)
    refused = shapes.read_refusal(reply, values)
    if refused:
        return Answer((refused,))
    body = mapping(values[0]) if values else {}
    error = shapes.read_error(body)
    return Answer(
        deltas=(*_vectors(body), *shapes.usage_deltas(body.get("usage")), *([error] if error else [])),
        model=text(body.get("model")),
        id=text(body.get("id")),
    )


def _vectors(body: dict[str, Any]) -> list[Delta]:
    deltas = []
    for position, entry in enumerate(objects(body.get("data"))):
        number = whole(entry.get("index"))
        vector = read_vector(entry.get("embedding"))
        deltas.append(Delta("vector", index=position if number is None else number, vector=vector))
    return deltas


def read_vector(value: object) -> tuple[float, ...]:
    """A list of numbers, or their 32-bit form in base64; empty when it is neither."""
    try:
        if isinstance(value, str):
            return tuple(_little_endian(array("f", b64decode(value))))
        return tuple(map(float, value)) if isinstance(value, list) else ()
    except (ValueError, TypeError, OverflowError):
        return ()


def _little_endian(numbers: array[float]) -> array[float]:
    if sys.byteorder == "big":
        numbers.byteswap()
    return numbers


def write_reply(prompt: Prompt, answer: Answer) -> Reply:
    if error := shapes.error_of(answer):
        return write_json({"error": shapes.error_object(error)}, 500)
    written = _base64 if prompt.options.get("encoding_format") == "base64" else list
    vectors = [delta for delta in answer.deltas if delta.kind == "vector"]
    usage = answer.usage or Usage()
    body = {
        "object": "list",
        "data": [{"object": "embedding", "index": d.index, "embedding": written(d.vector)} for d in vectors],
        "model": answer.model or prompt.model,
        "usage": {"prompt_tokens": usage.input or 0, "total_tokens": shapes.total_of(usage)},
    }
    return write_json({**body, "id": answer.id} if answer.id else body)


def _base64(vector: tuple[float, ...]) -> str:
    return b64encode(_little_endian(array("f", vector)).tobytes()).decode()
