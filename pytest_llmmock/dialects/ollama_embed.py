"""Ollama's embeddings, of several texts and in the older way of one.

The shapes are `ollama.EmbedResponse` and `ollama.EmbeddingsResponse`.
"""

from __future__ import annotations

import re
from typing import Any

from ..core.model import Reply, Request
from ..core.prompt import Answer, Delta, Prompt, Usage
from . import conversion, embeddings
from . import ollama_answers as answers
from . import openai_shapes as shapes
from .fields import first_text, listing, mapping, objects, read_values, text, whole, write_json

write_request = embeddings.write_request
write_error = answers.write_error
write_failure = answers.write_failure
convert = conversion.never

_READ = ("model", "input", "prompt")
_ACTION = re.compile(r"/api/(embed|embeddings)/?$")


def read_request(request: Request) -> Prompt:
    """`EmbedRequest`, or `EmbeddingsRequest`, in which the text is a prompt."""
    body = mapping(request.json())
    found = _ACTION.search(request.path)
    return Prompt(
        model=text(body.get("model")),
        inputs=embeddings.read_inputs(body.get("input", body.get("prompt"))),
        options={key: value for key, value in body.items() if key not in _READ},
        action=found[1] if found else "",
    )


def read_reply(reply: Reply) -> Answer:
    values = objects(read_values(reply))
    if trouble := shapes.read_trouble(reply, values):
        return Answer((trouble,))
    body = mapping(values[0] if values else None)
    vectors = listing(body.get("embeddings")) if "embedding" not in body else [body["embedding"]]
    deltas = [Delta("vector", index=n, vector=embeddings.read_vector(value)) for n, value in enumerate(vectors)]
    count = whole(body.get("prompt_eval_count"))
    usage = [] if count is None else [Delta("usage", usage=Usage(input=count))]
    return Answer((*deltas, *usage), first_text(body.get("model")))


def write_reply(prompt: Prompt, answer: Answer) -> Reply:
    if error := shapes.error_of(answer):
        return write_json({"error": error.text}, 500)
    vectors = [list(delta.vector) for delta in answer.deltas if delta.kind == "vector"]
    if prompt.action == "embeddings":
        return write_json({"embedding": vectors[0] if vectors else []})
    return write_json({"model": answer.model or prompt.model, "embeddings": vectors, **_counts(answer)})


def _counts(answer: Answer) -> dict[str, Any]:
    """What is not known is left out, as Ollama does."""
    count = answer.usage.input if answer.usage else None
    return {} if count is None else {"prompt_eval_count": count}
