"""Batches: many requests that a provider answers later. The shape is `openai.types.Batch`."""

from __future__ import annotations

from functools import partial
from typing import Any

from ..core.json_text import compact
from ..core.model import Reply, Request
from ..core.prompt import Answer, Prompt
from . import conversion, resources
from . import openai_shapes as shapes
from .fields import mapping, text

write_error = shapes.write_error
write_failure = shapes.write_failure
convert = conversion.never
read_reply = resources.read_reply

_DAY = 24 * 60 * 60
_STATUSES = {"create": "validating", "cancel": "cancelling"}
_TIMES = (
    "in_progress_at",
    "finalizing_at",
    "completed_at",
    "failed_at",
    "expired_at",
    "cancelling_at",
    "cancelled_at",
)


def read_request(request: Request) -> Prompt:
    action, id = resources.asked(request, "batches")
    return Prompt(options=mapping(request.json()), action=action, id=id)


def write_request(prompt: Prompt) -> bytes:
    return compact(prompt.options).encode() if prompt.options else b""


def write_reply(prompt: Prompt, answer: Answer) -> Reply:
    """`Batch`, or a list of them."""
    if failed := resources.write_failed(answer):
        return failed
    return resources.write(prompt.action, "batch", prompt.id, resources.told(answer), partial(_batch, prompt, answer))


def _batch(prompt: Prompt, answer: Answer, told: dict[str, Any]) -> dict[str, Any]:
    """`Batch`; what was not told is what the request says, or what is so when nothing has happened yet."""
    created = answer.created or 0
    options = prompt.options
    return {
        "id": prompt.id or f"batch_{shapes.digest(prompt, answer)}",
        "object": "batch",
        "endpoint": text(options.get("endpoint")) or "/v1/chat/completions",
        "errors": None,
        "input_file_id": text(options.get("input_file_id")),
        "completion_window": text(options.get("completion_window")) or "24h",
        "status": _STATUSES.get(prompt.action, "completed"),
        "output_file_id": None,
        "error_file_id": None,
        "created_at": created,
        "expires_at": created + _DAY,
        **dict.fromkeys(_TIMES),
        "request_counts": {"total": 0, "completed": 0, "failed": 0},
        "metadata": options.get("metadata"),
        **told,
    }
