"""What is said about texts and pictures that may do harm.

The shapes are `openai.types.ModerationCreateResponse` and `openai.types.Moderation`.
"""

from __future__ import annotations

from typing import Any

from ..core.model import Reply, Request
from ..core.prompt import Answer, Prompt
from . import conversion, opaque, resources
from . import openai_shapes as shapes
from .fields import mapping, objects, text, write_json

write_error = shapes.write_error
write_failure = shapes.write_failure
convert = conversion.never
write_request = opaque.write_request
read_reply = resources.read_reply

CATEGORIES = {
    "harassment": False,
    "harassment/threatening": False,
    "hate": False,
    "hate/threatening": False,
    "illicit": False,
    "illicit/violent": False,
    "self-harm": True,
    "self-harm/instructions": True,
    "self-harm/intent": True,
    "sexual": True,
    "sexual/minors": False,
    "violence": True,
    "violence/graphic": True,
}
"""Category -> whether pictures are looked at for it."""

_OF_OMNI_ONLY = ("illicit", "illicit/violent")
_LATEST = "omni-moderation-latest"
_LEAST, _SURE = 1e-06, 0.99


def read_request(request: Request) -> Prompt:
    return opaque.read_request(request)


def write_reply(prompt: Prompt, answer: Answer) -> Reply:
    """`ModerationCreateResponse`: a result for each input, in which nothing is found but what was told."""
    if failed := resources.write_failed(answer):
        return failed
    told = resources.told(answer)
    body = told[0] if told and isinstance(told[0].get("results"), list) else {}
    said = objects(body.get("results")) or [value for value in told if value is not body]
    found = [_result(prompt, said[min(number, len(said) - 1)] if said else {}) for number in range(_count(prompt))]
    head = {"id": f"modr-{shapes.digest(prompt, answer)}", "model": answer.model or prompt.model or _LATEST}
    return write_json({**head, **body, "results": found})


def _count(prompt: Prompt) -> int:
    """A list of texts is that many inputs; a list of parts is one."""
    together = any(isinstance(each, dict) for each in prompt.inputs)
    return 1 if together or not prompt.inputs else len(prompt.inputs)


def _result(prompt: Prompt, told: dict[str, Any]) -> dict[str, Any]:
    """`Moderation`: a category that is told without a score has a high one, and the other way round."""
    scores, flags = mapping(told.get("category_scores")), mapping(told.get("categories"))
    names = [name for name in CATEGORIES if _is_known(prompt, name)]
    found = {name: bool(flags.get(name, _score(scores, name) >= 0.5)) for name in [*names, *flags]}
    known = {name: _score(scores, name) or (_SURE if flag else _LEAST) for name, flag in found.items()}
    return {
        "flagged": any(found.values()),
        "categories": found,
        "category_scores": known,
        **({} if _is_older(prompt) else {"category_applied_input_types": _looked_at(prompt, found)}),
        **{name: value for name, value in told.items() if name not in ("categories", "category_scores")},
    }


def _score(scores: dict[str, Any], name: str) -> float:
    value = scores.get(name)
    return float(value) if isinstance(value, float | int) and abs(value) <= 1 else 0.0


def _is_older(prompt: Prompt) -> bool:
    return prompt.model.startswith("text-moderation")


def _is_known(prompt: Prompt, name: str) -> bool:
    return not (_is_older(prompt) and name in _OF_OMNI_ONLY)


def _looked_at(prompt: Prompt, names: dict[str, bool]) -> dict[str, list[str]]:
    """What was given of each kind that is looked at for a category."""
    kinds = {text(mapping(each).get("type")) or "text" for each in prompt.inputs} or {"text"}
    pictures = ["image"] if "image_url" in kinds else []
    words = ["text"] if "text" in kinds else []
    return {name: [*words, *(pictures if CATEGORIES.get(name) else [])] for name in names}
